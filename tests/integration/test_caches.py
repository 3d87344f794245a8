"""What the sequencer keeps in memory is bounded, and may be forgotten at any time (A§5.4)."""

from ledger.keyring import Keyring, load_facility_key
from ledger.stream_cache import StreamCache
from tests.builders_resources import an_id, encounter
from tests.builders_rules import FACILITY, ORIGIN, REGISTRAR
from tests.live import LiveHospital

RECORDS = [an_id(f"record {number}") for number in range(5)]


def fill(hospital: LiveHospital) -> None:
    """Open five records, each with an amended note."""
    for record in RECORDS:
        hospital.enter("record-opened.v1", encounter(record, hospital.patient), stream=record)
        hospital.record = record
        note = hospital.enter("note-written.v1", hospital.note(f"note of {record}"))
        hospital.amend(note, {**hospital.note(f"note of {record}"), "status": "amended"})


def test_a_stream_that_was_forgotten_is_folded_again_to_the_same_state(
    hospital: LiveHospital,
) -> None:
    fill(hospital)
    reader = hospital.live.reader()
    cache = StreamCache(capacity=2)
    cache.load_directory(reader)
    cache.load(reader, RECORDS)
    before = {record: cache.get(record) for record in RECORDS}
    cache.trim()
    assert cache.missing(RECORDS) == RECORDS[:3]
    assert cache.missing([FACILITY, hospital.doctor]) == []  # the directory stays
    cache.load(reader, RECORDS[:3])
    for record in RECORDS:
        assert cache.get(record) == before[record]
        assert cache.get(record).state.events == hospital.stream(record).events
    assert cache.directory == hospital.directory


def test_a_founder_without_events_is_loaded_as_an_empty_stream(hospital: LiveHospital) -> None:
    cache = StreamCache()
    cache.load_directory(hospital.live.reader())
    assert cache.missing([REGISTRAR]) == [REGISTRAR]
    cache.load(hospital.live.reader(), [REGISTRAR])
    assert cache.get(REGISTRAR).state.events == {}
    assert REGISTRAR in cache.directory.staff


def test_more_streams_are_opened_at_once_than_the_keyring_holds(hospital: LiveHospital) -> None:
    fill(hospital)
    reader = hospital.live.reader()
    wrapper = load_facility_key(hospital.live.home / "keys" / "facility.key")
    reader.keyring = Keyring(wrapper, ORIGIN, capacity=2)
    size = hospital.live.sequencer.head.size
    for _ in range(2):
        events = reader.events(-1, size)
        assert [event.position for event in events] == list(range(size))
        assert all(event.content is not None for event in events)
    known = [record for record in RECORDS if reader.keyring.known(record) is not None]
    assert len(known) <= 2
    assert set(reader.load_keys([*RECORDS, FACILITY])) == set(RECORDS)
