"""The published log over HTTP, and the checkpoint process beside a running server."""

import contextlib
import signal
import time
from collections.abc import Generator
from pathlib import Path

import httpx2
import psutil
import pytest

from api.event_json import submission_json
from ledger.checkpointing.keys import HeldKeys
from ledger.checkpointing.signer import Checkpointer, resume
from ledger.checkpointing.state import StateFile
from ledger.checkpointing.table import CheckpointTable
from ledger.entry import decode_entry
from ledger.merkle import CompactRange, leaf_hash
from ledger.tiles import decode_bundle
from ledger.verify import verify_ledger
from projections.tracking import install_views
from signing.checkpoints import Checkpoint, verify_checkpoint
from signing.keys import SoftKey
from signing.notes import Ed25519Signer
from signing.tokens import issue_token
from tests.builders_rules import CHECKPOINT_SOFT_KEY, FACILITY, ORIGIN, REGISTRAR, enrol
from tests.http.served import Served
from tests.http.test_serve import Server, wait
from tests.live import LiveHospital
from tests.rotations import rotation

SIGNER = Ed25519Signer(ORIGIN, CHECKPOINT_SOFT_KEY)


def _publish(served: Served, folder: Path) -> Checkpoint:
    """Sign and publish what there is."""
    live = served.live
    with live.database.connect("owner") as connection:
        checkpointer: Checkpointer = resume(
            connection,
            live.database,
            live.keyring,
            keys=HeldKeys(SIGNER),
            state=StateFile(folder / "state"),
            table=CheckpointTable(connection, live.database),
        )
        state = checkpointer.sign_new()
        assert state is not None
        publications = CheckpointTable(connection, live.database, "publication")
        checkpointer.publish(state.note, publications)
    return state.checkpoint


def _grow(served: Served, count: int) -> None:
    hospital = served.hospital
    for number in range(count):
        event = hospital.signed("note-written.v1", hospital.note(f"grow {number}"))
        served.live.submit(event)


def test_nothing_is_published_before_the_first_checkpoint(served: Served) -> None:
    """Neither a note nor a tile."""
    for path in ("/checkpoint", "/tile/0/000.p/1", "/tile/entries/000.p/1"):
        answer = served.request("GET", path)
        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:clinledger:problem:not-found"


def test_anyone_can_recompute_the_signed_root_from_tiles(served: Served, tmp_path: Path) -> None:
    """Without a token, with the headers of tlog-tiles."""
    _grow(served, 280)
    signed = _publish(served, tmp_path)
    rest = signed.size - 256

    note = served.request("GET", "/checkpoint")
    found = verify_checkpoint(note.content, (SIGNER.verifier,)).checkpoint
    tiles = [
        served.request("GET", f"/tile/{path}")
        for path in ("0/000", f"0/001.p/{rest}", "entries/000", f"entries/001.p/{rest}")
    ]

    assert found == signed
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    assert note.headers["cache-control"] == "public, max-age=5"
    for tile in tiles:
        assert tile.headers["content-type"] == "application/octet-stream"
        assert "immutable" in tile.headers["cache-control"]
    entries = [entry for tile in tiles[2:] for entry in decode_bundle(tile.content)]
    tree = CompactRange()
    for entry in entries:
        decode_entry(entry)
        tree.append(leaf_hash(entry))
    assert tree.root() == signed.root
    hashes = tiles[0].content + tiles[1].content
    assert hashes == b"".join(leaf_hash(entry) for entry in entries)
    (above,) = tree.peaks[:1]
    assert served.request("GET", "/tile/1/000.p/1").content == above


def test_tiles_end_where_the_published_tree_ends(served: Served, tmp_path: Path) -> None:
    """What is committed and not yet signed is nobody's business yet; earlier widths stay."""
    signed = _publish(served, tmp_path)
    _grow(served, 3)

    assert served.request("GET", f"/tile/0/000.p/{signed.size}").status_code == 200
    assert served.request("GET", "/tile/0/000.p/1").status_code == 200
    for path in (f"0/000.p/{signed.size + 1}", "0/000", "1/000.p/1", "entries/001.p/1"):
        assert served.request("GET", f"/tile/{path}").status_code == 404


@pytest.mark.parametrize("path", ["", "0", "0/0", "0/000.p/256", "8/../000", "0/x000/000", "a/000"])
def test_other_paths_are_unknown_tiles(served: Served, tmp_path: Path, path: str) -> None:
    """One spelling each."""
    _publish(served, tmp_path)
    assert served.request("GET", f"/tile/{path}").status_code == 404


