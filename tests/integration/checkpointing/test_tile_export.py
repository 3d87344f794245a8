"""Tiles for mirrors and archives: whole, written once, of the signed tree, and of nobody."""

import asyncio
import itertools
import os
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import pytest

from api.keystore import KeyStore
from api.local_client import LocalLedgerClient
from api.simulate.runner import Simulation, Surroundings, run_simulation
from ledger.checkpointing.keys import HeldKeys
from ledger.checkpointing.signer import resume
from ledger.checkpointing.state import StateFile
from ledger.checkpointing.table import CheckpointTable
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.entry import ZERO_HASH, decode_entry, link_hash
from ledger.errors import CorruptionError, EnvironmentRefusedError
from ledger.founding import claim_schema
from ledger.merkle import CompactRange, leaf_hash
from ledger.open_directory import read_checkpoint_keys
from ledger.reader import LedgerReader
from ledger.rows import Event
from ledger.store import EntryStore
from ledger.tile_export import export_tiles
from ledger.tiles import StoredTiles, Tile, decode_bundle
from signing.checkpoints import Checkpoint
from signing.errors import SigningError
from signing.keys import SoftKey
from signing.notes import Ed25519Signer
from tests.attack import Attack
from tests.checkpointed import Checkpointed
from tests.postgres import Server

ORIGIN = "bvdk.quangninh.example/ledger"


class Simulated(NamedTuple):
    """A simulated hospital, its events, and all of its tiles and bundles."""

    events: list[Event]
    folder: Path


@pytest.fixture(scope="module")
def simulated(
    postgres_server: Server, template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Simulated]:
    home = tmp_path_factory.mktemp("simulated")
    url = postgres_server.create_database(template_url)
    database = Database(url, "ledger")
    with database.connect("owner") as connection:
        keyring = claim_schema(connection, database, origin=ORIGIN, home=home)

    async def main() -> None:
        client = await LocalLedgerClient.start(
            database, keyring, clock=SystemClock(), where="a test"
        )
        around = Surroundings(
            keys=KeyStore(home / "keys"), clock=SystemClock(), randomness=os.urandom
        )
        await run_simulation(client, Simulation(seed=3, patients=5), around)
        await client.close()

    asyncio.run(main())
    key = KeyStore(home / "keys").load("checkpoint")
    assert key is not None
    signer = Ed25519Signer(ORIGIN, key)
    with database.connect("owner") as connection:
        state = StateFile(home / "state")
        table = CheckpointTable(connection, database)
        signed = resume(
            connection, database, keyring, keys=HeldKeys(signer), state=state, table=table
        ).sign_new()
        assert signed is not None
        folder = home / "mirror"
        source = StoredTiles(EntryStore(connection, database), connection, database)
        keys = read_checkpoint_keys(connection, database)
        export_tiles(folder, signed.note, source, keys=keys)
        events = LedgerReader(connection, database, keyring).events(-1, 100_000)
    yield Simulated(events, folder)
    postgres_server.drop_database(url)


def _personal(event: Event) -> set[bytes]:
    """Return every id, and every text of a content, that names or links somebody."""
    content = event.content or b""
    texts = {
        text.encode()
        for text in content.decode().split('"')
        if len(text) >= 4 and not text.isspace() and text.isprintable()
    }
    ids = {event.stream, event.event_id, event.statement.signer}
    binary = {bytes.fromhex(one.replace("-", "")) for one in ids}
    secrets = {event.link_salt, event.salt, event.statement_bytes, event.container, event.previous}
    return texts | {one.encode() for one in ids} | binary | secrets - {ZERO_HASH}


