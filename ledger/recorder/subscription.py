"""Follow the ledger from within the library: by NOTIFY, with a poll as safety net."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import psycopg
from eventsourcing.persistence import ListenNotifySubscription
from psycopg import sql
from typing_extensions import override

if TYPE_CHECKING:
    from ledger.recorder.storage import LedgerRecorder

_POLL_SECONDS: Final = 1.0


class LedgerSubscription(ListenNotifySubscription["LedgerRecorder"]):
    """Follows the ledger by NOTIFY, and by a poll each second in case a NOTIFY was missed."""

    def __init__(
        self, recorder: "LedgerRecorder", gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        """Start listening before the first pull, so that nothing falls between them."""
        self._listening = threading.Event()
        self._listen_thread = threading.Thread(target=self._listen, args=(recorder,), daemon=True)
        self._over = threading.Event()
        self._listen_thread.start()
        self._listening.wait(timeout=10)
        super().__init__(recorder, gt=gt, topics=topics)

    @override
    def stop(self) -> None:
        """Stop following."""
        self._over.set()
        super().stop()

    @override
    def __exit__(self, *args: object, **kwargs: Any) -> None:
        try:
            super().__exit__(*args, **kwargs)
        finally:
            self._listen_thread.join()

    def _listen(self, recorder: "LedgerRecorder") -> None:
        while not self._over.is_set():
            try:
                with recorder.database.connect("reader", name="clinledger-subscription") as conn:
                    channel = sql.Identifier(recorder.database.schema)
                    conn.execute(sql.SQL("LISTEN {}").format(channel))
                    self._listening.set()
                    while not self._over.is_set():
                        for _ in conn.notifies(timeout=_POLL_SECONDS, stop_after=1):
                            pass
                        self._wake()
            except psycopg.Error:
                self._over.wait(_POLL_SECONDS)  # the server is restarting: listen again
        self._listening.set()

    def _wake(self) -> None:
        notified = getattr(self, "_has_been_notified", None)
        if notified is not None:
            notified.set()
