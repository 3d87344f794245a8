"""Unwrap every stored stream key once, and check what its row says of it."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, get_args

from ledger.errors import CorruptionError
from ledger.keyring import Keyring
from ledger.verify.report import FindingCode, Findings, Place
from ledger.verify.snapshot import KeyRow
from signing.statement import StreamKind

_KINDS: Final = frozenset(get_args(StreamKind))


class _StreamKey(NamedTuple):
    key: bytes | None
    kind: str


class StreamKeys:
    """The stream keys of one ledger. A key may stand here before any event of its stream does.

    Faults are reported where the stream first occurs, so that they have a position.

    Attributes:
        stored: number of rows.
        opened: number of those that the facility key opens.
    """

    def __init__(self, keyring: Keyring, rows: Iterable[KeyRow], findings: Findings) -> None:
        self.stored = self.opened = 0
        self._findings = findings
        self._keys: dict[str, _StreamKey] = {}
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

    def of_kind(self, kind: StreamKind) -> Sequence[str]:
        """Return the streams whose key is said to be of a stream of this kind."""
        return [stream for stream, key in self._keys.items() if key.kind == kind]

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

    def finish(self) -> None:
        """Report the faults of keys whose streams have no events."""
        for stream in list(self._faults):
            self.report_faults(Place(stream=stream))

    def _load(self, keyring: Keyring, row: KeyRow) -> None:
        faults: list[tuple[FindingCode, str]] = []
        self.stored += 1
        try:
            key = keyring.remember(row.stream, row.wrapped)
            self.opened += 1
        except CorruptionError:
            key = None
            faults.append(("body-unreadable", "the stream key does not open"))
        if row.facility_key_id != keyring.facility_key_id:
            faults.append(("column-mismatch", "the stream key names another facility key"))
        if row.stream_kind not in _KINDS:
            faults.append(("column-mismatch", "the stream key names an unknown kind of stream"))
        if faults:
            self._faults[row.stream] = faults
        self._keys[row.stream] = _StreamKey(key, row.stream_kind)
