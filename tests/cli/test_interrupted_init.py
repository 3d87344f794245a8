"""`init` was interrupted, between any two events: the same command finishes what is missing."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence

import pytest
from typing_extensions import override

from api.author import Author
from api.client import LedgerClient, LedgerInfo
from api.connect import start_local
from api.founding import append_founding, create_keys, find_unfinished, finish_founding
from api.keystore import KeyStore
from api.schemas import EventReceipt
from api.settings import Settings
from ledger.clock import SystemClock
from ledger.founding import claim_schema
from ledger.ids import new_id
from ledger.reader import LedgerReader
from ledger.stream_cache import StreamCache
from ledger.submitted import SubmittedEvent
from tests.cli.shell import ORIGIN, Shell

NAMES = ("Trần Thị Bình", "Lê Văn Cường")
TWO = ("--registrar", NAMES[0], "--registrar", NAMES[1])
ALL = 6


class CtrlC(Exception):  # noqa: N818 - not an error of the product
    """Somebody interrupted the command."""


class Interrupted(LedgerClient):
    """A client that is interrupted when it is to submit one event too many."""

    def __init__(self, client: LedgerClient, *, after: int) -> None:
        self._client = client
        self._left = after

    @override
    async def ledger_info(self) -> LedgerInfo:
        return await self._client.ledger_info()

    @override
    async def submit(self, event: SubmittedEvent) -> EventReceipt:
        if self._left == 0:
            raise CtrlC
        self._left -= 1
        return await self._client.submit(event)

    @override
    async def known_events(self, event_ids: Sequence[str]) -> Mapping[str, str]:
        return await self._client.known_events(event_ids)

    @override
    async def possession_nonce(self, staff: str) -> str:
        return secrets.token_urlsafe(16)

    @override
    async def close(self) -> None:
        await self._client.close()


async def _init(settings: Settings, *, after: int) -> None:
    """Do what `init` does, up to so many events."""
    database = settings.open_database()
    with database.connect("owner") as connection:
        keyring = claim_schema(connection, database, origin=ORIGIN, home=settings.home)
    keys = KeyStore(settings.keys)
    own = create_keys(keys, {new_id(): keys for _ in NAMES})
    first = next(iter(own.registrars))
    client = Interrupted(await start_local(settings, database), after=after)
    author = Author(client, first, own.registrars[first], clock=SystemClock())
    try:
        await append_founding(author, ORIGIN, own)
        with database.connect("reader") as connection:
            reader = LedgerReader(connection, database, keyring)
            cache = StreamCache()
            cache.load_directory(reader)
            unfinished = find_unfinished(reader, cache.directory, keys, names=NAMES)
        await finish_founding(client, author, keys, origin=ORIGIN, unfinished=unfinished)
    finally:
        await client.close()


@pytest.mark.parametrize("after", range(ALL))
def test_an_init_interrupted_between_two_events_is_finished_by_the_next(
    shell: Shell, after: int
) -> None:
    """Nothing is there twice, nothing is missing, and heads can be published."""
    url = shell.variables["CLINLEDGER_DATABASE_URL"]
    settings = Settings(home=shell.home, database_url=url, schema="ledger")
    with pytest.raises(CtrlC):
        asyncio.run(_init(settings, after=after))

    finished = shell("init", ORIGIN, *TWO)

    assert finished.code == 0, finished.err
    report = shell("verify", "--json").json
    assert (report["ok"], report["size"]) == (True, ALL)
    for name in NAMES:
        assert name in shell("staff", "list").out
    assert shell("heads").code == 0
    again = shell("init", ORIGIN, *TWO)
    assert (again.code, "holds a ledger already" in again.err) == (2, True)


def test_a_ledger_that_was_founded_before_gets_its_own_key_by_init(shell: Shell) -> None:
    """As an installation of an earlier release: two registrars and no key of its own."""
    url = shell.variables["CLINLEDGER_DATABASE_URL"]
    settings = Settings(home=shell.home, database_url=url, schema="ledger")
    with pytest.raises(CtrlC):
        asyncio.run(_init(settings, after=3))
    assert shell("heads").code == 2

    assert shell("init", ORIGIN, *TWO).code == 0
    assert shell("heads").code == 0
