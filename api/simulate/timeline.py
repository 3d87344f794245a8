"""Tell the time in a stay: minutes after arrival, hours of its days, the share that is over."""

from decimal import Decimal
from typing import Final

from api.simulate.chance import Chance
from api.simulate.chart import DAY_MS, MINUTE_MS

HOUR_MS: Final = 60 * MINUTE_MS
_HANOI_MS: Final = 7 * HOUR_MS


class Timeline:
    """The hours of one stay; all times are milliseconds since 1970, whole minutes."""

    def __init__(self, chance: Chance, *, opened_ms: int, days: int) -> None:
        self._chance = chance
        self._opened_ms = opened_ms
        self._days = days
        self.end = self.time(days - 1, 15, 30)

    def time(self, day: int, hour: int, minute: int) -> int:
        """Return a time of a day of the stay, some minutes off; never before arrival."""
        midnight = (self._opened_ms + _HANOI_MS) // DAY_MS * DAY_MS - _HANOI_MS
        wanted = midnight + day * DAY_MS + hour * HOUR_MS
        wanted += (minute + self._chance.below(20)) * MINUTE_MS
        return max(wanted, self._opened_ms + (10 + self._chance.below(30)) * MINUTE_MS)

    def after(self, minutes: int) -> int:
        """Return a time so many minutes after arrival."""
        return self._opened_ms + (minutes + self._chance.below(5)) * MINUTE_MS

    def day(self, day: int) -> int:
        """Return a day of the stay; -1 is the day before discharge, where too late ones fall."""
        last = max(0, self._days - 2)
        return last if day < 0 else min(day, last)

    def share(self, at_ms: int) -> Decimal:
        """Return which share of the stay, 0 to 1, is over."""
        passed = Decimal(at_ms - self._opened_ms)
        return min(Decimal(1), passed / Decimal(max(1, self._days - 1) * DAY_MS))
