"""Search among as many patients as a province has."""

import random
from typing import Final

from ledger.database import Database
from ledger.folds.words import fold_text
from projections.reads import ViewReader
from projections.search_queries import PatientQuery, search_patients
from tests.benchmarks.figures import Figures, timed
from tests.benchmarks.million import fill_patients
from tests.benchmarks.site import Ground

_QUERIES: Final = 400
_NAMES: Final = """
SELECT DISTINCT convert_from(body, 'UTF8')::json ->> 'name'
FROM (SELECT body FROM {views}.search_patient LIMIT 20000) AS few
ORDER BY 1
"""


def add_people(url: str, patients: int) -> None:
    """Fill the views of a ledger without events with so many patients; may run in any process."""
    database = Database(url, "ledger")
    with database.connect("owner") as connection:
        connection.execute("SET statement_timeout = 0")
        fill_patients(connection, database, patients)


def measure_search(ground: Ground, figures: Figures) -> None:
    """Search one after the other as people do: two words of a name, or a name and a birth year."""
    chance = random.Random(1)  # noqa: S311 - whom to look for
    with ground.database.connect("reader") as connection:
        views = ViewReader(connection, ground.database)
        names = [str(row[0]) for row in views.rows(_NAMES)]
        queries = [_query(chance, chance.choice(names)) for _ in range(_QUERIES)]
        supply = iter([queries[0], *queries])
        latencies = timed(lambda: search_patients(views, next(supply)), _QUERIES)
    figures.add_latencies("patient search", latencies)


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
