"""Write what is known of a patient: the Patient resource, identity updates and allergies."""

from typing import Final

from api.simulate.chance import Chance
from api.simulate.chart import Chart, Entry
from api.simulate.fhir import JsonObject, coding, concept, local_time, terminology
from api.simulate.people import Person
from ledger.vietnam import (
    CITIZEN_ID,
    INSURANCE_NUMBER,
    PASSPORT,
    PATIENT_CODE,
    TEMPORARY_CODE,
)

_ETHNICITY: Final = "https://clinledger.example/fhir/vn/StructureDefinition/ethnicity"
_NATIONALITY: Final = "http://hl7.org/fhir/StructureDefinition/patient-nationality"
_COUNTRY: Final = "urn:iso:std:iso:3166"

_ALLERGIES: Final = (
    ("Penicilin", "medication", "high", "Nổi mày đay, phù mặt sau tiêm"),
    ("Cephalosporin", "medication", "high", "Phát ban toàn thân, khó thở"),
    ("Diclofenac", "medication", "low", "Ngứa, nổi mẩn"),
    ("Tôm, cua", "food", "low", "Nổi mày đay sau ăn"),
    ("Thuốc cản quang i-ốt", "medication", "high", "Nôn, mẩn đỏ khi chụp cắt lớp"),
    ("Sulfamethoxazol", "medication", "high", "Hồng ban đa dạng"),
)


def patient_resource(person: Person, patient: str, *, identified: bool) -> JsonObject:
    """Return the Patient.

    Args:
        person: who it is.
        patient: stream id, which is the resource's id.
        identified: False while only the temporary code is known.
    """
    resource: JsonObject = {"resourceType": "Patient", "id": patient}
    if identified:
        resource["extension"] = _extensions(person)
    resource |= {
        "identifier": _identifiers(person, identified=identified),
        "active": True,
        "name": [_name(person, identified=identified)],
    }
    if identified and person.phone:
        resource["telecom"] = [{"system": "phone", "value": person.phone, "use": "mobile"}]
    resource["gender"] = person.sex
    if identified:
        resource |= {
            "birthDate": person.birth_date,
            "address": [_address(person)],
            "contact": [_contact(person)],
        }
    return resource


def record_allergy(chart: Chart, chance: Chance, *, signer: str, at_ms: int) -> Entry:
    """Add an allergy to the patient's stream."""
    event_id = chart.new_id()
    substance, category, criticality, reaction = chance.one_of(_ALLERGIES)
    clinical = coding(terminology("allergyintolerance-clinical"), "active")
    verified = coding(terminology("allergyintolerance-verification"), "confirmed")
    resource: JsonObject = {
        "resourceType": "AllergyIntolerance",
        "id": event_id,
        "clinicalStatus": concept(clinical),
        "verificationStatus": concept(verified),
        "type": "allergy",
        "category": [category],
        "criticality": criticality,
        "code": concept(text=substance),
        "patient": chart.patient,
        "recordedDate": local_time(at_ms),
        "recorder": chart.staff(signer),
        "reaction": [{"manifestation": [concept(text=reaction)]}],
    }
    return chart.add("allergy-recorded.v1", resource, signer=signer, at_ms=at_ms, event_id=event_id)


def _extensions(person: Person) -> list[JsonObject]:
    country = concept(coding(_COUNTRY, person.nationality))
    nationality: JsonObject = {
        "url": _NATIONALITY,
        "extension": [{"url": "code", "valueCodeableConcept": country}],
    }
    if person.ethnicity is None:
        return [nationality]
    return [
        {"url": _ETHNICITY, "valueCodeableConcept": concept(text=person.ethnicity)},
        nationality,
    ]


def _name(person: Person, *, identified: bool) -> JsonObject:
    name = person.name
    if not identified:
        return {"use": "temp", "text": "Chưa rõ họ tên"}
    given = [part for part in (name.middle, name.given) if part]
    return {"use": "official", "text": name.text, "family": name.family, "given": given}


def _identifiers(person: Person, *, identified: bool) -> list[JsonObject]:
    rows = [(PATIENT_CODE, person.patient_code, "usual")]
    if person.temporary_code:
        rows.append((TEMPORARY_CODE, person.temporary_code, "old" if identified else "temp"))
    if identified:
        rows += [
            (system, value, "official")
            for system, value in (
                (CITIZEN_ID, person.citizen_id),
                (INSURANCE_NUMBER, person.insurance_number),
                (PASSPORT, person.passport),
            )
            if value
        ]
    return [{"use": use, "system": system, "value": value} for system, value, use in rows]


def _address(person: Person) -> JsonObject:
    address = person.address
    return {
        "use": "home",
        "text": address.text,
        "line": [address.line],
        "city": address.commune,
        "state": address.province.name,
        "country": "VN",
    }


def _contact(person: Person) -> JsonObject:
    contact = person.contact
    return {
        "relationship": [concept(text=contact.kinship)],
        "name": {"text": contact.name.text},
        "telecom": [{"system": "phone", "value": contact.phone}],
    }
