"""Evidence files as a hospital might forge them, with everything that it has: what `check` says.

Rows are those of docs/trust.md. The forger owns database and checkpoint key unless said otherwise.
"""

from collections.abc import Generator
from typing import Any

import msgspec
import pytest

from ledger.database import Database
from ledger.evidence.format import Evidence, Subject, encode_evidence
from ledger.evidence.verify_evidence import Policy, RefusedError, check_evidence, told
from signing.keys import SoftKey
from signing.notes import Ed25519Signer
from signing.statement import Seen
from tests.attack import Attack
from tests.evidence_files import Prover, changed
from tests.hospital import Hospital
from tests.ledger_builder import Author, Built, LedgerBuilder


@pytest.fixture
def prover(attack: Attack) -> Generator[Prover]:
    """Proves a copy of the hospital's ledger, which the test may go on with."""
    found = Prover(attack.hospital)
    yield found
    found.close()


def refusal(prover: Prover, evidence: Evidence) -> tuple[str, int | None]:
    """Return the code and position with which an auditor refuses a file."""
    with pytest.raises(RefusedError) as refused:
        prover.verdict(evidence)
    return refused.value.code, refused.value.position


def proof_of(prover: Prover, built: Built) -> Evidence:
    """Commit what was added and prove one event of it."""
    prover.builder.commit()
    return prover.event(built.event_id)


def test_row_39_an_unsigned_row_is_refused_even_under_a_signed_checkpoint(prover: Prover) -> None:
    """The hospital's own checkpoint key does not make a doctor's signature."""
    hospital, builder = prover.hospital, prover.builder
    forger = Author(staff=hospital.doctor.staff, key=SoftKey.generate("ES256"))
    signed = builder.sign("note-written.v1", forger, stream=hospital.other.record, content=b"{}")
    statement = signed.statement.replace(
        forger.key.key_id.encode(), hospital.doctor.key.key_id.encode()
    )
    forged = builder.append(msgspec.structs.replace(signed, statement=statement))
    evidence = proof_of(prover, forged)
    assert refusal(prover, evidence) == ("signature-invalid", forged.position)


def test_rows_20_and_21_only_an_enrolled_key_signs_and_only_until_it_is_revoked(
    prover: Prover,
) -> None:
    """By position, whatever the times in the statement say."""
    hospital, builder = prover.hospital, prover.builder
    rogue = hospital.note(hospital.other, author=builder.author())
    assert refusal(prover, proof_of(prover, rogue)) == ("key-not-valid", rogue.position)
    before = hospital.note(hospital.other)
    revoked = hospital.revoke(hospital.doctor)
    after = hospital.note(hospital.other, signed_at_ms=before.received_at_ms)
    builder.commit()
    verdict: Any = prover.verdict(prover.event(before.event_id))
    assert verdict["events"][0]["key_revoked_at_position"] == revoked.position
    assert refusal(prover, prover.event(after.event_id)) == ("key-not-valid", after.position)


def test_row_20_a_doctor_enrols_nobody(prover: Prover) -> None:
    """Keys and roles come from registrars, whose own come from the founding."""
    hospital, builder = prover.hospital, prover.builder
    friend = builder.author()
    content = hospital.key_document(friend)
    enrolled = builder.add(
        "key-enrolled.v1", hospital.doctor, stream=friend.staff, content=content, kind="staff"
    )
    note = hospital.note(hospital.other, author=friend)
    assert refusal(prover, proof_of(prover, note)) == ("role-not-valid", enrolled.position)


def test_a_role_that_may_not_author_is_refused(prover: Prover) -> None:
    """A nurse places no orders."""
    hospital, builder = prover.hospital, prover.builder
    order = builder.add(
        "order-placed.v1", hospital.nurse, stream=hospital.other.record, content=b"{}"
    )
    assert refusal(prover, proof_of(prover, order)) == ("role-not-valid", order.position)


def test_rows_2_and_13_an_author_who_saw_another_past_refuses_the_file(prover: Prover) -> None:
    """The root that was signed is of the tree that was really shown, not of the rewritten one."""
    seen = Seen(root="ab" * 32, size=100)
    note = prover.hospital.note(prover.hospital.other, seen=seen)
    assert refusal(prover, proof_of(prover, note)) == ("seen-inconsistent", note.position)


