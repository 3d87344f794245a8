"""A witness cosigns what continues what it cosigned before; c2sp.org/tlog-witness."""

import asyncio
import base64
import threading
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import mldsa

from api.witness.request import MAX_REQUEST_BYTES
from api.witness.rules import Pin
from api.witness.server import LogWatch, create_witness_app
from ledger.errors import EnvironmentRefusedError
from ledger.merkle import EMPTY_ROOT
from signing.checkpoints import Checkpoint, format_checkpoint, parse_checkpoint, sign_checkpoint
from signing.cosignatures import MldsaCosigner
from signing.notes import Note, parse_note, parse_signatures, sign_line, sign_note, verify_note
from tests.noted import (
    LOG_ORIGIN,
    NOW_SECONDS,
    WITNESS_NAME,
    Tree,
    cosigner,
    log_signer,
    note_key,
)
from tests.witnessed import TestWitness, proof_lines, request

TREE = Tree()
FORK = Tree("fork", common=5)


@pytest.fixture
def witness(tmp_path: Path) -> TestWitness:
    return TestWitness(tmp_path)


def test_it_cosigns_checkpoints_that_continue_one_another(witness: TestWitness) -> None:
    for old, new in [(0, 1), (1, 3), (3, 7), (7, 8), (8, 8), (8, 300), (300, 1000)]:
        witness.clock.seconds += 10
        answer = witness.add(TREE, old, new)
        assert answer.status_code == 200, answer.text
        (line,) = parse_signatures(answer.text)
        text = format_checkpoint(TREE.checkpoint(new))
        assert cosigner().verifier.check(text, line.signature) == witness.clock.seconds
    assert witness.size == 1000
    assert witness.state.refused() == []


def test_it_cosigns_an_empty_tree_and_what_grows_from_it(witness: TestWitness) -> None:
    assert TREE.root(0) == EMPTY_ROOT
    assert witness.add(TREE, 0, 0).status_code == 200
    assert witness.latest().status_code == 200
    assert witness.add(TREE, 0, 5).status_code == 200


def test_the_answer_is_the_witness_signature_lines_and_nothing_else(witness: TestWitness) -> None:
    answer = witness.add(TREE, 0, 5)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith(f"\N{EM DASH} {WITNESS_NAME} ")
    assert answer.text.count("\n") == 1
    note = parse_note(TREE.signed(5) + answer.content)
    verify_note(note, [cosigner().verifier])


def test_a_witness_with_two_keys_answers_with_two_lines(tmp_path: Path) -> None:
    keys = [
        cosigner(),
        MldsaCosigner(WITNESS_NAME, mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes(32))),
    ]
    witness = TestWitness(tmp_path, cosigners=keys)
    answer = witness.add(TREE, 0, 5)
    note = parse_note(TREE.signed(5) + answer.content)
    assert len(verify_note(note, [key.verifier for key in keys])) == 2
    extended = Checkpoint(origin=LOG_ORIGIN, size=6, root=TREE.root(6), extensions=("x",))
    signed = sign_checkpoint(extended, log_signer())
    refused = witness.post(b"old 5\n" + proof_lines(TREE.proof(5, 6)) + b"\n" + signed)
    assert refused.status_code == 400  # ML-DSA would not sign the extension lines


def test_extension_lines_are_cosigned_where_the_cosignature_covers_them(
    witness: TestWitness,
) -> None:
    extended = Checkpoint(origin=LOG_ORIGIN, size=6, root=TREE.root(6), extensions=("x",))
    signed = sign_checkpoint(extended, log_signer())
    answer = witness.post(b"old 0\n\n" + signed)
    assert answer.status_code == 200
    verify_note(parse_note(signed + answer.content), [cosigner().verifier])


