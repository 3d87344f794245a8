"""All 196 cases of transparency-dev/merkle meet their verdicts (RFC 6962, RFC 9162)."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.merkle import InvalidProofError, verify_consistency, verify_inclusion
from tests.shared_vectors import shared_vectors


def cases(kind: str) -> dict[str, dict[str, Any]]:
    folder = shared_vectors("merkle") / kind
    return {str(path): json.loads(Path(path).read_text()) for path in folder.rglob("*.json")}


def decoded(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def hashes(texts: list[str] | None) -> list[bytes]:
    return [decoded(text) for text in texts or []]


def check_inclusion(case: dict[str, Any]) -> None:
    verify_inclusion(
        case["leafIdx"],
        case["treeSize"],
        leaf=decoded(case["leafHash"]),
        proof=hashes(case["proof"]),
        root=decoded(case["root"]),
    )


def check_consistency(case: dict[str, Any]) -> None:
    verify_consistency(
        case["size1"],
        case["size2"],
        old_root=decoded(case["root1"]),
        new_root=decoded(case["root2"]),
        proof=hashes(case["proof"]),
    )


@pytest.mark.parametrize(
    ("kind", "check"), [("inclusion", check_inclusion), ("consistency", check_consistency)]
)
def test_every_shared_merkle_vector_meets_its_verdict(
    kind: str, check: Callable[[dict[str, Any]], None]
) -> None:
    wrong: list[str] = []
    accepted = 0
    found = cases(kind)
    for name, case in found.items():
        try:
            check(case)
        except InvalidProofError:
            refused = True
        else:
            refused = False
            accepted += 1
        if refused != case["wantErr"]:
            wrong.append(name)
    assert wrong == []
    assert (len(found), accepted) == (98, 6)
