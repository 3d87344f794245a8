"""Show the ledger to the `eventsourcing` library, so that its projections run on it unmodified.

The library's names on ours: originator = stream, originator_version = version, topic = the event
type's permanent tag, notification id = position + 1, state = msgpack of
`[statement, container, salt, content or nil]`, each the exact bytes.

Appending through this module is the *bare layer*: it orders and chains what it is given, and
knows no signatures and no rules. It is therefore open only to a `States` that can make entries
(contract tests have one); `SignedStates`, which reads the real ledger, refuses.

Two clauses of the library's contract are tightened. Versions start at 1 and have no gaps, because
each entry's link is a hash over the previous version's leaf; and `tracking` cannot be written with
events, because nothing but the sequencer's batch may share its transaction.
"""

from pathlib import Path

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    ProcessRecorder,
    ProgrammingError,
    TrackingRecorder,
)
from eventsourcing.utils import Environment, EnvType
from typing_extensions import override

from ledger.clock import SystemClock
from ledger.database import Database
from ledger.founding import open_keyring
from ledger.recorder.states import SignedEvent, SignedEventMapper, SignedStates
from ledger.recorder.storage import LedgerRecorder
from ledger.recorder.subscription import LedgerSubscription
from ledger.store import EntryStore

__all__ = [
    "LedgerFactory",
    "LedgerRecorder",
    "LedgerSubscription",
    "SignedEvent",
    "SignedEventMapper",
    "SignedStates",
]


class LedgerFactory(InfrastructureFactory[TrackingRecorder]):
    """What the library asks for persistence: `PERSISTENCE_MODULE=ledger.recorder`.

    Environment: CLINLEDGER_DATABASE_URL, CLINLEDGER_SCHEMA (default `ledger`), CLINLEDGER_HOME.
    """

    def __init__(self, env: Environment | EnvType | None) -> None:
        """Take the library's environment."""
        super().__init__(env)
        self._recorders: list[LedgerRecorder] = []

    @override
    def application_recorder(self) -> ApplicationRecorder:
        """Return a recorder that reads the ledger of the environment."""
        database = Database(
            self.env.get("CLINLEDGER_DATABASE_URL") or "",
            self.env.get("CLINLEDGER_SCHEMA") or "ledger",
        )
        home = Path(self.env.get("CLINLEDGER_HOME") or ".clinledger")
        with database.connect("reader") as connection:
            keyring = open_keyring(EntryStore(connection, database), home)
        recorder = LedgerRecorder(database, SignedStates(keyring), clock=SystemClock())
        self._recorders.append(recorder)
        return recorder

    @override
    def close(self) -> None:
        """Close the connections of the recorders that this factory made."""
        while self._recorders:
            self._recorders.pop().close()

    @override
    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Return the same recorder: streams are the ledger's only aggregates."""
        return self.application_recorder()

    @override
    def tracking_recorder(
        self, tracking_recorder_class: type[TrackingRecorder] | None = None
    ) -> TrackingRecorder:
        """Refuse: views of the library's own live elsewhere (`eventsourcing.postgres`, `popo`)."""
        raise ProgrammingError("the ledger keeps no views of others: use another module for them")

    @override
    def process_recorder(self) -> ProcessRecorder:
        """Refuse: nothing but signed events is appended."""
        raise ProgrammingError("the ledger is not a process recorder")
