"""Put text into HTML and SVG, whatever it holds, in two languages side by side."""

import html
import re
from typing import Final, NamedTuple

_UUID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_LONGEST: Final = 400
_GROUP: Final = "\N{NO-BREAK SPACE}"


class Text(NamedTuple):
    """The same words in Vietnamese and English."""

    vi: str
    en: str


def plain(text: str) -> str:
    """Return text made harmless: escaped, bounded, and nothing in it invisible.

    Control characters and marks that change the direction of writing are spelled out.
    """
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    shown = "".join(
        letter if letter.isprintable() or letter == _GROUP else f"\\u{ord(letter):04x}"
        for letter in text
    )
    return html.escape(shown)


def both(text: Text) -> str:
    """Return the words in both languages, each marked as what it is."""
    return f'<span lang="vi">{plain(text.vi)}</span> <span lang="en">{plain(text.en)}</span>'


def code(text: str) -> str:
    """Return a hash, an id or a name of the program."""
    return f"<code>{plain(text)}</code>"


def identity(text: str | None) -> str:
    """Return an id as stored, or say that it is none: it could be any text by then."""
    if text is None:
        return "-"
    if _UUID.fullmatch(text):
        return code(text)
    return both(Text("(không phải mã định danh)", "(not an id)"))


def number(value: int) -> str:
    """Return a number in groups of three digits."""
    return f"{value:,}".replace(",", _GROUP)