SIGNED = TREE.signed(5)
MALFORMED = {
    "empty": b"",
    "no-checkpoint": b"old 0\n\n",
    "no-empty-line": b"old 0\n",
    "no-old-line": b"\n" + SIGNED,
    "old-missing": b"new 0\n\n" + SIGNED,
    "size-missing": b"old \n\n" + SIGNED,
    "leading-zero": b"old 00\n\n" + SIGNED,
    "plus": b"old +5\n\n" + SIGNED,
    "minus": b"old -5\n\n" + SIGNED,
    "two-spaces": b"old  0\n\n" + SIGNED,
    "trailing-space": b"old 0 \n\n" + SIGNED,
    "size-too-large": b"old 9223372036854775808\n\n" + SIGNED,
    "size-huge": b"old " + b"9" * 5000 + b"\n\n" + SIGNED,
    "crlf": (b"old 0\n\n" + SIGNED).replace(b"\n", b"\r\n"),
    "nul": b"old 0\0\n\n" + SIGNED,
    "not-ascii": "old \N{ARABIC-INDIC DIGIT FIVE}\n\n".encode() + SIGNED,
    "hash-too-short": b"old 1\nAAAA\n\n" + SIGNED,
    "hash-too-long": b"old 1\n" + base64.b64encode(bytes(33)) + b"\n\n" + SIGNED,
    "hash-not-base64": b"old 1\n!\n\n" + SIGNED,
    "hash-without-padding": b"old 1\n" + base64.b64encode(bytes(32))[:-1] + b"\n\n" + SIGNED,
    "hash-not-canonical": b"old 1\n" + b"A" * 42 + b"B=\n\n" + SIGNED,
    "64-hashes": b"old 1\n" + proof_lines([bytes(32)] * 64) + b"\n" + SIGNED,
    "no-signature": b"old 0\n\n" + SIGNED[: SIGNED.index(b"\n\n") + 1],
    "size-not-a-number": b"old 0\n\n" + SIGNED.replace(b"\n5\n", b"\nfive\n"),
    "checkpoint-leading-zero": b"old 0\n\n" + SIGNED.replace(b"\n5\n", b"\n05\n"),
    "note-not-utf8": b"old 0\n\n\xff" + SIGNED,
    "101-signatures": b"old 0\n\n" + SIGNED + b"\xe2\x80\x94 x AAAAAAAA\n" * 100,
    "something-after": b"old 0\n\n" + SIGNED + b"x",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_400_and_remembered_nowhere(witness: TestWitness, name: str) -> None:
    answer = witness.post(MALFORMED[name])
    assert answer.status_code == 400
    assert witness.size == 0
    assert witness.state.refused() == []


def test_sixty_three_hashes_and_sixteen_unknown_signatures_are_read(witness: TestWitness) -> None:
    strangers = b"\xe2\x80\x94 x AAAAAAAA\n" * 15
    assert witness.post(b"old 0\n\n" + SIGNED + strangers).status_code == 200
    body = b"old 5\n" + proof_lines([bytes(32)] * 63) + b"\n" + TREE.signed(6)
    assert witness.post(body).status_code == 422


def test_a_body_larger_than_a_note_may_be_is_413(witness: TestWitness) -> None:
    assert witness.post(b"old 0\n\n" + bytes(MAX_REQUEST_BYTES)).status_code == 413


def spoken(witness: TestWitness, *events: dict[str, Any], seconds: float) -> int:
    """Bring a request to the application message by message; return the status."""
    waiting = list(events)
    sent: list[Any] = []

    async def receive() -> Any:  # noqa: ANN401 - ASGI messages
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI messages
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/add-checkpoint",
        "headers": [],
        "query_string": b"",
    }
    app = create_witness_app(witness.witness, body_seconds=seconds)
    asyncio.run(app(scope, receive, send))
    return int(sent[0]["status"])


def test_a_body_that_does_not_arrive_is_given_up(witness: TestWitness) -> None:
    part = {"type": "http.request", "body": b"old 0\n", "more_body": True}
    assert spoken(witness, part, seconds=0.05) == 408
    assert spoken(witness, part, {"type": "http.disconnect"}, seconds=5) == 400
    rest = {"type": "http.request", "body": b"\n" + SIGNED, "more_body": False}
    assert spoken(witness, part, rest, seconds=5) == 200


