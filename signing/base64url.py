"""Decode base64url as JWS has it, in its one canonical spelling (RFC 7515 §2, RFC 4648 §3.5)."""

import base64
import binascii
from typing import Final

_TO_STANDARD: Final = bytes.maketrans(b"-_+/=", b"+/!!!")


def encode_base64url(data: bytes) -> bytes:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decode_base64url(text: bytes) -> bytes:
    """Return the bytes that this text, and no other, encodes.

    Raises:
        ValueError: padding, other characters, or unused bits that are not zero.
    """
    standard = text.translate(_TO_STANDARD) + b"=" * (-len(text) % 4)
    try:
        data = binascii.a2b_base64(standard, strict_mode=True)
    except binascii.Error:
        raise ValueError("not base64url") from None
    # RFC 4648 §3.5: decoders MAY reject pad bits that are not zero; here two spellings of one
    # signature would be two containers.
    if binascii.b2a_base64(data, newline=False) != standard:
        raise ValueError("not canonical base64url")
    return data
