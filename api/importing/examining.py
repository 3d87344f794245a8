"""Examine lines of an import: `python -m api.importing.examining`, lines in, judgements out.

As many of these run as there are cores. Each reads the ledger by itself: the directory, for the
keys; and which events are there already, so that repeating an import costs little.
"""

import os
import signal
import sys
from collections.abc import Sequence
from typing import IO, Final

import msgspec

from api.bodies import decode_body
from api.errors import RequestError
from api.event_json import submitted_event
from api.http_server import settle
from api.importing.messages import Again, Examined, Lines, Ready, Refused, There
from api.schemas import EventSubmission
from api.settings import read_settings
from ledger.entry import decode_entry
from ledger.errors import CommandRefusedError, ContentRejectedError, RejectedError
from ledger.examination import check_signed, read_content
from ledger.founding import open_keyring
from ledger.reader import LedgerReader
from ledger.state import DirectoryState
from ledger.store import EntryStore
from ledger.stream_cache import StreamCache
from ledger.submitted import SubmittedEvent
from ledger.wire import encode_frame
from signing.statement import UuidText, statement_digest

_LENGTH_BYTES: Final = 4
_lines: Final = msgspec.msgpack.Decoder(Lines)
_submission: Final = msgspec.json.Decoder(EventSubmission)
Result = Ready | There | Refused | Again


class _Named(msgspec.Struct, frozen=True):
    event_id: UuidText


_named: Final = msgspec.json.Decoder(_Named)


def event_of(line: bytes) -> SubmittedEvent:
    """Return the event on a line.

    Raises:
        RequestError: it is no body of `POST /v1/events`.
    """
    return submitted_event(decode_body(_submission, line))


class Examiner:
    """Judges lines by the directory and the events of one ledger."""

    def __init__(self, reader: LedgerReader) -> None:
        """Read the ledger over a connection of its own."""
        self._reader = reader
        self._known = -1
        self._directory = DirectoryState.empty()

    def examine(self, asked: Lines) -> Examined:
        """Return what became of each line."""
        events: list[SubmittedEvent | Refused] = []
        for line in asked.lines:
            try:
                events.append(event_of(line))
            except RequestError as error:
                events.append(Refused(code=error.code))
        there = self._there([event for event in events if isinstance(event, SubmittedEvent)])
        results: list[Result] = []
        for event in events:
            if isinstance(event, Refused):
                results.append(event)
            else:
                results.append(
                    there.get(event.statement) or self._judge(event, directory=asked.directory)
                )
        return Examined(results=results)

    def _there(self, events: Sequence[SubmittedEvent]) -> dict[bytes, There | Refused]:
        """Find those whose event_id is taken, by themselves or by another statement.

        A file is new, or was imported up to some line before: where neither the first nor the last
        of its lines is there, the others are not asked for, which would cost the database more
        than a tenth of storing them. One that is there all the same, the sequencer recognises.
        """
        ids: dict[str, list[bytes]] = {}
        for event in events:
            try:
                name = _named.decode(event.statement).event_id
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # its statement will be refused
            ids.setdefault(name, []).append(event.statement)
        found: dict[bytes, There | Refused] = {}
        names = list(ids)
        if not self._reader.store.rows_of_events(names[:1] + names[-1:]):
            return found
        for row in self._reader.store.rows_of_events(names):
            event_id = str(row.event_id)
            first = decode_entry(row.entry).statement_digest
            for statement in ids[event_id]:
                same = statement_digest(statement) == first
                found[statement] = (
                    There(event_id=event_id, position=row.position, leaf_hash=row.leaf_hash.hex())
                    if same
                    else Refused(code="event-id-taken")
                )
        return found

    def _judge(self, event: SubmittedEvent, *, directory: int) -> Result:
        try:
            return self._ready(event)
        except (CommandRefusedError, ContentRejectedError):
            if self._known >= directory:
                return Again()
        except RejectedError as error:
            return Refused(code=error.code)
        self._load(directory)
        return self._judge(event, directory=directory)

    def _ready(self, event: SubmittedEvent) -> Ready:
        signed = check_signed(event, origin=self._reader.origin, directory=self._directory)
        facts = read_content(signed)
        return Ready(
            frame=signed.frame(),
            facts=facts,
            statement_digest=signed.digest,
            container_digest=statement_digest(event.container),
            salt=event.salt,
        )

    def _load(self, directory: int) -> None:
        """Read the directory anew: it is at least as new as the number says."""
        cache = StreamCache()
        cache.load_directory(self._reader)
        self._directory, self._known = cache.directory, directory


def main(incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Answer messages until the importing process closes its end, by whatever death."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the importing process ends this one
    settings = read_settings(os.environ)
    database = settings.open_database()
    with database.connect("reader", name="clinledger-import") as connection:
        keyring = open_keyring(EntryStore(connection, database), settings.home)
        examiner = Examiner(LedgerReader(connection, database, keyring))
        settle()
        while head := incoming.read(_LENGTH_BYTES):
            asked = _lines.decode(incoming.read(int.from_bytes(head, "big")))
            outgoing.write(encode_frame(examiner.examine(asked)))
            outgoing.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
