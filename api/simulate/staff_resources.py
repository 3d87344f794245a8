"""Describe staff in FHIR: Practitioner for people, Device for machines."""

from api.simulate.departments import DEPARTMENTS
from api.simulate.fhir import JsonObject, concept
from api.simulate.staff import StaffMember
from ledger.vietnam import LICENCE_NUMBER, STAFF_CODE


def staff_resource(member: StaffMember, staff: str) -> JsonObject:
    """Return the resource of a member of staff; its id is the staff stream's."""
    if member.name is None:
        return _device(member, staff)
    name = member.name
    return {
        "resourceType": "Practitioner",
        "id": staff,
        "identifier": [
            {"system": STAFF_CODE, "value": member.key.upper()},
            {"system": LICENCE_NUMBER, "value": member.number},
        ],
        "active": True,
        "name": [
            {
                "use": "official",
                "text": name.text,
                "family": name.family,
                "given": [part for part in (name.middle, name.given) if part],
                "prefix": [member.title],
            }
        ],
        "gender": member.sex,
        "qualification": [{"code": concept(text=_qualification(member))}],
    }


def _device(member: StaffMember, staff: str) -> JsonObject:
    return {
        "resourceType": "Device",
        "id": staff,
        "status": "active",
        "serialNumber": member.number,
        "deviceName": [{"name": member.title, "type": "user-friendly-name"}],
        "type": concept(text=DEPARTMENTS[member.department].name),
    }


def _qualification(member: StaffMember) -> str:
    return f"{member.title}, {DEPARTMENTS[member.department].name}"
