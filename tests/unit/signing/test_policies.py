"""A policy says which logs to believe, and when enough witnesses have seen what they signed."""

import pytest

from signing.checkpoints import format_checkpoint, sign_checkpoint
from signing.cosignatures import MldsaCosigner, generate_mldsa_pem, load_cosigner
from signing.errors import (
    InvalidSignatureError,
    MalformedNoteError,
    QuorumMissingError,
    UnknownKeyError,
)
from signing.notes import Ed25519Signer, SignatureLine, add_signatures, sign_note
from signing.policies import Policy, parse_policy
from tests.noted import LOG_ORIGIN, NOW_SECONDS, Tree, cosigner, log_signer, note_key

TREE = Tree()
LOG = f"log {log_signer().verifier.vkey}\n"
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
WITNESSES = "".join(f"witness {name} {cosigner(name).verifier.vkey}\n" for name in NAMES)
TWO_LEVELS = (
    LOG
    + WITNESSES
    + "group X-witnesses 2 X1 X2 X3\n"
    + "group Y-witnesses any Y1 Y2 Y3\n"
    + "group X-and-Y all X-witnesses Y-witnesses\n"
    + "quorum X-and-Y\n"
)
X1 = f"witness X1 {cosigner('X1').verifier.vkey}\n"


def policy(text: str) -> Policy:
    return parse_policy(text.encode())


def cosigned(*names: str, size: int = 7) -> bytes:
    text = format_checkpoint(TREE.checkpoint(size))
    lines = [cosigner(name).cosign(text, NOW_SECONDS) for name in names]
    return add_signatures(TREE.signed(size), lines)


@pytest.mark.parametrize(
    ("names", "reached"),
    [
        (("X1", "X2", "Y1"), True),
        (("X2", "X3", "Y3"), True),
        (NAMES, True),
        (("X1", "X2", "X3"), False),
        (("X1", "Y1", "Y2", "Y3"), False),
        ((), False),
    ],
)
def test_the_quorum_of_the_specifications_example_is_two_of_three_and_any(
    names: tuple[str, ...], reached: bool
) -> None:
    judgement = policy(TWO_LEVELS).judge(cosigned(*names))
    assert judgement.cosigned == dict.fromkeys(names, NOW_SECONDS)
    assert judgement.reached is reached
    assert judgement.witnesses == 6
    assert judgement.checkpoint == TREE.checkpoint(7)


def test_a_checkpoint_without_its_quorum_is_refused_with_the_count() -> None:
    assert policy(TWO_LEVELS).verify(cosigned("X1", "X2", "Y1")).reached
    with pytest.raises(QuorumMissingError) as caught:
        policy(TWO_LEVELS).verify(cosigned("X1", "Y1"))
    assert caught.value.code == "quorum-missing"
    assert caught.value.detail == "cosigned by 2 of 6 witnesses"


def test_a_single_witness_may_be_the_quorum() -> None:
    single = policy(LOG + X1 + "quorum X1\n")
    assert single.verify(cosigned("X1")).reached
    with pytest.raises(QuorumMissingError):
        single.verify(cosigned("X2"))


def test_no_quorum_demands_no_witness_but_the_logs_signature() -> None:
    none = policy(LOG + "quorum none\n")
    assert none.verify(TREE.signed(7)).cosigned == {}
    with pytest.raises(UnknownKeyError):
        policy("quorum none\n").verify(TREE.signed(7))


def test_without_the_signature_of_a_log_of_the_policy_no_witness_helps() -> None:
    text = format_checkpoint(TREE.checkpoint(7))
    line = cosigner("X1").cosign(text, NOW_SECONDS)
    other = log_signer("other.example")
    named_otherwise = add_signatures(sign_note(text, other), [line])
    trusting = policy(f"log {other.verifier.vkey}\n{LOG}{X1}quorum X1\n")
    with pytest.raises(UnknownKeyError) as caught:
        trusting.judge(named_otherwise)
    assert caught.value.code == "note-not-signed"


def test_a_log_that_replaced_its_key_has_a_line_for_each() -> None:
    """Checkpoints by either are believed; by a third they are not."""
    new = Ed25519Signer(LOG_ORIGIN, note_key("new"))
    lines = [f"log {signer.verifier.vkey}" for signer in (log_signer(), new)]
    both = policy("\n".join([*lines, "quorum none"]))
    for signer in (log_signer(), new):
        assert both.verify(sign_checkpoint(TREE.checkpoint(5), signer)).checkpoint.size == 5
    third = Ed25519Signer(LOG_ORIGIN, note_key("third"))
    with pytest.raises(UnknownKeyError):
        both.verify(sign_checkpoint(TREE.checkpoint(5), third))


def test_a_cosignature_without_a_time_does_not_count() -> None:
    witness = load_cosigner("a", generate_mldsa_pem())
    text = format_checkpoint(TREE.checkpoint(7))
    one = policy(f"{LOG}witness W {witness.verifier.vkey}\nquorum W\n")
    assert one.verify(add_signatures(TREE.signed(7), [witness.cosign(text, 1)])).cosigned == {
        "W": 1
    }
    assert not one.judge(add_signatures(TREE.signed(7), [witness.cosign(text, 0)])).reached


