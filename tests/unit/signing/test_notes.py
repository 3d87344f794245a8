"""A signed note has one spelling, and only trusted keys count."""

import base64

import pytest

from signing.errors import (
    InvalidSignatureError,
    MalformedKeyError,
    MalformedNoteError,
    UnknownKeyError,
)
from signing.keys import SoftKey
from signing.notes import (
    Ed25519Signer,
    Ed25519Verifier,
    Note,
    SignatureLine,
    add_signatures,
    format_note,
    parse_note,
    parse_signatures,
    sign_line,
    sign_note,
    verify_note,
)
from signing.vkeys import TYPE_ED25519, VerifierKey, parse_vkey
from tests.noted import log_signer, note_key

TEXT = "Bệnh viện A\n\nsecond paragraph\n"
SIGNER = log_signer("log.example/a")
SIGNED = sign_note(TEXT, SIGNER)
VKEY = str(SIGNER.verifier.vkey)
LINE = SIGNED.decode().removeprefix(TEXT + "\n")
SMALL_ORDER_POINT = b"\x01" + bytes(31)


def refusal(data: bytes) -> tuple[str, str]:
    with pytest.raises(MalformedNoteError) as caught:
        parse_note(data)
    return caught.value.code, caught.value.detail


def line_of(number: int) -> SignatureLine:
    return SignatureLine(name=f"key{number}", key_hash=number.to_bytes(4), signature=b"signature")


def test_a_note_is_read_as_it_was_written_and_its_signature_holds() -> None:
    note = parse_note(SIGNED)
    assert note.text == TEXT
    assert format_note(note) == SIGNED
    (verified,) = verify_note(note, [SIGNER.verifier])
    assert verified.line.name == "log.example/a"
    assert verified.time_seconds is None


def test_the_last_empty_line_separates_text_and_signatures() -> None:
    note = parse_note(sign_note("a\n\n\n", SIGNER))
    assert note.text == "a\n\n\n"
    verify_note(note, [SIGNER.verifier])


@pytest.mark.parametrize("count", [16, 100])
def test_a_note_may_have_sixteen_signatures_and_up_to_a_hundred(count: int) -> None:
    lines = tuple(line_of(number) for number in range(count))
    data = format_note(Note(text="a\n", signatures=lines))
    assert parse_note(data).signatures == lines


def test_a_hundred_and_one_signatures_are_too_many() -> None:
    lines = tuple(line_of(number) for number in range(101))
    assert refusal(format_note(Note(text="a\n", signatures=lines)))[0] == "note-too-large"


def test_a_note_of_more_than_a_mebibyte_is_refused_unread() -> None:
    text = "a" * (1 << 20) + "\n"
    line = LINE.encode()
    assert refusal(text.encode() + b"\n" + line)[0] == "note-too-large"
    fitting = text[: (1 << 20) - len(line) - 2] + "\n"
    assert parse_note(fitting.encode() + b"\n" + line).text == fitting