@pytest.fixture
def signing_server(hospital: LiveHospital) -> Generator[Server]:
    """A running server whose home holds the checkpoint key, and a key of the ledger's own."""
    with _signing(hospital) as server:
        yield server


@contextlib.contextmanager
def _signing(hospital: LiveHospital) -> Generator[Server]:
    live = hospital.live
    if not (live.home / "keys" / "checkpoint.pem").exists():
        _give_keys(hospital)
    with live.database.connect("owner") as connection:
        install_views(connection, live.database)
    live.stop()
    server = Server(hospital)
    yield server
    if server.process.poll() is None:
        server.end(signal.SIGKILL)
    with contextlib.suppress(ValueError):
        server.process.communicate(timeout=30)
    live.start()


def _give_keys(hospital: LiveHospital) -> None:
    live = hospital.live
    ledger = enrol(hospital, "the ledger itself", "ledger", kind="device")
    for name, key in (("checkpoint", CHECKPOINT_SOFT_KEY), (ledger, hospital.key_of(ledger))):
        path = live.home / "keys" / f"{name}.pem"
        path.write_bytes(key.to_pem(None))
        path.chmod(0o600)


def _published_size(http: httpx2.Client) -> int:
    answer = http.get("/checkpoint")
    if answer.status_code == 404:
        return 0
    return verify_checkpoint(answer.content, (SIGNER.verifier,)).checkpoint.size


def _checkpoints(http: httpx2.Client) -> tuple[int, str]:
    answer = http.get("/readyz")
    return answer.status_code, answer.json()["checks"]["checkpoints"]


def _signer_process(server: Server) -> psutil.Process:
    """Return the running signer; right after a kill there is none for a moment."""
    found: list[psutil.Process] = []

    def is_running() -> bool:
        for child in server.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "api.checkpoint.process" in child.cmdline():
                    found.append(child)
        return bool(found)

    wait(is_running, "a signer runs")
    return found[0]


def test_a_server_signs_checkpoints_of_its_own_and_goes_on_after_any_kill(
    signing_server: Server,
) -> None:
    """Kill -9 at any moment: the supervisor starts it again, and it takes up where it was."""
    hospital = signing_server.hospital
    state = StateFile(hospital.live.home / "checkpoint" / "ledger.state")
    with signing_server.http() as http:
        wait(lambda: _published_size(http) > 0, "the first checkpoint is published")
        wait(lambda: _checkpoints(http) == (200, "ok"), "the signer says that all is well")
        for number in range(4):
            head = signing_server.head()
            event = hospital.signed("note-written.v1", hospital.note(f"n{number}"), seen=head)
            assert http.post("/v1/events", json=submission_json(event)).status_code == 201
            _signer_process(signing_server).kill()

            def is_signed(size: int = head.size + 1) -> bool:
                saved = state.load()
                return saved is not None and saved.checkpoint.size >= size

            wait(is_signed, "the signer goes on")
        assert _checkpoints(http)[0] == 200
    assert signing_server.end()[0] == 0


def test_the_signer_gives_way_to_appends_and_the_projector_does_not(
    signing_server: Server,
) -> None:
    """Verifying a whole ledger at the start, at equal terms it took a third of their rate."""
    own = psutil.Process(signing_server.process.pid).nice()
    first = _signer_process(signing_server)
    wait(lambda: first.nice() == 10, "the signer gives way")
    others = [child.nice() for child in signing_server.children() if child.pid != first.pid]
    assert others == [own]
    first.kill()
    wait(lambda: _signer_process(signing_server).pid != first.pid, "another signer")
    second = _signer_process(signing_server)
    wait(lambda: second.nice() == 10, "so does its successor")


def _rotate(server: Server, new: SoftKey) -> int:
    """Rotate the key through the running server; return the event's position."""
    hospital, head = server.hospital, server.head()
    document = rotation(new, origin=ORIGIN, old=CHECKPOINT_SOFT_KEY)
    event = hospital.signed(
        "checkpoint-key-rotated.v1", document, stream=FACILITY, signer=REGISTRAR, seen=head
    )
    now = int(time.time())
    key = hospital.key_of(REGISTRAR)
    token = issue_token(key, staff=REGISTRAR, audience=ORIGIN, now_seconds=now)
    headers = {"authorization": f"Bearer {token}"}
    with server.http() as http:
        answer = http.post("/v1/events", json=submission_json(event), headers=headers)
    assert answer.status_code == 201
    return int(answer.json()["position"])


