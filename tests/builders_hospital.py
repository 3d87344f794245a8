"""A hospital for tests of the rules: staff of every kind, a patient and an open record."""

# ruff: noqa: ANN401 - members of statements and elements of resources are of any type

from collections.abc import Mapping
from typing import Any

from ledger.vietnam import FORM, ICD_10, ORDER_CATEGORY
from tests.builders_resources import (
    LATER_LOCAL_TIME,
    LOCAL_TIME,
    TERMINOLOGY,
    Json,
    amendment,
    an_id,
    bundle,
    concept,
    encoded,
    encounter,
    finished,
    narrative,
    patient,
    placer,
)
from tests.builders_rules import FACILITY, REGISTRAR, Taken, World, enrol, founding


class Hospital(World):
    """A founded ledger with staff of every kind, a patient and an open record."""

    def __init__(self) -> None:
        super().__init__()
        self.add("ledger-founded.v1", founding(self), stream=FACILITY, signer=REGISTRAR)
        self.doctor = enrol(self, "doctor", "doctor")
        self.other_doctor = enrol(self, "other doctor", "doctor")
        self.nurse = enrol(self, "nurse", "nurse")
        self.technician = enrol(self, "technician", "laboratory")
        self.radiologist = enrol(self, "radiologist", "imaging")
        self.analyser = enrol(self, "analyser", "laboratory", kind="device")
        self.monitor = enrol(self, "monitor", "monitor", kind="device")
        self.patient = an_id("patient")
        self.record = an_id("record")
        self.registered = self.add(
            "patient-registered.v1",
            patient(self.patient),
            stream=self.patient,
            signer=self.nurse,
        )
        self.opened = self.add(
            "record-opened.v1",
            encounter(self.record, self.patient),
            stream=self.record,
            signer=self.doctor,
        )

    def enter(self, tag: str, content: Mapping[str, Any] | bytes, **members: Any) -> Taken:
        """Add an event to the record, signed by the doctor unless said otherwise."""
        return self.add(tag, content, **{"stream": self.record, "signer": self.doctor, **members})

    def new(self, resource_type: str, name: str, **elements: Any) -> Json:
        """Return the elements common to all resources of the record."""
        return {
            "resourceType": resource_type,
            "id": an_id(name),
            "subject": {"reference": f"Patient/{self.patient}"},
            "encounter": {"reference": f"Encounter/{self.record}"},
            **elements,
        }

    def note(self, name: str = "note", form: str = "36/BV2", author: str = "") -> Json:
        """Return a Composition."""
        return self.new(
            "Composition",
            name,
            status="final",
            type=concept(FORM, form),
            date=LOCAL_TIME,
            author=[{"reference": f"Practitioner/{author or self.doctor}"}],
            title="Tờ điều trị",
            section=[{"text": narrative("Bệnh nhân tỉnh, tiếp xúc tốt.")}],
        )

    def diagnosis(self, name: str = "diagnosis", code: str = "J18.9") -> Json:
        """Return a Condition."""
        return self.new(
            "Condition",
            name,
            clinicalStatus=concept(f"{TERMINOLOGY}/condition-clinical", "active"),
            code={"coding": [{"system": ICD_10, "version": "TT06/2026", "code": code}]},
            recordedDate=LOCAL_TIME,
            recorder={"reference": f"Practitioner/{self.doctor}"},
        )

    def order(self, name: str = "order", category: str = "laboratory") -> Json:
        """Return a ServiceRequest."""
        return self.new(
            "ServiceRequest",
            name,
            identifier=[placer(name)],
            status="active",
            intent="order",
            category=[concept(ORDER_CATEGORY, category)],
            code={"text": "Tổng phân tích tế bào máu"},
            authoredOn=LOCAL_TIME,
            requester={"reference": f"Practitioner/{self.doctor}"},
        )

    def prescription(self, name: str = "prescription") -> Json:
        """Return a MedicationRequest."""
        return self.new(
            "MedicationRequest",
            name,
            identifier=[placer(name)],
            status="active",
            intent="order",
            medicationCodeableConcept={"text": "Amoxicilin 500 mg"},
            authoredOn=LOCAL_TIME,
            requester={"reference": f"Practitioner/{self.doctor}"},
            dosageInstruction=[{"text": "Uống 1 viên, ngày 3 lần"}],
        )

    def observation(self, name: str, **elements: Any) -> Json:
        """Return an Observation."""
        return self.new(
            "Observation",
            name,
            **{
                "status": "final",
                "code": concept("http://loinc.org", "8867-4"),
                "effectiveDateTime": LOCAL_TIME,
                "valueQuantity": {"value": 72, "unit": "/min"},
                **elements,
            },
        )

    def vitals(self, name: str = "vitals", performer: str = "") -> Json:
        """Return a Bundle of two vital signs."""
        shared = {
            "category": [concept(f"{TERMINOLOGY}/observation-category", "vital-signs")],
            "performer": [{"reference": f"Practitioner/{performer or self.nurse}"}],
        }
        return bundle(
            self.observation(name, **shared), self.observation(f"{name} second", **shared)
        )

    def result(self, order: Taken, name: str = "result", **elements: Any) -> Json:
        """Return a Bundle: a report by the technician, and one finding."""
        finding = self.observation(f"{name} finding", status=elements.get("status", "final"))
        report = self.new(
            "DiagnosticReport",
            name,
            **{
                "basedOn": [{"reference": f"ServiceRequest/{order.statement.event_id}"}],
                "status": "final",
                "code": {"text": "Tổng phân tích tế bào máu"},
                "effectiveDateTime": LOCAL_TIME,
                "issued": LATER_LOCAL_TIME,
                "performer": [{"reference": f"Practitioner/{self.technician}"}],
                "result": [{"reference": f"Observation/{finding['id']}"}],
                **elements,
            },
        )
        return bundle(report, finding)

    def allergy(self, name: str = "allergy") -> Json:
        """Return an AllergyIntolerance."""
        return {
            "resourceType": "AllergyIntolerance",
            "id": an_id(name),
            "clinicalStatus": concept(f"{TERMINOLOGY}/allergyintolerance-clinical", "active"),
            "verificationStatus": concept(
                f"{TERMINOLOGY}/allergyintolerance-verification", "confirmed"
            ),
            "code": {"text": "Penicilin"},
            "patient": {"reference": f"Patient/{self.patient}"},
            "recordedDate": LOCAL_TIME,
            "recorder": {"reference": f"Practitioner/{self.doctor}"},
        }

    def placed(self, name: str = "order", category: str = "laboratory") -> Taken:
        """Place an order."""
        return self.enter("order-placed.v1", self.order(name, category))

    def reported(self, order: Taken, name: str = "result", **elements: Any) -> Taken:
        """Report the technician's result of an order."""
        return self.enter(
            "result-reported.v1",
            self.result(order, name, **elements),
            signer=self.technician,
            refs=[order.ref("answers")],
        )

    def amend(self, target: Taken, resource: Mapping[str, Any], **members: Any) -> Taken:
        """Amend an entry of the record."""
        document = amendment(resource)
        return self.enter(
            "entry-amended.v1", document, **{"refs": [target.ref("amends")], **members}
        )

    def retract(self, target: Taken, **members: Any) -> Taken:
        """Retract an entry of the record."""
        refs = [target.ref("retracts")]
        reason = {"reason": "Ghi nhầm người bệnh"}
        return self.enter("entry-retracted.v1", encoded(reason), **{"refs": refs, **members})

    def close(self) -> Taken:
        """Close the record."""
        return self.enter("record-closed.v1", finished(encounter(self.record, self.patient)))
