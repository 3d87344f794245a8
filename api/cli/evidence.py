"""Commands of evidence: prove (with the ledger) and check (without it)."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli.access import open_reader
from api.cli.console import FOUND, UNUSABLE, fail, note, say, say_json
from api.cli.inputs import check_optional_id
from ledger.errors import EnvironmentRefusedError
from ledger.evidence.builder import build_evidence, choose_checkpoint
from ledger.evidence.format import Subject, encode_evidence
from ledger.evidence.verify_evidence import check_file, told

_FILE_MODE = 0o600


class Language(StrEnum):
    """A language of the report."""

    ENGLISH = "en"
    VIETNAMESE = "vi"


_TOLD_AS = {Language.ENGLISH: 0, Language.VIETNAMESE: 1}


def prove(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The file to write, e.g. a.clinledger-evidence.")
    ],
    event: Annotated[
        str | None,
        typer.Argument(help="The event's id.", metavar="EVENT", callback=check_optional_id),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(help="Prove a whole record instead.", callback=check_optional_id),
    ] = None,
    without_content: Annotated[
        bool, typer.Option("--without-content", help="Leave out what was written, keep its digest.")
    ] = False,
) -> None:
    """Write one file that proves an event, or a whole record, to anyone, offline.

    It holds patients' data unless --without-content is given. Whoever receives it checks it with
    `clinledger check`, or with the one file verify_evidence.py (docs/evidence.md).
    """
    if (event is None) == (record is None):
        raise typer.BadParameter("give an EVENT, or --record ID")
    subject = Subject(id=event or record or "", kind="event" if event else "record")
    with open_reader() as reader:
        checkpoint = choose_checkpoint(reader, subject)
        evidence = build_evidence(reader, subject, checkpoint, with_content=not without_content)
    data = encode_evidence(evidence)
    _write(output, data)
    note(f"{output}: {len(evidence.events)} events, {len(data)} bytes")


def check(
    file: Annotated[Path, typer.Argument(help="An evidence file.", metavar="FILE")],
    trust: Annotated[
        str, typer.Option(metavar="VKEY", help="The ledger's checkpoint key, from outside.")
    ],
    genesis: Annotated[
        str | None, typer.Option(metavar="HEX", help="Leaf hash of its founding event.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Witnesses that must have cosigned (tlog-policy).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as one line.")] = False,
    lang: Annotated[Language | None, typer.Option(help="Default both languages.")] = None,
) -> None:
    """Check an evidence file offline: no ledger, no database, no trust in who wrote it.

    Keys in the file are never believed, only those given here. Exits 0 when everything in the file
    is proven, 1 when it is refused, 2 when what was given cannot be used.
    """
    try:
        verdict = check_file(file, trust=trust, genesis=genesis, policy=policy)
    except (OSError, ValueError) as error:
        raise fail(str(error), UNUSABLE) from None
    if as_json:
        say_json(verdict)
    else:
        chosen = list(_TOLD_AS) if lang is None else [lang]
        say("\n\n".join(told(verdict, _TOLD_AS[language]) for language in chosen))
    if not verdict["ok"]:
        raise typer.Exit(FOUND)


def _write(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE)
        with os.fdopen(number, "wb") as file:
            file.write(data)
    except OSError as error:
        raise EnvironmentRefusedError(f"cannot write {path}: {error.strerror}") from None
