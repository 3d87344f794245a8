"""No change of an evidence file, of any byte, changes what is reported as proven."""

from collections.abc import Generator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.database import Database
from ledger.evidence.format import Evidence, Subject, encode_evidence
from ledger.evidence.verify_evidence import Policy, RefusedError, check_evidence
from tests.evidence_files import Prover
from tests.hospital import Hospital, build_hospital
from tests.ledger_builder import LedgerBuilder
from tests.postgres import Server


class Judge:
    """A file and its verdict; judges changed files."""

    def __init__(self, prover: Prover, evidence: Evidence) -> None:
        self.data = encode_evidence(evidence)
        self.trust = (*prover.trusted, Policy(prover.policy))
        self.verdict = check_evidence(self.data, *self.trust)

    def proves_the_same_or_nothing(self, data: bytes) -> bool:
        """Tell whether a changed file is refused, or proves exactly what the first did."""
        try:
            return check_evidence(data, *self.trust) == self.verdict
        except RefusedError:
            return True


@pytest.fixture(scope="module")
def small(postgres_server: Server, template_url: str) -> Generator[Judge]:
    """The smallest file that has everything but chains: two events of the founding registrar."""
    url = postgres_server.create_database(template_url)
    hospital = Hospital(LedgerBuilder(Database(url, "ledger")))
    hospital.found()
    policy = hospital.builder.add(
        "policy-set.v1",
        hospital.registrar,
        stream=hospital.facility,
        content={"version": 1, "entry_deadline_hours": 24, "outage_deadline_hours": 72},
    )
    hospital.builder.commit()
    prover = Prover(hospital)
    subject = Subject(id=policy.event_id, kind="event")
    yield Judge(prover, prover.build(subject, prover.note(cosigned=2)))
    prover.close()
    postgres_server.drop_database(url)


@pytest.fixture(scope="module")
def record(postgres_server: Server, template_url: str) -> Generator[Judge]:
    """The file of a whole record, with published heads."""
    url = postgres_server.create_database(template_url)
    prover = Prover(build_hospital(Database(url, "ledger"), events=40))
    prover.publish_heads()
    subject = Subject(id=prover.hospital.ward.record, kind="record")
    yield Judge(prover, prover.build(subject, prover.note(cosigned=2)))
    prover.close()
    postgres_server.drop_database(url)


def test_no_changed_byte_of_a_small_file_changes_what_is_proven(small: Judge) -> None:
    """Every byte, in its lowest bit: digits, hashes, names and base64 stay plausible."""
    assert len(small.data) < 30_000
    changed = bytearray(small.data)
    for index in range(len(changed)):
        changed[index] ^= 1
        assert small.proves_the_same_or_nothing(bytes(changed)), index
        changed[index] ^= 1


def test_no_changed_byte_of_published_heads_changes_what_is_proven(record: Judge) -> None:
    """Every seventh byte of the openings; what they leave open is part of the verdict."""
    changed = bytearray(record.data)
    start = changed.index(b'"heads":')
    end = changed.index(b',"origin"')
    assert 1_000 < end - start < 5_000
    for index in range(start, end, 7):
        changed[index] ^= 1
        assert record.proves_the_same_or_nothing(bytes(changed)), index
        changed[index] ^= 1


_edits = st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=3), st.integers(0, 3))


@settings(max_examples=200, deadline=None)
@given(edits=st.lists(_edits, min_size=1, max_size=3))
def test_no_edit_of_a_records_file_changes_what_is_proven(
    record: Judge, edits: list[tuple[float, bytes, int]]
) -> None:
    """Bytes changed, taken out, put in; lines cut off."""
    data = record.data
    for place, new, length in edits:
        index = int(place * len(data))
        data = data[:index] + new + data[index + length :]
    assert record.proves_the_same_or_nothing(data)


@settings(max_examples=100, deadline=None)
@given(first=st.integers(0, 10**6), second=st.integers(0, 10**6))
def test_no_exchange_of_two_values_changes_what_is_proven(
    record: Judge, first: int, second: int
) -> None:
    """Two values of the file change places: of one event, or of two."""
    values = record.data.split(b'"')
    a, b = first % (len(values) // 2) * 2 + 1, second % (len(values) // 2) * 2 + 1
    values[a], values[b] = values[b], values[a]
    assert record.proves_the_same_or_nothing(b'"'.join(values))
