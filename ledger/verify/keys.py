"""Unwrap every stored stream key once, and check what its row says of it."""

from collections.abc import Iterable
from typing import Final, NamedTuple, get_args

from ledger.errors import CorruptionError
from ledger.keyring import Keyring
from ledger.sealing import StreamOpener
from ledger.verify.report import FindingCode, Findings, Place
from ledger.verify.rows import KeyRow
from ledger.verify.snapshot import Snapshot
from signing.statement import StreamKind

_KINDS: Final = frozenset(get_args(StreamKind))
_OPENERS: Final = 4_000  # of 2.5 KB each


class _StreamKey(NamedTuple):
    key: bytes | None
    kind: str


class StreamKeys:
    """Stream keys of one ledger. A key may stand here before any event of its stream does.

    Faults are reported where the stream first occurs, so that they have a position.
    """

    def __init__(self, keyring: Keyring, rows: Iterable[KeyRow], findings: Findings) -> None:
        self._findings = findings
        self._keys: dict[str, _StreamKey] = {}
        self._openers: dict[str, StreamOpener] = {}
        self._faults: dict[str, list[tuple[FindingCode, str]]] = {}
        self._keyring = keyring
        self.add(rows)

    def add(self, rows: Iterable[KeyRow]) -> None:
        """Take further rows."""
        for row in rows:
            self._load(self._keyring, row)

    def missing(self, streams: Iterable[str]) -> set[str]:
        """Return those of the streams that have no row here."""
        return {stream for stream in streams if stream not in self._keys}

    def key(self, stream: str) -> bytes | None:
        """Return the stream's key, or None when it has none that opens."""
        found = self._keys.get(stream)
        return None if found is None else found.key

    def opener(self, stream: str) -> StreamOpener:
        """Return what opens the stream's bodies, sealed ones only if it has a key that opens."""
        opener = self._openers.get(stream)
        if opener is None:
            if len(self._openers) >= _OPENERS:
                self._openers.clear()
            opener = StreamOpener(self.key(stream), origin=self._keyring.origin, stream=stream)
            self._openers[stream] = opener
        return opener

    def forget(self, *, beyond: int) -> None:
        """Forget all keys when there are more than so many."""
        if len(self._keys) > beyond:
            self._keys.clear()
            self._openers.clear()
            self._faults.clear()

    def check_kind(self, kind: StreamKind, place: Place) -> None:
        """Compare what the row says with the kind that a signed statement names."""
        found = self._keys.get(place.stream or "")
        if found is not None and found.kind != kind:
            self._findings.add(
                "column-mismatch", place, "the stream key is said to be of a stream of another kind"
            )

    def report_faults(self, place: Place) -> None:
        """Report the faults of this place's stream, once."""
        for code, detail in self._faults.pop(place.stream or "", ()):
            self._findings.add(code, place, detail)

    def _load(self, keyring: Keyring, row: KeyRow) -> None:
        key, faults = open_key(keyring, row)
        if faults:
            self._faults[row.stream] = faults
        self._keys[row.stream] = _StreamKey(key, row.stream_kind)
        self._openers.pop(row.stream, None)


_Faults = list[tuple[FindingCode, str]]


def open_key(keyring: Keyring, row: KeyRow) -> tuple[bytes | None, _Faults]:
    """Open a stored stream key; return it, or None, and what is wrong with its row."""
    faults: _Faults = []
    try:
        key = keyring.remember(row.stream, row.wrapped)
    except CorruptionError:
        key = None
        faults.append(("body-unreadable", "the stream key does not open"))
    if row.facility_key_id != keyring.facility_key_id:
        faults.append(("column-mismatch", "the stream key names another facility key"))
    if row.stream_kind not in _KINDS:
        faults.append(("column-mismatch", "the stream key names an unknown kind of stream"))
    return key, faults


def check_keys(snapshot: Snapshot, keyring: Keyring, findings: Findings) -> bool:
    """Check (11) every row of `stream_key`; report faults where the stream begins.

    Returns:
        Whether the facility key opens any of them, or there are none.
    """
    stored = opened = 0
    faulty: dict[str, _Faults] = {}
    for row in snapshot.stream_keys():
        key, faults = open_key(keyring, row)
        stored, opened = stored + 1, opened + (key is not None)
        if faults:
            faulty[row.stream] = faults
    for stream, faults in faulty.items():
        place = snapshot.beginning_of(stream) or Place(stream=stream)
        for code, detail in faults:
            findings.add(code, place, detail)
    return bool(opened) or not stored
