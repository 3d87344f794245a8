"""Read and write verifier keys ("vkeys") of signed notes: a name, a signature type, a public key.

c2sp.org/signed-note; the bytes of the types are assigned there.
"""

import base64
import binascii
import hashlib
import re
from typing import Final

import msgspec

from signing.algorithms import Algorithm
from signing.errors import MalformedKeyError
from signing.keys import Signer, VerifyingKey, load_verifying_key

TYPE_ED25519: Final = 0x01
TYPE_COSIGNATURE: Final = 0x04
"""Timestamped Ed25519."""
TYPE_MLDSA44: Final = 0x06
"""Timestamped ML-DSA-44."""

KEY_HASH_BYTES: Final = 4
ED25519_KEY_BYTES: Final = 32
MAX_NAME_BYTES: Final = 255
"""What the length byte of ML-DSA cosignatures can hold."""

_EDDSA: Final[Algorithm] = "EdDSA"
_ED25519_SPKI_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 §4
_CONTROL: Final = re.compile("[\x00-\x1f]")
_KEY_HASH_HEX: Final = re.compile("[0-9a-f]{8}")


class VerifierKey(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a verifier key ("vkey"), whose id is right; the key itself is unchecked.

    Attributes:
        name: of the key.
        type: signature type, one byte.
        public_key: encoded as its type says; not empty.
    """

    name: str
    type: int
    public_key: bytes

    @property
    def key_hash(self) -> bytes:
        """Return the key id: SHA-256(name || 0x0A || type || public key)[:4]."""
        data = self.name.encode() + b"\n" + bytes([self.type]) + self.public_key
        return hashlib.sha256(data).digest()[:KEY_HASH_BYTES]

    def __str__(self) -> str:
        """Return `<name>+<hex key id>+<base64(type || public key)>`."""
        key = bytes([self.type]) + self.public_key
        return f"{self.name}+{self.key_hash.hex()}+{encode_base64(key)}"


def encode_base64(data: bytes) -> str:
    """Return standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes:
    """Return the bytes that this standard base64, and no other spelling, encodes.

    Raises:
        ValueError: anything else.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if encode_base64(data) != text:
        raise ValueError("not canonical base64")
    return data


def check_name(name: str) -> None:
    """Check a key name.

    Raises:
        ValueError: it is empty, or has a Unicode space or a plus.
    """
    # "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus characters."
    if not name or "+" in name or any(letter.isspace() for letter in name):
        raise ValueError("a key name is empty or has a space or plus")


def parse_vkey(text: str) -> VerifierKey:
    """Read a verifier key; its type and key are checked by whoever uses it.

    Raises:
        MalformedKeyError: `vkey-malformed`, also when the id is not that of the name and key.
    """
    name, _, rest = text.partition("+")  # base64 may hold a plus, names may not
    key_hash, _, encoded = rest.partition("+")
    try:
        check_name(name)
        name_bytes = name.encode()  # a lone surrogate is a ValueError too
        key = decode_base64(encoded)
    except ValueError:
        raise MalformedKeyError("vkey-malformed", "not <name>+<id>+<base64>") from None
    if _CONTROL.search(name) or len(name_bytes) > MAX_NAME_BYTES or not key[1:]:
        raise MalformedKeyError("vkey-malformed", "the name or the key is impossible")
    found = VerifierKey(name=name, type=key[0], public_key=key[1:])
    if not _KEY_HASH_HEX.fullmatch(key_hash) or key_hash != found.key_hash.hex():
        raise MalformedKeyError("vkey-malformed", "the id is not that of this name and key")
    return found


def load_ed25519(public_key: bytes) -> VerifyingKey:
    """Load an Ed25519 public key of 32 bytes, with the checks of enrolment.

    Raises:
        MalformedKeyError: `key-malformed` or `key-small-order`.
    """
    if len(public_key) != ED25519_KEY_BYTES:
        raise MalformedKeyError("key-malformed", "an Ed25519 key has 32 bytes")
    return load_verifying_key(_ED25519_SPKI_PREFIX + public_key, _EDDSA)


def ed25519_vkey(name: str, key: Signer, *, type_: int = TYPE_ED25519) -> VerifierKey:
    """Return the verifier key of an EdDSA signer under a name.

    Raises:
        MalformedKeyError: another algorithm, or an impossible name.
    """
    if key.alg != _EDDSA:
        raise MalformedKeyError("key-algorithm", "notes are signed with Ed25519")
    public_key = key.spki[len(_ED25519_SPKI_PREFIX) :]
    return parse_vkey(str(VerifierKey(name=name, type=type_, public_key=public_key)))
