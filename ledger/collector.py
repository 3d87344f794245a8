"""Let the garbage collector look for cycles rarely, in processes that serve, fold or verify."""

import contextlib
import gc
from collections.abc import Generator
from typing import Final

# Nearly nothing of what is decoded lies in cycles, and collections of the long-lived heap were the
# longest pauses (facts/eventsourcing.md §5.3); verifying, they took 15 to 18 % (measured).
_THRESHOLDS: Final = (100_000, 50, 1_000)


def calm_collector() -> None:
    """Leave what there is now out of all further collections, and collect rarely."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


@contextlib.contextmanager
def collecting_rarely() -> Generator[None]:
    """Collect rarely for a while, in a process that goes on to do other things."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
