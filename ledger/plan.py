"""Carry one batch from its decisions to its answers: who is in it, and what became of each."""

import os
from collections.abc import Sequence
from typing import Final

import msgspec

from ledger.batch import Batch, Duplicate
from ledger.errors import RejectedError, UnavailableError
from ledger.waiting import Decided, Waiting

_LINK_SALT_BYTES: Final = 32


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

    def decide(self, items: Sequence[Waiting]) -> None:
        """Decide more submissions, in order."""
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