def test_row_36_a_foreign_checkpoint_key_proves_nothing(prover: Prover) -> None:
    """Only the key that the person checking brought counts; the one in the file is not believed."""
    evidence = prover.record()
    prover.signer = Ed25519Signer(prover.builder.origin, SoftKey.generate("EdDSA"))
    forged = prover.record()
    assert prover.vkey.encode() not in forged.checkpoint
    assert refusal(prover, evidence) == ("wrong-ledger", 0)
    trusted = prover.trusted
    prover.signer = Ed25519Signer(prover.builder.origin, prover.hospital.checkpoint)
    assert refusal(prover, forged)[0] == "checkpoint-unsigned"
    # The forger's own key, given by hand, is not the one that the founding event names.
    with pytest.raises(RefusedError, match="no event names the trusted checkpoint key"):
        check_evidence(encode_evidence(forged), *trusted, Policy())


def test_row_40_a_withheld_event_in_the_middle_is_refused(prover: Prover) -> None:
    """Of the record, and of any staff stream: a revocation, an enrolment."""
    evidence = prover.record()
    for index in range(1, len(evidence.events)):
        left = (*evidence.events[:index], *evidence.events[index + 1 :])
        position = evidence.events[index].position
        shorter = msgspec.structs.replace(evidence, events=left)
        is_last = all(
            b.stream != prover.builder.events[position].stream
            for b in prover.builder.events[position + 1 :]
        )
        if not is_last:
            code, _ = refusal(prover, shorter)
            assert code in {"version-gap", "key-not-valid", "role-not-valid"}


def test_row_40_without_published_heads_the_newest_is_only_asserted(prover: Prover) -> None:
    """What a file without heads cannot show is said in its verdict."""
    evidence = prover.record()
    shorter = msgspec.structs.replace(evidence, events=evidence.events[:-1])
    verdict: Any = prover.verdict(shorter)
    assert verdict["heads"] is None
    assert len(verdict["events"]) == len(prover.record().events) - 1 - len(verdict["relied_on"])


def test_row_40_with_published_heads_nothing_below_them_can_be_withheld(prover: Prover) -> None:
    """The record's newest entry, a revocation, a withdrawn role: refused by name."""
    hospital = prover.hospital
    hospital.note(hospital.ward)
    hospital.revoke(hospital.doctor)
    published = prover.publish_heads()
    evidence = prover.record()
    verdict: Any = prover.verdict(evidence)
    assert verdict["heads"]["size"] == published.position
    assert verdict["heads"]["unopened"] == []
    assert f"Nothing left out before position: {published.position} (" in told(verdict, 0)
    newest: dict[str, int] = {}
    for index, event in enumerate(evidence.events):
        newest[prover.builder.events[event.position].stream] = index
    withheld = [newest[stream] for stream in (hospital.ward.record, hospital.doctor.staff)]
    for index in withheld:
        left = (*evidence.events[:index], *evidence.events[index + 1 :])
        shorter = msgspec.structs.replace(evidence, events=left)
        assert refusal(prover, shorter) == ("heads-mismatch", published.position)


def test_row_40_the_newest_heads_are_found_behind_many_other_events(prover: Prover) -> None:
    """The facility may set policies as often as it likes."""
    first = prover.publish_heads()
    for version in range(60):
        prover.builder.add(
            "policy-set.v1",
            prover.hospital.registrar,
            stream=prover.hospital.facility,
            content={"version": version, "entry_deadline_hours": 1, "outage_deadline_hours": 1},
        )
    prover.builder.commit()
    verdict: Any = prover.verdict(prover.record())
    assert verdict["heads"]["position"] == first.position
    newest = prover.publish_heads()
    verdict = prover.verdict(prover.record())
    assert verdict["heads"]["position"] == newest.position


def test_row_40_heads_are_not_to_be_exchanged_or_thinned_out_unseen(prover: Prover) -> None:
    """Openings that are missing are named; one of another stream, place or version is refused."""
    published = prover.publish_heads()
    evidence = prover.record()
    heads = evidence.heads
    assert not isinstance(heads, msgspec.UnsetType)
    first, second, *rest = heads.openings
    thinned = msgspec.structs.replace(heads, openings=(second, *rest))
    verdict: Any = prover.verdict(msgspec.structs.replace(evidence, heads=thinned))
    assert verdict["heads"]["unopened"] == [first.stream]
    assert f"Except in streams: {first.stream}" in told(verdict, 0)
    for opening in (
        msgspec.structs.replace(first, stream=second.stream),
        msgspec.structs.replace(first, version=first.version + 1),
        msgspec.structs.replace(first, index=second.index),
        msgspec.structs.replace(first, index=10**6),
        msgspec.structs.replace(first, leaf_hash=second.leaf_hash),
        msgspec.structs.replace(first, proof=()),
    ):
        other = msgspec.structs.replace(heads, openings=(opening, second, *rest))
        other = msgspec.structs.replace(evidence, heads=other)
        assert refusal(prover, other) == ("heads-mismatch", published.position)
    founding = prover.builder.events[0].event_id
    other = msgspec.structs.replace(heads, event_id=founding)
    assert refusal(prover, msgspec.structs.replace(evidence, heads=other))[0] == "event-missing"


