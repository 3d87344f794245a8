"""A founding document that names the ledger before: everything it says is checked by itself."""

from typing import Any

import pytest

from ledger.fhir.validation import decode_document
from ledger.profiles.facts import EnrolledKey, SuccessionFacts
from ledger.profiles.keys import format_verifier_key
from ledger.profiles.succession import Succeeds, read_succession
from ledger.succession import Founding, second_text, successor_of
from signing.checkpoints import Checkpoint, sign_checkpoint
from signing.keys import SoftKey
from signing.notes import Ed25519Signer, add_signatures, sign_line
from signing.second import sign_second
from tests.builders_resources import GONE, Json, an_id, changed, encoded
from tests.builders_rules import refused

BEFORE = "bvdk.quangninh.example/ledger"
AFTER = "bvdk.quangninh.example/ledger/2"
FIRST, SECOND = an_id("first registrar"), an_id("second registrar")
OLD_KEY = SoftKey.generate("EdDSA")
ROOT = bytes(range(32))


def _note(
    size: int, *, cosigned: bool = False, key: SoftKey = OLD_KEY, origin: str = BEFORE
) -> str:
    checkpoint = Checkpoint(origin=origin, size=size, root=ROOT)
    note = sign_checkpoint(checkpoint, Ed25519Signer(origin, key))
    if cosigned:
        text = note.decode().split("\n\n")[0] + "\n"
        witness = Ed25519Signer("witness.example/w1", SoftKey.generate("EdDSA"))
        note = add_signatures(note, [sign_line(text, witness)])
    return note.decode()


class Founder:
    """Writes what founding documents say of the ledger before."""

    def __init__(self) -> None:
        self.keys = {staff: SoftKey.generate("ES256") for staff in (FIRST, SECOND)}
        self.new_key = format_verifier_key(AFTER, SoftKey.generate("EdDSA").spki[-32:])

    def member(self, *, signer: str = SECOND, **changes: str) -> Json:
        """Return the member `succeeds`, changed before the second founder signs."""
        member: dict[str, Any] = {
            "origin": BEFORE,
            "genesis": "ab" * 32,
            "checkpoint_key": format_verifier_key(BEFORE, OLD_KEY.spki[-32:]),
            "checkpoint": _note(900),
            "cosigned_checkpoint": _note(880, cosigned=True),
            "reason": "Mất các mục đã ký",
            **changes,
        }
        decided = Founding(
            new_key=self.new_key,
            registrars=[(staff, key.key_id) for staff, key in self.keys.items()],
            old_key=member["checkpoint_key"],
            genesis=member["genesis"],
            checkpoint=member["checkpoint"].encode(),
            cosigned=member["cosigned_checkpoint"].encode(),
            reason=member["reason"],
        )
        key = self.keys[signer]
        signature = sign_second(key, purpose="successor", text=second_text(decided))
        second = {"signer": signer, "key_id": key.key_id, "signature": signature.decode()}
        return {**member, "second": second}

    def read(self, member: Json) -> SuccessionFacts:
        """Read it as the founding document's profile does."""
        return read_succession(
            decode_document(encoded(member), Succeeds),
            new_key=self.new_key,
            registrars=[
                EnrolledKey(key_id=key.key_id, alg=key.alg, spki=key.spki, staff=staff, nonce="")
                for staff, key in self.keys.items()
            ],
            origin=AFTER,
        )


@pytest.fixture
def founder() -> Founder:
    return Founder()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a.example/ledger", "a.example/ledger/2"),
        ("a.example/ledger/2", "a.example/ledger/3"),
        ("a.example/ledger/9", "a.example/ledger/10"),
        ("a.example/ledger/1", "a.example/ledger/1/2"),
        ("a.example/2024", "a.example/2024/2"),
        ("a.example", "a.example/2"),
    ],
)
def test_a_successor_is_named_by_the_next_number(old: str, new: str) -> None:
    assert successor_of(old) == new


def test_a_founding_names_what_it_succeeds(founder: Founder) -> None:
    facts = founder.read(founder.member())
    assert (facts.origin, facts.genesis) == (BEFORE, "ab" * 32)
    assert (facts.size, facts.cosigned_size, facts.root) == (900, 880, ROOT.hex())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"origin": "elsewhere.example/ledger"}, "succession-origin"),
        ({"checkpoint_key": "no key"}, "checkpoint-key-malformed"),
        ({"checkpoint": _note(900, key=SoftKey.generate("EdDSA"))}, "succession-checkpoint"),
        ({"checkpoint": _note(900, origin="elsewhere.example")}, "succession-checkpoint"),
        ({"checkpoint": "900"}, "succession-checkpoint"),
        ({"cosigned_checkpoint": _note(880)}, "succession-checkpoint"),
        ({"cosigned_checkpoint": _note(901, cosigned=True)}, "succession-checkpoint"),
        ({"reason": " "}, "reason-blank"),
    ],
)
def test_a_succession_that_is_not_proved_is_refused(
    founder: Founder, changes: dict[str, str], code: str
) -> None:
    with refused(code):
        founder.read(founder.member(**changes))


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/reason", "Vì lý do khác", "succession-second"),
        ("/genesis", "cd" * 32, "succession-second"),
        ("/cosigned_checkpoint", GONE, "succession-second"),
        ("/checkpoint", _note(901), "succession-second"),
        ("/second/key_id", "00" * 32, "succession-second"),
        ("/second/signature", "a..b", "succession-second"),
        ("/second", GONE, "content-missing-field"),
        ("/more", "", "content-unknown-field"),
    ],
)
def test_what_the_second_founder_did_not_sign_is_refused(
    founder: Founder, pointer: str, value: object, code: str
) -> None:
    with refused(code):
        founder.read(changed(founder.member(), pointer, value))


def test_the_first_founder_is_no_second_one(founder: Founder) -> None:
    with refused("succession-second"):
        founder.read(founder.member(signer=FIRST))
