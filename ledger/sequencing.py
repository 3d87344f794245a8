"""Say what admission and the API need of a sequencer, wherever it runs."""

import asyncio
from typing import Protocol

from ledger.errors import LedgerError
from ledger.keyring import Keyring
from ledger.lookup import Lookup
from ledger.rows import Head, Outcome
from ledger.state import DirectoryState
from ledger.submission import Submission


class SequencerLike(Protocol):
    """A sequencer in this process (`Sequencer`) or in another one (`RemoteSequencer`)."""

    keyring: Keyring
    lookup: Lookup

    @property
    def origin(self) -> str:
        """The ledger's origin."""
        ...

    @property
    def head(self) -> Head:
        """The committed head, as far as it is known here."""
        ...

    @property
    def directory(self) -> DirectoryState:
        """The keys, staff and roles, as far as they are known here."""
        ...

    @property
    def waiting(self) -> int:
        """How many submissions wait for their answer."""
        ...

    async def submit(self, submission: Submission) -> Outcome:
        """Append one admitted event; durable on return; see `Sequencer.submit`."""
        ...

    def enqueue(self, submission: Submission) -> asyncio.Future[Outcome]:
        """Take a submission in and return its answer to come; see `submit`.

        Submissions are decided in the order of these calls.

        Raises:
            UnavailableError: try again with the same event.
        """
        ...

    async def wait_stopped(self) -> LedgerError:
        """Wait until it stops for good and return why."""
        ...

    async def close(self) -> None:
        """Stop."""
        ...