def test_a_forged_cosignature_of_a_known_witness_spoils_the_checkpoint() -> None:
    key = cosigner("X1").verifier.vkey
    forged = SignatureLine(name=key.name, key_hash=key.key_hash, signature=bytes(72))
    with pytest.raises(InvalidSignatureError):
        policy(TWO_LEVELS).judge(add_signatures(cosigned("X2"), [forged]))


def test_a_witness_counts_once_however_often_it_signed() -> None:
    text = format_checkpoint(TREE.checkpoint(7))
    lines = [cosigner("X1").cosign(text, NOW_SECONDS + second) for second in (0, 1)]
    signed = TREE.signed(7) + "".join(map(str, lines)).encode()
    with pytest.raises(MalformedNoteError) as caught:
        policy(TWO_LEVELS).judge(signed)
    assert caught.value.code == "note-duplicate-signature"


def test_white_space_comments_and_urls_are_read() -> None:
    text = (
        f"# comment\n\n \t\n\tlog\t {log_signer().verifier.vkey}  https://ledger.example/ \n"
        f"  # {'é'} another\n{X1.strip()}\thttps://witness.example/w1\nquorum X1"
    )
    read = policy(text)
    assert read.logs[0].url == "https://ledger.example/"
    assert read.witnesses[0].url == "https://witness.example/w1"
    assert read.quorum == "X1"


def test_names_are_octets() -> None:
    vkey = cosigner("X1").verifier.vkey
    text = f"{LOG}witness ".encode() + b"\xff\xfe" + f" {vkey}\nquorum ".encode() + b"\xff\xfe\n"
    assert parse_policy(text).verify(cosigned("X1")).reached
    kelvin = f"{LOG}witness \N{KELVIN SIGN} {vkey}\nquorum K\n"
    with pytest.raises(MalformedNoteError):
        policy(kelvin)


def test_logs_and_witnesses_may_have_ml_dsa_keys() -> None:
    pem = generate_mldsa_pem()
    log = load_cosigner(LOG_ORIGIN, pem)
    assert isinstance(log, MldsaCosigner)
    signed = sign_note(format_checkpoint(TREE.checkpoint(7)), log)
    assert policy(f"log {log.verifier.vkey}\nquorum none\n").verify(signed).reached


def test_many_definitions_are_read() -> None:
    lines = [f"witness W{n} {cosigner(f'W{n}').verifier.vkey}" for n in range(32)]
    groups = [f"group G{n} all W{n}" for n in range(32)]
    everyone = "group all-of-them 32 " + " ".join(f"G{n}" for n in range(32))
    text = LOG + "\n".join([*lines, *groups, everyone, "quorum all-of-them"])
    assert len(policy(text).groups) == 33


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        (LOG, 0),
        ("quorum none\nquorum none\n", 2),
        ("quorum X1\n" + X1, 1),
        ("quorum\n", 1),
        ("quorum none none\n", 1),
        (X1 + "group g 1 X1 # comment\nquorum g\n", 2),
        (X1 + X1 + "quorum X1\n", 2),
        (X1 + X1.replace("X1 ", "X2 ", 1) + "quorum X1\n", 2),
        (LOG + LOG + "quorum none\n", 2),
        (X1.replace("X1 ", "none ", 1), 1),
        (f"witness X1 {log_signer().verifier.vkey}\n", 1),
        (f"log {cosigner('X1').verifier.vkey}\n", 1),
        (X1.strip() + " https://a.example/ https://b.example/\n", 1),
        ("witness X1\n", 1),
        ("log not-a-key\n", 1),
        ("logs x\n", 1),
        (X1 + "group g 2 X1\n", 2),
        (X1 + "group g 0 X1\n", 2),
        (X1 + "group g -1 X1\n", 2),
        (X1 + "group g +1 X1\n", 2),
        (X1 + "group g 01 X1\n", 2),
        (X1 + "group g some X1\n", 2),
        (X1 + "group g all\n", 2),
        (X1 + "group g any none\n", 2),
        (X1 + "group g any X2\n", 2),
        (X1 + "group g any g\n", 2),
        (X1 + "group g any X1 X1\n", 2),
        (X1 + "group g any X1\ngroup h any X1\n", 3),
        (X1 + "group X1 any X1\n", 2),
        ("quorum none\r\n", 1),
        ("quorum\0none\n", 1),
        ("# \x7f\nquorum none\n", 1),
        ("quorum\N{NO-BREAK SPACE}none\n", 1),
    ],
)
def test_a_malformed_policy_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(MalformedNoteError) as caught:
        policy(text)
    assert caught.value.code == "policy-malformed"
    assert caught.value.detail.startswith(f"line {line}: " if line else "no quorum line")


def test_a_policy_of_more_than_a_mebibyte_is_refused() -> None:
    text = "quorum none\n".ljust(1 << 20, "#")
    with pytest.raises(MalformedNoteError):
        policy(text + "#")
    assert policy(text).quorum == "none"


def test_too_many_definitions_are_refused() -> None:
    text = X1 + "group g0 any X1\n" + "".join(f"group g{n} any g{n - 1}\n" for n in range(1, 1000))
    with pytest.raises(MalformedNoteError) as caught:
        policy(text)
    assert caught.value.detail.endswith("too many definitions")
