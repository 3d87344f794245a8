"""Let a second person sign a text that an event of somebody else holds: decisions made by two.

The form is that of a signature container (docs/format.md, Second signature) with a ``typ`` of its
own for each purpose: no signature over a statement passes for one, nor the reverse, nor one purpose
for another.
"""

from typing import Final, Literal

from signing.algorithms import Algorithm
from signing.base64url import encode_base64url
from signing.container import unwrap_jws, wrap_jws
from signing.errors import MalformedContainerError
from signing.keys import Signer, VerifyingKey

Purpose = Literal["handover", "set-aside", "successor"]
"""What the text is: the handing over of a checkpoint key, the setting aside of entries at the tail,
or the founding of a successor ledger."""

MAX_TEXT_BYTES: Final = 16 * 1024


def sign_second(signer: Signer, *, purpose: Purpose, text: bytes) -> bytes:
    """Sign a text's exact bytes; return the container.

    The text must say by itself what it decides and of which ledger: nothing else is signed.

    Raises:
        MalformedContainerError: `second-text`: empty, or longer than 16 KiB.
    """
    _check_text(text)
    protected = _protected(signer.alg, purpose)
    return wrap_jws(protected, signer.sign(protected + b"." + text))


def verify_second(container: bytes, text: bytes, key: VerifyingKey, *, purpose: Purpose) -> None:
    """Check that the key signed the text for this purpose.

    The caller has found the key by the key id that stands beside the container, and judges whose it
    is and whether it was valid.

    Raises:
        MalformedContainerError: `second-text`, `container-too-large`, `container-malformed`, or
            `container-header`: another purpose, or not the algorithm that the key has.
        InvalidSignatureError: `signature-invalid`.
    """
    _check_text(text)
    protected, signature = unwrap_jws(container)
    if protected != _protected(key.alg, purpose):
        raise MalformedContainerError("container-header", "not the protected header of this use")
    key.verify(signature, protected + b"." + text)


def _check_text(text: bytes) -> None:
    if not 0 < len(text) <= MAX_TEXT_BYTES:
        raise MalformedContainerError("second-text", "empty or longer than 16 KiB")


def _protected(alg: Algorithm, purpose: Purpose) -> bytes:
    header = f'{{"alg":"{alg}","b64":false,"crit":["b64"],"typ":"clinledger-{purpose}"}}'
    return encode_base64url(header.encode("ascii"))