def test_row_40_heads_that_lie_refuse_the_honest_file(prover: Prover) -> None:
    """And are the ledger's provable lie: the event is signed and in the tree."""
    prover.hospital.note(prover.hospital.ward)
    published = prover.publish_heads(left_out=prover.hospital.ward.record)
    assert refusal(prover, prover.record()) == ("heads-mismatch", published.position)


def test_row_40_only_the_ledgers_own_role_publishes_heads(prover: Prover) -> None:
    """A registrar's word that nothing is missing counts for nothing."""
    hospital, builder = prover.hospital, prover.builder
    size = len(builder.events)
    content = {"size": size, "streams": 1, "root": "00" * 32}
    heads = builder.add(
        "heads-published.v1", hospital.registrar, stream=hospital.facility, content=content
    )
    assert refusal(prover, proof_of(prover, heads)) == ("role-not-valid", heads.position)


def test_row_41_the_text_that_was_shown_but_not_sequenced_is_not_proven(prover: Prover) -> None:
    """One event_id, two texts: the file holds the one that was entered, and no other fits."""
    hospital, builder = prover.hospital, prover.builder
    identity = builder.new_id()
    shown = builder.sign(
        "note-written.v1",
        hospital.doctor,
        stream=hospital.other.record,
        content=b'{"text":"A"}',
        event_id=identity,
    )
    entered = hospital.note(hospital.other, event_id=identity)
    evidence = proof_of(prover, entered)
    assert prover.verdict(evidence)["ok"] is True
    last = len(evidence.events) - 1
    swapped = changed(
        evidence,
        last,
        statement=shown.statement,
        container=shown.container,
        content=shown.content,
        salt=shown.salt,
    )
    assert refusal(prover, swapped) == ("statement-mismatch", entered.position)


def test_row_43_a_new_ledger_of_the_same_origin_and_key_has_another_genesis(
    prover: Prover, database: Database
) -> None:
    """With the stolen checkpoint key; whoever knows the genesis is not deceived by it."""
    invented = Hospital(LedgerBuilder(database))
    invented.checkpoint = prover.hospital.checkpoint
    invented.found()
    invented.enrol(invented.doctor, "doctor")
    invented.builder.commit()
    forger = Prover(invented)
    evidence = forger.event(invented.builder.events[-1].event_id)
    forger.close()
    assert refusal(prover, evidence) == ("genesis-mismatch", 0)
    # Without --genesis only the witnesses of a policy could tell: the verdict says so.
    key, _ = prover.trusted
    verdict = check_evidence(encode_evidence(evidence), key, None, Policy())
    assert (verdict["ok"], verdict["genesis_compared"]) == (True, False)
    assert "Founding event compared with --genesis: NO" in told(verdict, 0)
    # Witnesses saw the first ledger, and cosign no second one of this origin.
    policy = Policy(prover.policy)
    with pytest.raises(RefusedError, match="witnesses-missing"):
        check_evidence(encode_evidence(evidence), key, None, policy)
    subject = Subject(id=prover.hospital.ward.record, kind="record")
    original = prover.build(subject, prover.note(cosigned=2))
    assert prover.verdict(original, policy)["witnessed"] == "witnessed by 2 of 2"


