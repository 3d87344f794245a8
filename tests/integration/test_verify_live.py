"""Verification of a ledger that the real sequencer writes, while it writes."""

from concurrent.futures import ThreadPoolExecutor

from ledger.database import Database
from ledger.verify import VerifyOptions, verify_ledger
from tests.hospital import build_hospital
from tests.live import LiveHospital


def test_a_ledger_is_whole_at_every_moment_of_its_growth(hospital: LiveHospital) -> None:
    """Each verification sees one moment, however many batches are committed meanwhile."""
    live = hospital.live
    notes = [
        hospital.signed("note-written.v1", hospital.note(f"note {number}")) for number in range(200)
    ]
    before = live.sequencer.head.size

    with ThreadPoolExecutor(1) as writer:
        writing = writer.submit(lambda: [live.submit(note) for note in notes])
        reports = [verify_ledger(live.database, keyring=live.keyring)]
        while not writing.done():
            reports.append(verify_ledger(live.database, keyring=live.keyring))
        reports.append(verify_ledger(live.database, keyring=live.keyring))

    sizes = [report.size for report in reports]
    assert [report.findings for report in reports if not report.ok] == []
    assert sizes == sorted(sizes)
    assert sizes[-1] == before + 200
    assert len(set(sizes)) > 2
    assert all(report.signatures_checked == report.size for report in reports)


def test_every_supported_server_gives_the_same_report(each_database: Database) -> None:
    """On the embedded server and on the oldest one of the machine."""
    hospital = build_hospital(each_database, events=60)
    ward = hospital.ward

    whole = verify_ledger(each_database, keyring=hospital.builder.keyring)
    record = verify_ledger(
        each_database,
        keyring=hospital.builder.keyring,
        options=VerifyOptions(record=ward.record),
    )
    hashes = verify_ledger(each_database, keyring=None)

    assert (whole.findings, record.findings, hashes.findings) == ((), (), ())
    assert whole.entries_checked == record.entries_checked == hashes.entries_checked == 60
    assert whole.signatures_checked > record.signatures_checked > hashes.signatures_checked
