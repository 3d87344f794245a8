"""Count and time what the server does, for Prometheus. No label ever holds an id or a name."""

from collections.abc import Callable
from typing import Final, TypeVar

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_EVENTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
M = TypeVar("M", Counter, Histogram)


class Metrics:
    """The metrics of one server, in a registry of its own.

    Attributes:
        append_seconds: from an authenticated event to its durable receipt or refusal, by outcome:
            `created`, `repeated`, `refused`, `unavailable`, `failed`.
        batch_events: how many events the requests to `/v1/events/batch` carried.
        requests: by method, route template and status.
        request_seconds: by method and route template.
        corruption: damaged stored bytes met while reading; anything above 0 calls for `verify`.
    """

    def __init__(self) -> None:
        """Create the metrics, all at zero."""
        self.registry: Final = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.append_seconds: Final = Histogram(
            "clinledger_append_seconds",
            "Time from an authenticated event to its durable receipt or refusal",
            ["outcome"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batch_events: Final = Histogram(
            "clinledger_batch_events",
            "Events in a request to /v1/events/batch",
            buckets=_EVENTS,
            registry=self.registry,
        )
        self.requests: Final = Counter(
            "clinledger_http_requests",
            "Requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.request_seconds: Final = Histogram(
            "clinledger_http_request_seconds",
            "Time to answer a request",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._appends: Final[dict[tuple[str, ...], Histogram]] = {}
        self._counts: Final[dict[tuple[str, ...], Counter]] = {}
        self._times: Final[dict[tuple[str, ...], Histogram]] = {}
        self.corruption: Final = Counter(
            "clinledger_corruption",
            "Reads that met damaged stored bytes",
            registry=self.registry,
        )

    def observe_append(self, outcome: str, seconds: float) -> None:
        """Count and time one append."""
        _child(self._appends, self.append_seconds, outcome).observe(seconds)

    def observe_request(self, method: str, route: str, *, status: str, seconds: float) -> None:
        """Count and time one request."""
        _child(self._counts, self.requests, method, route, status).inc()
        _child(self._times, self.request_seconds, method, route).observe(seconds)

    def watch(
        self,
        *,
        head_size: Callable[[], float],
        waiting: Callable[[], float],
        projected: Callable[[], float],
    ) -> None:
        """Take gauges from functions that are asked on every scrape.

        Args:
            head_size: entries committed.
            waiting: submissions that wait for the next commit.
            projected: position that the views have reached, -1 for none.
        """
        self._gauge("clinledger_head_size", "Entries in the ledger", head_size)
        self._gauge("clinledger_append_waiting", "Submissions waiting for the next commit", waiting)
        self._gauge(
            "clinledger_projection_lag_events",
            "Entries that the views have not folded yet",
            lambda: max(0.0, head_size() - 1 - projected()),
        )

    def render(self) -> bytes:
        """Return the text that Prometheus scrapes."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        Gauge(name, text, registry=self.registry).set_function(value)


def _child(known: dict[tuple[str, ...], M], metric: M, *labels: str) -> M:
    """Return the metric with these labels, remembered: `labels` takes longer than counting."""
    child = known.get(labels)
    if child is None:
        child = known[labels] = metric.labels(*labels)
    return child
