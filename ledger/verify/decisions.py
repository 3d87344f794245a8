"""Tell, for the report, what people have decided: set aside, succeeded, succeeding."""

from collections.abc import Iterator, Sequence

from ledger.state import DirectoryState


def describe_decisions(directory: DirectoryState, successors: Sequence[str]) -> Iterator[str]:
    """Tell of each decision in one line.

    Args:
        directory: as all events have made it.
        successors: rows of table `successor`; nobody has signed what they say.
    """
    for facts in directory.set_aside:
        decided = facts.decided
        count = decided.set_aside_size - decided.size
        yield f"from {decided.size} on, {count} entries were set aside by two: {facts.reason}"
    old = directory.succeeds
    if old is not None:
        cosigned = f", its last cosigned one {old.cosigned_size}" if old.cosigned_size else ""
        yield (
            f"succeeds {old.origin} (genesis {old.genesis}), whose last good checkpoint has size "
            f"{old.size}{cosigned}: {old.reason}"
        )
    for origin in successors:
        yield f"is succeeded by {origin}: nothing is appended here any more"
