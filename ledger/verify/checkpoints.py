"""Compare signed checkpoints with the tree: those that somebody kept, and those stored here.

A checkpoint is the ledger's signed word of its state. Whoever kept one holds the ledger to it: it
must be the tree's at that size for ever.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ledger.checkpoint_keys import CheckpointKey, verify_in_force
from ledger.errors import EnvironmentRefusedError
from ledger.verify.report import NOWHERE, Findings, Place
from ledger.verify.rows import CheckpointRow
from ledger.verify.tree import LedgerTree
from signing.checkpoints import Checkpoint, parse_checkpoint
from signing.errors import SigningError
from signing.notes import MAX_NOTE_BYTES, parse_note


def read_checkpoints(paths: Iterable[Path]) -> tuple[bytes, ...]:
    """Read files of one signed checkpoint each.

    Raises:
        EnvironmentRefusedError: a file cannot be read, or is no signed checkpoint.
    """
    return tuple(_read(path) for path in paths)


def size_of(note: bytes) -> int:
    """Return the size that a well-formed checkpoint names, whoever signed it."""
    return parse_checkpoint(parse_note(note).text).size


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            note = file.read(MAX_NOTE_BYTES + 1)
        parse_checkpoint(parse_note(note).text)
    except OSError as error:
        raise EnvironmentRefusedError(f"the checkpoint {path} cannot be read") from error
    except SigningError as error:
        raise EnvironmentRefusedError(f"{path} is no signed checkpoint ({error.code})") from None
    return note


class CheckpointChecker:
    """Holds checkpoints against the tree, as far as it has grown."""

    def __init__(
        self, findings: Findings, tree: LedgerTree, *, keys: Sequence[CheckpointKey]
    ) -> None:
        """Report what contradicts the tree or the chain of keys.

        Args:
            findings: where to report.
            tree: of all entries.
            keys: that the ledger's events name.
        """
        self._findings = findings
        self._tree = tree
        self._keys = keys

    def check(self, note: bytes, *, what: str, claimed: int | None = None) -> Checkpoint | None:
        """Check one checkpoint; return what it says when its signature is good.

        Args:
            note: its bytes.
            what: which one, for the finding.
            claimed: the size by which it is stored.
        """
        place = _place(claimed)
        if not self._keys:
            self._add(place, f"{what}: no founding event names a key to check it by")
            return None
        try:
            found = verify_in_force(note, self._keys).checkpoint
        except SigningError as error:
            self._add(place, f"{what}: not signed by the checkpoint key in force ({error.code})")
            return None
        if found.size > self._tree.size:
            place = Place(position=self._tree.size)
            self._add(place, f"{what}: signed at {found.size} entries; there are fewer now")
        elif self._tree.root_at(found.size) != found.root:
            place = _place(found.size)
            self._add(place, f"{what}: another tree of {found.size} entries was signed")
        return found

    def _add(self, place: Place, detail: str) -> None:
        self._findings.add("checkpoint-inconsistent", place, detail)


def check_stored(
    rows: Iterable[CheckpointRow],
    checker: CheckpointChecker,
    findings: Findings,
    *,
    table: str,
) -> tuple[int, ...]:
    """Check the rows of a table of checkpoints, in the order of their numbers.

    Returns:
        The sizes at which they stand, of many only some.
    """
    return spread(_check_rows(rows, checker, findings, table=table))


def spread(sizes: Iterable[int], *, most: int = 200) -> tuple[int, ...]:
    """Return sizes as they come, or each 2nd, 4th, 8th... so that there are at most so many."""
    kept: list[int] = []
    step = 1
    for number, size in enumerate(sizes):
        if number % step:
            continue
        kept.append(size)
        if len(kept) > most:
            del kept[1::2]
            step *= 2
    return tuple(kept)


def _check_rows(
    rows: Iterable[CheckpointRow],
    checker: CheckpointChecker,
    findings: Findings,
    *,
    table: str,
) -> Iterator[int]:
    number = 0
    for row in rows:
        number += 1
        what = f"stored {table} {number}"
        if row.number != number:
            findings.add(
                "checkpoint-inconsistent",
                _place(row.size),
                f"{what} is missing, or numbered {row.number}",
            )
            number = max(row.number, number)
        found = checker.check(row.note, what=what, claimed=row.size)
        if found is not None and found.size != row.size:
            findings.add("column-mismatch", _place(found.size), f"{what} is stored by another size")
        yield row.size


def check_kept(notes: Sequence[bytes], checker: CheckpointChecker) -> None:
    """Check the checkpoints that somebody kept."""
    for number, note in enumerate(notes, 1):
        checker.check(note, what=f"checkpoint {number} of those given", claimed=size_of(note))


def _place(size: int | None) -> Place:
    return Place(position=size - 1) if size is not None and size > 0 else NOWHERE
