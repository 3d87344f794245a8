"""Found a ledger if there is none, and enrol the simulated hospital's staff; safe to repeat."""

from collections.abc import Mapping
from typing import Final

import msgspec

from api.client import LedgerClient
from api.directory_documents import founding_document, proved_key
from api.keystore import KeyStore
from api.simulate.chance import derived_id
from api.simulate.fhir import FHIR_MEDIA_TYPE, JSON_MEDIA_TYPE, JsonObject, encode
from api.simulate.staff import REGISTRARS, STAFF, StaffMember
from api.simulate.staff_resources import staff_resource
from api.simulate.submitter import Author, Means, Submitter
from ledger.draft import Draft
from ledger.errors import EnvironmentRefusedError
from signing.statement import StreamKind

CHECKPOINT_KEY: Final = "checkpoint"
"""Name of the checkpoint key's file."""


class Staffing(msgspec.Struct, frozen=True, kw_only=True):
    """What enrolling needs.

    Attributes:
        registrar: of a ledger that others founded: who enrols the simulated staff; else None.
    """

    client: LedgerClient
    origin: str
    keys: KeyStore
    means: Means
    registrar: Author | None = None


async def enrol_hospital(staffing: Staffing, submitter: Submitter) -> Mapping[str, Author]:
    """Found and enrol what is missing; return everybody by staff key.

    A crash between any two steps is completed by the next call. Keys are on disk before the
    ledger learns of them.

    Raises:
        EnvironmentRefusedError: others founded the ledger and no registrar was given, or the
            founders' keys are lost.
        RejectedError: the ledger refuses an enrolment.
    """
    enrolment = _Enrolment(staffing, submitter)
    await enrolment.found()
    return {member.key: await enrolment.enrol(member) for member in STAFF}


class _Enrolment:
    def __init__(self, staffing: Staffing, submitter: Submitter) -> None:
        self._staffing = staffing
        self._submitter = submitter
        self._founded_here = False
        self._registrar: Author

    async def found(self) -> None:
        """Submit the founding event unless the ledger has one; find out who enrols staff."""
        staffing, founding_id = self._staffing, self._id("founding")
        self._founded_here = founding_id in await self._submitter.known((founding_id,))
        info = await self._submitter.patiently(staffing.client.ledger_info)
        if info.head is None and not self._founded_here:
            authors = [self._author(member, create=True) for member in REGISTRARS]
            facility = derived_id("clinledger/simulate/facility", staffing.origin)
            draft = self._draft(facility, "facility", founding_id, "ledger-founded.v1")
            content = encode(self._founding(authors))
            await self._submit(draft, content, authors[0])
            self._founded_here = True
        if self._founded_here:
            self._registrar = self._author(REGISTRARS[0], create=False)
        elif staffing.registrar is None:
            raise EnvironmentRefusedError(
                "this ledger was founded by others: a registrar's key is needed to enrol staff"
            )
        else:
            self._registrar = staffing.registrar

    async def enrol(self, member: StaffMember) -> Author:
        """Enrol one member, their key and their roles, as far as they are not."""
        founder = self._founded_here and member in REGISTRARS
        author = self._author(member, create=not founder)
        staff = author.staff
        kind = "device-enrolled.v1" if member.is_device else "practitioner-enrolled.v1"
        wanted = {self._id(member.key, "enrolled"): kind}
        if not founder:
            wanted[self._id(member.key, "key", author.key.key_id)] = "key-enrolled.v1"
            wanted |= {self._id(member.key, "role", role): role for role in member.roles}
        known = await self._submitter.known(tuple(wanted))
        for event_id, what in wanted.items():
            if event_id in known:
                continue
            if what == kind:
                content = encode(staff_resource(member, staff))
            elif what == "key-enrolled.v1":
                content = await self._proved(author)
            else:
                content = encode({"role": what})
            event_type = what if what.endswith(".v1") else "role-granted.v1"
            draft = self._draft(staff, "staff", event_id, event_type)
            await self._submit(draft, content, self._registrar)
        return author

    async def _submit(self, draft: Draft, content: bytes, author: Author) -> None:
        fhir = draft.type in {"practitioner-enrolled.v1", "device-enrolled.v1"}
        whole = msgspec.structs.replace(
            draft, content=content, media_type=FHIR_MEDIA_TYPE if fhir else JSON_MEDIA_TYPE
        )
        await self._submitter.submit(whole, author)

    def _founding(self, registrars: list[Author]) -> JsonObject:
        staffing = self._staffing
        checkpoint = staffing.keys.load_or_create(CHECKPOINT_KEY, "EdDSA")
        proving = [(one.staff, one.key, staffing.means.randomness(16).hex()) for one in registrars]
        return founding_document(staffing.origin, checkpoint=checkpoint, registrars=proving)

    async def _proved(self, author: Author) -> bytes:
        """Return the content that enrols a key, over a nonce of the ledger's."""
        staffing = self._staffing
        nonce = await self._submitter.patiently(
            lambda: staffing.client.possession_nonce(author.staff)
        )
        return encode(
            proved_key(author.key, origin=staffing.origin, staff=author.staff, nonce=nonce)
        )

    def _author(self, member: StaffMember, *, create: bool) -> Author:
        staff = member.staff_id(self._staffing.origin)
        keys = self._staffing.keys
        key = keys.load_or_create(staff, member.alg) if create else keys.load(staff)
        if key is None:
            raise EnvironmentRefusedError(f"the founder's key is missing: {keys.path(staff)}")
        return Author(staff=staff, key=key)

    def _id(self, *words: str) -> str:
        return derived_id("clinledger/simulate/directory", self._staffing.origin, *words)

    def _draft(self, stream: str, kind: StreamKind, event_id: str, event_type: str) -> Draft:
        return Draft(
            stream=stream,
            stream_kind=kind,
            event_id=event_id,
            type=event_type,
            occurred_at_ms=self._staffing.means.clock.now_ms(),
            media_type=JSON_MEDIA_TYPE,
            content=b"",
        )
