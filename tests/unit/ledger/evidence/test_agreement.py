"""The verifier that stands alone says what the rest of the project says, on the same bytes."""

import ast
import base64
import datetime as dt
import sys
from pathlib import Path

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature

from ledger.catalogue import CATALOGUE, RESERVED
from ledger.evidence import verify_evidence
from ledger.evidence.format import Evidence, EvidenceEvent, OpenedHeads, Opening
from ledger.evidence.verify_evidence import AUTHORS, OBJECTS, Note, NoteKey, Policy
from ledger.profiles.directory import (
    FoundingRegistrar,
    HeadsPublished,
    KeyEnrolled,
    KeyRevoked,
    LedgerFounded,
    RoleGranted,
    RoleWithdrawn,
)
from ledger.profiles.rotation import CheckpointKeyRotated
from ledger.roles import FOUNDING_ROLES
from signing.checkpoints import Checkpoint, sign_checkpoint, verify_checkpoint
from signing.cosignatures import generate_mldsa_pem, load_cosigner, load_verifier
from signing.errors import SigningError
from signing.keys import SoftKey
from signing.notes import Ed25519Signer, add_signatures
from signing.policies import parse_policy
from signing.statement import Statement
from signing.vkeys import VerifierKey, ed25519_vkey

ORIGIN = "a.example/ledger"
KEY = Ed25519Signer(ORIGIN, SoftKey.generate("EdDSA"))
VKEY = str(KEY.verifier.vkey)
HEAD = Checkpoint(origin=ORIGIN, size=7, root=bytes(range(32)))
NOTE = sign_checkpoint(HEAD, KEY)
TEXT, LINE = NOTE.decode().split("\n\n")
OTHER = sign_checkpoint(HEAD, Ed25519Signer(ORIGIN, SoftKey.generate("EdDSA")))
STRANGER = OTHER.decode().split("\n\n")[1]
WITNESSES = [
    load_cosigner("w1", SoftKey.generate("EdDSA").to_pem(None)),
    load_cosigner("w2", generate_mldsa_pem()),
]
W1, W2 = (str(w.verifier.vkey) for w in WITNESSES)
COSIGNED = add_signatures(NOTE, [w.cosign(f"{TEXT}\n", 1_790_000_000) for w in WITNESSES])


def body(text: str) -> bytes:
    """Sign a text that need be no checkpoint."""
    signature = KEY.sign(text)
    data = base64.b64encode(KEY.verifier.vkey.key_hash + signature).decode()
    return f"{text}\n— {ORIGIN} {data}\n".encode()


ROOT = base64.b64encode(HEAD.root).decode()
NOTES = [
    NOTE,
    COSIGNED,
    OTHER,
    b"",
    b"\n\n",
    NOTE[:-1],
    NOTE + b"\n",
    NOTE.replace(b"\n", b"\r\n"),
    NOTE.replace(b"7", b"\x00", 1),
    NOTE.replace(b"\n\n", b"\n"),
    NOTE.replace("—".encode(), b"-"),
    NOTE.replace("— ".encode(), "—  ".encode()),
    NOTE[:-2] + b"\n",
    f"{TEXT}\n\n{LINE}{LINE}".encode(),
    f"{TEXT}\n\n{LINE}{STRANGER}".encode(),
    f"{TEXT}\n\n{STRANGER}{LINE}".encode(),
    f"{TEXT}\n\n{STRANGER * 99}{LINE}".encode(),
    f"{TEXT}\n\n{STRANGER * 100}{LINE}".encode(),
    f"{TEXT}\n\n— a+b AAAAAAAA\n{LINE}".encode(),
    f"{TEXT}\n\n— \u00a0 AAAAAAAA\n{LINE}".encode(),
    f"{TEXT}\n\n— x AAAAAA==\n{LINE}".encode(),
    f"{TEXT}\n\n— x AAAAAAB=\n{LINE}".encode(),
    f"{TEXT}\n\n— x AAAAAAA=\n{LINE}".encode(),
    f"{TEXT}\n\n— x AAAAAAAA extra\n{LINE}".encode(),
    body(f"{ORIGIN}\n07\n{ROOT}\n"),
    body(f"{ORIGIN}\n+7\n{ROOT}\n"),
    body(f"{ORIGIN}\n7 \n{ROOT}\n"),
    body(f"{ORIGIN}\n\u0667\n{ROOT}\n"),
    body(f"{ORIGIN}\n0\n{ROOT}\n"),
    body(f"{ORIGIN}\n9223372036854775807\n{ROOT}\n"),
    body(f"{ORIGIN}\n9223372036854775808\n{ROOT}\n"),
    body(f"{ORIGIN}\n7\n{ROOT[:-1]}\n"),
    body(f"{ORIGIN}\n7\n{ROOT[:-4]}\n"),
    body(f"{ORIGIN}\n7\nAAAA\n"),
    body(f"{ORIGIN}\n7\n"),
    body(f"{ORIGIN}\n7\n{ROOT}\nextension\n"),
    body(f"{ORIGIN}\n7\n{ROOT}\n\nextension\n"),
    body(f"{ORIGIN}\n7\n{ROOT}\nph\u1ea7n m\u1edf r\u1ed9ng\n"),
    body(f"b.example/ledger\n7\n{ROOT}\n"),
    body(f"\n7\n{ROOT}\n"),
]


