"""Keep the words by which patients are found, and what a list of hits shows of each."""

from collections.abc import Collection
from typing import Final

import msgspec

from ledger.folds.contents import NO_RESOURCE
from ledger.folds.patient import IdentifierPeriod, PatientState, current_identity
from ledger.folds.words import MOST_SORTED, fold_text, joined_names, read_person, words_of
from projections.tables import Column, RowSink, Table

_PATIENT: Final = Column("patient", "uuid", "Stream of the patient.")

SEARCH_PATIENT: Final = Table(
    name="search_patient",
    comment="What a list of hits shows of a patient.",
    columns=(
        _PATIENT,
        Column("sort_name", "text", "The name, lower case, without accents, its beginning."),
        Column("position", "bigint", "Position of the newest event that gave identity."),
        Column("body", "bytea", "The hit as JSON, as readers get it."),
    ),
    key=("patient",),
    stream="patient",
)
SEARCH_WORD: Final = Table(
    name="search_word",
    comment="Words that lead to a patient: of names, birth date and identifiers.",
    columns=(
        _PATIENT,
        Column("kind", "text", "name, birth or identifier."),
        Column("token", "text", "What is searched, by prefix: lower case, without accents."),
        Column("exact", "text", "A name's word with its accents; an identifier's system."),
        Column("sort_name", "text", "As in search_patient: a word's patients in their order."),
        Column("names", "text", "All names of the patient: ' token=exact' for each."),
        Column("position", "bigint", "Position of the newest event that gave identity."),
    ),
    key=("patient", "kind", "token", "exact"),
    stream="patient",
    owner="patient",
    indexes=("kind, token, exact, sort_name, patient, names",),
    vacuumed=True,
)
TABLES: Final = (SEARCH_PATIENT, SEARCH_WORD)


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A patient in a list of hits."""

    patient: str
    name: str
    birth_date: str | None
    gender: str | None
    identifiers: tuple[IdentifierPeriod, ...]
    position: int

    def __repr__(self) -> str:
        """Show the place only: the rest is about a patient."""
        return f"Hit(position={self.position})"


_ENCODER: Final = msgspec.json.Encoder()


def write(changes: RowSink, state: PatientState, touched: Collection[str] | None) -> None:
    """Put the patient's words and hit when identity was touched."""
    stream = state.items
    identities = stream.section("identity")
    if touched is not None and not any(item.event_id in touched for item in identities):
        return
    if not identities:
        return
    identity = current_identity(state)
    person = read_person(NO_RESOURCE if identity is None else identity.resource)
    position = max(item.newest_position for item in identities)
    hit = Hit(
        patient=stream.stream,
        name=person.display,
        birth_date=person.birthDate,
        gender=person.gender,
        identifiers=state.identifiers,
        position=position,
    )
    patient = stream.stream
    sort_name = fold_text(person.display)[:MOST_SORTED]
    changes.put(SEARCH_PATIENT, (patient, sort_name, position, _ENCODER.encode(hit)))
    words = words_of(state)
    names = joined_names(words)
    rows = [
        (patient, word.kind, word.token, word.exact, sort_name, names, position) for word in words
    ]
    changes.replace(SEARCH_WORD, patient, rows)