def test_the_operator_is_told_in_the_log() -> None:
    with structlog.testing.capture_logs() as logged:
        LogWatch().contradicted(LOG_ORIGIN, "another root")
    assert logged == [
        {
            "event": "a log contradicts its cosigned history",
            "log_level": "error",
            "origin": LOG_ORIGIN,
            "reason": "another root",
        }
    ]


def test_an_unknown_log_is_404_even_when_its_signature_is_bad(witness: TestWitness) -> None:
    other = TREE.signed(5, "ledger.elsewhere.example")
    assert witness.post(b"old 0\n\n" + other).status_code == 404
    assert witness.post(b"old 9\n\n" + other.replace(b"\n5\n", b"\n6\n")).status_code == 404


@pytest.mark.parametrize("old", [b"old 0\n\n", b"old 7\n\n"])
def test_a_checkpoint_that_no_trusted_key_signed_is_403_before_sizes_are_compared(
    witness: TestWitness, old: bytes
) -> None:
    """Also when the old size is above the checkpoint's, which alone would be 400."""
    checkpoint = TREE.checkpoint(5)
    text = format_checkpoint(checkpoint)
    stranger = type(log_signer())(LOG_ORIGIN, note_key("stranger"))
    own = sign_line(text, log_signer())
    for signed in (
        sign_note(text, stranger),
        TREE.signed(6).replace(b"\n6\n", b"\n5\n"),
        # A good signature does not help beside a bad one of a trusted key, or twice.
        TREE.signed(5) + str(own).encode(),
    ):
        answer = witness.post(old + signed)
        assert answer.status_code == 403, answer.text
    assert witness.size == 0


def test_a_good_signature_does_not_help_beside_a_bad_one_of_another_trusted_key(
    tmp_path: Path,
) -> None:
    second = type(log_signer())(LOG_ORIGIN, note_key("second"))
    witness = TestWitness(tmp_path, keys=[log_signer().verifier, second.verifier])
    text = format_checkpoint(TREE.checkpoint(5))
    bad = sign_line("another text\n", second)
    assert witness.post(b"old 0\n\n" + TREE.signed(5) + str(bad).encode()).status_code == 403
    both = sign_note(text, log_signer(), second)
    assert witness.post(b"old 0\n\n" + both).status_code == 200
    stored = parse_note(witness.latest().content)
    assert len(stored.signatures) == 3


def test_an_old_size_above_the_checkpoints_is_400_before_conflicts_are_told(
    witness: TestWitness,
) -> None:
    witness.add(TREE, 0, 5)
    assert witness.add(TREE, 6, 5, ()).status_code == 400


@pytest.mark.parametrize(("old", "new"), [(0, 8), (3, 8), (4, 5), (0, 4), (6, 8)])
def test_another_old_size_than_the_cosigned_one_is_409_with_the_size(
    witness: TestWitness, old: int, new: int
) -> None:
    witness.add(TREE, 0, 5)
    answer = witness.add(TREE, old, new)
    assert answer.status_code == 409
    assert answer.content == b"5\n"
    assert answer.headers["content-type"] == "text/x.tlog.size"
    assert witness.size == 5
    assert witness.state.refused() == []


def test_the_conflict_is_told_before_the_proof_is_looked_at(witness: TestWitness) -> None:
    witness.add(TREE, 0, 5)
    assert witness.add(TREE, 4, 8, [bytes(32)]).status_code == 409


def test_an_empty_tree_with_another_root_is_422_and_kept(witness: TestWitness) -> None:
    signed = sign_checkpoint(Checkpoint(origin=LOG_ORIGIN, size=0, root=bytes(32)), log_signer())
    answer = witness.post(b"old 0\n\n" + signed)
    assert answer.status_code == 422
    assert len(witness.state.refused()) == 1


def test_a_proof_from_an_empty_tree_is_422(witness: TestWitness) -> None:
    assert witness.add(TREE, 0, 5, [bytes(32)]).status_code == 422
    assert witness.size == 0


