"""Make decoders of FHIR's JSON, in which numbers keep the digits with which they were written."""

import re
from typing import Any, Final, cast

import msgspec

from ledger.fhir.primitives import ExactDecimal
from ledger.fhir.rules import RuleBrokenError

EMPTY: Final = re.compile(rb'\{[ \t\r\n]*(?:"id"[ \t\r\n]*:[ \t\r\n]*"[^"\\]*"[ \t\r\n]*)?\}')
"""An object with nothing but an id, which decoding cannot see."""

SUSPECT: Final = re.compile(rb"\\[ubf]|\xef\xbf[\xbe\xbf]")
"""What hides control characters and marks: escapes, and the UTF-8 of U+FFFE and U+FFFF."""

MAX_EXPONENT: Final = 400  # of ten; beyond it a number is no measurement and floods other readers


def decoder_of(kind: object) -> "msgspec.json.Decoder[Any]":
    """Return a decoder of a generated struct, or of a union or an array of such."""
    return msgspec.json.Decoder(cast("Any", kind), dec_hook=_decimal_hook, float_hook=ExactDecimal)


def _decimal_hook(kind: type, value: object) -> object:
    """Take numbers, as written, for a decimal, and nothing else."""
    if kind is not ExactDecimal or type(value) not in {int, ExactDecimal}:
        raise RuleBrokenError("fhir-null" if value is None else "fhir-type", "")
    number = ExactDecimal(value) if isinstance(value, int) else cast("ExactDecimal", value)
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise RuleBrokenError("fhir-value", "")
    return number
