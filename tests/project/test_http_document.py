"""docs/http.md tells clients of every route and every problem, and of nothing else."""

import re

from api.auth import CLINICAL_READERS
from api.openapi import OPERATIONS
from api.problems import TABLE
from tests.project.architecture import REPOSITORY

TEXT = (REPOSITORY / "docs" / "http.md").read_text(encoding="utf-8")


def test_every_route_is_in_the_table_of_resources_and_no_other() -> None:
    """A client finds it, and finds who may use it."""
    named = set(re.findall(r"`(GET|POST) (/[^`?]*)`", TEXT.split("## Writing safely")[0]))
    assert named == {(method.upper(), path) for method, path in OPERATIONS}


def test_every_problem_is_in_the_table_of_problems_and_no_other() -> None:
    """With the status that the server gives it."""
    rows = re.findall(r"^\| (`[a-z`, -]+`) \| (\d{3}) \|", TEXT, re.MULTILINE)
    told = {(code, int(status)) for codes, status in rows for code in re.findall("`(.+?)`", codes)}
    assert told == {(kind.code, kind.status) for kind in TABLE.values()}


def test_the_public_routes_are_named_as_such() -> None:
    """Whoever guards the door knows what is open."""
    section = TEXT.split("## Resources")[0]
    assert [
        path
        for (_, path), operation in OPERATIONS.items()
        if operation.public and f"`{path}`" not in section
    ] == []


def test_the_clinical_roles_are_those_of_the_code() -> None:
    """Who reads all records is no secret."""
    line = re.search(r"\*Clinical\*: ([a-z, ]+)\.", TEXT)
    assert line is not None
    assert set(line[1].split(", ")) == CLINICAL_READERS
