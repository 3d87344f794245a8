"""Profile the resources of people and devices: Patient, Practitioner, Device, and allergies."""

from collections.abc import Sequence
from typing import Final, cast

from msgspec import UNSET, UnsetType

from ledger.fhir import r4
from ledger.fhir.validation import decode_resource
from ledger.profiles.agreement import (
    Claim,
    NamedStaff,
    check_id,
    check_moment,
    check_stream_id,
    claim_of,
    patient_of,
    reject,
    require,
)
from ledger.profiles.coding import check_identifiers
from ledger.profiles.facts import EnrolmentFacts, ResourceFacts
from ledger.profiles.profile import Profile
from ledger.vietnam import PATIENT_SYSTEMS, PRACTITIONER_SYSTEMS
from signing.statement import Statement

_ENTERED_IN_ERROR: Final = "entered-in-error"
_VERIFICATION: Final = ("confirmed", "refuted", "differential", "provisional", "unconfirmed")

PRACTITIONER_REQUIRED: Final = ("id", "identifier", "name")
DEVICE_REQUIRED: Final = ("id", "identifier|serialNumber", "deviceName")
DEVICE_FORBIDDEN: Final = ("patient", "contact", "note", "text", "contained")
"""Where a person could be named: device events are stored in the open."""


def read_practitioner(statement: Statement, content: bytes) -> EnrolmentFacts:
    """Read `practitioner-enrolled.v1`."""
    # The decoder guarantees the type.
    resource = cast("r4.Practitioner", decode_resource(content, "Practitioner"))
    require(resource, PRACTITIONER_REQUIRED)
    check_stream_id(resource.id, claim_of(statement))
    _check_name(resource.name)
    if check_identifiers(resource.identifier).isdisjoint(PRACTITIONER_SYSTEMS):
        raise reject("identifier-missing", "/identifier", "licence number or staff code")
    return EnrolmentFacts(
        kind="practitioner", resource_type="Practitioner", resource_id=statement.stream
    )


def read_device(statement: Statement, content: bytes) -> EnrolmentFacts:
    """Read `device-enrolled.v1`."""
    resource = cast("r4.Device", decode_resource(content, "Device"))
    require(resource, DEVICE_REQUIRED)
    check_stream_id(resource.id, claim_of(statement))
    check_identifiers(resource.identifier)
    for element in DEVICE_FORBIDDEN:
        if getattr(resource, element) is not UNSET:
            raise reject("element-not-allowed", f"/{element}", "the directory is not sealed")
    return EnrolmentFacts(kind="device", resource_type="Device", resource_id=statement.stream)


def _check_name(names: Sequence[r4.HumanName] | UnsetType) -> None:
    texts = (name.text or "" for name in names or ())
    if not any(char.isalpha() for text in texts for char in text):
        raise reject("name-missing", "/name", "a name with the full name as text")


def _read_patient(patient: r4.Patient, claim: Claim) -> ResourceFacts:
    check_stream_id(patient.id, claim)
    _check_name(patient.name)
    if check_identifiers(patient.identifier).isdisjoint(PATIENT_SYSTEMS):
        raise reject("identifier-missing", "/identifier", "one of the patient systems")
    return ResourceFacts(resource_type="Patient", resource_id=claim.stream, patient=claim.stream)


def _read_allergy(allergy: r4.AllergyIntolerance, claim: Claim) -> ResourceFacts:
    staff = NamedStaff()
    staff.add_one(allergy.recorder, "/recorder", responsible=True)
    staff.check_signer(claim, "/recorder")
    staff.add_one(allergy.asserter, "/asserter")
    patient = patient_of(allergy.patient, "/patient")
    if patient != claim.stream:
        raise reject("subject-mismatch", "/patient", "must be the patient of the stream")
    check_moment(allergy.recordedDate, claim, "/recordedDate")
    return ResourceFacts(
        resource_type="AllergyIntolerance",
        resource_id=check_id(allergy.id, claim),
        patient=patient,
        status=verification_status(allergy.verificationStatus),
        responsible=staff.responsible,
        mentioned=staff.mentioned,
        kinds=staff.kinds,
    )


def verification_status(concept: r4.CodeableConcept | UnsetType) -> str:
    """Read the verification status; an error is marked by `entry-retracted` only.

    Raises:
        ContentRejectedError: `status-not-allowed`.
    """
    codes = {coding.code for coding in (concept.coding or () if concept else ())}
    if _ENTERED_IN_ERROR in codes:
        raise reject("status-not-allowed", "/verificationStatus", "retract the entry instead")
    return next((status for status in _VERIFICATION if status in codes), "")


PATIENT: Final = Profile(
    resource_type="Patient",
    required=("id", "identifier", "name", "gender"),
    read=_read_patient,
)
ALLERGY: Final = Profile(
    resource_type="AllergyIntolerance",
    required=(
        "id",
        "clinicalStatus",
        "verificationStatus",
        "code",
        "patient",
        "recordedDate",
        "recorder",
    ),
    read=_read_allergy,
)
