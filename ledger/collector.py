"""Let the garbage collector look for cycles rarely, in processes that serve, fold or verify."""

import gc
from typing import Final

# Nearly nothing of what is decoded lies in cycles, and collections of the long-lived heap were the
# longest pauses (facts/eventsourcing.md §5.3); verifying, they took 15 to 18 % (measured).
_THRESHOLDS: Final = (100_000, 50, 1_000)


def calm_collector() -> None:
    """Leave what there is now out of all further collections, and collect rarely."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