def test_contents_salts_and_signatures_are_not_to_be_exchanged(prover: Prover) -> None:
    """Swapped between two events of the same record."""
    evidence = prover.record()
    first, second = (
        index
        for index, event in enumerate(evidence.events)
        if prover.builder.events[event.position].type == "note-written.v1"
    )
    a, b = evidence.events[first], evidence.events[second]
    position = a.position
    swapped = changed(evidence, first, content=b.content, salt=b.salt)
    assert refusal(prover, swapped) == ("content-mismatch", position)
    swapped = changed(evidence, first, container=b.container)
    assert refusal(prover, swapped) == ("container-mismatch", position)
    swapped = changed(evidence, first, salt=msgspec.UNSET)
    assert refusal(prover, swapped) == ("content-mismatch", position)
    swapped = changed(evidence, first, entry=b.entry)
    assert refusal(prover, swapped) == ("statement-mismatch", position)
    swapped = changed(evidence, first, version=a.version + 1)
    assert refusal(prover, swapped) == ("link-broken", position)
    swapped = changed(evidence, first, proof=b.proof)
    assert refusal(prover, swapped) == ("inclusion-invalid", position)
    swapped = changed(evidence, first, position=position - 1)
    assert refusal(prover, swapped) == ("inclusion-invalid", position - 1)
    swapped = changed(evidence, first, position=10**6)
    assert refusal(prover, swapped) == ("inclusion-invalid", 10**6)
    swapped = changed(evidence, first, proof=(*a.proof, "00" * 32))
    assert refusal(prover, swapped) == ("inclusion-invalid", position)
    swapped = changed(evidence, first, seen_proof=())
    assert refusal(prover, swapped) == ("seen-inconsistent", position)


def test_a_file_of_another_ledger_is_refused(prover: Prover) -> None:
    """By its own word, by that of the checkpoint, and when there is no checkpoint at all."""
    evidence = prover.record()
    other = msgspec.structs.replace(evidence, origin="b.example/ledger")
    assert refusal(prover, other) == ("wrong-ledger", None)
    note = prover.note().replace(prover.builder.origin.encode() + b"\n", b"b.example/ledger\n", 1)
    other = msgspec.structs.replace(evidence, checkpoint=note)
    assert refusal(prover, other) == ("checkpoint-invalid", None)
    other = msgspec.structs.replace(evidence, checkpoint=b"no note")
    assert refusal(prover, other) == ("checkpoint-invalid", None)


def test_a_file_about_something_else_is_refused(prover: Prover) -> None:
    """The subject must be in the file, and nothing may be that it does not need."""
    event = prover.hospital.builder.events[-1]
    evidence = prover.event(event.event_id)
    about = Subject(id=prover.builder.new_id(), kind="event")
    other = msgspec.structs.replace(evidence, subject=about)
    assert refusal(prover, other) == ("rule-broken", event.position)
    record = Subject(id=event.stream, kind="record")
    surplus = msgspec.structs.replace(evidence, subject=record)
    assert refusal(prover, surplus) == ("version-gap", event.position)


@pytest.mark.parametrize("stream", ["facility", "staff"])
def test_only_a_record_is_proven_as_a_record(prover: Prover, stream: str) -> None:
    """The facility's stream is never whole in a file: it may not be told as if it were."""
    hospital = prover.hospital
    identity = hospital.facility if stream == "facility" else hospital.doctor.staff
    evidence = prover.event(prover.builder.events[0].event_id)
    if stream == "staff":
        evidence = prover.event(
            next(b for b in prover.builder.events if b.stream == identity).event_id
        )
    about = msgspec.structs.replace(evidence, subject=Subject(id=identity, kind="record"))
    assert refusal(prover, about) == ("event-missing", None)


def test_an_older_checkpoint_proves_nothing_of_what_came_after_it(prover: Prover) -> None:
    """Sizes that run backwards: the same file under a smaller tree that was signed as well."""
    evidence = prover.record()
    last = evidence.events[-1].position
    for size in (last, 1):
        older = msgspec.structs.replace(evidence, checkpoint=prover.note(size))
        code, position = refusal(prover, older)
        assert code in {"inclusion-invalid", "seen-inconsistent"}
        assert position is not None
    note = prover.hospital.note(prover.hospital.other)
    seen = Seen(root=prover.builder.roots[note.position].hex(), size=note.position)
    later = prover.hospital.note(prover.hospital.other, seen=seen)
    assert prover.verdict(proof_of(prover, later))["ok"] is True
    future = Seen(root=prover.builder.roots[later.position + 1].hex(), size=later.position + 2)
    early = prover.hospital.note(prover.hospital.other, seen=future)
    prover.hospital.note(prover.hospital.other)
    assert refusal(prover, proof_of(prover, early)) == ("seen-inconsistent", early.position)


def test_a_key_that_the_file_brings_along_is_not_believed(prover: Prover) -> None:
    """No member of the form is a key to trust; a file with one is none."""
    data = encode_evidence(prover.record())
    brought = b',"subject"', b',"trust":"' + prover.vkey.encode() + b'","subject"'
    for old, new in (brought, (b'{"checkpoint"', b'{"a":"x","checkpoint"')):
        assert data.count(old) >= 1
        with pytest.raises(RefusedError, match="evidence-malformed"):
            check_evidence(data.replace(old, new, 1), *prover.trusted, Policy())
