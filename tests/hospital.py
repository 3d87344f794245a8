"""A small hospital on a ledger builder: staff, two patients and their records."""

from collections.abc import Sequence
from typing import Unpack

from ledger.database import Database
from signing.keys import SoftKey
from tests import contents
from tests.ledger_builder import Author, Built, EventOptions, LedgerBuilder
from tests.rotations import rotation


class Hospital:
    """A small hospital on a builder: founded, with staff, two patients and their records."""

    def __init__(self, builder: LedgerBuilder, *, people: Sequence[Author] = ()) -> None:
        """Plan a hospital.

        Args:
            builder: what its events are appended to.
            people: registrars, doctor, nurse and analyser; made anew when there are none.
        """
        self.builder = builder
        new = builder.author
        self.facility = builder.new_id()
        people = people or (*(new() for _ in range(4)), new("EdDSA"))
        self.registrar, self.second, self.doctor, self.nurse, self.analyser = people
        self.ward = contents.Ward(record=builder.new_id(), patient=builder.new_id())
        self.other = contents.Ward(record=builder.new_id(), patient=builder.new_id())
        self.opened_ms: dict[str, int] = {}
        self.checkpoint = SoftKey.generate("EdDSA")

    def fork(self, database: Database) -> "Hospital":
        """Return the same hospital, going on from here in a copy of the database."""
        copy = Hospital.__new__(Hospital)
        copy.__dict__.update(self.__dict__)
        copy.builder = self.builder.fork(database)
        return copy

    def found(self) -> Built:
        """Found the ledger and enrol its first registrar as a person."""
        checkpoint = self.checkpoint.spki[-32:]
        registrars = [(a.staff, a.key) for a in (self.registrar, self.second)]
        founded = self.builder.add(
            "ledger-founded.v1",
            self.registrar,
            stream=self.facility,
            content=contents.founding(self.builder.origin, registrars, checkpoint=checkpoint),
        )
        self.builder.add(
            "practitioner-enrolled.v1",
            self.registrar,
            stream=self.registrar.staff,
            content=contents.practitioner(self.registrar.staff),
        )
        return founded

    def enrol(self, member: Author, role: str, *, device: bool = False) -> Sequence[Built]:
        """Enrol a person or device with key and role: three events."""
        add, staff = self.builder.add, member.staff
        kind = "device" if device else "practitioner"
        resource = contents.device(staff) if device else contents.practitioner(staff)
        key = self.key_document(member)
        return (
            add(f"{kind}-enrolled.v1", self.registrar, stream=staff, content=resource),
            add("key-enrolled.v1", self.registrar, stream=staff, content=key),
            add("role-granted.v1", self.registrar, stream=staff, content={"role": role}),
        )

    def key_document(self, member: Author) -> bytes:
        """Return the content that enrols a member's key."""
        nonce = f"nonce-{len(self.builder.events)}"
        return contents.enrolled_key(
            member.key, origin=self.builder.origin, staff=member.staff, nonce=nonce
        )

    def admit(self, ward: contents.Ward) -> Sequence[Built]:
        """Register the patient and open the record: two events."""
        add = self.builder.add
        registered = add(
            "patient-registered.v1",
            self.nurse,
            stream=ward.patient,
            content=contents.patient(ward.patient),
        )
        self.opened_ms[ward.record] = self.builder.now_ms
        encounter = ward.encounter(start_ms=self.builder.now_ms)
        opened = add("record-opened.v1", self.doctor, stream=ward.record, content=encounter)
        return registered, opened

    def note(
        self,
        ward: contents.Ward,
        *,
        text: str = "Khám.",
        author: Author | None = None,
        **options: Unpack[EventOptions],
    ) -> Built:
        """Write a note, by the doctor if nobody else is named."""
        author = author or self.doctor
        identity = options.setdefault("event_id", self.builder.new_id())
        content = ward.note(identity, author.staff, self.builder.now_ms, text=text)
        return self.builder.add(
            "note-written.v1", author, stream=ward.record, content=content, **options
        )

    def order(self, ward: contents.Ward) -> Built:
        """Order a blood count."""
        identity = self.builder.new_id()
        content = ward.order(identity, self.doctor.staff, self.builder.now_ms, number=identity)
        return self.builder.add(
            "order-placed.v1", self.doctor, stream=ward.record, content=content, event_id=identity
        )

    def result(self, ward: contents.Ward, order: Built) -> Built:
        """Report the result of an order."""
        identity = self.builder.new_id()
        content = ward.result(
            identity,
            self.analyser.staff,
            self.builder.now_ms,
            order=order.event_id,
            member=self.builder.new_id(),
        )
        return self.builder.add(
            "result-reported.v1",
            self.analyser,
            stream=ward.record,
            content=content,
            event_id=identity,
            refs=(order.ref("answers"),),
        )

    def vitals(self, ward: contents.Ward) -> Built:
        """Record vital signs by the nurse."""
        identity = self.builder.new_id()
        content = ward.vitals(identity, self.nurse.staff, self.builder.now_ms)
        return self.builder.add(
            "vitals-recorded.v1", self.nurse, stream=ward.record, content=content, event_id=identity
        )

    def amend_note(self, ward: contents.Ward, note: Built, *, text: str) -> Built:
        """Amend a note, keeping its time."""
        new = ward.note(note.event_id, self.doctor.staff, note.received_at_ms, text=text)
        new["status"] = "amended"
        return self.builder.add(
            "entry-amended.v1",
            self.doctor,
            stream=ward.record,
            content=contents.amendment("Bổ sung.", new),
            occurred_at_ms=note.received_at_ms,
            refs=(note.ref("amends"),),
        )

    def retract(self, ward: contents.Ward, target: Built) -> Built:
        """Mark an entry of the doctor's as entered in error."""
        return self.builder.add(
            "entry-retracted.v1",
            self.doctor,
            stream=ward.record,
            content={"reason": "Nhầm người bệnh."},
            refs=(target.ref("retracts"),),
        )

    def close(self, ward: contents.Ward) -> Built:
        """Close a record."""
        content = ward.encounter(start_ms=self.opened_ms[ward.record], end_ms=self.builder.now_ms)
        return self.builder.add(
            "record-closed.v1", self.doctor, stream=ward.record, content=content
        )

    def rotate(self, *, lost: bool = False, new: SoftKey | None = None) -> SoftKey:
        """Give the ledger a new checkpoint key; return the old one.

        Args:
            lost: let the second registrar sign instead of the old key.
            new: the new key; a fresh one by default.
        """
        old, self.checkpoint = self.checkpoint, new or SoftKey.generate("EdDSA")
        second = (self.second.staff, self.second.key) if lost else None
        self.builder.add(
            "checkpoint-key-rotated.v1",
            self.registrar,
            stream=self.facility,
            content=rotation(
                self.checkpoint,
                origin=self.builder.origin,
                old=None if lost else old,
                second=second,
            ),
        )
        return old

    def revoke(self, member: Author) -> Built:
        """Revoke a member's key."""
        return self.builder.add(
            "key-revoked.v1",
            self.registrar,
            stream=member.staff,
            content={"key_id": member.key.key_id, "reason": "lost"},
        )


def build_hospital(database: Database, *, events: int = 300) -> Hospital:
    """Build a hospital of some events (at least 30), committed: every type occurs but one.

    The last events are notes in the second record, so that there is a tail to tamper with.
    """
    builder = LedgerBuilder(database)
    hospital = Hospital(builder)
    hospital.found()
    builder.add(
        "policy-set.v1",
        hospital.registrar,
        stream=hospital.facility,
        content={"version": 1, "entry_deadline_hours": 24, "outage_deadline_hours": 72},
    )
    hospital.enrol(hospital.doctor, "doctor")
    hospital.enrol(hospital.nurse, "nurse")
    hospital.enrol(hospital.analyser, "laboratory", device=True)
    ward = hospital.ward
    hospital.admit(ward)
    note = hospital.note(ward)
    order = hospital.order(ward)
    hospital.vitals(ward)
    hospital.result(ward, order)
    hospital.amend_note(ward, note, text="Khám lại.")
    hospital.retract(ward, hospital.note(ward))
    hospital.close(ward)
    hospital.admit(hospital.other)
    while len(builder.events) < events:
        hospital.note(hospital.other, text=f"Ngày {len(builder.events)}.")
    builder.commit()
    return hospital
