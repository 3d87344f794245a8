"""Files that are no evidence: refused with a reason, quickly, whatever is in them."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.evidence.format import Evidence, EvidenceEvent, Subject, encode_evidence
from ledger.evidence.verify_evidence import (
    MAX_BYTES,
    NoteKey,
    Policy,
    RefusedError,
    check_evidence,
    check_file,
    told,
)
from signing.keys import SoftKey
from signing.statement import ContentClaim, Statement, encode_statement
from signing.vkeys import ed25519_vkey

VKEY = str(ed25519_vkey("a.example/ledger", SoftKey.generate("EdDSA")))
ID = "01980000-0000-7000-8000-000000000001"
STATEMENT = encode_statement(
    Statement(
        alg="ES256",
        content=ContentClaim(digest="00" * 32, media_type="application/json", size=1),
        event_id=ID,
        format="clinledger/statement/v1",
        key_id="00" * 32,
        ledger="a.example/ledger",
        occurred_at="2026-11-22T03:03:09.678Z",
        signed_at="2026-11-22T03:03:09.678Z",
        signer=ID,
        stream=ID,
        stream_kind="facility",
        type="ledger-founded.v1",
    )
)
EVENT = EvidenceEvent(
    container=b"x",
    entry=b"CLE1" + bytes(104),
    link_salt="00" * 32,
    position=0,
    previous="00" * 32,
    proof=(),
    statement=STATEMENT,
    version=1,
)
SMALLEST = encode_evidence(
    Evidence(
        checkpoint=b"note",
        events=(EVENT,),
        origin="a.example/ledger",
        subject=Subject(id=ID, kind="event"),
    )
)
STATEMENT64 = base64.b64encode(STATEMENT)
EVENTS = SMALLEST[SMALLEST.index(b'"events":') : SMALLEST.index(b',"format"')]


def refusal(data: bytes) -> str:
    """Return the code with which bytes are refused."""
    with pytest.raises(RefusedError) as refused:
        check_evidence(data, NoteKey(VKEY), None, Policy())
    return refused.value.code


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"true",
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"9" * 10_000,
        b"-1",
        b"NaN",
        SMALLEST[:-1],
        SMALLEST + b"\n",
        b" " + SMALLEST,
        SMALLEST.replace(b'"events":', b'"events": '),
        SMALLEST.replace(EVENTS, b'"events":[]'),
        SMALLEST.replace(EVENTS, b'"events":{}'),
        SMALLEST.replace(EVENTS, b'"events":[1]'),
        SMALLEST.replace(EVENTS, b'"events":[{}]'),
        SMALLEST.replace(EVENTS, EVENTS + b"," + EVENTS),
        SMALLEST.replace(EVENTS, EVENTS + b',"extra":1'),
        SMALLEST.replace(EVENTS + b",", b""),
        SMALLEST.replace(b"evidence/v1", b"evidence/v2"),
        SMALLEST.replace(b"bm90ZQ==", b"bm90ZQ"),
        SMALLEST.replace(b"bm90ZQ==", b"bm90ZR=="),
        SMALLEST.replace(b"bm90ZQ==", b"bm90Z\\u0051=="),
        SMALLEST.replace(b'"position":0', b'"position":-1'),
        SMALLEST.replace(b'"position":0', b'"position":00'),
        SMALLEST.replace(b'"position":0', b'"position":0.0'),
        SMALLEST.replace(b'"position":0', b'"position":false'),
        SMALLEST.replace(b'"position":0', b'"position":9007199254740993'),
        SMALLEST.replace(b'"position":0', b'"position":' + b"9" * 5000),
        SMALLEST.replace(b'"version":1', b'"version":0'),
        SMALLEST.replace(b'"kind":"event"', b'"kind":"patient"'),
        SMALLEST.replace(b'"kind":"event"', b'"kind":null'),
        SMALLEST.replace(b"0198", "\uff10198".encode()),
    ],
)
def test_what_is_not_the_one_spelling_of_a_file_is_malformed(data: bytes) -> None:
    """Strict JSON, of the schema, and nothing else."""
    assert refusal(data) == "evidence-malformed"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (SMALLEST, "content-missing"),
        (SMALLEST.replace(b"a.example", b"b.example"), "wrong-ledger"),
        (SMALLEST.replace(b"Q0xFMQ", b"Q0xFMg"), "entry-malformed"),
        (SMALLEST.replace(STATEMENT64, STATEMENT64[:-4]), "statement-malformed"),
        (SMALLEST.replace(EVENTS, b'"events":[' + b"1," * 10**6 + b"1]"), "evidence-too-large"),
        (b"0" * (MAX_BYTES + 1), "evidence-too-large"),
    ],
)
def test_each_fault_has_its_code(data: bytes, code: str) -> None:
    """Also a file whose many small parts would cost memory."""
    assert refusal(data) == code


def test_a_file_of_100_mb_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    """Bad input of issue 3."""
    large = tmp_path / "large.clinledger-evidence"
    with large.open("wb") as file:
        file.truncate(100_000_000)
    verdict = check_file(large, VKEY, None, None)
    assert (verdict["ok"], verdict["code"]) == (False, "evidence-too-large")
    assert told(verdict, 0).startswith("REFUSED: this file proves nothing\n")
    assert "evidence-too-large" in told(verdict, 1)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a.example/ledger",
        VKEY.replace("a.example", "b.example"),
        VKEY[:-1],
        VKEY + "=",
        VKEY.upper(),
        str(ed25519_vkey("a.example/ledger", SoftKey.generate("EdDSA"), type_=4)),
    ],
    ids=["empty", "name", "other origin", "cut", "padded", "upper case", "other type"],
)
def test_only_a_ledgers_own_key_can_be_trusted(vkey: str, tmp_path: Path) -> None:
    """A witness's key, or a mistyped one, is wrong usage."""
    with pytest.raises(ValueError, match=r"."):
        check_file(tmp_path, vkey, None, None)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("evidence-too-large", "tệp sai dạng hoặc quá lớn"),
        ("handover-invalid", "điểm chốt, bàn giao khoá hoặc nhân chứng không hợp lệ"),
        ("genesis-mismatch", "thuộc sổ cái khác"),
        ("link-broken", "không đúng như đã ghi vào sổ cái"),
        ("key-not-valid", "người ký không có khoá, chữ ký hoặc vai trò hợp lệ"),
        ("version-gap", "bị bỏ bớt, sai thứ tự hoặc trái quy tắc của sổ cái"),
    ],
)
def test_a_refusal_is_told_in_both_languages(code: str, reason: str) -> None:
    """With its code and position in both."""
    verdict = {"ok": False, "code": code, "detail": "why", "position": 7}
    assert told(verdict, 0) == f"REFUSED: this file proves nothing\nReason: {code} [7]: why"
    assert told(verdict, 1).endswith(f"\nLý do: {code} [7]: {reason}")


def test_a_large_file_costs_little_memory(tmp_path: Path) -> None:
    """The most that is read, in the form that costs most: well below a laptop's memory."""
    large = tmp_path / "large.clinledger-evidence"
    large.write_bytes(b'"' + b"x" * (MAX_BYTES - 2) + b'"')
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30));"
        "from ledger.evidence.verify_evidence import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", limited, str(large), "--trust", VKEY, "--json"]
    done = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603
    assert done.returncode == 1, done.stderr
    assert '"code": "evidence-malformed"' in done.stdout
