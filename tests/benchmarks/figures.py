"""Keep the figures of a run: one value per round and name, ratios within a round, their spread."""

import statistics
import sys
import time
from collections.abc import Callable, Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """The middle and the extremes of a figure over the rounds of a run."""

    median: float
    low: float
    high: float

    def text(self, digits: int = 2) -> str:
        """Return `median (low-high)`."""
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f}-{self.high:,.{digits}f})"


def spread_of(values: Sequence[float]) -> Spread:
    """Return the spread of at least one value."""
    return Spread(median=statistics.median(values), low=min(values), high=max(values))


class Figures:
    """Values by name, one for each round. Rates are per second, latencies milliseconds."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        """Take the figure of this round and tell it."""
        self.note(name, value)
        say(f"  {name:<58} {value:>12,.2f}")

    def note(self, name: str, value: float) -> None:
        """Take a figure without telling it."""
        self._values.setdefault(name, []).append(value)

    def add_latencies(self, name: str, seconds: Sequence[float]) -> None:
        """Take the 50th, 95th and 99th percentile of this round's latencies, in milliseconds."""
        for percent in (50, 95, 99):
            self.add(f"{name} p{percent} ms", 1000 * percentile(seconds, percent))

    def has(self, name: str) -> bool:
        """Tell whether there is such a figure."""
        return name in self._values

    def spread(self, name: str) -> Spread:
        """Return a figure's spread."""
        return spread_of(self._values[name])

    def ratio(self, name: str, baseline: str) -> Spread:
        """Return a figure in units of a baseline, each round's by the same round's."""
        pairs = zip(self._values[name], self._values[baseline], strict=False)
        return spread_of([value / base for value, base in pairs])

    def all(self) -> dict[str, list[float]]:
        """Return every value of every round, by name."""
        return self._values


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent * 10) // 1000) - 1)]


def timed(look: Callable[[], object], times: int) -> list[float]:
    """Return how long each of so many looks took, seconds, after one that does not count."""
    latencies: list[float] = []
    look()
    for _ in range(times):
        started = time.perf_counter()
        look()
        latencies.append(time.perf_counter() - started)
    return latencies


def say(text: str) -> None:
    """Tell progress, with the time, on stderr."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()
