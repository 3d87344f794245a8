"""Find patients by any part of what is known of them, best matches first, page by page.

Words match by prefix, in any order, with or without accents. Of each word the best match counts:
a whole word before a prefix, accents as written before other ones.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import UUID

import msgspec

from ledger.errors import RejectedError
from ledger.folds.words import birth_date, fold_identifier, name_words
from projections.reads import ViewReader, as_uuid, split_identifier
from projections.search_sql import COMMONNESS, ESTIMATE, SEARCH, SEARCH_BEST, SEARCH_COMMON
from projections.tables import Row

_MOST_WORDS: Final = 12
COMMON: Final = 1_000
_BEGINNING: Final = 6
_LOOKS: Final = 150  # at the index for each hit: where words meet so seldom, ranking is cheaper
_AFTER_PREFIX: Final = "\U0010ffff"
_AFTER_WORD: Final = "\x01"
_CURSOR: Final = re.compile(r"([0-9]{1,4})\.([0-9a-f-]{36})\Z")


class PatientQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of the patients looked for; everything given must match.

    Attributes:
        text: any words: of the name, a birth date, an identifier or its beginning.
        name: words of the name.
        birth_date: full or partial, `YYYY[-MM[-DD]]` or day first.
        identifier: a whole identifier, `system|value` or `value`.
    """

    text: str = ""
    name: str = ""
    birth_date: str = ""
    identifier: str = ""

    def __repr__(self) -> str:
        """Show nothing: what is asked is about a patient."""
        return "PatientQuery()"


class SearchPage(msgspec.Struct, frozen=True, kw_only=True):
    """Hits, best first, as JSON texts; `next` continues after them, None at the end."""

    patients: tuple[msgspec.Raw, ...]
    next: str | None


