"""Make and check timestamped cosignatures of checkpoints (c2sp.org/tlog-cosignature v1.1.0-rc.1).

A cosigner (a witness) says with it: at this time, this was the largest tree of this log that I have
seen, and it is consistent with all I saw before. Two types: Ed25519 (0x04) and ML-DSA-44 (0x06),
which resists quantum computers and which a log may sign its own checkpoints with.
"""

import struct
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import mldsa

from signing.checkpoints import parse_checkpoint
from signing.errors import InvalidSignatureError, MalformedKeyError, MalformedNoteError
from signing.keys import Signer, SoftKey
from signing.notes import Ed25519Verifier, NoteVerifier, SignatureLine
from signing.vkeys import (
    TYPE_COSIGNATURE,
    TYPE_ED25519,
    TYPE_MLDSA44,
    VerifierKey,
    ed25519_vkey,
    load_ed25519,
    parse_vkey,
)

MAX_TIME_SECONDS: Final = 2**63 - 1
_TIME: Final = struct.Struct(">Q")
_LABEL: Final = b"subtree/v1\n\0"


class Cosigner(Protocol):
    """Cosigns checkpoints under one name with one key."""

    @property
    def verifier(self) -> NoteVerifier:
        """Return what checks these cosignatures."""
        ...

    def cosign(self, text: str, time_seconds: int) -> SignatureLine:
        """Cosign the text of a checkpoint.

        Args:
            text: of the checkpoint's note.
            time_seconds: now, POSIX seconds, above 0.

        Raises:
            MalformedNoteError: the text is no checkpoint, or one that this type cannot sign.
        """
        ...


class CosignatureVerifier:
    """Checks Ed25519 cosignatures (type 0x04) of one cosigner. Immutable."""

    def __init__(self, vkey: VerifierKey) -> None:
        """Take a verifier key of this type.

        Raises:
            MalformedKeyError: another type, or an unusable key.
        """
        if vkey.type != TYPE_COSIGNATURE:
            raise MalformedKeyError("vkey-type", "not a verifier key of Ed25519 cosignatures")
        self._key = load_ed25519(vkey.public_key)
        self._vkey = vkey

    @property
    def vkey(self) -> VerifierKey:
        """Return the key."""
        return self._vkey

    def check(self, text: str, signature: bytes) -> int:
        """Check a cosignature; return its time in POSIX seconds.

        Raises:
            InvalidSignatureError: `signature-invalid`.
        """
        time_seconds, rest = _split(signature)
        try:
            message = _ed25519_message(text, time_seconds)
        except MalformedNoteError:
            raise InvalidSignatureError("signature-invalid", "not over a checkpoint") from None
        self._key.verify(rest, message)
        return time_seconds


class Ed25519Cosigner:
    """Cosigns with an Ed25519 key (type 0x04). One key for one name: the name is not signed."""

    def __init__(self, name: str, key: Signer) -> None:
        """Take the cosigner's name and a key with algorithm EdDSA.

        Raises:
            MalformedKeyError: another algorithm, or an impossible name.
        """
        self._key = key
        self._verifier = CosignatureVerifier(ed25519_vkey(name, key, type_=TYPE_COSIGNATURE))

    @property
    def verifier(self) -> CosignatureVerifier:
        """Return what checks these cosignatures."""
        return self._verifier

    def cosign(self, text: str, time_seconds: int) -> SignatureLine:
        """Cosign the text of a checkpoint at a time in POSIX seconds."""
        signature = self._key.sign(_ed25519_message(text, time_seconds))
        return _line(self._verifier.vkey, time_seconds, signature)


class MldsaVerifier:
    """Checks ML-DSA-44 signatures (type 0x06) of checkpoints, of a log or cosigner. Immutable."""

    def __init__(self, vkey: VerifierKey) -> None:
        """Take a verifier key of this type.

        Raises:
            MalformedKeyError: another type, or an unusable key.
        """
        if vkey.type != TYPE_MLDSA44:
            raise MalformedKeyError("vkey-type", "not an ML-DSA-44 verifier key")
        try:
            self._key = mldsa.MLDSA44PublicKey.from_public_bytes(vkey.public_key)
        except (ValueError, UnsupportedAlgorithm):
            raise MalformedKeyError("key-malformed", "not an ML-DSA-44 key") from None
        self._vkey = vkey

    @property
    def vkey(self) -> VerifierKey:
        """Return the key."""
        return self._vkey

    def check(self, text: str, signature: bytes) -> int:
        """Check a signature; return its time in POSIX seconds, 0 when it claims none.

        Raises:
            InvalidSignatureError: `signature-invalid`, also for checkpoints with extension lines.
        """
        time_seconds, rest = _split(signature)
        try:
            self._key.verify(rest, _mldsa_message(self._vkey.name, text, time_seconds))
        except (InvalidSignature, MalformedNoteError):
            raise InvalidSignatureError("signature-invalid") from None
        return time_seconds


