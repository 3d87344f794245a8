"""A small facility that was built by commands only."""

import shutil
from pathlib import Path
from typing import Any

from ledger.vietnam import CITIZEN_ID as CITIZEN_ID_SYSTEM
from ledger.vietnam import FORM, ORDER_CATEGORY, ORDER_NUMBER, RECORD_NUMBER, RECORD_TYPE
from tests.cli.shell import CITIZEN_ID, ORIGIN, PATIENT_NAME, Answer, Shell

XHTML = "http://www.w3.org/1999/xhtml"


def patient(name: str = PATIENT_NAME) -> dict[str, Any]:
    """Return what a clerk writes of a patient."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": CITIZEN_ID_SYSTEM, "value": CITIZEN_ID}],
        "name": [{"text": name}],
        "gender": "female",
        "birthDate": "1985-03-14",
    }


def encounter(patient_id: str) -> dict[str, Any]:
    """Return what a doctor writes to open a record."""
    return {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"code": "IMP"},
        "type": [{"coding": [{"system": RECORD_TYPE, "code": "01/BV1"}]}],
        "identifier": [{"system": RECORD_NUMBER, "value": "BA-1"}],
        "subject": {"reference": f"Patient/{patient_id}"},
    }


def note(text: str = "Sốt, ho khan.", **elements: Any) -> dict[str, Any]:  # noqa: ANN401 - FHIR
    """Return what a doctor writes on a treatment sheet."""
    return {
        "resourceType": "Composition",
        "status": "final",
        "type": {"coding": [{"system": FORM, "code": "36/BV2"}]},
        "title": "Tờ điều trị",
        "section": [
            {"text": {"status": "additional", "div": f'<div xmlns="{XHTML}">{text}</div>'}}
        ],
        **elements,
    }


def order() -> dict[str, Any]:
    """Return what a doctor writes to order a blood count."""
    placer = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]
    }
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "identifier": [{"type": placer, "system": ORDER_NUMBER, "value": "XN-1"}],
        "category": [{"coding": [{"system": ORDER_CATEGORY, "code": "laboratory"}]}],
        "code": {"text": "Tổng phân tích tế bào máu"},
    }


def result(status: str = "final") -> dict[str, Any]:
    """Return what an analyser writes: a report and one observation."""
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "WBC"},
        "valueQuantity": {"value": 14.2, "unit": "G/L"},
    }
    report = {"resourceType": "DiagnosticReport", "status": status, "code": {"text": "CTM"}}
    return {"resourceType": "Bundle", "entry": [{"resource": report}, {"resource": observation}]}


class Facility(Shell):
    """A founded ledger with a doctor, a nurse, an analyser, a patient and an open record."""

    def __init__(self, home: Path, database_url: str) -> None:
        super().__init__(home, database_url)
        names = ("--registrar", "Trần Thị Bình", "--registrar", "Lê Văn Cường")
        self.registrars: list[str] = self("init", ORIGIN, *names, "--json").json["registrars"]
        self.doctor = self.enrol("Nguyễn Thị Hoa", "--licence", "000123/QN-GPHN", role="doctor")
        self.nurse = self.enrol("Phạm Văn Đức", "--code", "DD-07", role="nurse")
        self.analyser = self.enrol("XN-1000", "--device", "SN-4711", role="laboratory")
        self.patient = self.append(patient(), "patient-registered.v1", self.nurse).text
        self.record = self.append(encounter(self.patient), "record-opened.v1", self.doctor).text

    def enrol(self, name: str, *options: str, role: str) -> str:
        """Enrol somebody with a role and a key; return the staff id."""
        staff = self("staff", "enrol", "--name", name, *options, "--role", role).text
        for command in ("new", "enrol"):
            assert self("key", command, staff).code == 0
        return staff

    def sign(self, content: object, tag: str, staff: str, *options: str) -> Answer:
        """Sign an event; its content may be bytes, or anything that is JSON."""
        path = self.file("content.json", content)
        return self("sign", path, "--type", tag, "--as", staff, *options)

    def append(self, content: object, tag: str, staff: str, *options: str) -> Answer:
        """Sign an event and submit it through a pipe."""
        signed = self.sign(content, tag, staff, *options)
        assert signed.code == 0, signed.err
        return self("submit", "-", stdin=signed.out.encode())

    def write_note(self, *options: str) -> str:
        """Let the doctor write a note; return its id."""
        target = ("--stream", self.record, *options)
        return self.append(note(), "note-written.v1", self.doctor, *target).text

    def elsewhere(self, folder: Path) -> Shell:
        """Return a shell with copies of the keys in another home, on the same database."""
        shutil.copytree(self.home / "keys", folder / "keys")
        return Shell(folder, self.variables["CLINLEDGER_DATABASE_URL"])
