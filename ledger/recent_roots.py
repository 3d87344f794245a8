"""Remember the roots that the tree had lately: what authors have seen is then quickly checked."""

import itertools
from collections.abc import Iterable


class RecentRoots(dict[int, bytes]):
    """Roots by tree size. Forgets only when told: a batch finds all that was loaded for it."""

    def __init__(self, *, capacity: int = 4_096) -> None:
        """Keep about `capacity` roots."""
        super().__init__()
        self._capacity = capacity

    def missing(self, sizes: Iterable[int], *, up_to: int) -> list[int]:
        """Return those sizes, each once and none above `up_to`, whose roots must be loaded."""
        return [size for size in dict.fromkeys(sizes) if size not in self and size <= up_to]

    def trim(self) -> None:
        """Drop the roots that came first, above the bound; call between batches only."""
        for size in list(itertools.islice(self, max(0, len(self) - self._capacity))):
            del self[size]
