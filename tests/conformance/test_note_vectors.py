"""Notes, checkpoints and cosignatures of others meet their verdicts through our code."""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa

from signing.checkpoints import parse_checkpoint, verify_checkpoint
from signing.cosignatures import MldsaCosigner, load_verifier
from signing.errors import InvalidSignatureError, UnknownKeyError
from signing.notes import format_note, parse_note, verify_note
from signing.policies import parse_policy
from signing.vkeys import parse_vkey

VECTORS = Path(__file__).parents[1] / "vectors" / "c2sp"

FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
ARCHE = (
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
)
LITTLE_GARDEN = (
    "transparency.dev/DEV:witness-little-garden+d8042a87"
    "+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM"
)
SMARTIT = "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO"
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
STAGEMOLE = "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv"
MLDSA_SEED = bytes.fromhex("2886adc2b0eabfce67c0472939127998bf886cf256bfee8ba76a253fce1146e0")


def vector(name: str) -> bytes:
    return (VECTORS / f"{name}.txt").read_bytes()


@pytest.mark.parametrize(
    ("name", "vkeys"),
    [
        ("signed-note", [FOO]),
        ("go-sumdb-checkpoint", [SUMDB]),
        ("arche-checkpoint", [ARCHE, LITTLE_GARDEN, SMARTIT, REMORA, STAGEMOLE]),
    ],
)
def test_notes_of_others_are_read_checked_and_written_byte_for_byte(
    name: str, vkeys: list[str]
) -> None:
    data = vector(name)
    note = parse_note(data)
    assert format_note(note) == data
    assert [str(parse_vkey(vkey)) for vkey in vkeys] == vkeys
    verified = verify_note(note, [load_verifier(vkey) for vkey in vkeys])
    assert {one.line.name for one in verified} == {vkey.split("+")[0] for vkey in vkeys}


@pytest.mark.parametrize(
    ("name", "vkey", "old", "new"),
    [
        ("signed-note", FOO, "message", "massage"),
        ("go-sumdb-checkpoint", SUMDB, "6476701", "6476702"),
        ("arche-checkpoint", ARCHE, "1432088532", "1432088533"),
        ("arche-checkpoint", REMORA, "1432088532", "1432088533"),
    ],
)
def test_altered_notes_of_others_are_refused(name: str, vkey: str, old: str, new: str) -> None:
    note = parse_note(vector(name).decode().replace(old, new).encode())
    with pytest.raises(InvalidSignatureError):
        verify_note(note, [load_verifier(vkey)])


def test_the_example_checkpoint_of_the_specification_is_read() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = parse_checkpoint(text)
    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.size == 20852163
    assert checkpoint.extensions == ()


def test_four_public_witnesses_are_a_quorum_and_say_when() -> None:
    witnesses = [LITTLE_GARDEN, SMARTIT, REMORA, STAGEMOLE]
    lines = [f"witness W{number} {vkey}\n" for number, vkey in enumerate(witnesses)]
    policy = f"log {ARCHE}\n{''.join(lines)}group all-four all W0 W1 W2 W3\nquorum all-four\n"
    judgement = parse_policy(policy.encode()).verify(vector("arche-checkpoint"))
    assert judgement.checkpoint.size == 1432088532
    assert judgement.cosigned == dict.fromkeys(("W0", "W1", "W2", "W3"), 1779573024)


def test_an_ml_dsa_checkpoint_of_another_implementation_is_accepted() -> None:
    key = MldsaCosigner(
        "example.com/mldsa-log", mldsa.MLDSA44PrivateKey.from_seed_bytes(MLDSA_SEED)
    )
    assert str(key.verifier.vkey).startswith("example.com/mldsa-log+b5df45c5+BuhtcL97l3dcitjZ8Y9J")
    signed = verify_checkpoint(vector("mldsa-checkpoint"), [key.verifier])
    assert signed.checkpoint.root == hashlib.sha256(b"\0testonly").digest()
    assert [one.time_seconds for one in signed.verified] == [0]
    altered = vector("mldsa-checkpoint").replace(b"\n1\n", b"\n2\n")
    with pytest.raises(InvalidSignatureError):
        verify_checkpoint(altered, [key.verifier])


def test_a_key_named_otherwise_than_the_origin_vouches_for_no_checkpoint_here() -> None:
    """The Go checksum database does so; whoever trusts it must know which log a key is for."""
    with pytest.raises(UnknownKeyError) as caught:
        verify_checkpoint(vector("go-sumdb-checkpoint"), [load_verifier(SUMDB)])
    assert caught.value.code == "note-not-signed"