def test_no_tile_or_bundle_holds_a_name_an_identifier_or_a_content(simulated: Simulated) -> None:
    """Every file of the mirror is searched for every text of every event of the hospital."""
    files = [path for path in simulated.folder.rglob("*") if path.is_file()]
    data = b"\n".join(path.read_bytes() for path in files if path.name != "checkpoint")
    wanted = set[bytes]().union(*(_personal(event) for event in simulated.events))
    names = [event.content for event in simulated.events if b'"family"' in (event.content or b"")]

    assert len(simulated.events) > 256
    assert len(files) >= 4
    assert len(wanted) > 3 * len(simulated.events)
    assert names
    hashes = {event.leaf_hash for event in simulated.events}
    assert [one for one in wanted - hashes if one in data] == []


def test_the_entries_of_a_stream_cannot_be_linked_from_the_tiles_alone(
    simulated: Simulated,
) -> None:
    """Who has every entry and every leaf hash lacks the link salts, and finds no successor."""
    entries: list[bytes] = []
    for path in sorted((simulated.folder / "tile" / "entries").iterdir()):
        if path.is_file():
            entries += decode_bundle(path.read_bytes())
    entries += decode_bundle(
        next((simulated.folder / "tile" / "entries").glob("*.p/*")).read_bytes()
    )
    assert entries == [event.entry for event in simulated.events]
    some = simulated.events[200:230]
    guesses = (ZERO_HASH, *(event.statement.content.digest.encode()[:32] for event in some))
    leaves = [leaf_hash(entry) for entry in entries]
    found = 0
    for event, previous, guess in itertools.product(some, leaves, guesses):
        link = decode_entry(event.entry).link
        found += link in {link_hash(guess, version, previous) for version in (event.version,)}
    assert found == 0
    # With the salt, which only the record's readers are given, the very same search succeeds.
    for event in some:
        link = decode_entry(event.entry).link
        candidates = [ZERO_HASH, *leaves]
        assert [
            one for one in candidates if link_hash(event.link_salt, event.version, one) == link
        ] == [event.previous]


def test_links_of_a_stream_have_nothing_in_common(simulated: Simulated) -> None:
    """Each link is fresh: no two entries share a field but the time of receipt."""
    for field in ("link", "statement_digest", "container_digest"):
        values = [getattr(decode_entry(event.entry), field) for event in simulated.events]
        assert len(set(values)) == len(values)


def _export(signed: Checkpointed, folder: Path, size: int | None = None) -> None:
    size = signed.size if size is None else size
    connection = signed.connect()
    source = StoredTiles(EntryStore(connection, signed.database), connection, signed.database)
    note = signed.sign(signed.checkpoint(size))
    export_tiles(folder, note, source, keys=signed.chain)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_export_has_the_signed_tree_and_all_its_entries(
    signed: Checkpointed, tmp_path: Path
) -> None:
    """Whoever has the folder alone can recompute the signed root."""
    signed.notes(260)
    folder = tmp_path / "mirror"
    _export(signed, folder)

    bundles = (folder / "tile/entries/000").read_bytes() + (
        folder / "tile/entries/001.p/44"
    ).read_bytes()
    tree = CompactRange()
    for entry in decode_bundle(bundles):
        tree.append(leaf_hash(entry))
    assert (tree.size, tree.root()) == (300, signed.checkpoint(300).root)
    assert set(_files(folder)) == {
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    }


def test_a_second_export_adds_what_is_new_and_rewrites_nothing(
    signed: Checkpointed, tmp_path: Path
) -> None:
    """Write-once storage can hold it; only the checkpoint file is replaced."""
    folder = tmp_path / "mirror"
    _export(signed, folder)
    signed.notes(500)
    before = _files(folder)
    stamps = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    _export(signed, folder)
    _export(signed, folder)

    after = _files(folder)
    assert {name: after[name] for name in before if name != "checkpoint"} == {
        name: data for name, data in before.items() if name != "checkpoint"
    }
    assert "tile/0/001" in after
    assert after["checkpoint"] != before["checkpoint"]
    assert all(
        path.stat().st_mtime_ns == stamp
        for path, stamp in stamps.items()
        if path.name != "checkpoint"
    )
    fresh = tmp_path / "fresh"
    _export(signed, fresh)
    assert _files(fresh).items() <= after.items()


