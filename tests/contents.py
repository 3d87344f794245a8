"""Contents of events that the profiles accept, as small as they allow; synthetic people only."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from ledger import vietnam
from ledger.profiles.keys import format_verifier_key
from ledger.profiles.observations import OBSERVATION_CATEGORY, VITAL_SIGNS
from signing.keys import Signer
from signing.possession import build_possession
from signing.statement import format_time_ms

Json = dict[str, Any]


def encode(document: Json) -> bytes:
    """Return compact UTF-8 JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def reference(kind: str, identity: str) -> Json:
    """Return a literal reference."""
    return {"reference": f"{kind}/{identity}"}


def concept(system: str, code: str, **more: str) -> Json:
    """Return a concept of one code."""
    return {"coding": [{"system": system, "code": code, **more}]}


def founding(origin: str, registrars: Sequence[tuple[str, Signer]], *, checkpoint: bytes) -> bytes:
    """Return a founding document; `checkpoint` is the raw Ed25519 public key (32 bytes)."""
    return encode(
        {
            "origin": origin,
            "checkpoint_key": format_verifier_key(origin, checkpoint),
            "registrars": [
                {"staff": staff, **_proved(key, origin=origin, staff=staff, nonce=f"founding-{n}")}
                for n, (staff, key) in enumerate(registrars)
            ],
        }
    )


def enrolled_key(key: Signer, *, origin: str, staff: str, nonce: str) -> bytes:
    """Return the content of `key-enrolled.v1`."""
    return encode(_proved(key, origin=origin, staff=staff, nonce=nonce))


def _proved(key: Signer, *, origin: str, staff: str, nonce: str) -> Json:
    proof = build_possession(key, origin=origin, staff=staff, nonce=nonce)
    return {
        "alg": key.alg,
        "spki": base64.b64encode(key.spki).decode(),
        "possession": proof.decode(),
    }


def practitioner(staff: str, *, name: str = "Nguyễn Thị Thử") -> Json:
    """Return a Practitioner with a staff code."""
    return {
        "resourceType": "Practitioner",
        "id": staff,
        "identifier": [{"system": vietnam.STAFF_CODE, "value": "NV-1"}],
        "name": [{"text": name}],
    }


def device(staff: str) -> Json:
    """Return a Device with a serial number."""
    return {
        "resourceType": "Device",
        "id": staff,
        "serialNumber": "SN-1",
        "deviceName": [{"name": "Analyser", "type": "user-friendly-name"}],
    }


def patient(stream: str, *, name: str = "Trần Văn Mẫu", citizen_id: str = "022099000001") -> Json:
    """Return a Patient with a citizen ID."""
    return {
        "resourceType": "Patient",
        "id": stream,
        "identifier": [{"system": vietnam.CITIZEN_ID, "value": citizen_id}],
        "name": [{"text": name}],
        "gender": "male",
        "birthDate": "1999",
    }


class Ward:
    """Contents about one patient's record: what all of them share."""

    def __init__(self, *, record: str, patient: str) -> None:
        self.record = record
        self.patient = patient

    def encounter(self, *, start_ms: int, end_ms: int | None = None) -> Json:
        """Return the Encounter of an opened record, or with an end of a closed one."""
        period = {"start": format_time_ms(start_ms)}
        if end_ms is not None:
            period["end"] = format_time_ms(end_ms)
        return {
            "resourceType": "Encounter",
            "id": self.record,
            "identifier": [{"system": vietnam.RECORD_NUMBER, "value": "HS-1"}],
            "status": "in-progress" if end_ms is None else "finished",
            "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "IMP",
            },
            "type": [concept(vietnam.RECORD_TYPE, "01/BV1")],
            "subject": reference("Patient", self.patient),
            "period": period,
        }

    def diagnosis(self, identity: str, author: str, at_ms: int, *, code: str = "J18.9") -> Json:
        """Return a Condition."""
        return {
            "resourceType": "Condition",
            "id": identity,
            "code": concept(vietnam.ICD_10, code, version="TT06/2026"),
            **self._context(),
            "recordedDate": format_time_ms(at_ms),
            "recorder": reference("Practitioner", author),
        }

    def note(
        self, identity: str, author: str, at_ms: int, *, form: str = "36/BV2", text: str = "Khám."
    ) -> Json:
        """Return a Composition of one section."""
        return {
            "resourceType": "Composition",
            "id": identity,
            "status": "final",
            "type": concept(vietnam.FORM, form),
            **self._context(),
            "date": format_time_ms(at_ms),
            "author": [reference("Practitioner", author)],
            "title": "Tờ điều trị",
            "section": [
                {
                    "text": {
                        "status": "generated",
                        "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{text}</p></div>',
                    }
                }
            ],
        }

    def order(self, identity: str, author: str, at_ms: int, *, number: str = "XN-1") -> Json:
        """Return a laboratory ServiceRequest."""
        return {
            "resourceType": "ServiceRequest",
            "id": identity,
            "identifier": [
                {
                    "type": concept(vietnam.PLACER_TYPE_SYSTEM, vietnam.PLACER_TYPE),
                    "system": vietnam.ORDER_NUMBER,
                    "value": number,
                }
            ],
            "status": "active",
            "intent": "order",
            "category": [concept(vietnam.ORDER_CATEGORY, "laboratory")],
            "code": {"text": "Công thức máu"},
            **self._context(),
            "authoredOn": format_time_ms(at_ms),
            "requester": reference("Practitioner", author),
        }

    def vitals(self, identity: str, author: str, at_ms: int) -> Json:
        """Return a Bundle of one heart rate."""
        rate = self._observation(identity, at_ms, value=82, unit="/min")
        rate["category"] = [concept(OBSERVATION_CATEGORY, VITAL_SIGNS)]
        rate["performer"] = [reference("Practitioner", author)]
        return _bundle(rate)

    def result(self, identity: str, author: str, at_ms: int, *, order: str, member: str) -> Json:
        """Return a Bundle of a final report by a device and its one observation."""
        report = {
            "resourceType": "DiagnosticReport",
            "id": identity,
            "status": "final",
            "code": {"text": "Công thức máu"},
            "basedOn": [reference("ServiceRequest", order)],
            **self._context(),
            "effectiveDateTime": format_time_ms(at_ms),
            "issued": format_time_ms(at_ms),
            "result": [reference("Observation", member)],
        }
        found = self._observation(member, at_ms, value=12, unit="g/dL")
        found["device"] = reference("Device", author)
        return _bundle(report, found)

    def _context(self) -> Json:
        return {
            "subject": reference("Patient", self.patient),
            "encounter": reference("Encounter", self.record),
        }

    def _observation(self, identity: str, at_ms: int, *, value: int, unit: str) -> Json:
        return {
            "resourceType": "Observation",
            "id": identity,
            "status": "final",
            "code": {"text": "Mạch"},
            **self._context(),
            "effectiveDateTime": format_time_ms(at_ms),
            "valueQuantity": {"value": value, "unit": unit},
        }


def _bundle(*resources: Json) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": resource} for resource in resources],
    }


def amendment(reason: str, resource: Json) -> bytes:
    """Return the content of `entry-amended.v1`."""
    return encode({"reason": reason, "resource": encode(resource).decode()})