@pytest.mark.parametrize(
    "proof",
    [
        [],
        [bytes(32)],
        TREE.proof(5, 9)[:-1],
        [*TREE.proof(5, 9), bytes(32)],
        list(reversed(TREE.proof(5, 9))),
        TREE.proof(5, 10),
        TREE.proof(4, 9),
        FORK.proof(5, 9),
    ],
)
def test_a_proof_that_does_not_hold_is_422_and_the_request_is_kept(
    witness: TestWitness, proof: list[bytes]
) -> None:
    witness.add(TREE, 0, 5)
    before = witness.latest().content
    answer = witness.add(TREE, 5, 9, proof)
    assert answer.status_code == 422
    assert witness.latest().content == before
    (kept,) = witness.state.refused()
    assert kept.request == request(TREE, 5, 9, proof)
    assert kept.cosigned == before
    assert (kept.origin, kept.time_seconds) == (LOG_ORIGIN, NOW_SECONDS)
    assert kept.reason.startswith("consistency proof")


def test_a_rewritten_history_is_refused_and_kept_with_what_it_contradicts(
    witness: TestWitness,
) -> None:
    """The operator's alarm names the log; two signed notes show the fork to anyone."""
    witness.add(TREE, 0, 8)
    assert witness.add(FORK, 8, 12).status_code == 422
    assert witness.add(FORK, 8, 8, ()).status_code == 422
    fork, same_size = witness.state.refused()
    assert parse_checkpoint(parse_note(fork.cosigned).text) == TREE.checkpoint(8)
    assert same_size.request == request(FORK, 8, 8, ())
    assert [origin for origin, _ in witness.heard.contradictions] == [LOG_ORIGIN] * 2
    assert witness.add(TREE, 8, 12).status_code == 200


def test_another_root_of_the_cosigned_size_is_kept_even_when_the_old_size_conflicts(
    witness: TestWitness,
) -> None:
    witness.add(TREE, 0, 8)
    answer = witness.add(FORK, 0, 8)
    assert (answer.status_code, answer.content) == (409, b"8\n")
    (kept,) = witness.state.refused()
    assert kept.reason == "another root at the cosigned size"


def test_one_contradiction_is_kept_once_and_a_thousand_at_most(witness: TestWitness) -> None:
    witness.add(TREE, 0, 8)
    for _ in range(3):
        witness.add(FORK, 8, 12)
    assert len(witness.state.refused()) == 1
    with witness.state.transaction() as transaction:
        for number in range(1100):
            transaction.refuse(
                LOG_ORIGIN, text=str(number), reason="test", request=b"x", now=NOW_SECONDS
            )
    assert len(witness.state.refused()) == 1000


def test_an_unsigned_forgery_is_not_kept(witness: TestWitness) -> None:
    witness.add(TREE, 0, 8)
    text = format_checkpoint(FORK.checkpoint(12))
    stranger = type(log_signer())(LOG_ORIGIN, note_key("stranger"))
    assert witness.post(b"old 8\n\n" + sign_note(text, stranger)).status_code == 403
    assert witness.state.refused() == []


def test_a_pinned_log_starts_at_its_pin_only(tmp_path: Path) -> None:
    witness = TestWitness(tmp_path, pin=Pin(size=5, root=TREE.root(5)))
    assert witness.latest().status_code == 404
    refused = witness.add(FORK, 0, 8)
    assert (refused.status_code, refused.content) == (409, b"5\n")
    assert witness.add(Tree("other"), 5, 8).status_code == 422
    assert witness.add(TREE, 5, 8).status_code == 200
    assert witness.add(TREE, 8, 9).status_code == 200


def test_a_cosignature_is_never_dated_before_the_previous_one(witness: TestWitness) -> None:
    witness.add(TREE, 0, 5)
    witness.clock.seconds -= 1
    answer = witness.add(TREE, 5, 8)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert witness.size == 5
    witness.clock.seconds += 1
    assert witness.add(TREE, 5, 8).status_code == 200


def test_a_clock_before_1970_signs_nothing(witness: TestWitness) -> None:
    witness.clock.seconds = 0
    assert witness.add(TREE, 0, 5).status_code == 503


def test_the_newest_cosigned_note_can_be_fetched_with_both_signatures(
    witness: TestWitness,
) -> None:
    assert witness.latest().status_code == 404
    witness.add(TREE, 0, 5)
    answer = witness.latest()
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    note = parse_note(answer.content)
    assert parse_checkpoint(note.text) == TREE.checkpoint(5)
    assert len(verify_note(note, [log_signer().verifier, cosigner().verifier])) == 2
    assert witness.latest("ledger.elsewhere.example").status_code == 404


