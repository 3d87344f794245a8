"""Print what to try in a demo hospital: lines that work when pasted."""

from ledger.database import Database
from ledger.keyring import Keyring
from ledger.reader import LedgerReader
from ledger.rows import Event

_SOME = 2_000


def tour(database: Database, keyring: Keyring, port: int) -> str:
    """Return lines about a record of this ledger that has been amended, if there is one."""
    with database.connect("reader") as connection:
        reader = LedgerReader(connection, database, keyring)
        events = reader.events(-1, _SOME)
        size = reader.head().size
    amended = _example(events)
    record = amended.stream
    before = amended.position - 1
    url = f"http://127.0.0.1:{port}"
    name = "nguyen"
    return f"""
The ledger {keyring.origin} has {size} entries. In another terminal, in this folder:

  export PATH="$PWD/.venv/bin:$PATH"
  TOKEN=$(clinledger token --role doctor)               # valid for five minutes
  curl -s -H "Authorization: Bearer $TOKEN" {url}/v1/records/{record}
  curl -s -H "Authorization: Bearer $TOKEN" {url}/v1/records/{record}/history
  curl -s -H "Authorization: Bearer $TOKEN" "{url}/v1/records/{record}?as_of={before}"
  curl -s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
    -d '{{"text":"{name}"}}' {url}/v1/patients/search
  curl -s -H "Authorization: Bearer $TOKEN" {url}/v1/events/{amended.event_id}/inclusion
  clinledger show {record} --as-of {before}
  clinledger history {record}
  clinledger search {name}
  clinledger verify

API description: {url}/docs    Stop: Ctrl-C here, then `clinledger stop` for PostgreSQL
"""


def _example(events: list[Event]) -> Event:
    for kind in ("entry-amended.v1", "note-written.v1"):
        for event in events:
            if event.statement.type == kind and event.statement.stream_kind == "record":
                return event
    return events[-1]