def _give_next_key(hospital: LiveHospital, key: SoftKey) -> None:
    path = hospital.live.home / "keys" / "checkpoint-2.pem"
    path.write_bytes(key.to_pem(None))
    path.chmod(0o600)


@pytest.mark.parametrize("killed", [False, True], ids=["left alone", "killed"])
def test_a_running_signer_goes_on_with_a_new_key(signing_server: Server, *, killed: bool) -> None:
    """Without being started again, and also when it is killed just then."""
    live, new = signing_server.hospital.live, SoftKey.generate("EdDSA")
    verifier = Ed25519Signer(ORIGIN, new).verifier
    with signing_server.http() as http:
        wait(lambda: _checkpoints(http) == (200, "ok"), "the signer says that all is well")
        _give_next_key(signing_server.hospital, new)
        signer = _signer_process(signing_server)
        position = _rotate(signing_server, new)
        if killed:
            signer.kill()
        state = StateFile(live.home / "checkpoint" / "ledger.state")

        def is_signed() -> bool:
            saved = state.load()
            return saved is not None and saved.checkpoint.size > position

        wait(is_signed, "the signer goes on")
        saved = state.load()
        assert saved is not None
        assert verify_checkpoint(saved.note, (verifier,)).checkpoint == saved.checkpoint
        assert killed or _signer_process(signing_server) == signer
        assert _checkpoints(http)[0] == 200
    assert signing_server.end()[0] == 0
    assert verify_ledger(live.database, keyring=live.keyring).ok


def test_readiness_turns_red_without_the_new_key(hospital: LiveHospital) -> None:
    """The signer does not go on with the old one; with the file there, a restart is enough."""
    new = SoftKey.generate("EdDSA")
    with _signing(hospital) as server:
        with server.http() as http:
            wait(lambda: _checkpoints(http) == (200, "ok"), "the signer says that all is well")
            position = _rotate(server, new)
            wait(lambda: _checkpoints(http) == (503, "refused"), "readiness turns red")
        _, log = server.end()
    assert f"in force since position {position} is not here" in log
    _give_next_key(hospital, new)
    with _signing(hospital) as server, server.http() as http:
        wait(lambda: _checkpoints(http) == (200, "ok"), "the signer says that all is well")


def test_a_server_publishes_heads_of_its_own(signing_server: Server) -> None:
    """Once an hour, the first time at once; it is verified before anything is signed over it."""
    after = signing_server.head().size - 1

    def published() -> list[dict[str, object]]:
        with signing_server.http() as http:
            events = http.get("/v1/events", params={"after": after}).json()["events"]
        return [one for one in events if '"type":"heads-published.v1"' in one["statement"]]

    wait(lambda: len(published()) == 1, "heads are published")
    position = int(str(published()[0]["position"]))
    with signing_server.http() as http:
        wait(lambda: _published_size(http) > 0, "a checkpoint is published")
    state = StateFile(signing_server.hospital.live.home / "checkpoint" / "ledger.state")

    def is_signed() -> bool:
        saved = state.load()
        return saved is not None and saved.checkpoint.size > position

    wait(is_signed, "the heads are signed over")
    assert len(published()) == 1


def test_readiness_turns_red_when_the_signer_refuses(signing_server: Server) -> None:
    """It says what it found; it signs nothing more; and it does not restart in circles."""
    live = signing_server.hospital.live
    with signing_server.http() as http:
        wait(lambda: _published_size(http) > 0, "the first checkpoint is published")
        with live.database.connect("owner") as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("UPDATE ledger.ledger SET facility_key_id = 'another'")
        wait(lambda: _checkpoints(http) == (503, "refused"), "readiness turns red")
        signer = _signer_process(signing_server)
        assert signer.is_running()
    _, log = signing_server.end()
    assert "column-mismatch" in log
    assert not signer.is_running()


def test_readiness_is_red_while_the_state_is_missing(hospital: LiveHospital) -> None:
    """A lost or hidden state is a person's decision, not a fresh start."""
    with _signing(hospital) as server:
        with server.http() as http:
            wait(lambda: _published_size(http) > 0, "the first checkpoint is published")
        server.end()
    (hospital.live.home / "checkpoint" / "ledger.state").unlink()
    with _signing(hospital) as server, server.http() as http:
        wait(lambda: _checkpoints(http) == (503, "refused"), "readiness is red")
    status = (hospital.live.home / "checkpoint" / "ledger.status").read_text()
    assert "--new-state" in status