def test_signatures_of_strangers_are_not_stored(witness: TestWitness) -> None:
    witness.post(b"old 0\n\n" + SIGNED + b"\xe2\x80\x94 x AAAAAAAA\n")
    note: Note = parse_note(witness.latest().content)
    assert [line.name for line in note.signatures] == [LOG_ORIGIN, WITNESS_NAME]


def test_other_paths_and_methods_are_refused(witness: TestWitness) -> None:
    assert witness.http.get("/add-checkpoint").status_code == 405
    assert witness.http.get("/sign-subtree").status_code == 404
    assert str(cosigner().verifier.vkey) in witness.http.get("/").text


def test_after_a_restart_it_remembers(witness: TestWitness, tmp_path: Path) -> None:
    witness.add(TREE, 0, 5)
    again = TestWitness(tmp_path)
    assert again.latest().content == witness.latest().content
    assert again.add(FORK, 0, 8).content == b"5\n"
    assert again.add(TREE, 5, 8).status_code == 200


def test_without_its_state_it_does_not_start(witness: TestWitness) -> None:
    witness.add(TREE, 0, 5)
    witness.state_file.unlink()
    with pytest.raises(EnvironmentRefusedError, match="is missing"):
        type(witness.state)(witness.state_file)


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + bytes(200)])
def test_with_a_file_that_is_no_state_it_does_not_start(
    witness: TestWitness, content: bytes
) -> None:
    witness.state_file.write_bytes(content)
    with pytest.raises(EnvironmentRefusedError, match="is not the state file"):
        type(witness.state)(witness.state_file)


def test_an_existing_state_is_never_replaced(witness: TestWitness) -> None:
    witness.add(TREE, 0, 5)
    with pytest.raises(EnvironmentRefusedError, match="exists already"):
        type(witness.state).create(witness.state_file)
    assert witness.size == 5


def test_when_its_state_vanishes_it_signs_nothing_more(witness: TestWitness) -> None:
    witness.add(TREE, 0, 5)
    witness.state_file.unlink()
    assert witness.add(TREE, 5, 8).status_code == 503
    assert witness.add(TREE, 0, 8).status_code == 503
    assert witness.latest().status_code == 503
    assert not witness.state_file.exists()


def test_a_request_waits_while_another_step_holds_the_state(witness: TestWitness) -> None:
    with witness.state.transaction() as transaction:
        transaction.latest(LOG_ORIGIN)
        answers: list[int] = []
        thread = threading.Thread(
            target=lambda: answers.append(witness.add(TREE, 0, 5).status_code)
        )
        thread.start()
        thread.join(0.2)
        assert answers == []
    thread.join()
    assert answers == [200]


def test_of_two_requests_at_once_one_is_cosigned_and_nothing_is_rolled_back(
    tmp_path: Path,
) -> None:
    """The race of the specification, between threads of two witnesses on one state."""
    two = [TestWitness(tmp_path), TestWitness(tmp_path)]
    size = 0
    for _ in range(15):
        sizes = (size + 1, size + 3)
        bodies = [request(TREE, size, new) for new in sizes]
        barrier = threading.Barrier(2)
        answers: dict[int, tuple[int, bytes]] = {}

        def ask(
            number: int,
            bodies: list[bytes],
            barrier: threading.Barrier,
            answers: dict[int, tuple[int, bytes]],
        ) -> None:
            barrier.wait()
            answer = two[number].witness.add_checkpoint(bodies[number])
            answers[number] = (answer.status, answer.body)

        threads = [
            threading.Thread(target=ask, args=(number, bodies, barrier, answers))
            for number in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(status for status, _ in answers.values()) == [200, 409]
        winner = next(number for number, (status, _) in answers.items() if status == 200)
        assert two[0].size == sizes[winner]
        assert answers[1 - winner][1] == b"%d\n" % sizes[winner]
        size = sizes[winner]