class MldsaCosigner:
    """Cosigns with an ML-DSA-44 key (type 0x06); also signs as a log, under its origin."""

    def __init__(self, name: str, key: mldsa.MLDSA44PrivateKey) -> None:
        """Take the name and the key.

        Raises:
            MalformedKeyError: an impossible name.
        """
        self._key = key
        public_key = key.public_key().public_bytes_raw()
        vkey = VerifierKey(name=name, type=TYPE_MLDSA44, public_key=public_key)
        self._verifier = MldsaVerifier(parse_vkey(str(vkey)))

    @property
    def verifier(self) -> MldsaVerifier:
        """Return what checks these signatures."""
        return self._verifier

    def cosign(self, text: str, time_seconds: int) -> SignatureLine:
        """Cosign the text of a checkpoint without extension lines at a time in POSIX seconds."""
        signature = self._sign_at(text, time_seconds)
        return _line(self._verifier.vkey, time_seconds, signature)

    def sign(self, text: str) -> bytes:
        """Sign the text of a checkpoint as its log, which claims no time: it says 0.

        Raises:
            MalformedNoteError: no checkpoint, or one with extension lines.
        """
        return _TIME.pack(0) + self._sign_at(text, 0)

    def _sign_at(self, text: str, time_seconds: int) -> bytes:
        return self._key.sign(_mldsa_message(self._verifier.vkey.name, text, time_seconds))


def load_verifier(text: str) -> NoteVerifier:
    """Return what checks signatures of a verifier key, by its type.

    Raises:
        MalformedKeyError: `vkey-malformed`, `vkey-type` (unknown here), or an unusable key.
    """
    vkey = parse_vkey(text)
    match vkey.type:
        case 0x01:
            return Ed25519Verifier(vkey)
        case 0x04:
            return CosignatureVerifier(vkey)
        case 0x06:
            return MldsaVerifier(vkey)
        case _:
            raise MalformedKeyError("vkey-type", "not a signature type that is known here")


def load_log_verifier(text: str) -> NoteVerifier:
    """Return what checks a log's signatures: Ed25519 (0x01) or ML-DSA-44 (0x06).

    Raises:
        MalformedKeyError: as `load_verifier`; `vkey-type` for a cosigner's key.
    """
    verifier = load_verifier(text)
    if verifier.vkey.type not in {TYPE_ED25519, TYPE_MLDSA44}:
        raise MalformedKeyError("vkey-type", "not a key that logs sign with")
    return verifier


def load_cosigner_verifier(text: str) -> NoteVerifier:
    """Return what checks a cosigner's signatures: Ed25519 (0x04) or ML-DSA-44 (0x06).

    Raises:
        MalformedKeyError: as `load_verifier`; `vkey-type` for a key without timestamps.
    """
    verifier = load_verifier(text)
    if verifier.vkey.type not in {TYPE_COSIGNATURE, TYPE_MLDSA44}:
        raise MalformedKeyError("vkey-type", "not a key that cosigners sign with")
    return verifier


def load_cosigner(name: str, pem: bytes) -> Cosigner:
    """Load a cosigner from its private key, PKCS#8 PEM without passphrase.

    Raises:
        MalformedKeyError: neither an Ed25519 nor an ML-DSA-44 key, or an impossible name.
    """
    try:
        private = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise MalformedKeyError("key-malformed", "the PEM cannot be opened") from None
    if isinstance(private, mldsa.MLDSA44PrivateKey):
        return MldsaCosigner(name, private)
    return Ed25519Cosigner(name, SoftKey.from_pem(pem, None))


def generate_mldsa_pem() -> bytes:
    """Return a new ML-DSA-44 private key as PKCS#8 PEM."""
    return mldsa.MLDSA44PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _split(signature: bytes) -> tuple[int, bytes]:
    if len(signature) < _TIME.size:
        raise InvalidSignatureError("signature-invalid", "no time")
    (time_seconds,) = _TIME.unpack_from(signature)
    if time_seconds > MAX_TIME_SECONDS:
        raise InvalidSignatureError("signature-invalid", "an impossible time")
    return time_seconds, signature[_TIME.size :]


def _line(vkey: VerifierKey, time_seconds: int, signature: bytes) -> SignatureLine:
    data = _TIME.pack(time_seconds) + signature
    return SignatureLine(name=vkey.name, key_hash=vkey.key_hash, signature=data)


def _ed25519_message(text: str, time_seconds: int) -> bytes:
    parse_checkpoint(text)
    return f"cosignature/v1\ntime {time_seconds}\n{text}".encode()


def _mldsa_message(name: str, text: str, time_seconds: int) -> bytes:
    checkpoint = parse_checkpoint(text)
    if checkpoint.extensions:
        raise MalformedNoteError("checkpoint-extended", "ML-DSA would not sign extension lines")
    cosigner, origin = name.encode(), checkpoint.origin.encode()
    return b"".join(
        (
            _LABEL,
            bytes([len(cosigner)]),
            cosigner,
            _TIME.pack(time_seconds),
            bytes([len(origin)]),
            origin,
            _TIME.pack(0),  # start
            _TIME.pack(checkpoint.size),  # end
            checkpoint.root,
        )
    )