def ours(data: bytes) -> tuple[str, int, bytes] | None:
    """Judge by the packages of the project."""
    try:
        found = verify_checkpoint(data, [KEY.verifier]).checkpoint
    except SigningError:
        return None
    return found.origin, found.size, found.root


def alone(data: bytes) -> tuple[str, int, bytes] | None:
    """Judge by the verifier that stands alone."""
    key = NoteKey(VKEY)
    try:
        note = Note(data)
        origin, size, root = note.head()
        signed = note.time_of(key)
    except (ValueError, InvalidSignature):
        return None
    return (origin, size, root) if signed is not None and origin == key.name else None


@pytest.mark.parametrize("data", NOTES)
def test_both_judge_checkpoints_alike(data: bytes) -> None:
    """C2SP signed-note and tlog-checkpoint, strictly."""
    assert alone(data) == ours(data)


def test_the_vectors_hold_both_kinds() -> None:
    """A comparison of refusals only would show little."""
    accepted = [data for data in NOTES if ours(data)]
    assert 5 < len(accepted) < len(NOTES) - 20


def test_any_changed_byte_of_a_note_is_judged_alike() -> None:
    """Each byte of a cosigned checkpoint, changed in its lowest bit."""
    for index in range(len(NOTE)):
        data = bytearray(NOTE)
        data[index] ^= 1
        assert alone(bytes(data)) == ours(bytes(data)) is None


def bad_keys() -> list[str]:
    """Return verifier keys that nobody may use."""
    small = [bytes(32), (1).to_bytes(32, "little"), (2**255 - 20).to_bytes(32, "little")]
    small.append(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))
    small.append((2**255 - 18).to_bytes(32, "little"))
    small.append((2).to_bytes(32, "little"))
    keys = [VerifierKey(name=ORIGIN, type=1, public_key=key) for key in small]
    keys += [VerifierKey(name=ORIGIN, type=kind, public_key=bytes(5)) for kind in (1, 2, 4, 6)]
    keys.append(VerifierKey(name=ORIGIN, type=2, public_key=bytes(32)))
    texts = [str(key) for key in keys]
    return [*texts, "", "+", "++", VKEY[:-1], VKEY + "\n", f"x{VKEY}", VKEY.replace("+", "+0", 1)]


@pytest.mark.parametrize("text", [VKEY, W1, W2, *bad_keys()])
def test_both_take_the_same_verifier_keys(text: str) -> None:
    """Small order, another encoding, another kind, a wrong id."""
    try:
        load_verifier(text)
        expected = True
    except SigningError:
        expected = False
    try:
        NoteKey(text)
        found = True
    except ValueError:
        found = False
    assert found is expected
    assert found is (text in {VKEY, W1, W2})


POLICIES = [
    f"log {VKEY}\nwitness w1 {W1}\nwitness w2 {W2}\ngroup g all w1 w2\nquorum g\n",
    f"# note\n\nlog {VKEY} https://a.example/\nwitness w1 {W1}\n\tquorum \t w1 \nwitness w2 {W2}",
    f"log {VKEY}\nquorum none\n",
    f"log {VKEY}\nwitness w1 {W1}\nwitness w2 {W2}\ngroup g any w1 w2\ngroup h 1 g\nquorum h\n",
    f"log {VKEY}\nwitness w1 {W1}\ngroup g 2 w1\nquorum g\n",
    f"log {VKEY}\nwitness w1 {W1}\ngroup g all w1\ngroup h all w1\nquorum g\n",
    f"log {VKEY}\nwitness w1 {W1}\ngroup g 1 w1 w1\nquorum g\n",
    f"log {VKEY}\nwitness w1 {W1}\nwitness w1 {W2}\nquorum w1\n",
    f"log {VKEY}\nwitness w1 {W1}\nwitness w2 {W1}\nquorum w1\n",
    f"log {VKEY}\nwitness none {W1}\nquorum none\n",
    f"log {VKEY}\nquorum w1\nwitness w1 {W1}\n",
    f"log {VKEY}\nquorum none\nquorum none\n",
    f"log {VKEY}\n",
    f"log {VKEY}\nwitness w1 {VKEY}\nquorum w1\n",
    f"log {VKEY}\ngroup g all\nquorum g\n",
    f"log {VKEY}\nwitness w1 {W1}\ngroup g 01 w1\nquorum g\n",
    f"log {VKEY}\nwitness w1 {W1} a b\nquorum w1\n",
    f"log {VKEY}\nwitness w1 {W1}\ngroup g all none w1\nquorum g\n",
    "quorum",
    "",
]


