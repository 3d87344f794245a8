"""A cosignature says who saw which checkpoint as the newest, and when."""

import struct

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa

from signing.checkpoints import format_checkpoint, sign_checkpoint, verify_checkpoint
from signing.cosignatures import (
    Cosigner,
    MldsaCosigner,
    MldsaVerifier,
    generate_mldsa_pem,
    load_cosigner,
    load_cosigner_verifier,
    load_log_verifier,
    load_verifier,
)
from signing.errors import InvalidSignatureError, MalformedKeyError, MalformedNoteError
from signing.keys import SoftKey
from signing.notes import NoteVerifier, SignatureLine
from signing.vkeys import VerifierKey
from tests.noted import LOG_ORIGIN, NOW_SECONDS, WITNESS_NAME, Tree, cosigner, log_signer, note_key

TEXT = format_checkpoint(Tree().checkpoint(7))
MLDSA_KEY = mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes(range(32)))
COSIGNERS = [
    pytest.param(cosigner(), id="ed25519"),
    pytest.param(MldsaCosigner(WITNESS_NAME, MLDSA_KEY), id="ml-dsa-44"),
]


def check(verifier: NoteVerifier, text: str, signature: bytes) -> int | None:
    return verifier.check(text, signature)


@pytest.mark.parametrize("signer", COSIGNERS)
def test_a_cosignature_is_checked_and_tells_its_time(signer: Cosigner) -> None:
    line = signer.cosign(TEXT, NOW_SECONDS)
    assert line.name == WITNESS_NAME
    assert line.key_hash == signer.verifier.vkey.key_hash
    assert line.signature[:8] == struct.pack(">Q", NOW_SECONDS)
    assert check(signer.verifier, TEXT, line.signature) == NOW_SECONDS
    again = load_cosigner_verifier(str(signer.verifier.vkey))
    assert check(again, TEXT, line.signature) == NOW_SECONDS


@pytest.mark.parametrize("signer", COSIGNERS)
def test_no_part_of_what_was_cosigned_can_be_changed(signer: Cosigner) -> None:
    signature = signer.cosign(TEXT, NOW_SECONDS).signature
    for text in (
        format_checkpoint(Tree().checkpoint(8)),
        format_checkpoint(Tree("fork").checkpoint(7)),
        format_checkpoint(Tree().checkpoint(7, "another.example")),
        TEXT + "extension\n",
        "not a checkpoint\n",
    ):
        with pytest.raises(InvalidSignatureError):
            check(signer.verifier, text, signature)


@pytest.mark.parametrize("signer", COSIGNERS)
def test_no_changed_byte_leaves_a_cosignature_valid(signer: Cosigner) -> None:
    signature = signer.cosign(TEXT, NOW_SECONDS).signature
    for place in [*range(72), len(signature) - 1]:
        changed = bytearray(signature)
        changed[place] ^= 1
        with pytest.raises(InvalidSignatureError):
            check(signer.verifier, TEXT, bytes(changed))
    for other in (b"", signature[:7], signature[:8], signature[:-1], signature + b"\0"):
        with pytest.raises(InvalidSignatureError):
            check(signer.verifier, TEXT, other)


@pytest.mark.parametrize("signer", COSIGNERS)
def test_what_is_no_checkpoint_is_not_cosigned(signer: Cosigner) -> None:
    with pytest.raises(MalformedNoteError):
        signer.cosign("not a checkpoint\n", NOW_SECONDS)


def test_the_ed25519_message_is_the_one_of_the_specification() -> None:
    line = cosigner().cosign(TEXT, 1679315147)
    message = b"cosignature/v1\ntime 1679315147\n" + TEXT.encode()
    note_key(WITNESS_NAME).verifying_key.verify(line.signature[8:], message)


def test_ed25519_covers_extension_lines_and_ml_dsa_refuses_them() -> None:
    extended = TEXT + "extension\n"
    line = cosigner().cosign(extended, NOW_SECONDS)
    assert check(cosigner().verifier, extended, line.signature) == NOW_SECONDS
    with pytest.raises(MalformedNoteError) as caught:
        MldsaCosigner(WITNESS_NAME, MLDSA_KEY).cosign(extended, NOW_SECONDS)
    assert caught.value.code == "checkpoint-extended"


def test_ml_dsa_signs_the_cosigners_name_too() -> None:
    signature = MldsaCosigner(WITNESS_NAME, MLDSA_KEY).cosign(TEXT, NOW_SECONDS).signature
    other = MldsaCosigner("witness.other.example", MLDSA_KEY)
    with pytest.raises(InvalidSignatureError):
        other.verifier.check(TEXT, signature)


