"""Our witness gives the answers that other witnesses' tests demand.

Requests of FiloSottile/torchwood `cmd/litewitness` (add-checkpoint.hurl) and FiloSottile/sunlight
`internal/witness` (TestAddCheckpoint), which other logs signed. BSD-3-Clause.
"""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa

from api.witness.rules import Witness, WitnessedLog
from api.witness.state import WitnessState
from signing.checkpoints import parse_size
from signing.cosignatures import MldsaCosigner
from signing.notes import Ed25519Verifier, NoteVerifier, parse_note, verify_note
from signing.vkeys import TYPE_ED25519, VerifierKey
from tests.noted import cosigner
from tests.witnessed import Heard, SetClock

ORIGIN = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
KEY = bytes.fromhex("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f")
LEAF_1 = "KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
LEAF_2 = "KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
LEAF_3 = "KgMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
LEAF_4 = "KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
ROOTS = {
    "1": "KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "3": "RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=",
    "5": "QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=",
    "five": "KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
}
SIGNATURES = {
    "1": (
        "UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJ"
        "QjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY="
    ),
    "3": (
        "UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75"
        "cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go="
    ),
    "5": (
        "UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPV"
        "myEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww="
    ),
    "five": (
        "UgIom4JTC2MerrFcJ5xDcWHzRPVB6zzGBIw4OFqcKDflqjH4"
        "q4xY5vMxUxyczvdIlEwFYf7ivQU4KoWan2bLmzLx0go="
    ),
}
CHANGED = SIGNATURES["3"].replace("6go=", "6gx=")


def body(
    old: int, proof: list[str], size: str, *, origin: str = ORIGIN, signature: str = ""
) -> str:
    text = f"{origin}\n{size}\n{ROOTS[size]}\n"
    chosen = signature or SIGNATURES[size]
    lines = "".join(f"{line}\n" for line in proof)
    return f"old {old}\n{lines}\n{text}\n\N{EM DASH} {origin} {chosen}\n"


def witness_of(folder: Path, origin: str, key: NoteVerifier) -> Witness:
    return Witness(
        logs=[WitnessedLog(origin=origin, keys=(key,))],
        cosigners=[cosigner("example.com/witness")],
        state=WitnessState.create(folder / "state.sqlite"),
        clock=SetClock(),
        watch=Heard(),
    )


# One after another on one witness; the comments are the names of Sunlight's cases.
STEPS = [
    (body(0, [], "1"), 200),  # first cosignature at size 1
    (body(1, [LEAF_1, LEAF_2], "3", origin=f"{ORIGIN[:-1]}3"), 404),  # unknown log
    (body(1, [], "3"), 422),  # missing consistency proof
    (body(1, [LEAF_1, LEAF_2.replace("AAAA=", "BAAA=")], "3"), 422),  # wrong consistency proof
    (body(1, [LEAF_1, LEAF_2], "3"), 200),  # grow to size 3
    (body(1, [LEAF_1, LEAF_4], "5"), b"3\n"),  # old size doesn't match current
    (
        body(3, [LEAF_2, LEAF_3, "wgiIFdZfYNv6WU1OllBKsWnLYIS/DBMqt8Uh/S4OukE=", LEAF_4], "5"),
        200,  # grow to size 5
    ),
    (body(0, [], "5"), b"5\n"),  # old size 0 doesn't match current
    (body(5, [], "5").rpartition("\n\N{EM DASH}")[0], 400),  # syntactically invalid note
    (body(5, [], "five"), 400),  # invalid checkpoint body
    (body(5, [], "5"), 200),  # the same again, which Sunlight's list does not have
]


def test_a_history_that_another_log_signed_is_answered_step_by_step(tmp_path: Path) -> None:
    key = Ed25519Verifier(VerifierKey(name=ORIGIN, type=TYPE_ED25519, public_key=KEY))
    witness = witness_of(tmp_path, ORIGIN, key)
    own = cosigner("example.com/witness").verifier
    for request, expected in STEPS:
        answer = witness.add_checkpoint(request.encode())
        if isinstance(expected, bytes):
            assert (answer.status, answer.body) == (409, expected)
            parse_size(answer.body.decode().strip())
            continue
        assert answer.status == expected, request
        if expected == 200:
            signed = request.partition("\n\n")[2].encode()
            verify_note(parse_note(signed + answer.body), [own, key])


def test_a_signature_whose_base64_was_altered_is_not_accepted(tmp_path: Path) -> None:
    """Sunlight answers 403 to this one; its base64 has unused bits set, so here it is 400."""
    key = Ed25519Verifier(VerifierKey(name=ORIGIN, type=TYPE_ED25519, public_key=KEY))
    witness = witness_of(tmp_path, ORIGIN, key)
    request = body(0, [], "3", signature=CHANGED)
    assert witness.add_checkpoint(request.encode()).status == 400
    other_text = body(0, [], "3", signature=SIGNATURES["5"])
    assert witness.add_checkpoint(other_text.encode()).status == 403


def test_a_log_with_a_post_quantum_key_is_witnessed(tmp_path: Path) -> None:
    seed = bytes.fromhex("2886adc2b0eabfce67c0472939127998bf886cf256bfee8ba76a253fce1146e0")
    log = MldsaCosigner("example.com/mldsa-log", mldsa.MLDSA44PrivateKey.from_seed_bytes(seed))
    vectors = Path(__file__).parents[1] / "vectors" / "c2sp"
    signed = (vectors / "mldsa-checkpoint.txt").read_bytes()
    witness = witness_of(tmp_path, "example.com/mldsa-log", log.verifier)
    assert witness.add_checkpoint(b"old 0\n\n" + signed).status == 200


@pytest.mark.parametrize("size", ["1", "3", "5"])
def test_the_vectors_are_signed_as_they_say(size: str) -> None:
    key = Ed25519Verifier(VerifierKey(name=ORIGIN, type=TYPE_ED25519, public_key=KEY))
    signed = body(0, [], size).partition("\n\n")[2]
    assert len(verify_note(parse_note(signed.encode()), [key])) == 1
