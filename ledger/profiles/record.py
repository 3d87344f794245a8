"""Profile the resources that make up a record: Encounter, Condition and Composition."""

from typing import Final

from msgspec import UNSET

from ledger.fhir import r4
from ledger.profiles.agreement import (
    Claim,
    NamedStaff,
    check_encounter,
    check_id,
    check_moment,
    check_stream_id,
    patient_of,
    reject,
)
from ledger.profiles.coding import check_icd_10, check_identifiers, check_one_of, one_code
from ledger.profiles.facts import ResourceFacts
from ledger.profiles.people import verification_status
from ledger.profiles.profile import Profile
from ledger.vietnam import (
    FACILITY_FORM,
    FORM,
    FORMS,
    RECORD_NUMBER,
    RECORD_TYPE,
    is_identifier_value,
    is_record_type,
)


def _read_opened(encounter: r4.Encounter, claim: Claim) -> ResourceFacts:
    period = encounter.period
    if period is UNSET or period.start is UNSET:
        raise reject("element-missing", "/period/start")
    if period.end is not UNSET:
        raise reject("element-not-allowed", "/period/end", "the record is being opened")
    check_moment(period.start, claim, "/period/start")
    return _read_encounter(encounter, claim)


def _read_closed(encounter: r4.Encounter, claim: Claim) -> ResourceFacts:
    period = encounter.period
    if period is UNSET or period.start is UNSET:
        raise reject("element-missing", "/period/start")
    if period.end is UNSET:
        raise reject("element-missing", "/period/end")
    check_moment(period.end, claim, "/period/end")
    return _read_encounter(encounter, claim)


def _read_encounter(encounter: r4.Encounter, claim: Claim) -> ResourceFacts:
    check_stream_id(encounter.id, claim)
    if encounter.class_.code is UNSET:
        raise reject("element-missing", "/class/code")
    record_type = one_code(encounter.type, frozenset({RECORD_TYPE}), "/type").code
    if record_type is UNSET or not is_record_type(record_type):
        raise reject("code-unknown", "/type", "not one of 01/BV1 to 29/BV1")
    check_identifiers(encounter.identifier)
    check_one_of(encounter.identifier, RECORD_NUMBER)
    staff = NamedStaff()
    for index, participant in enumerate(encounter.participant or ()):
        staff.add_one(participant.individual, "/individual", f"/participant/{index}")
    return ResourceFacts(
        resource_type="Encounter",
        resource_id=claim.stream,
        patient=patient_of(encounter.subject, "/subject"),
        status=encounter.status,
        category=record_type,
        mentioned=staff.mentioned,
        kinds=staff.kinds,
    )


def _read_diagnosis(condition: r4.Condition, claim: Claim) -> ResourceFacts:
    check_icd_10(condition.code, "/code")
    check_encounter(condition.encounter, claim, "/encounter")
    check_moment(condition.recordedDate, claim, "/recordedDate")
    staff = NamedStaff()
    staff.add_one(condition.recorder, "/recorder", responsible=True)
    staff.check_signer(claim, "/recorder")
    staff.add_one(condition.asserter, "/asserter")
    return ResourceFacts(
        resource_type="Condition",
        resource_id=check_id(condition.id, claim),
        patient=patient_of(condition.subject, "/subject"),
        status=verification_status(condition.verificationStatus),
        responsible=staff.responsible,
        mentioned=staff.mentioned,
        kinds=staff.kinds,
    )


def _read_note(note: r4.Composition, claim: Claim) -> ResourceFacts:
    coding = one_code((note.type,), frozenset({FORM, FACILITY_FORM}), "/type")
    code = coding.code or ""
    known = code in FORMS if coding.system == FORM else is_identifier_value(FACILITY_FORM, code)
    if not known:
        raise reject("code-unknown", "/type", "no form of annexes XXVIII and XXIX, nor an own one")
    check_encounter(note.encounter, claim, "/encounter")
    check_moment(note.date, claim, "/date")
    staff = NamedStaff()
    staff.add(note.author, "/author", responsible=True)
    if not claim.amends and len(note.author) != 1:
        raise reject("signer-mismatch", "/author", "exactly the signer; others cosign")
    staff.check_signer(claim, "/author")
    for index, attester in enumerate(note.attester or ()):
        staff.add_one(attester.party, "/party", f"/attester/{index}")
    return ResourceFacts(
        resource_type="Composition",
        resource_id=check_id(note.id, claim),
        patient=patient_of(note.subject, "/subject"),
        status=note.status,
        category=code,
        responsible=staff.responsible,
        mentioned=staff.mentioned,
        kinds=staff.kinds,
    )


_ENCOUNTER_REQUIRED: Final = ("id", "identifier", "status", "class", "type", "subject", "period")
_OPEN: Final = frozenset({"arrived", "triaged", "in-progress"})
_FINISHED: Final = frozenset({"finished"})

OPENED: Final = Profile(
    resource_type="Encounter",
    required=_ENCOUNTER_REQUIRED,
    read=_read_opened,
    statuses=_OPEN,
    amended_statuses=_OPEN,
)
CLOSED: Final = Profile(
    resource_type="Encounter",
    required=_ENCOUNTER_REQUIRED,
    read=_read_closed,
    statuses=_FINISHED,
    amended_statuses=_FINISHED,
)
DIAGNOSIS: Final = Profile(
    resource_type="Condition",
    required=("id", "code", "subject", "encounter", "recordedDate", "recorder"),
    read=_read_diagnosis,
)
NOTE: Final = Profile(
    resource_type="Composition",
    required=(
        "id",
        "status",
        "type",
        "subject",
        "encounter",
        "date",
        "author",
        "title",
        "section",
    ),
    read=_read_note,
    statuses=frozenset({"preliminary", "final"}),
    amended_statuses=frozenset({"preliminary", "final", "amended"}),
)
