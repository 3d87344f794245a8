"""Decode quickly what nearly all content is: written compactly, of elements that were seen before.

Nothing is refused here. Where anything is wrong or unusual the answer is None, and
`ledger.fhir.validation` judges, which also says what is wrong. What is accepted here is accepted
there, with the same values.

1. What needs a look at the whole resource is left to validation: references by `#`, escapes that
   could hide control characters. (What contains resources is no quick struct at all.)
2. The structs of r4_quick.py decode it: each a subclass of r4.py's that lacks rare elements.
3. What is encoded again has the same length. Encoding makes nothing longer, so nothing was dropped:
   no key was there twice, no white space and no other spelling of a string or a number.
4. Each struct looks up its known elements, and checks itself as r4.py's does.
"""

from typing import Final

import msgspec

from ledger.fhir import r4, r4_quick
from ledger.fhir.decoding import SUSPECT, decoder_of

_DECODER: Final = decoder_of(r4_quick.QuickResource)
_ENCODER: Final = msgspec.json.Encoder()


def decode_quickly(data: bytes) -> r4.AnyResource | None:
    """Return the resource, or None where validation must judge.

    What is returned breaks no rule of `ledger.fhir.validation`, nor of `ledger.jsontext` except
    that it may not be in normal form C.
    """
    if data[1:2] != b'"' or b"#" in data:  # (1)
        return None
    if (b"\\" in data or b"\xef" in data) and SUSPECT.search(data):
        return None
    try:
        resource = _DECODER.decode(data)  # (2)
        if len(_ENCODER.encode(resource)) != len(data):  # (3)
            return None
        resource.settle()  # (4)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return resource
