"""Print what to try in a demo hospital: lines that work when pasted."""

import shlex
import sys
from pathlib import Path

from api.settings import DEFAULT_HOME, DEFAULT_SCHEMA, Settings
from ledger.reader import LedgerReader
from ledger.rows import Event

URL = "<URL>"
"""Stands in the text for the server's URL, which is known once it listens."""

_SOME = 2_000


def tour(reader: LedgerReader, chosen: Settings) -> str:
    """Return lines about a record of this ledger that has been amended, if there is one."""
    example = _example(reader.events(-1, _SOME))
    record, before = example.stream, example.position - 1
    name = "nguyen"
    curl = 'curl -s -H "Authorization: Bearer $TOKEN"'
    return f"""
The ledger {reader.origin} has {reader.head().size} entries. In another terminal:

{_surroundings(chosen)}
  TOKEN=$(clinledger token --role doctor)               # valid for five minutes
  {curl} {URL}/v1/records/{record}
  {curl} {URL}/v1/records/{record}/history
  {curl} "{URL}/v1/records/{record}?as_of={before}"
  {curl} -H "Content-Type: application/json" \\
    -d '{{"text":"{name}"}}' {URL}/v1/patients/search
  {curl} {URL}/v1/events/{example.event_id}/inclusion
  clinledger show {record} --as-of {before}
  clinledger history {record}
  clinledger search {name}
  clinledger verify

API description: {URL}/docs    Stop: Ctrl-C here, then `clinledger stop` for PostgreSQL
"""


def _surroundings(chosen: Settings) -> str:
    """Return the lines that make another terminal find this program and this ledger."""
    folder = Path.cwd()
    lines = [
        f"cd {shlex.quote(str(folder))}",
        f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"',
    ]
    if chosen.home != folder / DEFAULT_HOME:
        lines.append(f"export CLINLEDGER_HOME={shlex.quote(str(chosen.home))}")
    if chosen.schema != DEFAULT_SCHEMA:
        lines.append(f"export CLINLEDGER_SCHEMA={chosen.schema}")
    if chosen.database_url is not None:
        lines.append("# and CLINLEDGER_DATABASE_URL as it is here")
    return "\n".join(f"  {line}" for line in lines)


def _example(events: list[Event]) -> Event:
    for kind in ("entry-amended.v1", "note-written.v1"):
        for event in events:
            if event.statement.type == kind and event.statement.stream_kind == "record":
                return event
    return events[-1]