def test_an_export_that_was_broken_off_is_completed(signed: Checkpointed, tmp_path: Path) -> None:
    """Files are whole or not there, and the checkpoint comes last."""
    signed.notes(300)
    folder, whole = tmp_path / "mirror", tmp_path / "whole"
    _export(signed, whole)
    for name in ("tile/0/000", "tile/entries/000"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes((whole / name).read_bytes())

    _export(signed, folder)

    assert _files(folder) == _files(whole)


def test_a_ledger_that_was_rewritten_is_not_exported_over_an_older_export(
    signed: Checkpointed, attack: Attack, tmp_path: Path
) -> None:
    """The folder is an anchor: its own checkpoint must still fit."""
    folder = tmp_path / "mirror"
    _export(signed, folder)
    attack.truncate(38)
    attack.cover_up()
    attack.rewind(38)
    signed.notes(300)
    before = _files(folder)["checkpoint"]

    with pytest.raises(CorruptionError, match="checkpoint-inconsistent"):
        _export(signed, folder)
    assert _files(folder)["checkpoint"] == before


def test_a_smaller_tree_than_the_folder_has_is_refused(
    signed: Checkpointed, tmp_path: Path
) -> None:
    """A rollback, or the wrong folder."""
    folder = tmp_path / "mirror"
    _export(signed, folder)
    with pytest.raises(CorruptionError, match="checkpoint of 40"):
        _export(signed, folder, 30)


@pytest.mark.parametrize("column", ["entry", "leaf_hash"])
def test_a_changed_row_is_not_exported(
    signed: Checkpointed, attack: Attack, tmp_path: Path, column: str
) -> None:
    """The files must lead to the signed root; the checkpoint is not written otherwise."""
    attack.run("ALTER TABLE {ledger}.entry DROP CONSTRAINT entry_is_108_bytes")
    attack.run(
        attack.only(
            "UPDATE {ledger}.entry SET entry = entry || leaf_hash WHERE position = 30"
            if column == "entry"
            else "UPDATE {ledger}.entry SET leaf_hash = link_salt WHERE position = 30",
            "entry",
        )
    )
    with pytest.raises(CorruptionError, match="leaf-mismatch"):
        _export(signed, tmp_path / "mirror")
    assert not (tmp_path / "mirror" / "checkpoint").exists()


def test_a_changed_tile_row_is_not_exported(
    signed: Checkpointed, attack: Attack, tmp_path: Path
) -> None:
    """Each full tile is folded and compared with the level above."""
    signed.notes(260)
    attack.run("UPDATE {ledger}.tile SET hash = %(hash)s", hash=bytes(32))
    with pytest.raises(CorruptionError, match="tile-mismatch"):
        _export(signed, tmp_path / "mirror")


def test_another_logs_folder_is_refused(signed: Checkpointed, tmp_path: Path) -> None:
    """Mirrors are not mixed."""
    checkpoint = signed.checkpoint(40)
    other = Checkpoint(origin=checkpoint.origin, size=1, root=checkpoint.root)
    (tmp_path / "checkpoint").write_bytes(signed.sign(other, SoftKey.generate("EdDSA")))

    with pytest.raises(EnvironmentRefusedError, match="no checkpoint of this ledger"):
        _export(signed, tmp_path)
    connection = signed.connect()
    source = StoredTiles(EntryStore(connection, signed.database), connection, signed.database)
    note = signed.sign(checkpoint, SoftKey.generate("EdDSA"))
    with pytest.raises(SigningError):
        export_tiles(tmp_path / "m", note, source, keys=signed.chain)


def test_a_tile_beyond_the_stored_tree_is_not_made_up(signed: Checkpointed) -> None:
    """A missing row is damage, not a shorter tile."""
    connection = signed.connect()
    source = StoredTiles(EntryStore(connection, signed.database), connection, signed.database)
    for tile in (Tile(level=0, number=0, width=41), Tile(level=-1, number=0)):
        with pytest.raises(CorruptionError, match="position-gap"):
            source.read(tile)
