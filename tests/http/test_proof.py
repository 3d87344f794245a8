"""`GET /v1/events/{id}/proof`: a C2SP tlog-proof, once a checkpoint covers the event."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.checkpointing.table import CheckpointTable, StoredCheckpoint
from ledger.merkle import verify_inclusion
from signing.checkpoints import Checkpoint, sign_checkpoint, verify_checkpoint
from signing.keys import SoftKey
from signing.notes import Ed25519Signer
from tests.builders_rules import ORIGIN
from tests.http.served import Served

NO_SUCH = "01980000-0000-7000-8000-00000000ffff"
LOG = Ed25519Signer(ORIGIN, SoftKey.generate("EdDSA"))


def sign(served: Served, size: int | None = None, *, root: bytes | None = None) -> bytes:
    """Store a checkpoint of a size, default of now, as the checkpoint process does."""
    with (
        served.services.readers.reader() as reader,
        served.live.database.connect("owner") as connection,
    ):
        size = served.size if size is None else size
        head = Checkpoint(origin=ORIGIN, size=size, root=root or reader.root_at(size))
        note = sign_checkpoint(head, LOG)
        table = CheckpointTable(connection, served.live.database)
        newest = table.newest()
        number = 1 if newest is None else newest.number + 1
        table.add(StoredCheckpoint(number=number, size=size, note=note))
    return note


def written(served: Served) -> str:
    """Let the doctor write a note; return its id."""
    event = served.hospital.signed("note-written.v1", served.hospital.note("another"))
    return str(served.append(event).json()["event_id"])


def test_a_proof_leads_from_the_receipt_to_a_signed_checkpoint(served: Served) -> None:
    """c2sp.org/tlog-proof: index, hashes from leaf to root, empty line, the note verbatim."""
    event = served.hospital.signed("note-written.v1", served.hospital.note())
    receipt = served.append(event).json()
    written(served)
    note = sign(served)
    answer = served.get(f"/v1/events/{receipt['event_id']}/proof")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    head, _, checkpoint = answer.content.partition(b"\n\n")
    first, index, *nodes = head.decode().split("\n")
    assert first == "c2sp.org/tlog-proof@v1"
    assert index == f"index {receipt['position']}"
    assert checkpoint == note
    signed = verify_checkpoint(checkpoint, [LOG.verifier]).checkpoint
    verify_inclusion(
        receipt["position"],
        signed.size,
        leaf=bytes.fromhex(receipt["leaf_hash"]),
        proof=[base64.b64decode(node) for node in nodes],
        root=signed.root,
    )


def test_before_a_checkpoint_covers_the_event_the_client_asks_again(served: Served) -> None:
    """503 with Retry-After: nothing is wrong, it is only too early."""
    event_id = written(served)
    for _ in range(2):
        answer = served.get(f"/v1/events/{event_id}/proof?wait=0.1")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        sign(served, served.size - 1)
    sign(served)
    assert served.get(f"/v1/events/{event_id}/proof").status_code == 200


def test_with_wait_the_answer_comes_with_the_checkpoint(served: Served) -> None:
    """One request instead of many."""
    event_id = written(served)
    with ThreadPoolExecutor(1) as waiting:
        answer = waiting.submit(served.get, f"/v1/events/{event_id}/proof?wait=20")
        assert not answer.done()
        sign(served)
        assert answer.result(timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/v1/events/{NO_SUCH}/proof", 404),
        ("/v1/events/nothing/proof", 400),
        (f"/v1/events/{NO_SUCH}/proof?wait=31", 400),
        (f"/v1/events/{NO_SUCH}/proof?wait=-1", 400),
    ],
)
def test_bad_requests_are_refused(shared: Served, path: str, status: int) -> None:
    """By their own status, and never with a stack trace."""
    assert shared.get(path).status_code == status


def test_nobody_is_told_without_a_token(shared: Served) -> None:
    """Deny by default."""
    assert shared.request("GET", f"/v1/events/{NO_SUCH}/proof").status_code == 401


def test_a_stored_checkpoint_that_is_not_of_this_ledger_proves_nothing(served: Served) -> None:
    """Rather no proof than a false one: 500, and the operator is told."""
    event_id = written(served)
    sign(served, root=bytes(32))
    assert served.get(f"/v1/events/{event_id}/proof").status_code == 500
