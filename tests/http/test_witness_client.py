"""The ledger asks its witnesses: all at once, each within a bound, believing signatures only."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import httpx2
import pytest

from api.witness.client import WitnessError, WitnessHead
from api.witness.group import Round, WitnessGroup
from api.witness.request import parse_add_checkpoint
from signing.checkpoints import parse_checkpoint
from signing.notes import parse_note
from signing.policies import Policy, parse_policy
from tests.noted import LOG_ORIGIN, NOW_SECONDS, WITNESS_NAME, Tree, cosigner, log_signer
from tests.witnessed import TestWitness

TREE = Tree()
FORK = Tree("fork", common=5)
NAMES = ("one", "two", "three")
Handler = Callable[[httpx2.Request], Awaitable[httpx2.Response]]


class Net(httpx2.AsyncBaseTransport):
    """Brings requests to witnesses within the process, or to whatever stands in their place."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self.asked: list[tuple[str, str]] = []

    def serve(self, host: str, witness: TestWitness) -> None:
        """Serve a witness under a host name."""
        self._handlers[host] = httpx2.ASGITransport(app=witness.app).handle_async_request

    def handle(self, host: str, handler: Handler) -> None:
        """Put something else under a host name."""
        self._handlers[host] = handler

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Bring one request."""
        self.asked.append((request.url.host, request.method))
        return await self._handlers[request.url.host](request)


def answers(status: int, body: bytes = b"", **headers: str) -> Handler:
    """Return a handler that always answers so."""

    async def handle(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=body, headers=headers)

    return handle


async def hang(_: httpx2.Request) -> httpx2.Response:
    await asyncio.sleep(60)
    raise AssertionError


async def disconnect(_: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("refused")


def policy_of(names: Sequence[str], quorum: int) -> Policy:
    lines = [
        f"witness {name} {cosigner(name).verifier.vkey} http://{name}.example/\n" for name in names
    ]
    group = f"group all-of-them {quorum} {' '.join(names)}\nquorum all-of-them\n"
    return parse_policy(f"log {log_signer().verifier.vkey}\n{''.join(lines)}{group}".encode())


class Ledger:
    """A log with three witnesses, two of which are a quorum."""

    def __init__(self, folder: Path) -> None:
        self.net = Net()
        self.policy = policy_of(NAMES, 2)
        self.witnesses = {name: TestWitness(folder, name=name) for name in NAMES}
        for name, witness in self.witnesses.items():
            self.net.serve(f"{name}.example", witness)
        self.group = self.new_group()

    def new_group(self) -> WitnessGroup:
        """Return a group that knows no sizes yet, as after a start."""
        client = httpx2.AsyncClient(transport=self.net)
        return WitnessGroup(self.policy, timeout_seconds=0.5, http=client)

    def cosign(self, size: int, tree: Tree = TREE) -> Round:
        """Ask for cosignatures of a tree at a size."""

        async def prove(old: int) -> list[bytes]:
            return tree.proof(old, size)

        return asyncio.run(self.group.cosign(tree.signed(size), prove))

    def confirm(self, size: int, tree: Tree = TREE) -> Round:
        """Ask whether a signed checkpoint is the newest."""
        return asyncio.run(self.group.confirm(tree.signed(size)))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def faults(round_: Round) -> dict[str, str]:
    return {name: error.fault for name, error in round_.faults.items()}


def test_all_witnesses_cosign_and_the_policy_is_satisfied(ledger: Ledger) -> None:
    for size in (1, 5, 5, 300):
        round_ = ledger.cosign(size)
        assert faults(round_) == {}
        judgement = ledger.policy.verify(round_.note)
        assert judgement.cosigned == dict.fromkeys(NAMES, NOW_SECONDS)
        assert judgement.checkpoint == TREE.checkpoint(size)
        assert {name: one.time_seconds for name, one in round_.cosigned.items()} == (
            judgement.cosigned
        )


def test_each_witness_is_asked_once_when_its_size_is_known(ledger: Ledger) -> None:
    ledger.cosign(5)
    ledger.net.asked.clear()
    ledger.cosign(8)
    assert sorted(ledger.net.asked) == sorted((f"{name}.example", "POST") for name in NAMES)


def test_after_a_start_a_second_question_finds_the_size(ledger: Ledger) -> None:
    ledger.cosign(5)
    ledger.group = ledger.new_group()
    assert faults(ledger.cosign(8)) == {}
    ledger.group = ledger.new_group()
    assert faults(ledger.cosign(8)) == {}


def test_a_witness_that_lags_gets_the_proof_from_where_it_is(ledger: Ledger) -> None:
    ledger.cosign(5)
    ledger.net.handle("two.example", hang)
    assert faults(ledger.cosign(8)) == {"two": "unreachable"}
    ledger.net.serve("two.example", ledger.witnesses["two"])
    assert faults(ledger.cosign(20)) == {}


def test_after_an_answer_that_was_lost_the_witness_cosigns_the_next_question(
    ledger: Ledger,
) -> None:
    """It had recorded the checkpoint; the ledger did not know, and needs no repair."""
    real = httpx2.ASGITransport(app=ledger.witnesses["two"].app)

    async def lose(request: httpx2.Request) -> httpx2.Response:
        await real.handle_async_request(request)
        raise httpx2.ReadError("lost")

    ledger.cosign(5)
    ledger.net.handle("two.example", lose)
    assert faults(ledger.cosign(8)) == {"two": "unreachable"}
    assert ledger.witnesses["two"].size == 8
    ledger.net.serve("two.example", ledger.witnesses["two"])
    assert faults(ledger.cosign(8)) == {}
    ledger.net.handle("two.example", lose)
    assert faults(ledger.cosign(12)) == {"two": "unreachable"}
    ledger.net.serve("two.example", ledger.witnesses["two"])
    assert faults(ledger.cosign(300)) == {}


@pytest.mark.parametrize(
    ("handler", "fault"),
    [
        (hang, "unreachable"),
        (disconnect, "unreachable"),
        (answers(500), "unreachable"),
        (answers(503), "unreachable"),
        (answers(429), "unreachable"),
        (answers(400), "refused"),
        (answers(403), "refused"),
        (answers(404), "refused"),
        (answers(302, location="http://one.example/"), "refused"),
        (answers(204), "refused"),
        (answers(422), "forked"),
        (answers(200), "bad-answer"),
        (answers(200, b"\xff\n"), "bad-answer"),
        (answers(200, b"<html>"), "bad-answer"),
        (answers(200, "\N{EM DASH} x AAAAAAAA\n".encode()), "bad-answer"),
        (answers(200, b"x" * (2 << 20)), "bad-answer"),
        (answers(409), "bad-answer"),
        (answers(409, b"five\n"), "bad-answer"),
        (answers(409, b"+5\n"), "bad-answer"),
        (answers(409, b"05\n"), "bad-answer"),
        (answers(409, b"0\n"), "bad-answer"),
        (answers(409, b"9\n"), "ahead"),
    ],
)
def test_whatever_one_witness_does_the_others_cosign(
    ledger: Ledger, handler: Handler, fault: str
) -> None:
    ledger.net.handle("two.example", handler)
    round_ = ledger.cosign(8)
    assert faults(round_) == {"two": fault}
    assert ledger.policy.verify(round_.note).cosigned == dict.fromkeys(
        ("one", "three"), NOW_SECONDS
    )
    assert set(round_.alarms) == ({"two"} if fault in {"ahead", "forked"} else set())


def test_a_witness_cannot_pass_anothers_signature_or_an_older_one_for_its_own(
    ledger: Ledger,
) -> None:
    old = ledger.cosign(5)
    lines = {name: str(one.line).encode() for name, one in old.cosigned.items()}
    for body in (lines["one"], lines["two"], lines["two"] * 2):
        ledger.net.handle("two.example", answers(200, body))
        assert faults(ledger.cosign(8)) == {"two": "bad-answer"}


def test_lines_of_other_keys_in_an_answer_are_ignored(ledger: Ledger) -> None:
    real = httpx2.ASGITransport(app=ledger.witnesses["two"].app)

    async def chatty(request: httpx2.Request) -> httpx2.Response:
        answer = await real.handle_async_request(request)
        body = await answer.aread()
        return httpx2.Response(200, content="\N{EM DASH} x AAAAAAAA\n".encode() + body)

    ledger.net.handle("two.example", chatty)
    round_ = ledger.cosign(8)
    assert faults(round_) == {}
    assert b" x " not in round_.note


def test_a_cosignature_without_a_time_is_not_taken(ledger: Ledger) -> None:
    async def timeless(request: httpx2.Request) -> httpx2.Response:
        text = parse_add_checkpoint(await request.aread()).note.text
        return httpx2.Response(200, content=str(cosigner("two").cosign(text, 0)).encode())

    ledger.net.handle("two.example", timeless)
    assert faults(ledger.cosign(8)) == {"two": "bad-answer"}


def test_slow_witnesses_are_waited_for_together_and_not_longer_than_the_bound(
    ledger: Ledger,
) -> None:
    for name in NAMES:
        ledger.net.handle(f"{name}.example", hang)

    async def timed() -> tuple[Round, float]:
        loop = asyncio.get_running_loop()
        started = loop.time()

        async def prove(_: int) -> list[bytes]:
            return []

        round_ = await ledger.group.cosign(TREE.signed(8), prove)
        return round_, loop.time() - started

    round_, seconds = asyncio.run(timed())
    assert faults(round_) == dict.fromkeys(NAMES, "unreachable")
    assert round_.note == TREE.signed(8)
    assert seconds < 1.4


def test_a_body_that_trickles_in_is_given_up_too(ledger: Ledger) -> None:
    class Trickle(httpx2.AsyncByteStream):
        async def __aiter__(self):  # noqa: ANN204 - an async generator
            while True:
                yield b"x"
                await asyncio.sleep(0.1)

    async def trickle(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, stream=Trickle())

    ledger.net.handle("two.example", trickle)
    assert faults(ledger.cosign(8)) == {"two": "unreachable"}


def test_a_rewritten_ledger_raises_an_alarm_at_every_witness(ledger: Ledger) -> None:
    ledger.cosign(8)
    round_ = ledger.cosign(12, FORK)
    assert faults(round_) == dict.fromkeys(NAMES, "forked")
    assert set(round_.alarms) == set(NAMES)
    assert [len(one.state.refused()) for one in ledger.witnesses.values()] == [1, 1, 1]
    ledger.group = ledger.new_group()
    assert set(ledger.cosign(8, FORK).alarms) == set(NAMES)


def test_a_ledger_that_was_set_back_hears_that_witnesses_are_ahead(ledger: Ledger) -> None:
    ledger.cosign(8)
    for group in (ledger.group, ledger.new_group()):
        ledger.group = group
        round_ = ledger.cosign(5)
        assert faults(round_) == dict.fromkeys(NAMES, "ahead")
        assert {error.size for error in round_.faults.values()} == {8}


def test_confirming_the_last_checkpoint_signs_nothing_new(ledger: Ledger) -> None:
    ledger.cosign(8)
    ledger.group = ledger.new_group()
    assert faults(ledger.confirm(8)) == {}
    assert faults(ledger.confirm(5)) == dict.fromkeys(NAMES, "ahead")
    assert faults(ledger.confirm(8, FORK)) == dict.fromkeys(NAMES, "forked")
    behind = ledger.confirm(12)
    assert faults(behind) == dict.fromkeys(NAMES, "behind")
    assert not behind.alarms
    assert {one.size for one in ledger.witnesses.values()} == {8}
    assert faults(ledger.cosign(12)) == {}


def test_a_witness_of_the_older_text_answers_409_to_another_root(ledger: Ledger) -> None:
    ledger.net.handle("two.example", answers(409, b"8\n"))
    assert faults(ledger.confirm(8)) == {"two": "forked", "one": "behind", "three": "behind"}


def test_the_heads_of_all_witnesses_are_asked_without_signing(ledger: Ledger) -> None:
    def heads() -> dict[str, object]:
        return dict(asyncio.run(ledger.new_group().heads(LOG_ORIGIN)))

    assert heads() == dict.fromkeys(NAMES)
    ledger.cosign(8)
    ledger.net.handle("two.example", hang)
    found = heads()
    one = found["one"]
    assert isinstance(one, WitnessHead)
    assert one.checkpoint == TREE.checkpoint(8)
    assert one.time_seconds == NOW_SECONDS
    assert parse_checkpoint(parse_note(one.note).text) == TREE.checkpoint(8)
    assert isinstance(found["two"], WitnessError)
    assert found["two"].fault == "unreachable"


@pytest.mark.parametrize(
    ("handler", "fault"),
    [
        (answers(500), "unreachable"),
        (answers(403), "refused"),
        (answers(200, b"not a note"), "bad-answer"),
        (answers(200, TREE.signed(8)), "bad-answer"),
    ],
)
def test_a_head_without_the_witness_signature_is_not_believed(
    ledger: Ledger, handler: Handler, fault: str
) -> None:
    ledger.net.handle("two.example", handler)
    found = asyncio.run(ledger.group.heads(LOG_ORIGIN))["two"]
    assert isinstance(found, WitnessError)
    assert found.fault == fault


def test_a_head_of_another_log_is_not_believed(ledger: Ledger) -> None:
    ledger.cosign(8)
    note = ledger.witnesses["two"].latest().content
    ledger.net.handle("two.example", answers(200, note))
    found = asyncio.run(ledger.group.heads("ledger.elsewhere.example"))["two"]
    assert isinstance(found, WitnessError)
    assert found.fault == "bad-answer"


def test_witnesses_without_a_url_count_but_are_not_asked(tmp_path: Path) -> None:
    witness = TestWitness(tmp_path)
    net = Net()
    net.serve("asked.example", witness)
    text = (
        f"log {log_signer().verifier.vkey}\n"
        f"witness asked {cosigner(WITNESS_NAME).verifier.vkey} http://asked.example/some/prefix\n"
        f"witness unasked {cosigner('unasked').verifier.vkey}\n"
        "group both all asked unasked\nquorum both\n"
    )
    policy = parse_policy(text.encode())
    paths: list[str] = []

    async def remember(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.path)
        return httpx2.Response(404)

    net.handle("asked.example", remember)

    async def prove(_: int) -> list[bytes]:
        return []

    async def ask() -> Round:
        http = httpx2.AsyncClient(transport=net)
        async with WitnessGroup(policy, timeout_seconds=5, http=http) as group:
            return await group.cosign(TREE.signed(5), prove)

    assert faults(asyncio.run(ask())) == {"asked": "refused"}
    assert paths == ["/some/prefix/add-checkpoint"]
