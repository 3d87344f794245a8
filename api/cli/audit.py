"""Commands of auditors: verify."""

import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from api.cli.access import open_database, settings
from api.cli.auditing import (
    NoteKeyOption,
    NoteOption,
    NoteOptions,
    SampleOption,
    SeedOption,
    SinceOption,
    TrustOption,
    rest_on,
    write_note,
)
from api.cli.console import FOUND, note, progress_bar, say, say_json_bytes
from api.note_keys import NoteKeys
from api.report import Made, render_report
from api.settings import Settings
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.errors import CorruptionError
from ledger.founding import facility_key_path
from ledger.keyring import Keyring, load_facility_key
from ledger.reader import open_event
from ledger.store import EntryStore
from ledger.verify import Report, VerifyOptions, merge_findings, verify_ledger
from projections.check import check_views
from projections.errors import ProjectionFailedError
from signing.notes import Ed25519Signer


def verify(
    record: Annotated[
        str | None, typer.Option(help="Check one record's events only, and the whole tree.")
    ] = None,
    hashes_only: Annotated[
        bool, typer.Option("--hashes-only", help="Leave out what needs the facility key.")
    ] = False,
    acks: Annotated[
        Path | None,
        typer.Option(help="Receipts that clients kept (JSON lines): none may be missing."),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            help="A signed checkpoint that somebody kept; repeatable. Today's ledger must be "
            "consistent with each."
        ),
    ] = None,
    no_rules: Annotated[
        bool,
        typer.Option(
            "--no-rules",
            help="All hashes, signatures and keys, but no profiles, rules or views.",
        ),
    ] = False,
    processes: Annotated[
        int,
        typer.Option(
            min=1,
            max=64,
            help="Processes that share the work, with a connection each.",
            show_default="one for each processor",
        ),
    ] = os.cpu_count() or 1,
    since: SinceOption = None,
    trust: TrustOption = None,
    sample: SampleOption = None,
    seed: SeedOption = None,
    note_file: NoteOption = None,
    key: NoteKeyOption = None,
    no_views: Annotated[
        bool, typer.Option("--no-views", help="Do not compare the views: that folds everything.")
    ] = False,
    report_file: Annotated[
        Path | None,
        typer.Option(
            "--report",
            help="Also write the report to this file: a page for people, with a picture, when its "
            "name ends in .html; else JSON.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Derive everything again from the stored bytes and report every contradiction.

    Every hash, link, signature, rule and view is computed anew; nothing stored is believed.
    Exits 0 when nothing was found, 1 with findings (docs/trust.md says what each code means),
    2 when it could not run. Without receipts or checkpoints the ledger is compared with itself
    only: a tail cut off together with a rewritten head is then not seen.
    """
    if record is not None and (since or note_file):
        raise typer.BadParameter("goes with the whole ledger only", param_hint="--since, --note")
    chosen = settings()
    keys = NoteKeys(chosen.keys)
    signer = None if note_file is None else keys.signer(key)
    basis = rest_on(NoteOptions(since, trust or (), sample, seed), keys)
    database = open_database(chosen)
    keyring = None if hashes_only else _keyring_if_there(database, chosen)
    options = VerifyOptions(
        record=record,
        hashes_only=hashes_only,
        acks=acks,
        checkpoints=tuple(checkpoint or ()),
        since=basis,
        processes=processes,
        rules=not no_rules,
    )
    with progress_bar("verifying", quiet=as_json) as advance:
        report = verify_ledger(database, keyring=keyring, options=options, progress=advance)
    if keyring is not None and record is None and not (no_rules or no_views):
        report = _with_views(report, database, keyring, processes=processes)
    at_ms = SystemClock().now_ms()
    if report_file is not None:
        _write_report(report_file, report, at_ms=at_ms)
    if as_json:
        say_json_bytes(report.as_json(), pretty=False)
    else:
        _describe(report)
    if note_file is not None and signer is not None:
        _write_note(note_file, report, signer, at_ms=at_ms)
    if not report.ok:
        raise typer.Exit(FOUND)


def _keyring_if_there(database: Database, chosen: Settings) -> Keyring | None:
    """Return a keyring of the facility key in this home, whatever the ledger row says of it.

    The row may have been altered: that is for `verify_ledger` to find, not a reason to look less.
    """
    path = facility_key_path(chosen.home)
    if not path.exists():
        note(f"no facility key at {path}: only what needs none is checked")
        return None
    with database.connect("auditor") as connection:
        origin = _founding_origin(EntryStore(connection, database))
    return None if origin is None else Keyring(load_facility_key(path), origin)


def _founding_origin(store: EntryStore) -> str | None:
    """Return the origin that the founding event is signed for, else the one in the ledger row."""
    rows = store.rows_after(-1, end=1)
    try:
        return open_event(rows[0], key=None, origin="").statement.ledger
    except (IndexError, CorruptionError):
        row = store.ledger()
        return None if row is None else row.origin


def _with_views(report: Report, database: Database, keyring: Keyring, *, processes: int) -> Report:
    # The reader's role: an auditor's may not open the stream keys.
    with database.connect("reader", name="clinledger-verify") as connection:
        try:
            found = check_views(connection, database, keyring, processes=processes)
            return merge_findings(report, found)
        except ProjectionFailedError as error:
            note(f"views were not compared: {error}")
            return report


def _write_note(path: Path, report: Report, signer: Ed25519Signer, *, at_ms: int) -> None:
    if report.ok:
        write_note(path, report, signer, at_ms=at_ms)
    else:
        note("no note was written")


def _write_report(path: Path, report: Report, *, at_ms: int) -> None:
    if path.suffix.lower() not in {".html", ".htm"}:
        path.write_bytes(report.as_json() + b"\n")
        return
    made = Made(at_ms=at_ms, version=version("clinledger"))
    path.write_text(render_report(report, made), encoding="utf-8")


def _describe(report: Report) -> None:
    say(f"ledger      {report.origin or 'not founded'}")
    say(f"genesis     {report.genesis or '-'}")
    say(f"size        {report.size}")
    say(f"root        {report.root}")
    say(f"checked     {report.entries_checked} entries, {report.signatures_checked} signatures")
    say(f"seconds     {report.seconds:.1f}")
    for anchor in report.anchors:
        say(f"anchor      {anchor.count} {anchor.kind}")
    if report.since is not None:
        rest = report.since
        say(f"since       {rest.size} entries rest on the note of {rest.by}, {rest.at}")
        say(f"sampled     {rest.sampled} of these, seed {rest.seed}")
    for remark in report.notes:
        say(f"note        {remark}")
    for finding in report.findings:
        place = "-" if finding.position is None else finding.position
        say(f"FINDING     {finding.code} at {place}: {finding.detail}")
    count = len(report.findings)
    say("whole: nothing was found" if report.ok else f"NOT WHOLE: {count} findings")
