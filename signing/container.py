"""Make, parse and check signature containers: a detached JWS over a statement's exact bytes.

RFC 7515 with the unencoded payload of RFC 7797. For each algorithm there is exactly one protected
header, compared as bytes; nothing in it is ever interpreted (docs/format.md, Container).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from signing.algorithms import ALGORITHMS, Algorithm
from signing.base64url import decode_base64url, encode_base64url
from signing.errors import InvalidSignatureError, MalformedContainerError
from signing.keys import Signer, VerifyingKey

MAX_CONTAINER_BYTES: Final = 4 * 1024

_PREFIX: Final = b'{"format":"jws","value":"'
_SUFFIX: Final = b'"}'


def _protected(alg: Algorithm) -> bytes:
    header = f'{{"alg":"{alg}","b64":false,"crit":["b64"],"typ":"clinledger-statement"}}'
    return encode_base64url(header.encode("ascii"))


_PROTECTED: Final[Mapping[Algorithm, bytes]] = MappingProxyType(
    {alg: _protected(alg) for alg in ALGORITHMS}
)
_ALGORITHM: Final[Mapping[bytes, Algorithm]] = MappingProxyType(
    {protected: alg for alg, protected in _PROTECTED.items()}
)


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed container.

    Attributes:
        alg: the algorithm that its protected header names.
        signature: raw signature as in JWS.
    """

    alg: Algorithm
    signature: bytes


def signing_input(alg: Algorithm, statement: bytes) -> bytes:
    """Return the bytes to sign: protected header, ``.``, statement (RFC 7797 §3)."""
    return _PROTECTED[alg] + b"." + statement


def sign_container(signer: Signer, statement: bytes) -> bytes:
    """Sign a statement's exact bytes and return the container."""
    return assemble_container(signer.alg, signer.sign(signing_input(signer.alg, statement)))


def assemble_container(alg: Algorithm, signature: bytes) -> bytes:
    """Return the container of a raw signature that was made over `signing_input` elsewhere."""
    return wrap_jws(_PROTECTED[alg], signature)


def wrap_jws(protected: bytes, signature: bytes) -> bytes:
    """Return the container of a detached JWS with this encoded protected header."""
    return _PREFIX + protected + b".." + encode_base64url(signature) + _SUFFIX


def unwrap_jws(data: bytes) -> tuple[bytes, bytes]:
    """Return the encoded protected header, whatever it says, and the raw signature.

    Raises:
        MalformedContainerError: `container-too-large` or `container-malformed`.
    """
    if len(data) > MAX_CONTAINER_BYTES:
        raise MalformedContainerError(
            "container-too-large", f"longer than {MAX_CONTAINER_BYTES} bytes"
        )
    if not data.startswith(_PREFIX) or not data.endswith(_SUFFIX):
        raise MalformedContainerError("container-malformed", "not the only permitted spelling")
    parts = data[len(_PREFIX) : -len(_SUFFIX)].split(b".")
    if len(parts) != 3 or parts[1]:  # noqa: PLR2004 - RFC 7515 §7.1: header, payload, signature
        raise MalformedContainerError("container-malformed", "not a detached JWS")
    try:
        return parts[0], decode_base64url(parts[2])
    except ValueError:
        raise MalformedContainerError(
            "container-malformed", "the signature is not canonical base64url"
        ) from None


def parse_container(data: bytes) -> Container:
    """Parse a container in its only permitted spelling, without checking the signature.

    Raises:
        MalformedContainerError: ``container-too-large``, ``container-malformed`` or
            ``container-header`` (any protected header but the ones of this format).
    """
    protected, signature = unwrap_jws(data)
    alg = _ALGORITHM.get(protected)
    if alg is None:
        raise MalformedContainerError("container-header", "not a protected header of this format")
    return Container(alg=alg, signature=signature)


def verify_container(container: bytes, statement: bytes, key: VerifyingKey) -> None:
    """Check that the key signed the statement and that the statement names key and algorithm.

    1. The container is of the permitted form, for the key's own algorithm.
    2. The statement names this key and algorithm. Without it, one signature could be made to fit
       another key and text (key substitution).
    3. The signature is one by the key over exactly these bytes.

    Args:
        container: exact bytes as submitted.
        statement: exact bytes that `parse_statement` accepts; the caller has parsed them.
        key: the key that the statement names, as enrolled.

    Raises:
        MalformedContainerError: see `parse_container`.
        InvalidSignatureError: ``signature-algorithm``, ``signature-key`` or ``signature-invalid``.
    """
    signature, signed = signature_for(container, statement, key)  # (1), (2)
    key.verify(signature, signed)  # (3)


def signature_for(container: bytes, statement: bytes, key: VerifyingKey) -> tuple[bytes, bytes]:
    """Do steps 1 and 2 of `verify_container`; return what step 3 needs, which is still to be done.

    Args:
        container: see `verify_container`,
        statement: and there,
        key: and there.

    Returns:
        The raw signature, and the bytes over which the key must have made it.

    Raises:
        MalformedContainerError: see `parse_container`.
        InvalidSignatureError: ``signature-algorithm`` or ``signature-key``.
    """
    parsed = parse_container(container)  # (1)
    if parsed.alg != key.alg:
        raise InvalidSignatureError("signature-algorithm", "not the algorithm the key has")
    # (2) A statement's strings hold no quotation mark, so these bytes can only be the two members.
    if not statement.startswith(b'{"alg":"%b",' % key.alg.encode()):
        raise InvalidSignatureError("signature-algorithm", "the statement names another")
    if b',"key_id":"%b",' % key.key_id.encode() not in statement:
        raise InvalidSignatureError("signature-key", "the statement names another key")
    return parsed.signature, signing_input(key.alg, statement)
