"""Take in whole histories of signed events: the command import."""

import contextlib
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import IO, Annotated, Final

import msgspec
import typer
import uvloop

from api.cli.access import open_database, settings
from api.cli.console import FOUND, note, progress_bar, say, say_json
from api.cli.inputs import STANDARD_INPUT, describe
from api.importing.messages import There
from api.importing.report import Counts, ImportReport, report_of
from api.simulate.acks import AckFile, Acknowledgement
from ledger.errors import EnvironmentRefusedError
from ledger.rows import Outcome

_TOLD: Final = 10


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="Signed events, one a line, each as `clinledger sign` prints it; - reads "
            "standard input.",
        ),
    ],
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that examine; default: one per core.")
    ] = os.cpu_count() or 1,
    refused: Annotated[
        Path | None,
        typer.Option(help="Write line number and code of every refused line to this file."),
    ] = None,
    acks: Annotated[
        Path | None,
        typer.Option(help="Append each acknowledgement to this file, for `verify --acks`."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with counts as JSON.")] = False,
) -> None:
    """Append a file of signed events in its order, each fully admitted, many at a time.

    For moving in from another system, and for large replays. Every event is judged as
    `POST /v1/events` does. Safe to repeat after any interruption: what is in the ledger is not
    added again. A refused line does not stop the others; exits 1 when there was one. No server
    may be running. Run `clinledger rebuild` afterwards: views are not kept up meanwhile.
    """
    from api.importing.run import Import, run_import  # noqa: PLC0415 - slow to import

    chosen = settings()
    database = open_database(chosen)
    with contextlib.ExitStack() as stack:
        taken = stack.enter_context(_open(file))
        total = 0 if file == STANDARD_INPUT else file.stat().st_size
        listed = None if refused is None else stack.enter_context(_create(refused))
        sink = _Sink(listed, None if acks is None else stack.enter_context(_acks(acks)))
        advance = stack.enter_context(progress_bar("importing bytes"))
        what = Import(file=taken, processes=processes, on_progress=_telling(advance, total))
        size = uvloop.run(run_import(chosen, database, what, sink))
    report = report_of(sink.counts, size)
    if report.lines == 0:
        note(f"clinledger: {describe(file)} has no events")
        raise typer.Exit(FOUND)
    _tell(report, refused, as_json=as_json)
    if report.refused:
        raise typer.Exit(FOUND)


class _Refusal(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    code: str


class _Sink:
    """Counts, and writes down what is to be kept."""

    def __init__(self, refused: IO[bytes] | None, acks: AckFile | None) -> None:
        self.counts = Counts()
        self._refused = refused
        self._acks = acks

    def appended(self, outcome: Outcome) -> None:
        """Take note of a durable event."""
        receipt = outcome.receipt
        if outcome.created:
            self.counts.created += 1
        else:
            self.counts.already_there += 1
        self._acknowledge(receipt.event_id, receipt.position, receipt.leaf_hash.hex())

    def there(self, found: There) -> None:
        """Take note of an event that was there."""
        self.counts.already_there += 1
        self._acknowledge(found.event_id, found.position, found.leaf_hash)

    def refused(self, line: int, code: str) -> None:
        """Take note of a refused line."""
        self.counts.refused += 1
        if self._refused is not None:
            self._refused.write(msgspec.json.encode(_Refusal(line=line, code=code)) + b"\n")
        elif self.counts.refused <= _TOLD:
            note(f"line {line}: {code}")

    def _acknowledge(self, event_id: str, position: int, leaf_hash: str) -> None:
        if self._acks is not None:
            self._acks.write(
                Acknowledgement(event_id=event_id, position=position, leaf_hash=leaf_hash)
            )


def _tell(report: ImportReport, refused: Path | None, *, as_json: bool) -> None:
    if as_json:
        say_json(report)
        return
    say(
        f"{report.lines} lines: {report.created} events added "
        f"({report.events_per_second:.0f}/s), {report.already_there} were there, "
        f"{report.refused} refused; the ledger has {report.size} entries"
    )
    if report.refused > _TOLD and refused is None:
        note(f"{report.refused - _TOLD} more were refused: --refused FILE lists them")


def _telling(advance: Callable[[int, int], None], total: int) -> Callable[[int], None]:
    return lambda done: advance(done, max(total, done))


@contextlib.contextmanager
def _open(path: Path) -> Generator[IO[bytes]]:
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise EnvironmentRefusedError(f"cannot read {path}: {error.strerror}") from None
    with file:
        yield file


@contextlib.contextmanager
def _create(path: Path) -> Generator[IO[bytes]]:
    try:
        file = path.open("wb")
    except OSError as error:
        raise EnvironmentRefusedError(f"cannot write {path}: {error.strerror}") from None
    with file:
        yield file


@contextlib.contextmanager
def _acks(path: Path) -> Generator[AckFile]:
    kept = AckFile(path)
    try:
        yield kept
    finally:
        kept.close()
