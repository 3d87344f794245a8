"""Documents that give a ledger a new checkpoint key."""

from typing import Any

from signing.handovers import handover_text, sign_handover
from signing.keys import Signer
from signing.notes import Ed25519Signer
from signing.second import sign_second


def rotation(
    new: Signer,
    *,
    origin: str,
    old: Signer | None = None,
    second: tuple[str, Signer] | None = None,
) -> dict[str, Any]:
    """Return the content of a rotation, signed by whoever is given besides the new key.

    Args:
        new: the new checkpoint key.
        origin: of the ledger.
        old: the key in force.
        second: staff id and key of a second registrar.
    """
    signer = Ed25519Signer(origin, new)
    vkey = signer.verifier.vkey
    handover = sign_handover(signer, None if old is None else Ed25519Signer(origin, old))
    document: dict[str, Any] = {
        "checkpoint_key": str(vkey),
        "handover": handover.decode(),
        "reason": "Thay khóa định kỳ.",
    }
    if second is not None:
        staff, key = second
        text = handover_text(vkey).encode()
        document["second"] = {
            "signer": staff,
            "key_id": key.key_id,
            "signature": sign_second(key, purpose="handover", text=text).decode(),
        }
    return document
