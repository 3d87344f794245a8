"""Derive the directory from what is stored in the open, for those without the facility key.

Of each event the digests, the author's signature and role are checked, of a rotation of the
checkpoint key everything. Positions, links and the tree are not: `verify` does that.
"""

from collections.abc import Iterable

from ledger.catalogue import event_type
from ledger.checkpoint_keys import CheckpointKey
from ledger.database import Connection, Database
from ledger.errors import CorruptionError, EnvironmentRefusedError, RejectedError
from ledger.evolve import evolve
from ledger.facts import AnyFacts, FoundingFacts, RotationFacts, read_facts
from ledger.reader import open_event
from ledger.rows import EntryRow, Event
from ledger.rules.authority import check_author, check_key
from ledger.rules.context import RuleContext
from ledger.rules.facility import check_founded
from ledger.rules.rotation import check_rotation
from ledger.state import DirectoryState, StreamState
from ledger.store import EntryStore
from ledger.verify.signatures import Signature, fault_of
from signing.statement import statement_digest


def read_checkpoint_keys(connection: Connection, database: Database) -> tuple[CheckpointKey, ...]:
    """Return the ledger's checkpoint keys, by position; no key is needed for that.

    Raises:
        EnvironmentRefusedError: nothing was founded here.
        CorruptionError: an event of the directory contradicts its digests or its signature, or
            its author could not sign it.
    """
    rows = EntryStore(connection, database).rows_in_the_open()
    if not rows:
        raise EnvironmentRefusedError("there is no ledger here yet: see `clinledger init --help`")
    return tuple(_fold(rows).checkpoint_keys)


def _fold(rows: Iterable[EntryRow]) -> DirectoryState:
    directory = DirectoryState.empty()
    streams: dict[str, StreamState] = {}
    for row in rows:
        event = open_event(row, key=None, origin="")
        stream = streams.setdefault(event.stream, StreamState.empty(event.stream))
        context = RuleContext(
            directory=directory, streams={event.stream: stream}, position=event.position
        )
        try:
            facts = read_facts(event.statement, event.content or b"")
            _judge(context, event, facts)
        except RejectedError as error:
            raise CorruptionError("rule-broken", event.position, error.code) from None
        digest = statement_digest(event.statement_bytes)
        evolve(context, event.statement, facts, statement_digest=digest)
    return directory


def _judge(context: RuleContext, event: Event, facts: AnyFacts) -> None:
    """Check who signed, and that they could."""
    if isinstance(facts, FoundingFacts) and not context.directory.origin:
        first = facts.registrars[0]
        _check_signature(event, first.spki, first.alg)
        return
    statement = event.statement
    check_founded(context, statement)
    check_key(context, statement)
    key = context.directory.keys[statement.key_id]
    _check_signature(event, key.spki, key.alg)
    check_author(context, statement, event_type(statement.type), facts)
    if isinstance(facts, RotationFacts):
        check_rotation(context, statement, facts)


def _check_signature(event: Event, spki: bytes, alg: str) -> None:
    fault = fault_of(Signature(event.container, event.statement_bytes, spki, alg))
    if fault is not None:
        raise CorruptionError(fault.code, event.position, fault.detail)
