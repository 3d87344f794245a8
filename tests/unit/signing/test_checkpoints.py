"""A checkpoint has one spelling, and is believed only under a key of its own origin."""

import pytest

from signing.checkpoints import (
    MAX_SIZE,
    Checkpoint,
    format_checkpoint,
    parse_checkpoint,
    parse_size,
    sign_checkpoint,
    verify_checkpoint,
)
from signing.errors import MalformedNoteError, UnknownKeyError
from signing.notes import sign_note
from tests.noted import LOG_ORIGIN, Tree, cosigner, log_signer

ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
TEXT = f"{LOG_ORIGIN}\n20852163\n{ROOT}\n"


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    checkpoint = parse_checkpoint(TEXT)
    assert (checkpoint.origin, checkpoint.size, checkpoint.extensions) == (LOG_ORIGIN, 20852163, ())
    assert format_checkpoint(checkpoint) == TEXT


def test_extension_lines_are_kept() -> None:
    checkpoint = parse_checkpoint(TEXT + "one\ntwo\n")
    assert checkpoint.extensions == ("one", "two")
    assert format_checkpoint(checkpoint) == TEXT + "one\ntwo\n"


@pytest.mark.parametrize(
    "size",
    [
        *("", "00", "007", "+5", "-1", " 5", "5 ", "5.0", "1e3", "0x5", "five", "1_000"),
        *("\N{ARABIC-INDIC DIGIT FIVE}", "\N{FULLWIDTH DIGIT FIVE}", "\N{SUPERSCRIPT TWO}"),
        *(str(MAX_SIZE + 1), "9" * 19, "9" * 4000),
    ],
)
def test_a_size_has_one_spelling(size: str) -> None:
    with pytest.raises(ValueError, match="not a tree size"):
        parse_size(size)
    with pytest.raises(MalformedNoteError) as caught:
        parse_checkpoint(f"{LOG_ORIGIN}\n{size}\n{ROOT}\n")
    assert caught.value.code == "checkpoint-malformed"


@pytest.mark.parametrize("size", [0, 5, 10, MAX_SIZE])
def test_sizes_up_to_two_to_the_63_are_read(size: int) -> None:
    assert parse_size(str(size)) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"{LOG_ORIGIN}\n5\n",
        f"{LOG_ORIGIN}\n5\n{ROOT}",
        f"\n5\n{ROOT}\n",
        f"{LOG_ORIGIN}\n5\n{ROOT}\n\n",
        f"{LOG_ORIGIN}\n5\n{ROOT}\n\nextension\n",
        f"{LOG_ORIGIN}\n5\n{ROOT[:-1]}\n",
        f"{LOG_ORIGIN}\n5\n{ROOT[:-2]}J=\n",
        f"{LOG_ORIGIN}\n5\n{ROOT} \n",
        f"{LOG_ORIGIN}\n5\nAAAA\n",
        f"{LOG_ORIGIN}\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        f"{'a' * 256}\n5\n{ROOT}\n",
        f"{'é' * 128}\n5\n{ROOT}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedNoteError) as caught:
        parse_checkpoint(text)
    assert caught.value.code == "checkpoint-malformed"


@pytest.mark.parametrize("origin", ["a", "a" * 255, "é" * 127 + "a", "example log+origin"])
def test_origins_up_to_255_bytes_are_read(origin: str) -> None:
    assert parse_checkpoint(f"{origin}\n5\n{ROOT}\n").origin == origin


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint(origin="a\nb", size=1, root=bytes(32)),
        Checkpoint(origin="", size=1, root=bytes(32)),
        Checkpoint(origin="a", size=-1, root=bytes(32)),
        Checkpoint(origin="a", size=1, root=bytes(31)),
        Checkpoint(origin="a", size=1, root=bytes(32), extensions=("",)),
        Checkpoint(origin="a", size=1, root=bytes(32), extensions=("b\nc",)),
    ],
)
def test_what_could_not_be_read_is_not_written(checkpoint: Checkpoint) -> None:
    with pytest.raises(MalformedNoteError):
        format_checkpoint(checkpoint)


def test_a_signed_checkpoint_is_verified_with_its_logs_key() -> None:
    signed = verify_checkpoint(Tree().signed(7), [log_signer().verifier])
    assert signed.checkpoint == Tree().checkpoint(7)
    assert [one.line.name for one in signed.verified] == [LOG_ORIGIN]


def test_a_key_of_another_origin_does_not_sign_and_is_not_believed() -> None:
    other = log_signer("ledger.elsewhere.example")
    checkpoint = Tree().checkpoint(7)
    with pytest.raises(UnknownKeyError) as caught:
        sign_checkpoint(checkpoint, other)
    assert caught.value.code == "origin-mismatch"
    forged = sign_note(format_checkpoint(checkpoint), other)
    with pytest.raises(UnknownKeyError):
        verify_checkpoint(forged, [other.verifier, log_signer().verifier])


def test_a_witness_alone_does_not_make_a_checkpoint() -> None:
    text = format_checkpoint(Tree().checkpoint(7))
    line = cosigner().cosign(text, 5)
    with pytest.raises(UnknownKeyError):
        verify_checkpoint(f"{text}\n{line}".encode(), [log_signer().verifier])