def with_line(line: str) -> bytes:
    return f"a\n\n{line}\n".encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"a\n", id="no-signatures"),
        pytest.param(b"a\n\n", id="no-signature-after-the-empty-line"),
        pytest.param(b"\n" + LINE.encode(), id="no-text"),
        pytest.param(LINE.encode(), id="signatures-only"),
        pytest.param(SIGNED[:-1], id="last-newline-missing"),
        pytest.param(SIGNED + b"\n", id="empty-line-at-the-end"),
        pytest.param(SIGNED + b"x", id="something-after-the-end"),
        pytest.param(SIGNED.replace(b"\n", b"\r\n"), id="crlf"),
        pytest.param(SIGNED.replace(b"second", b"sec\0nd"), id="nul"),
        pytest.param(SIGNED.replace(b"second", b"sec\tnd"), id="tab"),
        pytest.param(SIGNED.replace(b"second", b"sec\xffnd"), id="not-utf-8"),
        pytest.param(SIGNED.replace(b"second", b"sec\xed\xa0\x80nd"), id="surrogate"),
        pytest.param(with_line("- key AAAAAAAA"), id="hyphen-for-dash"),
        pytest.param(with_line("—key AAAAAAAA"), id="no-space-after-the-dash"),
        pytest.param(with_line("—  AAAAAAAA"), id="empty-name"),
        pytest.param(with_line("— a+b AAAAAAAA"), id="plus-in-the-name"),
        pytest.param(with_line("— a\N{NO-BREAK SPACE}b AAAAAAAA"), id="no-break-space-in-name"),
        pytest.param(with_line("— a\N{LINE SEPARATOR}b AAAAAAAA"), id="line-separator-in-name"),
        pytest.param(with_line("— a b AAAAAAAA"), id="space-in-the-name"),
        pytest.param(with_line("— key"), id="no-signature"),
        pytest.param(with_line("— key AAAA"), id="shorter-than-a-key-id"),
        pytest.param(with_line("— key AAAAAA=="), id="key-id-only"),
        pytest.param(with_line("— key AAAAAAA"), id="base64-without-padding"),
        pytest.param(with_line("— key AAAAAAB="), id="base64-with-unused-bits"),
        pytest.param(with_line("— key AAAA AAAA"), id="space-in-base64"),
        pytest.param(with_line("— key AAAAAAAA "), id="space-after-base64"),
        pytest.param(with_line("— key AAAAAAA_"), id="base64url"),
        pytest.param(with_line("— key AAAAAAAA\n- key AAAAAAAA"), id="second-line-malformed"),
    ],
)
def test_a_malformed_note_is_refused(data: bytes) -> None:
    code, detail = refusal(data)
    assert code == "note-malformed"
    assert detail


@pytest.mark.parametrize("text", ["", "no newline", "nul\0\n", "cr\r\n"])
def test_what_could_not_be_read_is_not_signed(text: str) -> None:
    with pytest.raises(MalformedNoteError):
        sign_note(text, SIGNER)


def test_nothing_is_a_note_without_a_signer() -> None:
    with pytest.raises(MalformedNoteError):
        sign_note("a\n")


def test_signatures_of_unknown_keys_are_ignored() -> None:
    stranger = log_signer("log.example/stranger")
    note = parse_note(sign_note(TEXT, stranger, SIGNER))
    assert [one.line.name for one in verify_note(note, [SIGNER.verifier])] == ["log.example/a"]
    with pytest.raises(UnknownKeyError) as caught:
        verify_note(parse_note(sign_note(TEXT, stranger)), [SIGNER.verifier])
    assert caught.value.code == "note-not-signed"


def test_a_key_that_shares_only_name_or_only_id_with_a_known_one_is_unknown() -> None:
    same_name = Ed25519Signer("log.example/a", note_key("another"))
    own = sign_line(TEXT, SIGNER)
    same_id = SignatureLine(name="log.example/b", key_hash=own.key_hash, signature=b"whatever")
    note = Note(text=TEXT, signatures=(sign_line(TEXT, same_name), same_id, own))
    (verified,) = verify_note(note, [SIGNER.verifier])
    assert verified.line == own


def test_one_bad_signature_of_a_known_key_spoils_the_note() -> None:
    other = log_signer("log.example/b")
    own = sign_line(TEXT, SIGNER)
    bad = SignatureLine(name=own.name, key_hash=own.key_hash, signature=bytes(64))
    note = Note(text=TEXT, signatures=(sign_line(TEXT, other), bad))
    with pytest.raises(InvalidSignatureError):
        verify_note(note, [SIGNER.verifier, other.verifier])


def test_two_lines_of_one_known_key_are_refused() -> None:
    own = sign_line(TEXT, SIGNER)
    with pytest.raises(MalformedNoteError) as caught:
        verify_note(Note(text=TEXT, signatures=(own, own)), [SIGNER.verifier])
    assert caught.value.code == "note-duplicate-signature"


def test_a_signature_over_another_text_is_refused() -> None:
    note = Note(text="another\n", signatures=(sign_line(TEXT, SIGNER),))
    with pytest.raises(InvalidSignatureError):
        verify_note(note, [SIGNER.verifier])


