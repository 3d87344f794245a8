"""The verifier that stands alone meets the vectors too: golden, refused, and transparency-dev's."""

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ledger.evidence.verify_evidence import (
    Directory,
    Event,
    RefusedError,
    climb,
    climb_between,
    load_key,
    sha256,
)
from tests.shared_vectors import shared_vectors

VECTORS = Path(__file__).parents[1] / "vectors"
GOLDEN: dict[str, Any] = json.loads((VECTORS / "format-v1.json").read_text())
REFUSED: dict[str, Any] = json.loads((VECTORS / "refused-v1.json").read_text())


def event_of(
    golden: dict[str, Any], *, statement: bytes | None = None, container: bytes | None = None
) -> Event:
    """Return a golden event as a file would hold it."""
    return Event(
        position=golden["position"],
        version=golden["version"],
        previous=bytes.fromhex(golden["previous"]),
        link_salt=bytes.fromhex(golden["link_salt"]),
        entry=base64.b64decode(golden["entry"]),
        proof=[],
        statement=golden["statement"].encode() if statement is None else statement,
        container=golden["container"].encode() if container is None else container,
    )


def roles_of(event: Event) -> list[str]:
    """Check the signature as of a directory that knows the golden key; or RefusedError."""
    directory, said = Directory(), event.said
    spki = base64.b64decode(GOLDEN["keys"][said["alg"]]["spki"])
    public = load_key(spki, said["alg"])
    key = SimpleNamespace(alg=said["alg"], staff=said["signer"], public=public, revoked_at=None)
    directory.keys[sha256(spki).hex()] = key
    directory.roles[event.said["signer"]] = {"doctor", "nurse", "registrar", "laboratory"}
    return directory.follow(event)


@pytest.mark.parametrize("golden", GOLDEN["events"][1:], ids=lambda golden: golden["name"])
def test_it_accepts_every_golden_signature(golden: dict[str, Any]) -> None:
    """All five algorithms, as docs/format.md has them."""
    event = event_of(golden)
    assert event.leaf.hex() == golden["leaf_hash"]
    assert "doctor" in roles_of(event)


@pytest.mark.parametrize("case", REFUSED["statement"], ids=lambda case: case["mutation"])
def test_it_refuses_every_refused_statement(case: dict[str, str]) -> None:
    """In the form alone, before anything else is looked at."""
    with pytest.raises(RefusedError, match="statement-malformed"):
        event_of(GOLDEN["events"][4], statement=base64.b64decode(case["bytes"]))


@pytest.mark.parametrize("case", REFUSED["container"], ids=lambda case: case["mutation"])
def test_it_refuses_every_refused_container(case: dict[str, str]) -> None:
    """`none`, another header, another spelling of the same signature."""
    with pytest.raises(RefusedError, match=r"signature-invalid|statement-malformed"):
        roles_of(event_of(GOLDEN["events"][4], container=base64.b64decode(case["bytes"])))


def hashes(texts: list[str] | None) -> list[bytes]:
    """Decode the hashes of a case."""
    return [base64.b64decode(text) for text in texts or []]


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_it_judges_merkle_proofs_as_others_do(kind: str) -> None:
    """All cases whose hashes have 32 bytes, which the file's form demands, and sizes differ."""
    judged = {True: 0, False: 0}
    for path in sorted((shared_vectors("merkle") / kind).rglob("*.json")):
        case = json.loads(path.read_text())
        proof = hashes(case["proof"])
        roots = hashes([case[name] or "" for name in ("root", "root1", "root2") if name in case])
        if any(len(node) != 32 for node in [*proof, *roots]):
            continue
        try:
            if kind == "inclusion":
                leaf = base64.b64decode(case["leafHash"])
                found = [climb(case["leafIdx"], case["treeSize"], leaf, proof)[1]]
            elif case["size1"] == case["size2"]:
                continue
            else:
                found = [*climb_between(case["size1"], case["size2"], roots[0], proof)]
        except ValueError:
            found = []
        judged[found == roots] += 1
        assert (found == roots) is not case["wantErr"], path.name
    assert judged[True] > 3
    assert judged[False] > 20
