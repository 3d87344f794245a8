"""Carry one batch from its decisions to its answers: who is in it, and what became of each."""

import os
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from ledger.batch import Batch, Duplicate
from ledger.errors import RejectedError, UnavailableError
from ledger.waiting import Decided, Waiting

_LINK_SALT_BYTES: Final = 32
# Events decided at a time beside a commit. About as many also fit into the socket to PostgreSQL:
# of a longer statement the rest is sent only when the event loop is free again, and the server
# waits for it instead of working meanwhile.
_SLICE: Final = 64


class Pace:
    """How long deciding and committing took lately."""

    def __init__(self) -> None:
        """Know nothing: nothing seems quick."""
        self._decide_each = 0.0
        self._commit = float("inf")
        self._committed = 0

    def decided(self, count: int, seconds: float) -> None:
        """Take note of how long deciding so many took."""
        self._decide_each = seconds / count

    def committed(self, count: int, seconds: float) -> None:
        """Take note of how long committing so many took."""
        self._committed, self._commit = count, seconds

    def portion(self, count: int, *, committing: bool) -> int:
        """Return how many of so many that wait to decide before looking around again."""
        if committing:
            return min(count, _SLICE)
        return min((count + 1) // 2, _SLICE) if self._halving_pays(count) else count

    def _halving_pays(self, count: int) -> bool:
        """Tell whether to commit half of so many first and decide the others meanwhile.

        That costs one commit more and saves the time of deciding them, roughly: it pays where a
        commit's fixed part is the shorter. An event takes about as long to commit as to decide,
        so the fixed part is what the last commit took beyond that.
        """
        return self._commit - self._committed * self._decide_each < count * self._decide_each


class Plan(msgspec.Struct, kw_only=True):
    """A batch on its way.

    Attributes:
        items: who is in it, refused or not, in order of arrival.
        decided: those who were not refused.
        refused: the others, with the reasons; told only once everything is committed that the
            refusals rest on.
    """

    batch: Batch
    items: list[Waiting] = msgspec.field(default_factory=list[Waiting])
    decided: list[Decided] = msgspec.field(default_factory=list[Decided])
    refused: list[tuple[Waiting, RejectedError | UnavailableError]] = msgspec.field(
        default_factory=list[tuple[Waiting, RejectedError | UnavailableError]]
    )

    def decide(self, items: Sequence[Waiting], pace: Pace) -> None:
        """Decide more submissions, in order."""
        started = time.perf_counter()
        self.items += items
        salts = os.urandom(_LINK_SALT_BYTES * len(items))
        for number, item in enumerate(items):
            salt = salts[_LINK_SALT_BYTES * number : _LINK_SALT_BYTES * (number + 1)]
            try:
                outcome = self.batch.add(item.submission, link_salt=salt)
            except (RejectedError, UnavailableError) as error:
                self.refused.append((item, error))
                continue
            created = not isinstance(outcome, Duplicate)
            self.decided.append(Decided(item=item, event_id=outcome.event_id, created=created))
        pace.decided(len(items), time.perf_counter() - started)
