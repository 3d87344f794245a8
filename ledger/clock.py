"""Give the time as an argument, so that tests and replays decide what time it is."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Implementations may go backwards: callers guard against it."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now_ms(self) -> int:
        """Return this machine's time in milliseconds since 1970."""
        return time.time_ns() // 1_000_000