class _Sought(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    low: str
    high: str
    token: str
    exact: str = ""
    must: str | None = None

    @property
    def begun(self) -> str:
        """Pattern of names with a word that begins so; see `search_sql` for it and the others."""
        return f"% {_escaped(self.token)}%"

    @property
    def whole(self) -> str:
        """Pattern of names with this word, however it is spelt."""
        return f"% {_escaped(self.token)}=%"

    @property
    def spelt(self) -> str:
        """Pattern of names with a word whose spelling begins so."""
        return f"%={_escaped(self.exact)}%"

    @property
    def complete(self) -> str:
        """Pattern of names with this word whose spelling begins so."""
        return f"% {_escaped(self.token)}={_escaped(self.exact)}%"


def search_patients(
    views: ViewReader,
    query: PatientQuery,
    *,
    limit: int = 20,
    after: str | None = None,
    common: int = COMMON,
) -> SearchPage:
    """Return a page of patients that match, as far as the views have come.

    Args:
        views: where to look.
        query: what is known.
        limit: most hits of a page.
        after: `next` of the page before.
        common: a word that so many patients have is searched otherwise; the hits are the same.

    Raises:
        RejectedError: `query-empty`, `query-too-long`, `birth-date-malformed`,
            `identifier-malformed` or `cursor-malformed`.
    """
    words = list(_words_of(query))
    if not words:
        raise RejectedError("query-empty", "", "give a word of three kinds: name, date, identifier")
    if len(words) > _MOST_WORDS:
        raise RejectedError("query-too-long", "", f"at most {_MOST_WORDS} words")
    after_rank, after_patient = _cursor(after)
    place = {"after_rank": after_rank, "after_patient": after_patient, "limit": limit + 1}
    rows = _rows(views, words, place, common)
    shown = rows[:limit]
    more = f"{shown[-1][0]}.{shown[-1][1]}" if len(rows) > limit else None
    return SearchPage(patients=tuple(msgspec.Raw(row[2]) for row in shown), next=more)


def _rows(
    views: ViewReader, words: list[list[_Sought]], place: dict[str, Any], common: int
) -> list[Row]:
    parameters = _parameters(words) | place
    # A plan for any words would be a bad plan for these: nothing is prepared.
    [(leading, hits), *_] = views.rows(COMMONNESS, prepare=False, **parameters, common=common)
    if hits >= common and len(words) == 1 and _few_spellings(words[0]):
        return views.rows(SEARCH_COMMON, prepare=False, **parameters)
    if hits >= common and len(words) > 1 and all(map(_is_name, words)):
        looks = _LOOKS * place["limit"]
        rows = views.rows(SEARCH_BEST, prepare=False, **parameters, words=len(words), looks=looks)
        if len(rows) == place["limit"]:
            return rows
    leading = leading if hits < common else _leading(views, words)
    return views.rows(SEARCH, prepare=False, **parameters, **_roles(words, leading=leading))


def _is_name(ways: Iterable[_Sought]) -> bool:
    return all(way.kind == "name" for way in ways)


def _roles(words: list[list[_Sought]], *, leading: int) -> dict[str, Any]:
    """Return the parameters that say which word leads, and what the others need of all names."""
    others = [ways for n, ways in enumerate(words) if n != leading]
    needed = [ways[0].begun for ways in others if _is_name(ways)]
    return {"leading": leading, "others": len(others), "needed": needed}


def _leading(views: ViewReader, words: list[list[_Sought]]) -> int:
    """Return which of several common words should lead."""
    # A name is quickly looked for in what another word found; other kinds are not.
    others = [n for n, ways in enumerate(words) if not _is_name(ways)]
    if len(others) == 1:
        return others[0]
    return min(others or range(len(words)), key=lambda n: _estimate(views, words[n]))


def _estimate(views: ViewReader, ways: Iterable[_Sought]) -> int:
    """Return about how often a word is among those of all patients."""
    rows = 0
    for way in ways:
        [(plan,)] = views.rows(ESTIMATE, prepare=False, kind=way.kind, low=way.low, high=way.high)
        rows += plan[0]["Plan"]["Plan Rows"]
    return rows


def _words_of(query: PatientQuery) -> Iterator[list[_Sought]]:
    """Yield for each word sought the ways in which it may match."""
    for part in query.text.split():
        names = [[found] for found in _names(part)]
        others = [*_births(part), *_identifiers(part)]
        if len(names) == 1:
            yield [*names[0], *others]
        elif others:
            yield others  # a date or a number with separators, not several words of a name
        else:
            yield from names
    for found in _names(query.name):
        yield [found]
    if query.birth_date:
        births = list(_births(query.birth_date))
        if not births:
            raise RejectedError("birth-date-malformed", "/birth_date")
        yield births
    if query.identifier:
        system, value = split_identifier(query.identifier)
        token = fold_identifier(value)
        high = token + _AFTER_WORD
        yield [
            _Sought(
                kind="identifier",
                low=token,
                high=high,
                token=token,
                exact=system or "",
                must=system,
            )
        ]


def _names(text: str) -> Iterator[_Sought]:
    for word in name_words(text):
        high = word.token + _AFTER_PREFIX
        yield _Sought(kind="name", low=word.token, high=high, token=word.token, exact=word.exact)


def _births(text: str) -> Iterator[_Sought]:
    date = birth_date(text)
    if date is None:
        return
    yield _Sought(kind="birth", low=date, high=date + _AFTER_PREFIX, token=date)
    parts = date.split("-")
    for length in range(1, len(parts)):  # patients of whom only the year or month is known
        known = "-".join(parts[:length])
        yield _Sought(kind="birth", low=known, high=known + _AFTER_WORD, token=date)


def _identifiers(text: str) -> Iterator[_Sought]:
    token = fold_identifier(text)
    if any(char.isdigit() for char in token):
        # A few digits begin a great many citizen numbers: they are a year, or a whole short number.
        after = _AFTER_PREFIX if len(token) >= _BEGINNING else _AFTER_WORD
        yield _Sought(kind="identifier", low=token, high=token + after, token=token)


def _parameters(words: Iterable[list[_Sought]]) -> dict[str, Any]:
    flat = [(n, sought) for n, ways in enumerate(words) for sought in ways]
    return {
        "n": [n for n, _ in flat],
        "kind": [sought.kind for _, sought in flat],
        "low": [sought.low for _, sought in flat],
        "high": [sought.high for _, sought in flat],
        "token": [sought.token for _, sought in flat],
        "exact": [sought.exact for _, sought in flat],
        "must": [sought.must for _, sought in flat],
        "begun": [sought.begun for _, sought in flat],
        "whole": [sought.whole for _, sought in flat],
        "spelt": [sought.spelt for _, sought in flat],
        "complete": [sought.complete for _, sought in flat],
    }


def _few_spellings(ways: Iterable[_Sought]) -> bool:
    """Tell whether so many patients can only be those of few different words or days."""
    return all(sought.kind != "identifier" or sought.high[-1] == _AFTER_WORD for sought in ways)


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")  # of what a word may hold, LIKE knows only this


def _cursor(after: str | None) -> tuple[int | None, UUID | None]:
    if after is None:
        return None, None
    found = _CURSOR.match(after)
    patient = as_uuid(found[2]) if found else None
    if found is None or patient is None:
        raise RejectedError("cursor-malformed", "/after")
    return int(found[1]), patient
