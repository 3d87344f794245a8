"""Profile the bundles: vital signs, and results of laboratory and imaging.

A bundle is of type `collection`; its first resource has the event's id, the others have UUIDs of
their own that stay fixed across amendments.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeVar

from msgspec import UNSET, Struct, UnsetType

from ledger.fhir import r4
from ledger.profiles.agreement import (
    Claim,
    NamedStaff,
    check_encounter,
    check_id,
    check_moment,
    check_status,
    is_uuid,
    patient_of,
    reject,
    require,
)
from ledger.profiles.coding import has_code
from ledger.profiles.facts import ResourceFacts
from ledger.profiles.profile import Profile

R = TypeVar("R", bound=Struct)

OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
VITAL_SIGNS: Final = "vital-signs"

VITAL_REQUIRED: Final = (
    "id",
    "status",
    "category",
    "code",
    "subject",
    "encounter",
    "effectiveDateTime",
    "performer|device",
)
REPORT_REQUIRED: Final = (
    "id",
    "status",
    "code",
    "basedOn",
    "subject",
    "encounter",
    "effectiveDateTime",
    "issued",
)
FINDING_REQUIRED: Final = ("id", "status", "code", "subject", "encounter")
REPORTED: Final = frozenset({"preliminary", "final"})
AMENDED: Final = frozenset({"preliminary", "final", "amended", "corrected"})
_REPORT_AMENDED: Final = AMENDED | {"appended"}
_VOID: Final = frozenset({"cancelled", "entered-in-error"})
_OBSERVATION_AMENDED: Final = AMENDED | _VOID
_VALUES: Final = tuple(
    name
    for name in r4.Observation.__struct_fields__
    if name.startswith("value") or name == "dataAbsentReason"
)


def _read_vitals(bundle: r4.Bundle, claim: Claim) -> ResourceFacts:
    observations = [_resource_at(bundle, index, r4.Observation) for index in range(_count(bundle))]
    staff = NamedStaff()
    added = None  # the last one whose observers were added: mostly one observed all
    for index, observation in enumerate(observations):
        at = _at(index)
        require(observation, VITAL_REQUIRED, at)
        if not has_code(observation.category, OBSERVATION_CATEGORY, VITAL_SIGNS):
            raise reject("code-missing", f"{at}/category", "the category vital-signs")
        _check_finding(observation, claim, at)
        if added is None or not _have_same_observers(observation, added):
            observers = _observers(observation, at, NamedStaff())
            observers.check_signer(claim, "/performer", at)
            staff.include(observers)
            added = observation
    first, *others = observations
    return ResourceFacts(
        resource_type="Observation",
        resource_id=check_id(first.id, claim, _at(0)),
        patient=_same_patient(observations),
        status=_vitals_status(observations),
        responsible=staff.responsible,
        mentioned=staff.mentioned,
        kinds=staff.kinds,
        members=_members(others, first.id),
    )


def _read_result(bundle: r4.Bundle, claim: Claim) -> ResourceFacts:
    report = _resource_at(bundle, 0, r4.DiagnosticReport)
    findings = [_resource_at(bundle, index, r4.Observation) for index in range(1, _count(bundle))]
    require(report, REPORT_REQUIRED, _at(0))
    for index, finding in enumerate(findings, start=1):
        at = _at(index)
        require(finding, FINDING_REQUIRED, at)
        _check_finding(finding, claim, at)
        if report.status != "preliminary" and finding.status == "preliminary":
            raise reject("status-not-allowed", f"{at}/status", "the report is final")
    members = _members(findings, report.id)
    _check_report(report, claim, members)
    staff = _reporters(report, findings, claim)
    return ResourceFacts(
        resource_type="DiagnosticReport",
        resource_id=check_id(report.id, claim, _at(0)),
        patient=_same_patient([report, *findings]),
        status=report.status,
        responsible=staff.responsible,
        mentioned=staff.mentioned,
        kinds=staff.kinds,
        members=members,
        based_on=_order_of(report),
    )


def _count(bundle: r4.Bundle) -> int:
    if bundle.type != "collection":
        raise reject("bundle-type", "/type", "must be collection")
    return len(bundle.entry or ())


@lru_cache(maxsize=256)
def _at(index: int) -> str:
    return f"/entry/{index}/resource"


def _resource_at(bundle: r4.Bundle, index: int, kind: type[R]) -> R:
    entry = (bundle.entry or ())[index]
    resource = entry.resource
    if not isinstance(resource, kind):
        raise reject("bundle-entry", _at(index), f"must be {kind.__name__}")
    identity = getattr(resource, "id", UNSET)
    if entry.fullUrl is not UNSET and not entry.fullUrl.endswith(f"{identity}"):
        raise reject("bundle-entry", f"/entry/{index}/fullUrl", "must end with the resource's id")
    return resource


def _check_finding(observation: r4.Observation, claim: Claim, at: str) -> None:
    allowed, amended = REPORTED, _OBSERVATION_AMENDED
    check_status(observation.status, claim, allowed=allowed, amended=amended, at=at)
    check_encounter(observation.encounter, claim, "/encounter", at)
    check_moment(observation.effectiveDateTime, claim, "/effectiveDateTime", at)
    quantity = observation.valueQuantity
    if quantity is not UNSET:
        if quantity.value is UNSET or (quantity.unit is UNSET and quantity.code is UNSET):
            raise reject("value-missing", f"{at}/valueQuantity", "value and unit")
    elif (
        observation.component is UNSET
        and observation.status not in _VOID
        and all(getattr(observation, name) is UNSET for name in _VALUES)
    ):
        raise reject("value-missing", at, "a value, components, or the reason of their absence")


def _observers(observation: r4.Observation, at: str, staff: NamedStaff) -> NamedStaff:
    staff.add(observation.performer, "/performer", at, responsible=True)
    staff.add_one(observation.device, "/device", at, responsible=True)
    return staff


def _have_same_observers(one: r4.Observation, other: r4.Observation) -> bool:
    # Elements of one text are one struct mostly (`ledger.fhir.known`), which `is` sees soonest.
    return one.performer is other.performer and one.device is other.device


def _reporters(
    report: r4.DiagnosticReport, findings: list[r4.Observation], claim: Claim
) -> NamedStaff:
    """Collect who answers for a report; R4 lets a device stand only in its observations."""
    staff = NamedStaff()
    staff.add(report.performer, "/performer", _at(0), responsible=True)
    staff.add(report.resultsInterpreter, "/resultsInterpreter", _at(0), responsible=True)
    for index, finding in enumerate(findings, start=1):
        _observers(finding, _at(index), staff)
    staff.check_signer(claim, "/performer", _at(0))
    return staff


def _vitals_status(observations: list[r4.Observation]) -> str:
    """Sum the statuses up: one for the whole bundle, as the rules know it."""
    statuses = {observation.status for observation in observations}
    if statuses <= _VOID:
        raise reject("status-not-allowed", f"{_at(0)}/status", "retract the entry instead")
    if "preliminary" in statuses:
        return "preliminary"
    return "final" if statuses == {"final"} else "amended"


def _check_report(report: r4.DiagnosticReport, claim: Claim, members: tuple[str, ...]) -> None:
    at = _at(0)
    check_status(report.status, claim, allowed=REPORTED, amended=_REPORT_AMENDED, at=at)
    check_encounter(report.encounter, claim, "/encounter", at)
    check_moment(report.effectiveDateTime, claim, "/effectiveDateTime", at)
    if not members and report.conclusion is UNSET and report.presentedForm is UNSET:
        raise reject("value-missing", f"{at}/conclusion", "findings, a conclusion or a document")
    linked = [reference.reference or "" for reference in report.result or ()]
    if linked == [f"urn:uuid:{member}" for member in members]:
        return  # as most write it, in the order of the bundle
    forms = ("Observation/", "urn:uuid:")
    if any(not text.startswith(forms) for text in linked) or sorted(
        text.removeprefix(forms[0]).removeprefix(forms[1]) for text in linked
    ) != sorted(members):
        raise reject("result-mismatch", f"{at}/result", "must name each observation of the bundle")


def _order_of(report: r4.DiagnosticReport) -> str:
    references = report.basedOn or ()
    text = (references[0].reference or "") if len(references) == 1 else ""
    found_type, _, found = text.partition("/")
    if found_type != "ServiceRequest" or not is_uuid(found):
        raise reject("order-mismatch", f"{_at(0)}/basedOn", "must be ServiceRequest/ and its id")
    return found


def _members(others: list[r4.Observation], first: str | UnsetType) -> tuple[str, ...]:
    ids: list[str] = []
    for index, resource in enumerate(others, start=1):
        found = resource.id
        if found is UNSET or not is_uuid(found) or found == first or found in ids:
            raise reject("resource-id", f"{_at(index)}/id", "must be a UUID of its own")
        ids.append(found)
    return tuple(ids)


def _same_patient(resources: Sequence[r4.Observation | r4.DiagnosticReport]) -> str:
    subjects = [resource.subject for resource in resources]
    if subjects.count(subjects[0]) == len(subjects):
        return patient_of(subjects[0], "/subject", _at(0))
    patients = [
        patient_of(subject, "/subject", _at(index)) for index, subject in enumerate(subjects)
    ]
    for index, patient in enumerate(patients):
        if patient != patients[0]:
            raise reject("subject-mismatch", f"{_at(index)}/subject")
    return patients[0]


VITALS: Final = Profile(resource_type="Bundle", required=("type", "entry"), read=_read_vitals)
RESULT: Final = Profile(resource_type="Bundle", required=("type", "entry"), read=_read_result)
