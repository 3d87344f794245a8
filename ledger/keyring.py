"""Keep the stream keys: one per stream, wrapped by the facility key, created before first use.

Losing the facility key loses every sealed content; destroying one stream key destroys that
stream's contents everywhere, backups included. So the facility key is never generated for a
ledger that has one, and stream keys are never replaced: the first writer wins.
"""

import base64
import contextlib
import hashlib
import os
import secrets
from collections import OrderedDict
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.durable import create_file
from ledger.errors import CorruptionError, EnvironmentRefusedError
from ledger.sealing import KEY_BYTES, NONCE_BYTES, length_prefixed

_FILE_HEAD = "clinledger-facility-key-v1 "


class KeyWrapper(Protocol):
    """Wraps stream keys under a facility key that it alone can use: a file, later an HSM.

    It can be sent to processes that this one starts (pickled), which then can use it as well.
    """

    @property
    def key_id(self) -> str:
        """Name the facility key: 32 lower-case hex digits, safe to store and to show."""
        ...

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Return the key (32 bytes) wrapped and bound to its context."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Return the key that `wrap` was given; raise CorruptionError when it does not open."""
        ...


class FileKeyWrapper:
    """The facility key of a small site, in a file of mode 600."""

    def __init__(self, key: bytes) -> None:
        """Take the 32 bytes of the facility key."""
        self._key = key
        self._cipher = AESGCM(key)
        self._key_id = hashlib.sha256(b"clinledger/facility-key/v1\n" + key).hexdigest()[:32]

    def __reduce__(self) -> tuple[type["FileKeyWrapper"], tuple[bytes]]:
        """Let the key be sent to processes that this one starts, over their pipes."""
        return FileKeyWrapper, (self._key,)

    def __repr__(self) -> str:
        """Show which key, never the key."""
        return f"FileKeyWrapper(key_id={self._key_id!r})"

    @property
    def key_id(self) -> str:
        """Name the key: the first 32 hex digits of a domain-separated SHA-256 of it."""
        return self._key_id

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Return `nonce (12) || AES-256-GCM(facility key, key, context)`: 60 bytes."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Return the stream key.

        Raises:
            CorruptionError: `body-unreadable`, when it was not wrapped by this key for this stream.
        """
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise CorruptionError("body-unreadable", detail="a stream key does not open") from None


def load_facility_key(path: Path) -> FileKeyWrapper:
    """Read the facility key.

    Raises:
        EnvironmentRefusedError: when there is no such file, or it is not a facility key.
    """
    try:
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentRefusedError(f"no facility key can be read at {path}") from error
    try:
        key = base64.b64decode(text.removeprefix(_FILE_HEAD), validate=True)
    except ValueError as error:
        raise EnvironmentRefusedError(f"{path} is not a facility key") from error
    if not text.startswith(_FILE_HEAD) or len(key) != KEY_BYTES:
        raise EnvironmentRefusedError(f"{path} is not a facility key")
    return FileKeyWrapper(key)


def create_facility_key(path: Path) -> FileKeyWrapper:
    """Generate a facility key and write it durably, for a ledger that has none yet.

    The file appears whole or not at all (written aside, fsynced, linked), and never replaces one.

    Raises:
        EnvironmentRefusedError: when the file exists already.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = secrets.token_bytes(KEY_BYTES)
    if not create_file(path, (_FILE_HEAD + base64.b64encode(key).decode() + "\n").encode()):
        raise EnvironmentRefusedError(f"{path} exists already and is never replaced")
    return FileKeyWrapper(key)


class Keyring:
    """Unwraps stream keys and remembers the most recently used ones; does no I/O itself."""

    def __init__(self, wrapper: KeyWrapper, origin: str, *, capacity: int = 100_000) -> None:
        """Bind the keys to the ledger's origin; keep at most `capacity` of them in memory."""
        self._wrapper = wrapper
        self._origin = origin
        self._capacity = capacity
        self._keys: OrderedDict[str, bytes] = OrderedDict()

    def __repr__(self) -> str:
        """Show the facility key's name only."""
        return f"Keyring(facility_key_id={self._wrapper.key_id!r})"

    @property
    def origin(self) -> str:
        """The ledger whose keys these are."""
        return self._origin

    @property
    def wrapper(self) -> KeyWrapper:
        """The facility key."""
        return self._wrapper

    @property
    def facility_key_id(self) -> str:
        """Name the facility key that wraps new stream keys."""
        return self._wrapper.key_id

    def known(self, stream: str) -> bytes | None:
        """Return the stream's key when it is in memory."""
        key = self._keys.get(stream)
        if key is not None:
            # A reader in another thread may have dropped it just now: it is still the key.
            with contextlib.suppress(KeyError):
                self._keys.move_to_end(stream)
        return key

    def new_wrapped(self, stream: str) -> bytes:
        """Return a fresh random key for the stream, wrapped; it counts only once it is stored."""
        return self._wrapper.wrap(secrets.token_bytes(KEY_BYTES), self._context(stream))

    def remember(self, stream: str, wrapped: bytes) -> bytes:
        """Unwrap a stored key, remember it and return it.

        Raises:
            CorruptionError: `body-unreadable`, when it does not open for this stream.
        """
        key = self._wrapper.unwrap(wrapped, self._context(stream))
        self._keys[stream] = key
        while len(self._keys) > self._capacity:
            self._keys.popitem(last=False)
        return key

    def _context(self, stream: str) -> bytes:
        return b"clinledger/stream-key/v1\n" + length_prefixed(
            self._origin.encode(), stream.encode()
        )
