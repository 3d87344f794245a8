"""Events opened for folds: not judged again, but compared with every digest."""

import msgspec
import pytest

from ledger.bare import BareReader
from ledger.errors import CorruptionError
from ledger.rows import Event
from signing.errors import MalformedStatementError
from signing.statement import parse_statement, read_statement
from tests.stored_events import store_events
from tests.viewed_ledger import ViewedLedger

FORGERIES = {
    "statement-mismatch": {"statement_bytes": b"{}"},
    "container-mismatch": {"container": b"another"},
    "content-mismatch": {"content": b"another"},
    "column-mismatch": {"event_id": "019a0000-0000-7000-8000-0000000000ff"},
    "entry-malformed": {"entry": b"another entry".ljust(108)},
}


def bare(event: Event) -> tuple[object, ...]:
    return (event.position, event.stream, event.version, event.event_id, event.content)


def test_what_folds_get_is_what_was_stored(viewed: ViewedLedger) -> None:
    record = viewed.fill()
    viewed.save()
    reader = BareReader(viewed.reader)
    events = viewed.world.events
    found = reader.events(-1, 1000)
    assert [(e.position, e.stream, e.version, e.event_id, e.content) for e in found] == [
        bare(event) for event in events
    ]
    for event, original in zip(found, events, strict=True):
        assert msgspec.json.encode(event.statement) == original.statement_bytes
    of_record = [event for event in found if event.stream == record]
    assert reader.stream(record) == of_record
    assert reader.stream(record, up_to=of_record[3].position) == of_record[:4]


@pytest.mark.parametrize("code", sorted(FORGERIES))
def test_an_event_that_contradicts_a_digest_is_not_opened(viewed: ViewedLedger, code: str) -> None:
    written = viewed.world.register("Nguyễn Thị Hải")
    forged = msgspec.structs.replace(written, **FORGERIES[code])
    store_events(viewed.connection, viewed.database, viewed.ring, [forged])
    reader = BareReader(viewed.reader)
    for read in (lambda: reader.events(-1, 10), lambda: reader.stream(written.stream)):
        with pytest.raises(CorruptionError) as raised:
            read()
        assert (raised.value.code, raised.value.position) == (code, 0)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"alg":"none"}'])
def test_what_is_no_statement_at_all_is_not_read(data: bytes) -> None:
    with pytest.raises(MalformedStatementError, match="statement-malformed"):
        read_statement(data)


def test_a_statement_reads_as_it_was_parsed(viewed: ViewedLedger) -> None:
    viewed.fill()
    for event in viewed.world.events:
        read, parsed = read_statement(event.statement_bytes), parse_statement(event.statement_bytes)
        assert msgspec.structs.asdict(read).keys() == msgspec.structs.asdict(parsed).keys()
        assert msgspec.json.encode(read) == msgspec.json.encode(parsed)
