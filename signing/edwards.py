"""Refuse Ed25519 public keys that the signature library would take but nobody should hold.

OpenSSL accepts any 32 bytes as a public key. Under a point of small order one signature verifies
for many messages, so such a key binds its owner to nothing (RFC 8032 §5.1.3 for the decoding).
"""

from typing import Final

from signing.errors import MalformedKeyError

_PRIME: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _PRIME) % _PRIME
# The y coordinates of the eight points whose order divides 8: 1, -1, 0 and the two of order 8.
_ORDER_8_Y: Final = int.from_bytes(
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
)
SMALL_ORDER_Y: Final = frozenset({0, 1, _PRIME - 1, _ORDER_8_Y, _PRIME - _ORDER_8_Y})


def check_edwards_point(encoded: bytes) -> None:
    """Check that 32 bytes are the canonical encoding of a curve point of large order.

    Raises:
        MalformedKeyError: ``key-malformed`` or ``key-small-order``.
    """
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    if y % _PRIME in SMALL_ORDER_Y:
        raise MalformedKeyError("key-small-order", "the point has small order")
    # RFC 8032 §5.1.3: "If the resulting value is >= p, decoding fails."
    if y >= _PRIME:
        raise MalformedKeyError("key-malformed", "the point's encoding is not canonical")
    numerator = (y * y - 1) % _PRIME
    denominator = (_D * y * y + 1) % _PRIME
    x_squared = numerator * pow(denominator, -1, _PRIME) % _PRIME
    if pow(x_squared, (_PRIME - 1) // 2, _PRIME) != 1:
        raise MalformedKeyError("key-malformed", "not a point of the curve")
