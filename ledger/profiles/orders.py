"""Profile the orders: ServiceRequest for services, MedicationRequest for drugs."""

from typing import Final

from msgspec import UNSET

from ledger.fhir import r4
from ledger.profiles.agreement import (
    Claim,
    NamedStaff,
    check_encounter,
    check_id,
    check_moment,
    patient_of,
    reject,
)
from ledger.profiles.coding import check_identifiers, check_placer, one_code
from ledger.profiles.facts import ResourceFacts
from ledger.profiles.profile import Profile
from ledger.vietnam import ORDER_CATEGORY

SERVICE_CATEGORIES: Final = frozenset({"laboratory", "imaging", "procedure", "nursing"})
"""What a ServiceRequest can order; a MedicationRequest orders "medication"."""

_CATEGORY_SYSTEM: Final = frozenset({ORDER_CATEGORY})


def _read_service(order: r4.ServiceRequest, claim: Claim) -> ResourceFacts:
    category = one_code(order.category, _CATEGORY_SYSTEM, "/category").code or ""
    if category not in SERVICE_CATEGORIES:
        raise reject("code-unknown", "/category", "not a category of services")
    if order.intent != "order":
        raise reject("intent-not-allowed", "/intent", "must be order")
    return _read_order(order, claim, category)


def _read_medication(order: r4.MedicationRequest, claim: Claim) -> ResourceFacts:
    if order.intent != "order":
        raise reject("intent-not-allowed", "/intent", "must be order")
    for index, dosage in enumerate(order.dosageInstruction or ()):
        if dosage.text is UNSET and dosage.doseAndRate is UNSET:
            raise reject("element-missing", f"/dosageInstruction/{index}/text")
    return _read_order(order, claim, "medication")


def _read_order(
    order: r4.ServiceRequest | r4.MedicationRequest, claim: Claim, category: str
) -> ResourceFacts:
    check_identifiers(order.identifier)
    check_placer(order.identifier)
    check_encounter(order.encounter, claim, "/encounter")
    check_moment(order.authoredOn, claim, "/authoredOn")
    staff = NamedStaff()
    staff.add_one(order.requester, "/requester", responsible=True)
    staff.check_signer(claim, "/requester")
    return ResourceFacts(
        resource_type=type(order).__name__,
        resource_id=check_id(order.id, claim),
        patient=patient_of(order.subject, "/subject"),
        status=order.status,
        category=category,
        responsible=staff.responsible,
        kinds=staff.kinds,
    )


_ACTIVE: Final = frozenset({"active"})

SERVICE_ORDER: Final = Profile(
    resource_type="ServiceRequest",
    required=(
        "id",
        "identifier",
        "status",
        "intent",
        "category",
        "code",
        "subject",
        "encounter",
        "authoredOn",
        "requester",
    ),
    read=_read_service,
    statuses=_ACTIVE,
    amended_statuses=_ACTIVE,
)
MEDICATION_ORDER: Final = Profile(
    resource_type="MedicationRequest",
    required=(
        "id",
        "identifier",
        "status",
        "intent",
        "medicationCodeableConcept|medicationReference",
        "subject",
        "encounter",
        "authoredOn",
        "requester",
        "dosageInstruction",
    ),
    read=_read_medication,
    statuses=_ACTIVE,
    amended_statuses=_ACTIVE,
)