def seconds_of(time: str) -> int:
    """Return the seconds since 1970 of a time in words."""
    return int(dt.datetime.fromisoformat(time).timestamp())


@pytest.mark.parametrize("text", POLICIES)
@pytest.mark.parametrize("cosigned", [0, 1, 2])
def test_both_read_and_apply_policies_alike(text: str, cosigned: int) -> None:
    """c2sp.org/tlog-policy: what is a policy, and whether these witnesses meet it."""
    lines = [w.cosign(f"{TEXT}\n", 1_790_000_000) for w in WITNESSES[:cosigned]]
    note = add_signatures(NOTE, lines)
    try:
        judged = parse_policy(text.encode()).judge(note)
        expected = judged.cosigned, judged.reached, judged.witnesses
    except SigningError:
        expected = None
    try:
        policy, parsed = Policy(text), Note(note)
        times = {name: parsed.time_of(key) for name, key in policy.witnesses.items()}
        there = {name: seconds_of(time) for name, time in times.items() if time}
        found = there, policy.is_met(there), len(policy.witnesses)
    except ValueError:
        found = None
    assert found == expected


def test_its_table_of_authors_is_the_catalogues() -> None:
    """A type that the catalogue learns must be taught to the verifier."""
    for tag, kind in CATALOGUE.items():
        if kind.authors and tag != "note-written.v1":
            assert AUTHORS[tag] == kind.authors
    assert set(AUTHORS) <= set(CATALOGUE) | RESERVED
    assert set(CATALOGUE) - set(AUTHORS) == {"ledger-founded.v1"}
    corrections = AUTHORS["entry-amended.v1"]
    correctable = [kind for kind in CATALOGUE.values() if kind.amendable or kind.retractable]
    assert corrections == set[str]().union(*(kind.authors for kind in correctable))
    assert {"registrar", "administrator"} == set(FOUNDING_ROLES)


@pytest.mark.parametrize(
    ("form", "document"),
    [
        ("ledger-founded.v1", LedgerFounded),
        ("registrar", FoundingRegistrar),
        ("checkpoint-key-rotated.v1", CheckpointKeyRotated),
        ("key-enrolled.v1", KeyEnrolled),
        ("key-revoked.v1", KeyRevoked),
        ("role-granted.v1", RoleGranted),
        ("role-withdrawn.v1", RoleWithdrawn),
        ("heads-published.v1", HeadsPublished),
        ("evidence", Evidence),
        ("event", EvidenceEvent),
        ("opening", Opening),
        ("heads", OpenedHeads),
        ("statement", Statement),
    ],
)
def test_its_forms_have_the_members_that_are_written(
    form: str, document: type[msgspec.Struct]
) -> None:
    """A document that learns a member must be taught to the verifier."""
    parts = [member.split(":", 1)[0] for member in OBJECTS[form].split()]
    written = {field.name: field.required for field in msgspec.structs.fields(document)}
    assert {name.rstrip("?") for name in parts} == set(written)
    constant = {"format"}  # has a default, and is always there
    absent = {name for name, required in written.items() if not required} - constant
    assert {name[:-1] for name in parts if name.endswith("?")} == absent


def test_it_imports_the_standard_library_and_cryptography_only() -> None:
    """Nobody has to trust our packages to check a file."""
    tree = ast.parse(Path(verify_evidence.__file__).read_text())
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    roots = {name.split(".")[0] for name in names}
    assert "cryptography" in roots
    assert roots <= {*sys.stdlib_module_names, "cryptography"}


def test_it_has_fewer_than_800_lines_in_all() -> None:
    """Short enough to be read by whoever relies on it; `wc -l`, as issue 3 counts."""
    assert Path(verify_evidence.__file__).read_bytes().count(b"\n") < 800


def test_a_witness_key_under_another_name_is_unknown() -> None:
    """Name and id together say whose signature a line is."""
    renamed = str(ed25519_vkey("w3", SoftKey.generate("EdDSA"), type_=4))
    checkpoint = Note(COSIGNED)
    assert checkpoint.time_of(NoteKey(renamed)) is None
    assert checkpoint.time_of(NoteKey(W1)) == "2026-09-21T14:13:20.000Z"
