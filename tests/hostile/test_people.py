"""Those who run the servers or hold a key of somebody's, and what no code can see (T3, T4).

Rows that wait for a later feature fail as expected, naming what they wait for.
"""

import base64
from collections.abc import Generator
from pathlib import Path
from typing import LiteralString

import msgspec
import pytest

from ledger.catalogue import CATALOGUE
from ledger.content import content_digest
from ledger.entry import decode_entry
from ledger.evidence.format import Evidence
from projections.check import check_views
from projections.runner import Projector
from projections.tracking import install_views
from signing.statement import Statement, encode_statement, parse_statement, statement_digest
from tests.attack import Attack, codes_at, found

ENTRY: LiteralString = "SELECT entry FROM {ledger}.entry WHERE position = %(p)s"
SMALL_ORDER = bytes(31) + b"\x80"
"""A point of order 4: it verifies signatures that nobody made."""


@pytest.fixture
def viewed(attack: Attack) -> Generator[Attack]:
    """The hospital with its views, up to date."""
    projector = Projector(attack.database, attack.hospital.builder.keyring)
    with attack.database.connect("owner") as connection:
        install_views(connection, attack.database)
    projector.catch_up()
    yield attack
    projector.close()


def views_findings(attack: Attack) -> list[tuple[str, int | None]]:
    """Compare the views with the ledger."""
    with attack.database.connect("owner") as connection:
        keyring = attack.hospital.builder.keyring
        return [(f.code, f.position) for f in check_views(connection, attack.database, keyring)]


def test_attack_18_an_event_dropped_behind_a_made_up_receipt_is_found_by_receipts(
    attack: Attack, tmp_path: Path
) -> None:
    """The API host answers as if it had appended; the client keeps what it was answered."""
    hospital = attack.hospital
    elsewhere = hospital.fork(attack.database)
    dropped = elsewhere.note(elsewhere.other)  # never committed
    hospital.note(hospital.other, text="Của người khác.")
    hospital.builder.commit()
    acks = tmp_path / "acks.jsonl"
    receipt = {
        "event_id": dropped.event_id,
        "position": dropped.position,
        "leaf_hash": dropped.leaf_hash.hex(),
    }
    acks.write_bytes(msgspec.json.encode(receipt) + b"\n")

    assert attack.verify().ok
    assert found(attack.verify(acks=acks), "acknowledged-missing") == [260]


def test_attack_22_what_a_stolen_key_signed_is_named_to_its_owner(attack: Attack) -> None:
    """It is valid, and says whose it claims to be: the owner counts more than she signed."""
    hospital = attack.hospital
    own = {e.event_id for e in attack.events if _signer(e.event.statement) == hospital.nurse.staff}
    stolen = hospital.vitals(hospital.other)
    hospital.builder.commit()

    signed = {
        e.event_id for e in attack.events if _signer(e.event.statement) == hospital.nurse.staff
    }

    assert attack.verify().ok
    assert signed - own == {stolen.event_id}


@pytest.mark.xfail(
    strict=True, reason="waits for signature-judged.v1 (reserved): compromised since a position"
)
def test_attack_22_what_a_stolen_key_signed_before_its_revocation_can_be_marked(
    attack: Attack,
) -> None:
    """A verdict by an administrator marks the events; it deletes none."""
    assert "signature-judged.v1" in CATALOGUE
    hospital = attack.hospital
    stolen = hospital.vitals(hospital.other)
    hospital.builder.add(
        "signature-judged.v1",
        hospital.registrar,
        stream=hospital.nurse.staff,
        content={"key_id": hospital.nurse.key.key_id, "since": stolen.position},
    )
    hospital.builder.commit()
    assert attack.verify().ok


def test_attack_25_and_26_a_view_without_one_result_is_found(viewed: Attack) -> None:
    """The superuser hides a result from whoever reads the record."""
    result = next(e for e in viewed.events if e.type == "result-reported.v1")
    assert views_findings(viewed) == []
    viewed.run("DELETE FROM ledger_views_1.record_item WHERE event_id = %(e)s", e=result.event_id)

    assert {code for code, _ in views_findings(viewed)} == {"view-mismatch"}


def test_attack_29_and_30_a_destruction_without_its_event_is_no_destruction(
    attack: Attack,
) -> None:
    """Who claims to have erased must have it signed; else it is a loss, found at each event."""
    patient = attack.hospital.ward.patient
    positions = [e.position for e in attack.events if e.stream == patient]
    attack.delete(*positions, tables=("sealed",))
    attack.run("DELETE FROM {keys}.stream_key WHERE stream = %(s)s", s=patient)

    assert found(attack.verify(), "body-missing") == positions


@pytest.mark.xfail(
    strict=True, reason="waits for stream-destroyed.v1 (reserved): destruction, and its own proof"
)
def test_attack_30_an_erasure_that_kept_the_data_is_found(attack: Attack) -> None:
    """The signed destruction is there, and so are key and bodies still."""
    assert "stream-destroyed.v1" in CATALOGUE
    hospital = attack.hospital
    destroyed = hospital.builder.add(
        "stream-destroyed.v1",
        hospital.registrar,
        stream=hospital.ward.record,
        content={"reason": "retention"},
    )
    hospital.builder.commit()
    assert codes_at(attack.verify(), destroyed.position)


def test_attack_31_a_content_of_few_possible_values_is_not_guessed_without_its_salt(
    attack: Attack,
) -> None:
    """Key and body are gone; whoever knows all but the salt tries every content there could be."""
    note = attack.events[100]
    content, salt = note.event.content, attack.frame(note.position).salt
    entry = decode_entry(bytes(attack.run(ENTRY, p=note.position)[0][0]))
    claim = parse_statement(note.event.statement)
    attack.delete(note.position, tables=("sealed",))

    # The right content is confirmed by its salt, and by no other.
    assert _statement_digest(claim, content, salt) == entry.statement_digest
    for guess in (bytes(32), attack.frame(99).salt, attack.frame(101).salt):
        assert _statement_digest(claim, content, guess) != entry.statement_digest


def test_attack_33_a_key_on_which_libraries_disagree_is_found_where_it_is_enrolled(
    attack: Attack,
) -> None:
    """A registrar enrols a point of small order, past the sequencer: anybody could sign with it."""
    hospital, builder = attack.hospital, attack.hospital.builder
    author = builder.author("EdDSA")
    document = msgspec.json.decode(hospital.key_document(author), type=dict[str, str])
    spki = author.key.spki[:-32] + SMALL_ORDER
    document["spki"] = base64.b64encode(spki).decode()
    enrolled = builder.add(
        "key-enrolled.v1", hospital.registrar, stream=hospital.analyser.staff, content=document
    )
    builder.commit()

    report = attack.verify()

    assert [(f.code, f.position) for f in report.findings] == [("rule-broken", enrolled.position)]
    assert "key-small-order" in report.findings[0].detail


@pytest.mark.xfail(strict=True, reason="waits for archive time-stamps and their renewal")
def test_attack_34_evidence_outlives_the_algorithms_it_was_made_with() -> None:
    """A time-stamp of a newer algorithm covers the file before the older one falls."""
    assert "renewals" in Evidence.__struct_fields__


def _statement_digest(claim: Statement, content: bytes, salt: bytes) -> bytes:
    digest = content_digest(salt, content).hex()
    said = msgspec.structs.replace(claim.content, digest=digest)
    return statement_digest(encode_statement(msgspec.structs.replace(claim, content=said)))


def _signer(statement: bytes) -> str:
    return parse_statement(statement).signer
