"""Name a successor: which origin it has, and the text that its second founder signs."""

import hashlib
import re
from collections.abc import Sequence
from typing import Final

import msgspec

FORMAT: Final = "clinledger/successor/v1"
_NUMBERED: Final = re.compile(r"(.+)/([2-9]|[1-9][0-9])")


class Founding(msgspec.Struct, frozen=True, kw_only=True):
    """What two founders decide: the new ledger, the old one, and why.

    Attributes:
        new_key: verifier key text of the new ledger's checkpoint key; its name is the new origin.
        registrars: staff id and key id of each of the first registrars, in order.
        old_key: verifier key text that signed the old checkpoints; its name is the old origin.
        genesis: leaf hash of the old ledger's first entry, hex.
        checkpoint: the last good checkpoint of the old ledger, a signed note.
        cosigned: its last cosigned one; None for none.
        reason: why.
    """

    new_key: str
    registrars: Sequence[tuple[str, str]]
    old_key: str
    genesis: str
    checkpoint: bytes
    cosigned: bytes | None
    reason: str


def successor_of(origin: str) -> str:
    """Return the origin of the ledger that succeeds one: `<old>/2`, then `/3`, up to `/99`."""
    found = _NUMBERED.fullmatch(origin)
    return f"{origin}/2" if found is None else f"{found[1]}/{int(found[2]) + 1}"


def second_text(founding: Founding) -> bytes:
    """Return the text that the second founder signs (purpose `successor`), UTF-8."""
    cosigned = founding.cosigned
    lines = (
        FORMAT,
        founding.new_key,
        *(f"{staff} {key_id}" for staff, key_id in founding.registrars),
        founding.old_key,
        founding.genesis,
        hashlib.sha256(founding.checkpoint).hexdigest(),
        "-" if cosigned is None else hashlib.sha256(cosigned).hexdigest(),
        founding.reason,
    )
    return "".join(f"{line}\n" for line in lines).encode()
