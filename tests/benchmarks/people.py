"""Search among as many patients as a province has, whose rows were made in the database."""

import random
from collections.abc import Sequence
from typing import Final, LiteralString

from ledger.database import Connection
from ledger.folds.words import fold_text, name_words
from projections.reads import ViewReader
from projections.search_queries import PatientQuery, search_patients
from projections.tables import views_query
from projections.tracking import active_number
from tests.benchmarks.figures import Figures, say, timed
from tests.benchmarks.site import Ground

_QUERIES: Final = 400
_NAMES: Final = """
SELECT DISTINCT convert_from(body, 'UTF8')::json ->> 'name' FROM {views}.search_patient
ORDER BY 1 LIMIT 50000
"""
_MAKE: Final[tuple[LiteralString, ...]] = (
    """
    CREATE TEMP TABLE many AS
    SELECT gen_random_uuid() AS patient, 1 + floor(random() * %(names)s)::int AS n,
      to_char(date '1930-01-01' + (random() * 34000)::int, 'YYYY-MM-DD') AS born,
      lpad(floor(random() * 1e12)::bigint::text, 12, '0') AS citizen
    FROM generate_series(1, %(patients)s)
    """,
    """
    INSERT INTO {views}.search_patient (patient, sort_name, position, body)
    SELECT patient, f.folded, 0, convert_to(json_build_object('patient', patient,
      'name', f.name, 'birth_date', born, 'gender', 'female', 'identifiers',
      json_build_array(json_build_object('system', 'citizen', 'value', citizen)))::text, 'UTF8')
    FROM many JOIN full_name AS f USING (n)
    """,
    """
    INSERT INTO {views}.search_word (patient, kind, token, exact, position)
    SELECT patient, 'name', w.token, w.exact, 0 FROM many JOIN name_word AS w USING (n)
    UNION ALL SELECT patient, 'birth', born, '', 0 FROM many
    UNION ALL SELECT patient, 'identifier', citizen, 'citizen', 0 FROM many
    """,
)
_ANALYZE: Final[tuple[LiteralString, ...]] = (
    "ANALYZE {views}.search_patient",
    "ANALYZE {views}.search_word",
)
_TABLES: Final = ("search_patient", "search_word")
_INDEXES: Final = """
SELECT format('ALTER TABLE %%I.%%I DROP CONSTRAINT %%I', n.nspname, t.relname, c.conname),
  format('ALTER TABLE %%I.%%I ADD CONSTRAINT %%I %%s', n.nspname, t.relname, c.conname,
    pg_get_constraintdef(c.oid))
FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE n.nspname = %(schema)s AND t.relname = ANY(%(tables)s) AND c.contype = 'p'
UNION ALL
SELECT format('DROP INDEX %%I.%%I', n.nspname, r.relname), pg_get_indexdef(i.indexrelid)
FROM pg_index AS i JOIN pg_class AS r ON r.oid = i.indexrelid
JOIN pg_class AS t ON t.oid = i.indrelid JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE n.nspname = %(schema)s AND t.relname = ANY(%(tables)s) AND NOT i.indisprimary
"""


def names_in(ground: Ground) -> list[str]:
    """Return the different names of a ledger's patients."""
    with ground.database.connect("reader") as connection:
        rows = ViewReader(connection, ground.database).rows(_NAMES)
    return [str(row[0]) for row in rows]


def add_people(ground: Ground, names: Sequence[str], *, patients: int) -> None:
    """Put so many patients with these names into the search view of a ledger."""
    say(f"making {patients:,} patients to search among")
    with ground.database.connect("owner") as connection:
        number = active_number(connection, ground.database)
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET maintenance_work_mem = '256MB'")
        _give_names(connection, names)
        schema = ground.database.views_schema(number)
        parameters = {"schema": schema, "tables": list(_TABLES)}
        indexes = connection.execute(_INDEXES, parameters).fetchall()
        for drop, _ in indexes:
            connection.execute(drop)
        for query in _MAKE:
            counts = {"names": len(names), "patients": patients}
            connection.execute(views_query(query, ground.database, number), counts)
        for _, create in indexes:
            connection.execute(create)
        for query in _ANALYZE:
            connection.execute(views_query(query, ground.database, number))


def _give_names(connection: Connection, names: Sequence[str]) -> None:
    connection.execute("CREATE TEMP TABLE full_name (n int, name text, folded text)")
    connection.execute("CREATE TEMP TABLE name_word (n int, token text, exact text)")
    with connection.cursor() as cursor:
        with cursor.copy("COPY full_name FROM STDIN") as copy:
            for n, name in enumerate(names, 1):
                copy.write_row((n, name, fold_text(name)))
        with cursor.copy("COPY name_word FROM STDIN") as copy:
            for n, name in enumerate(names, 1):
                for word in sorted(set(name_words(name))):
                    copy.write_row((n, word.token, word.exact))


def measure_search(ground: Ground, figures: Figures, names: Sequence[str], patients: int) -> None:
    """Search one after the other as people do: two words of a name, or a name and a birth year."""
    chance = random.Random(1)  # noqa: S311 - whom to look for
    queries = [_query(chance, chance.choice(names)) for _ in range(_QUERIES)]
    supply = iter([queries[0], *queries])
    with ground.database.connect("reader") as connection:
        views = ViewReader(connection, ground.database)
        latencies = timed(lambda: search_patients(views, next(supply)), _QUERIES)
    figures.add_latencies(f"patient search among {patients:,}", latencies)


def _query(chance: random.Random, name: str) -> PatientQuery:
    words = name.split()
    year = chance.randrange(1930, 2023)
    text = chance.choice(
        (
            " ".join(words[-2:]),
            name,
            fold_text(name),
            f"{name} {year}",
            f"{words[0]} {words[-1][:3]} {year}",
            f"{chance.randrange(10**5, 10**6)}",
        )
    )
    return PatientQuery(text=text)
