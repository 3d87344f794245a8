"""A proxy before PostgreSQL that cuts a connection at a chosen message of the client's.

It understands as much of the protocol as it needs: where a message ends, and which one the server
answers. So each message can be lost in two ways: the server never got it, or the server did what
it said and the answer never came back.
"""

import contextlib
import enum
import select
import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from psycopg import conninfo

PORT: Final = 5432
_STARTUP: Final = 196608  # protocol 3.0; a request to cancel, for TLS or for GSSAPI has others
_ANSWERED: Final = frozenset(b"QS")  # Query and Sync end in ReadyForQuery
_READY: Final = b"Z"
_HEADER: Final = struct.Struct(">cI")


class Loss(enum.Enum):
    """What is lost when a connection is cut at a message."""

    REQUEST = "it did not happen"
    ANSWER = "it happened, and the answer was lost"


Cut = Callable[[int], Loss | None]
"""Tells what to lose at the client's n-th message, counted from 1 over all connections."""


class CuttingProxy:
    """Listens on a Unix socket of its own and passes everything on, until a cut is due."""

    def __init__(self, url: str) -> None:
        """Stand before the server of this URL."""
        self._folder = Path(tempfile.mkdtemp(prefix="clp-"))  # short: a socket's path has a limit
        self.url = conninfo.make_conninfo(
            url, host=str(self._folder), port=PORT, hostaddr=None, sslmode="disable"
        )
        target = conninfo.conninfo_to_dict(url)
        self._target = (str(target.get("host", "localhost")), int(target.get("port", PORT) or PORT))
        self._lock = threading.Lock()
        self._cut: Cut = _never
        self.messages = 0
        self.cuts = 0
        self._conversations: list[_Conversation] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._folder / f".s.PGSQL.{PORT}"))
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def arm(self, cut: Cut) -> None:
        """Count messages and cuts from now on, and cut when due."""
        with self._lock:
            self._cut, self.messages, self.cuts = cut, 0, 0

    def arm_at(self, number: int, loss: Loss) -> None:
        """Cut once, at the n-th message from now."""
        self.arm(lambda message: loss if message == number else None)

    def disarm(self) -> int:
        """Cut no more; return how many cuts there were."""
        with self._lock:
            self._cut = _never
            return self.cuts

    def next_loss(self) -> Loss | None:
        """Count a message; return what to lose at it."""
        with self._lock:
            self.messages += 1
            loss = self._cut(self.messages)
            self.cuts += loss is not None
            return loss

    def inject(self, query: bytes) -> None:
        """Run a query in every session that is open, unseen by its owner."""
        for conversation in self._conversations:
            if conversation.is_alive():
                conversation.inject(query)

    def close(self) -> None:
        """Cut everything and stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=10)
        for conversation in self._conversations:
            conversation.close()
        shutil.rmtree(self._folder)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = self._connect()
            except OSError:  # the server is down, and so is the proxy then
                client.close()
                continue
            conversation = _Conversation(client, server, self.next_loss)
            self._conversations.append(conversation)
            conversation.start()

    def _connect(self) -> socket.socket:
        host, port = self._target
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(f"{host}/.s.PGSQL.{port}")
        except OSError:
            server.close()
            raise
        return server


class _Conversation(threading.Thread):
    """One client's connection and the one to the server for it."""

    def __init__(
        self, client: socket.socket, server: socket.socket, next_loss: Callable[[], Loss | None]
    ) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._server = server
        self._next_loss = next_loss
        self._greeted = False
        self._pending = b""
        self._turn = threading.Lock()

    def run(self) -> None:
        """Pass messages on until either side or a cut ends it."""
        with contextlib.suppress(OSError, ValueError):
            while self._step():
                pass
        self._client.close()
        self._server.close()

    def close(self) -> None:
        """End it from outside."""
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.join(timeout=10)

    def inject(self, query: bytes) -> None:
        """Ask the server something in this session and keep the answer from the client."""
        body = query + b"\0"
        with self._turn:
            self._server.sendall(_HEADER.pack(b"Q", len(body) + 4) + body)
            self._swallow_answer()

    def _step(self) -> bool:
        ready, _, _ = select.select([self._client, self._server], [], [], 0.5)
        with self._turn:
            ready, _, _ = select.select(ready, [], [], 0)  # an injection may have taken it
            if self._server in ready:
                data = self._server.recv(1 << 16)
                if not data:
                    return False
                self._client.sendall(data)
            if self._client not in ready:
                return True
            data = self._client.recv(1 << 16)
            self._pending += data
            return bool(data) and self._pass_on()

    def _pass_on(self) -> bool:
        """Pass on the whole messages that have come; return False when cut."""
        while (message := self._take()) is not None:
            kind = message[:1] if self._greeted else b"S"
            self._greeted = self._greeted or message[4:8] == _STARTUP.to_bytes(4)
            loss = self._next_loss()
            if loss is Loss.REQUEST:
                return False
            self._server.sendall(message)
            if loss is Loss.ANSWER:
                if kind[0] in _ANSWERED:
                    self._swallow_answer()
                return False
        return True

    def _take(self) -> bytes | None:
        """Take the next whole message; the first one of a connection has no type."""
        skipped = 1 if self._greeted else 0
        if len(self._pending) < skipped + 4:
            return None
        length = skipped + int.from_bytes(self._pending[skipped : skipped + 4])
        if len(self._pending) < length:
            return None
        message, self._pending = self._pending[:length], self._pending[length:]
        return message

    def _swallow_answer(self) -> None:
        while True:
            kind, length = _HEADER.unpack(self._receive(_HEADER.size))
            self._receive(length - 4)
            if kind == _READY:
                return

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._server.recv(size - len(data))
            if not more:
                raise ConnectionResetError
            data += more
        return data


def _never(_message: int) -> None:
    return None
