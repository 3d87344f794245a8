"""Fixtures only: a ledger in a home of its own, whose processes may be killed."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.killable import Ledger


@pytest.fixture
def ledger(clinledger_home: Path) -> Generator[Ledger]:
    """A migrated ledger that nobody founded yet."""
    found = Ledger(clinledger_home)
    yield found
    found.close()
