"""Generate HTTP load cheaply: prepared bytes out, the status of each answer in, one process."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final, cast

import msgspec
import uvloop
from typing_extensions import override

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of load did.

    Attributes:
        latencies: of every request, seconds.
        processor_seconds: that the load generator itself used.
        statuses: how many answers of each status.
    """

    latencies: list[float]
    seconds: float
    processor_seconds: float
    statuses: dict[int, int]

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds


def post(path: str, body: bytes, *, token: str) -> bytes:
    """Return the bytes of a POST request with a JSON body."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: ledger\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str, *, token: str) -> bytes:
    """Return the bytes of a GET request."""
    head = f"GET {path} HTTP/1.1\r\nhost: ledger\r\nauthorization: Bearer {token}\r\n\r\n"
    return head.encode()


def run_load(address: str, queues: Sequence[Sequence[bytes]]) -> Load:
    """Send each queue over a connection of its own, the next request after the answer before.

    Args:
        address: path of a Unix socket, or `host:port`.
        queues: requests, as bytes.
    """

    async def main() -> Load:
        loop = asyncio.get_running_loop()
        clients = [_Client(queue) for queue in queues]
        for client in clients:
            if address.startswith("/"):
                await loop.create_unix_connection(lambda one=client: one, address)
            else:
                host, _, port = address.rpartition(":")
                await loop.create_connection(lambda one=client: one, host, int(port))
        before = time.process_time()
        started = time.perf_counter()
        for client in clients:
            client.start()
        await asyncio.gather(*(client.done for client in clients))
        seconds = time.perf_counter() - started
        statuses: dict[int, int] = {}
        for client in clients:
            for status in client.statuses:
                statuses[status] = statuses.get(status, 0) + 1
        return Load(
            latencies=[latency for client in clients for latency in client.latencies],
            seconds=seconds,
            processor_seconds=time.process_time() - before,
            statuses=statuses,
        )

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


class _Client(asyncio.Protocol):
    def __init__(self, queue: Sequence[bytes]) -> None:
        self.latencies: list[float] = []
        self.statuses: list[int] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue = iter(queue)
        self._buffer = bytearray()
        self._expected = -1
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports write without being of asyncio's class for that.
        self._transport = cast("asyncio.WriteTransport", transport)

    def start(self) -> None:
        """Send the next request, or end."""
        request = next(self._queue, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._expected < 0:
            end = self._buffer.find(_HEAD_END)
            if end < 0:
                return
            head = bytes(self._buffer[:end]).lower()
            at = head.index(_LENGTH) + len(_LENGTH)
            length = int(head[at:].split(b"\r\n", 1)[0])
            self._expected = end + len(_HEAD_END) + length
            self.statuses.append(int(head[9:12]))
        if len(self._buffer) >= self._expected:
            self.latencies.append(time.perf_counter() - self._sent_at)
            self._buffer.clear()
            self._expected = -1
            self.start()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))
