"""Tell the head to clients at most once a second, and let the feed wait for it to move."""

import asyncio
from collections.abc import Callable
from typing import Final

from ledger.clock import Clock
from ledger.rows import Head

REFRESH_MS: Final = 1_000
_POLL_SECONDS: Final = 0.1


class HeadWatch:
    """Watches the committed head of one sequencer."""

    def __init__(self, head: Callable[[], Head], *, clock: Clock) -> None:
        """Ask `head` for the committed head."""
        self._head = head
        self._clock = clock
        self._told: tuple[int, Head] | None = None

    def told(self) -> Head:
        """Return a head that is at most a second old.

        Everyone is told the same one for a second, so that statements name few different sizes
        in `seen` and verification, which recomputes the root of each, stays cheap.
        """
        now = self._clock.now_ms()
        if self._told is None or not 0 <= now - self._told[0] < REFRESH_MS:
            self._told = (now, self._head())
        return self._told[1]

    async def wait_beyond(self, position: int, *, seconds: float) -> None:
        """Return when the ledger has an entry after this position, or after that many seconds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._head().size <= position + 1:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return
            await asyncio.sleep(min(_POLL_SECONDS, left))
