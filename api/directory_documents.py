"""Write the documents and resources by which a facility, its staff and their keys are enrolled."""

import base64
from collections.abc import Sequence

from ledger.profiles.keys import format_verifier_key
from ledger.vietnam import LICENCE_NUMBER, STAFF_CODE
from signing.keys import Signer, SoftKey
from signing.possession import build_possession


def proved_key(key: Signer, *, origin: str, staff: str, nonce: str) -> dict[str, str]:
    """Return the content of `key-enrolled.v1`: a key, and the proof that its holder has it."""
    proof = build_possession(key, origin=origin, staff=staff, nonce=nonce)
    return {
        "alg": key.alg,
        "spki": base64.b64encode(key.spki).decode(),
        "possession": proof.decode(),
    }


def founding_document(
    origin: str, *, checkpoint: SoftKey, registrars: Sequence[tuple[str, Signer, str]]
) -> dict[str, object]:
    """Return the content of `ledger-founded.v1`.

    Args:
        origin: of the new ledger.
        checkpoint: the Ed25519 key that will sign checkpoints.
        registrars: staff id, key and a fresh nonce of each; the first signs the event.
    """
    return {
        "origin": origin,
        "checkpoint_key": format_verifier_key(origin, checkpoint.spki[-32:]),
        "registrars": [
            {"staff": staff, **proved_key(key, origin=origin, staff=staff, nonce=nonce)}
            for staff, key, nonce in registrars
        ],
    }


def practitioner_resource(
    staff: str, *, name: str, licence: str | None = None, code: str | None = None
) -> dict[str, object]:
    """Return the FHIR Practitioner of a person, identified by licence number or staff code."""
    identifiers = [
        {"system": system, "value": value}
        for system, value in ((LICENCE_NUMBER, licence), (STAFF_CODE, code))
        if value
    ]
    return {
        "resourceType": "Practitioner",
        "id": staff,
        "identifier": identifiers,
        "name": [{"use": "official", "text": name}],
    }


def device_resource(staff: str, *, name: str, serial: str) -> dict[str, object]:
    """Return the FHIR Device of an analyser, modality, monitor or information system."""
    return {
        "resourceType": "Device",
        "id": staff,
        "serialNumber": serial,
        "deviceName": [{"name": name, "type": "user-friendly-name"}],
    }