def test_a_log_may_sign_with_both_kinds_of_key() -> None:
    log = MldsaCosigner(LOG_ORIGIN, MLDSA_KEY)
    signed = sign_checkpoint(Tree().checkpoint(7), log_signer(), log)
    verified = verify_checkpoint(signed, [log_signer().verifier, log.verifier]).verified
    assert [one.time_seconds for one in verified] == [None, 0]


def test_an_impossible_time_is_refused_though_it_was_signed() -> None:
    """The specification: "It MUST NOT exceed 2^63 - 1"."""
    last = cosigner().cosign(TEXT, 2**63 - 1).signature
    assert check(cosigner().verifier, TEXT, last) == 2**63 - 1
    with pytest.raises(InvalidSignatureError) as caught:
        cosigner().verifier.check(TEXT, cosigner().cosign(TEXT, 2**63).signature)
    assert caught.value.detail == "an impossible time"


def test_private_keys_are_loaded_by_their_kind() -> None:
    ed25519 = load_cosigner(WITNESS_NAME, note_key(WITNESS_NAME).to_pem(None))
    assert ed25519.verifier.vkey == cosigner().verifier.vkey
    pem = generate_mldsa_pem()
    one, two = load_cosigner("a", pem), load_cosigner("a", pem)
    assert one.verifier.vkey == two.verifier.vkey
    check(two.verifier, TEXT, one.cosign(TEXT, 1).signature)


@pytest.mark.parametrize("alg", ["ES256", "PS256"])
def test_other_kinds_of_keys_cosign_nothing(alg: str) -> None:
    with pytest.raises(MalformedKeyError):
        load_cosigner("a", SoftKey.generate(alg).to_pem(None))


@pytest.mark.parametrize("pem", [b"", b"not a PEM", note_key("a").to_pem(b"passphrase")])
def test_what_is_no_usable_private_key_is_refused(pem: bytes) -> None:
    with pytest.raises(MalformedKeyError):
        load_cosigner("a", pem)


def vkey(type_: int, key: bytes) -> str:
    return str(VerifierKey(name="a", type=type_, public_key=key))


def test_logs_and_cosigners_have_keys_of_their_kinds_only() -> None:
    log = str(log_signer().verifier.vkey)
    witness = str(cosigner().verifier.vkey)
    both = str(MldsaCosigner("a", MLDSA_KEY).verifier.vkey)
    assert str(load_log_verifier(log).vkey) == log
    assert str(load_cosigner_verifier(witness).vkey) == witness
    assert str(load_log_verifier(both).vkey) == str(load_cosigner_verifier(both).vkey) == both
    for load, text in ((load_log_verifier, witness), (load_cosigner_verifier, log)):
        with pytest.raises(MalformedKeyError) as caught:
            load(text)
        assert caught.value.code == "vkey-type"


@pytest.mark.parametrize(
    ("type_", "key", "code"),
    [
        (0x00, bytes(32), "vkey-type"),
        (0x02, bytes(32), "vkey-type"),
        (0x05, bytes(32), "vkey-type"),
        (0xFF, bytes(32), "vkey-type"),
        (0x04, bytes(31), "key-malformed"),
        (0x04, b"\1" + bytes(31), "key-small-order"),
        (0x06, bytes(32), "key-malformed"),
    ],
)
def test_verifier_keys_of_other_types_and_weak_keys_are_refused(
    type_: int, key: bytes, code: str
) -> None:
    with pytest.raises(MalformedKeyError) as caught:
        load_verifier(vkey(type_, key))
    assert caught.value.code == code


def test_each_verifier_takes_its_own_type_only() -> None:
    same_key = VerifierKey(
        name="a", type=4, public_key=MldsaCosigner("a", MLDSA_KEY).verifier.vkey.public_key
    )
    with pytest.raises(MalformedKeyError) as caught:
        MldsaVerifier(same_key)
    assert caught.value.code == "vkey-type"
    with pytest.raises(MalformedKeyError) as caught:
        type(cosigner().verifier)(log_signer().verifier.vkey)
    assert caught.value.code == "vkey-type"


def test_a_line_is_written_as_notes_have_it() -> None:
    line = SignatureLine(name="w", key_hash=b"\0\0\0\1", signature=b"\2")
    assert str(line) == "\N{EM DASH} w AAAAAQI=\n"
