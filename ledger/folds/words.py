"""Turn names, birth dates and identifiers into the words by which a patient is found.

A word has a folded form (lower case, without Vietnamese tone and vowel marks, đ as d) that is
searched, and the form as written (lower case, NFC) that ranks an exact match higher.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal

import msgspec

from ledger.folds.contents import NO_RESOURCE
from ledger.folds.patient import PatientState, current_identity

Kind = Literal["name", "birth", "identifier"]

# Words are keys of a database index, whose entries have a size limit; content has hardly any.
MOST_CHARACTERS: Final = 200
MOST_WORDS: Final = 200
MOST_JOINED: Final = 160
MOST_SORTED: Final = 60

_SPLIT: Final = re.compile(r"[^\w]+")
_D_STROKE: Final = str.maketrans({"đ": "d", "Đ": "d"})
_DATE: Final = re.compile(r"^(?:(?:(\d{1,2})[/.-])?(\d{1,2})[/.-])?(\d{4})\Z", re.ASCII)
_ISO_DATE: Final = re.compile(r"^\d{4}(?:-\d{2}(?:-\d{2})?)?\Z", re.ASCII)


class Word(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One word that leads to a patient.

    Attributes:
        token: what is searched.
        exact: for a name the word as written, for an identifier its system, else "".
    """

    kind: Kind
    token: str
    exact: str


class _Name(msgspec.Struct, frozen=True, kw_only=True):
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] = ()
    use: str | None = None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The elements of a FHIR Patient or Practitioner by which people know someone.

    Attributes:
        birthDate: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    """

    name: tuple[_Name, ...] = ()
    birthDate: str | None = None  # noqa: N815 - the element's FHIR name
    gender: str | None = None

    def __repr__(self) -> str:
        """Show nothing: this is a person."""
        return "Person()"

    @property
    def display(self) -> str:
        """The first name as it is written, "" when there is none."""
        for name in self.name:
            parts = (name.family, *name.given)
            text = name.text or " ".join(part for part in parts if part)
            if text:
                return unicodedata.normalize("NFC", text)
        return ""


_PERSON: Final = msgspec.json.Decoder(Person)


def fold_text(text: str) -> str:
    """Return the text in lower case without accents, words separated by one space."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_D_STROKE).casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(part for part in _SPLIT.split(bare) if part)


def fold_identifier(value: str) -> str:
    """Return an identifier as it is searched: lower case, letters and digits only."""
    bare = unicodedata.normalize("NFKC", value[:MOST_CHARACTERS]).casefold()
    return "".join(char for char in bare if char.isalnum())[:MOST_CHARACTERS]


def cut(text: str) -> str:
    """Return as much of a text as an index can hold."""
    return text[:MOST_CHARACTERS]


def name_words(text: str) -> list[Word]:
    """Split a name into words, in their order."""
    words: list[Word] = []
    for part in _SPLIT.split(unicodedata.normalize("NFC", text).lower()):
        exact = part[:MOST_CHARACTERS]
        token = _token(exact)
        if token:
            words.append(Word(kind="name", token=token, exact=exact))
    return words


@lru_cache(maxsize=4096)
def _token(exact: str) -> str:
    # A few hundred words make up most Vietnamese names, and each comes twice in a resource.
    return fold_text(exact).replace(" ", "")[:MOST_CHARACTERS]


def birth_date(text: str) -> str | None:
    """Return a full or partial birth date as `YYYY[-MM[-DD]]`, None when it is none.

    Takes ISO order, and day before month as Vietnam writes it: `17/05/1980`, `5/1980`, `1980`.
    """
    if _ISO_DATE.match(text):
        return text
    found = _DATE.match(text)
    if found is None:
        return None
    day, month, year = found.groups()
    parts = [year, *(part.zfill(2) for part in (month, day) if part)]
    return "-".join(parts)


def joined_names(words: Iterable[Word]) -> str:
    """Return all names of a person as one text, ` token=exact` for each, as much as fits an index.

    A query of several words looks there whether a candidate has the others too.
    """
    named = (f" {word.token}={word.exact}" for word in words if word.kind == "name")
    return "".join(named)[:MOST_JOINED]


def read_person(resource: bytes | msgspec.Raw) -> Person:
    """Pick a person's elements from a resource; empty when it was destroyed."""
    try:
        return _PERSON.decode(resource)
    except msgspec.DecodeError:
        return Person()


def words_of(state: PatientState) -> list[Word]:
    """Return the words that lead to the patient, sorted: birth date, identifiers, names.

    Former identifiers count too; former names do not, unless the content still gives them.
    """
    identity = current_identity(state)
    person = read_person(NO_RESOURCE if identity is None else identity.resource)
    words: set[Word] = set()
    for name in person.name:
        for part in (name.text, name.family, *name.given):
            words.update(name_words(part or ""))
    if person.birthDate:
        words.add(Word(kind="birth", token=person.birthDate, exact=""))
    for period in state.identifiers:
        token = fold_identifier(period.value)
        if token:
            words.add(Word(kind="identifier", token=token, exact=cut(period.system)))
    return sorted(words)[:MOST_WORDS]
