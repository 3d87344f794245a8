"""Remember elements that were found good, by their text.

What hospitals write repeats: the same codes, units, wards, staff and patients, thousands of times.
An element whose very text was judged before needs no second judgement, only to be looked up.
"""

from collections.abc import Callable
from typing import Any, Final

from ledger.fhir.decoding import EMPTY, decoder_of
from ledger.jsontext import is_plain

MAX_BRACKETS: Final = 24
"""More brackets has no element that is remembered; so it is not nested deeper either."""

MAX_ELEMENTS: Final = 20_000  # of all types together: 12 MB, as hospitals write them
_MAX_LENGTH: Final = 512


class UnusualError(ValueError):
    """An element is judged better by those who say what is wrong."""


class Memory:
    """How many elements all tables hold together; when there are too many, all begin anew."""

    def __init__(self) -> None:
        self.tables: list[Known] = []
        self._count = 0

    def add(self) -> None:
        """Count one more."""
        self._count += 1
        if self._count > MAX_ELEMENTS:
            self._count = 0
            for table in self.tables:
                table.clear()


class Known(dict[bytes, Any]):
    """Good elements of one type in one place, by their exact text.

    Looking a new text up judges it: by the type's struct, by what the place demands (`check`), and
    by the rules of text (`ledger.jsontext`).
    """

    def __init__(
        self, memory: Memory | None, kind: object, check: Callable[[Any], None] | None = None
    ) -> None:
        """Remember elements of a generated struct, or arrays of such, within a memory's bounds.

        Args:
            memory: counts them; None when nothing is to be remembered, only judged.
            kind: what they are.
            check: what their place demands.
        """
        super().__init__()
        self._memory = memory
        self._decode = decoder_of(kind).decode
        self._check = check
        if memory is not None:
            memory.tables.append(self)

    def __missing__(self, text: bytes) -> Any:  # noqa: ANN401 - as its base says
        if text.count(b"{") + text.count(b"[") > MAX_BRACKETS:
            raise UnusualError
        value = self._decode(text)
        if self._check is not None:
            self._check(value)
        if EMPTY.search(text) or b'"contained"' in text or not is_plain(text):
            raise UnusualError
        if self._memory is not None and len(text) <= _MAX_LENGTH:
            self._memory.add()
            self[text] = value
        return value