def test_a_signature_that_is_added_takes_the_place_of_one_of_the_same_key() -> None:
    line = sign_line(TEXT, log_signer("log.example/b"))
    grown = add_signatures(SIGNED, [line, line])
    assert grown == SIGNED + str(line).encode()
    assert add_signatures(grown, [line]) == grown
    newer = SignatureLine(name=line.name, key_hash=line.key_hash, signature=b"newer")
    assert add_signatures(grown, [newer]) == SIGNED + str(newer).encode()
    with pytest.raises(MalformedNoteError):
        add_signatures(SIGNED, [line_of(number) for number in range(100)])


def test_signature_lines_alone_are_read_as_a_witness_answers_them() -> None:
    lines = (line_of(1), line_of(2))
    assert parse_signatures("".join(str(line) for line in lines)) == lines
    for text in ("", "\n", str(lines[0])[:-1], f"{lines[0]}\n"):
        with pytest.raises(MalformedNoteError):
            parse_signatures(text)


def test_a_verifier_key_is_read_as_it_was_written() -> None:
    vkey = parse_vkey(VKEY)
    assert str(vkey) == VKEY
    assert (vkey.name, vkey.type) == ("log.example/a", TYPE_ED25519)
    assert vkey.public_key == note_key("log.example/a").spki[-32:]
    assert Ed25519Verifier(vkey).spki == note_key("log.example/a").spki


NAME, HASH, KEY = VKEY.split("+", 2)
assert HASH.upper() != HASH, "the id must have a letter for the test of its spelling"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log.example/a",
        f"{NAME}+{HASH}",
        f"+{HASH}+{KEY}",
        f"a b+{HASH}+{KEY}",
        f"other+{HASH}+{KEY}",
        f"{NAME}+{HASH.upper()}+{KEY}",
        f"{NAME}+00000000+{KEY}",
        f"{NAME}+{HASH}0+{KEY}",
        f"{NAME}+{HASH}+{KEY}=",
        f"{NAME}+{HASH}+{KEY}\n",
        f"{NAME}+{HASH}+ {KEY}",
        f"{NAME}+{HASH}+é",
        f"\ud800+{HASH}+{KEY}",
        str(VerifierKey(name="a\0b", type=1, public_key=bytes(32))),
        str(VerifierKey(name="a" * 256, type=1, public_key=bytes(32))),
        str(VerifierKey(name="a", type=1, public_key=b"")),
    ],
)
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedKeyError) as caught:
        parse_vkey(text)
    assert caught.value.code == "vkey-malformed"


@pytest.mark.parametrize(
    ("type_", "key", "code"),
    [
        (4, bytes(32), "vkey-type"),
        (1, bytes(31), "key-malformed"),
        (1, SMALL_ORDER_POINT, "key-small-order"),
        (1, b"\xee" + b"\xff" * 30 + b"\x7f", "key-small-order"),
        (1, b"\xf1" + b"\xff" * 30 + b"\x7f", "key-malformed"),
    ],
)
def test_weak_and_wrong_ed25519_keys_verify_nothing(type_: int, key: bytes, code: str) -> None:
    with pytest.raises(MalformedKeyError) as caught:
        Ed25519Verifier(VerifierKey(name="a", type=type_, public_key=key))
    assert caught.value.code == code


def test_only_ed25519_keys_sign_notes() -> None:
    with pytest.raises(MalformedKeyError) as caught:
        Ed25519Signer("log.example/a", SoftKey.generate("ES256"))
    assert caught.value.code == "key-algorithm"
    with pytest.raises(MalformedKeyError):
        Ed25519Signer("a name", note_key("a"))


def test_no_changed_byte_of_a_note_leaves_it_signed() -> None:
    for place in range(len(SIGNED)):
        for bit in (1, 0x20, 0x80):
            data = bytearray(SIGNED)
            data[place] ^= bit
            with pytest.raises((MalformedNoteError, InvalidSignatureError, UnknownKeyError)):
                verify_note(parse_note(bytes(data)), [SIGNER.verifier])


def test_a_key_hash_and_signature_are_plain_base64_in_the_line() -> None:
    encoded = LINE.split(" ")[2]
    assert base64.b64decode(encoded)[:4].hex() == HASH
