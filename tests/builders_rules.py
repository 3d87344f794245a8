"""A small ledger without storage, for tests of profiles and rules: synthetic people only.

`World` plays the sequencer: it reads facts, decides and evolves, and keeps every statement so that
tests can refer to them. The builders return resources as plain JSON, to be changed at will.
"""

# ruff: noqa: ANN401 - members of statements and elements of resources are of any type

import base64
import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from ledger.catalogue import event_type
from ledger.decide import RuleContext, decide, streams_needed
from ledger.errors import RejectedError
from ledger.evolve import evolve
from ledger.facts import AnyFacts, read_facts
from ledger.profiles.keys import format_verifier_key
from ledger.roles import Role, StaffKind
from ledger.state import DirectoryState, EventSummary, StreamState
from signing.keys import SoftKey
from signing.possession import build_possession
from signing.statement import (
    ContentClaim,
    Ref,
    Statement,
    StreamKind,
    encode_statement,
    statement_digest,
)
from tests.builders_resources import OCCURRED_AT, Json, an_id, device, practitioner

ORIGIN = "bvdk.quangninh.example/ledger"
FACILITY = an_id("facility")
CHECKPOINT_SOFT_KEY = SoftKey.generate("EdDSA")
CHECKPOINT_KEY = format_verifier_key(ORIGIN, CHECKPOINT_SOFT_KEY.spki[-32:])


@contextmanager
def refused(code: str, pointer: str | None = None) -> Generator[None]:
    """Demand that the block is refused with this code, at this place when one is given."""
    with pytest.raises(RejectedError) as caught:
        yield
    assert caught.value.code == code
    assert pointer is None or caught.value.pointer == pointer


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a world has taken."""

    statement: Statement
    digest: str
    facts: AnyFacts

    def ref(self, relation: str) -> Ref:
        """Refer to this event."""
        return msgspec.convert(
            {
                "event_id": self.statement.event_id,
                "relation": relation,
                "statement": self.digest,
            },
            Ref,
        )


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An event to be offered to a world; see `World.draft`."""

    statement: Statement
    content: bytes


class World:
    """A ledger in memory, as far as the rules know it."""

    def __init__(self) -> None:
        self.directory = DirectoryState.empty()
        self.streams: dict[str, StreamState] = {}
        self.position = 0
        self.keys: dict[str, SoftKey] = {}
        self.taken: list[Draft] = []

    def stream(self, stream: str) -> StreamState:
        """Return a stream's state, empty for a new one."""
        return self.streams.setdefault(stream, StreamState.empty(stream))

    def summary(self, taken: Taken) -> EventSummary:
        """Return what the state knows of an event."""
        return self.streams[taken.statement.stream].events[taken.statement.event_id]

    def key_of(self, staff: str) -> SoftKey:
        """Return (making it once) the first key of a member of staff."""
        if staff not in self.keys:
            self.keys[staff] = SoftKey.generate("ES256")
        return self.keys[staff]

    def draft(  # noqa: PLR0913 - each argument is a member of the statement
        self,
        tag: str,
        content: Mapping[str, Any] | bytes,
        *,
        stream: str,
        signer: str,
        refs: Sequence[Ref] = (),
        event_id: str = "",
        occurred_at: str = OCCURRED_AT,
        **changes: Any,
    ) -> Draft:
        """Build an event; `event_id` defaults to the content's own id, or a new one."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        key = self.key_of(signer)
        fields: dict[str, Any] = {
            "alg": key.alg,
            "content": ContentClaim(
                digest="ab" * 32, media_type=event_type(tag).media_type, size=len(data)
            ),
            "event_id": event_id or self._event_id(content),
            "format": "clinledger/statement/v1",
            "key_id": key.key_id,
            "ledger": ORIGIN,
            "occurred_at": occurred_at,
            "refs": tuple(refs) or UNSET,
            "signed_at": "2026-11-20T04:00:00.000Z",
            "signer": signer,
            "stream": stream,
            "stream_kind": self._kind_of(tag, stream),
            "type": tag,
        }
        return Draft(statement=Statement(**{**fields, **changes}), content=data)

    def take(self, draft: Draft) -> Taken:
        """Read, decide and apply an event, as the sequencer does; raise what they raise."""
        statement = draft.statement
        facts = read_facts(statement, draft.content)
        names = (statement.stream, *streams_needed(statement, facts))
        context = RuleContext(
            directory=self.directory,
            streams={name: self.stream(name) for name in names},
            position=self.position,
        )
        digest = statement_digest(encode_statement(statement))
        decide(context, statement, facts)
        evolve(context, statement, facts, statement_digest=digest)
        stream = self.stream(statement.stream)
        stream.version += 1
        stream.leaf_hash = digest
        self.position += 1
        self.taken.append(draft)
        return Taken(statement=statement, digest=digest.hex(), facts=facts)

    def read(self, draft: Draft) -> AnyFacts:
        """Read the facts of an event, without taking it."""
        return read_facts(draft.statement, draft.content)

    def add(self, tag: str, content: Mapping[str, Any] | bytes, **members: Any) -> Taken:
        """Build an event and take it."""
        return self.take(self.draft(tag, content, **members))

    def _event_id(self, content: Mapping[str, Any] | bytes) -> str:
        if isinstance(content, bytes):
            return an_id(f"event {self.position}")
        resource = content
        if content.get("resourceType") == "Bundle":
            resource = content["entry"][0]["resource"]
        streams = {"Patient", "Encounter", "Practitioner", "Device"}
        if resource.get("resourceType", "Patient") in streams:
            return an_id(f"event {self.position}")
        return str(resource["id"])

    def _kind_of(self, tag: str, stream: str) -> StreamKind:
        kinds = event_type(tag).stream_kinds
        known = self.stream(stream).kind
        return known if known and known in kinds else max(kinds)


def proved_key(key: SoftKey, staff: str, nonce: str = "", origin: str = ORIGIN) -> Json:
    """Return alg, spki and possession proof of a key."""
    proof = build_possession(key, origin=origin, staff=staff, nonce=nonce or f"nonce {staff}")
    return {
        "alg": key.alg,
        "spki": base64.b64encode(key.spki).decode(),
        "possession": proof.decode(),
    }


REGISTRAR = an_id("registrar")
SECOND_REGISTRAR = an_id("second registrar")


def founding(world: World) -> Json:
    """Return the founding document of two registrars."""
    return {
        "origin": ORIGIN,
        "checkpoint_key": CHECKPOINT_KEY,
        "registrars": [
            {"staff": staff, **proved_key(world.key_of(staff), staff)}
            for staff in (REGISTRAR, SECOND_REGISTRAR)
        ],
    }


def founded() -> World:
    """Return a ledger with its founding event only."""
    world = World()
    world.add("ledger-founded.v1", founding(world), stream=FACILITY, signer=REGISTRAR)
    return world


def enrol(world: World, name: str, *roles: Role, kind: StaffKind = "practitioner") -> str:
    """Enrol a person or device with a key and roles; return the staff stream's id."""
    staff = an_id(name)
    resource = practitioner(staff) if kind == "practitioner" else device(staff)
    world.add(f"{kind}-enrolled.v1", resource, stream=staff, signer=REGISTRAR)
    key = proved_key(world.key_of(staff), staff)
    world.add("key-enrolled.v1", key, stream=staff, signer=REGISTRAR)
    for role in roles:
        world.add("role-granted.v1", {"role": role}, stream=staff, signer=REGISTRAR)
    return staff
