"""Whatever bytes come: a note has one spelling or is refused, and no request fells a witness."""

import base64
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from api.witness.request import format_add_checkpoint, parse_add_checkpoint
from signing.checkpoints import MAX_SIZE, Checkpoint, format_checkpoint, parse_checkpoint
from signing.errors import MalformedNoteError
from signing.notes import Note, SignatureLine, format_note, parse_note, sign_note, verify_note
from signing.policies import parse_policy
from tests.noted import LOG_ORIGIN, Tree, log_signer
from tests.witnessed import TestWitness, request

TREE = Tree()
characters = st.characters(codec="utf-8", exclude_categories=["Cc"])
lines = st.text(characters, max_size=20)
texts = st.lists(lines, min_size=1, max_size=5).map(lambda parts: "\n".join(parts) + "\n")
names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1
).filter(lambda name: "+" not in name and not any(letter.isspace() for letter in name))
signatures = st.builds(
    SignatureLine,
    name=names,
    key_hash=st.binary(min_size=4, max_size=4),
    signature=st.binary(min_size=1, max_size=80),
)
notes = st.builds(
    Note, text=texts, signatures=st.lists(signatures, min_size=1, max_size=20).map(tuple)
)
origins = lines.filter(lambda origin: 0 < len(origin.encode()) <= 255)
checkpoints = st.builds(
    Checkpoint,
    origin=origins,
    size=st.integers(0, MAX_SIZE),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(lines.filter(bool), max_size=3).map(tuple),
)
pieces = st.sampled_from(
    [
        *(b"old 0\n", b"old 5\n", b"old ", b"\n", b"\n\n", b"5", b"+5", b"05", b"\0", b"\r\n"),
        base64.b64encode(bytes(32)) + b"\n",
        f"{LOG_ORIGIN}\n".encode(),
        TREE.signed(5),
        TREE.signed(8),
        TREE.signed(5).partition(b"\n\n")[0],
        "\N{EM DASH} x AAAAAAAA\n".encode(),
        b"\xff",
    ]
)
bodies = st.lists(pieces, max_size=8).map(b"".join) | st.binary(max_size=200)


@given(notes)
def test_a_note_is_read_as_it_was_written(note: Note) -> None:
    assert parse_note(format_note(note)) == note


@given(bodies)
def test_bytes_are_refused_or_are_the_one_spelling_of_a_note(data: bytes) -> None:
    try:
        note = parse_note(data)
    except MalformedNoteError:
        return
    assert format_note(note) == data


@given(checkpoints)
def test_a_checkpoint_is_read_as_it_was_written(checkpoint: Checkpoint) -> None:
    text = format_checkpoint(checkpoint)
    assert parse_checkpoint(text) == checkpoint
    signer = log_signer()
    note = parse_note(sign_note(text, signer))
    assert note.text == text
    verify_note(note, [signer.verifier])


@given(
    st.integers(0, MAX_SIZE),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    checkpoints,
)
def test_a_request_is_read_as_it_was_written(
    old: int, proof: list[bytes], checkpoint: Checkpoint
) -> None:
    signed = sign_note(format_checkpoint(checkpoint), log_signer())
    read = parse_add_checkpoint(format_add_checkpoint(old_size=old, proof=proof, signed=signed))
    assert (read.old_size, list(read.proof), read.checkpoint) == (old, proof, checkpoint)


@given(st.lists(bodies, min_size=1, max_size=6), st.integers(0, 20))
def test_no_requests_make_a_witness_fail_or_forget(requests: list[bytes], place: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        witness = TestWitness(Path(folder))
        witness.witness.add_checkpoint(request(TREE, 0, 5))
        for body in [*requests, request(TREE, 5, 8)[:place], request(TREE, 5, 8)[place:]]:
            assert witness.witness.add_checkpoint(body).status in {200, 400, 403, 404, 409, 422}
        assert witness.size in {5, 8}


@given(st.binary(max_size=100) | texts.map(str.encode))
def test_a_policy_is_refused_or_read(data: bytes) -> None:
    try:
        policy = parse_policy(data)
    except MalformedNoteError:
        return
    assert policy.quorum == "none"
