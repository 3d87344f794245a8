"""Make the golden vectors of docs/format.md by a second implementation; see README.md here.

Nothing of clinledger is imported: bytes are put together by hand, JSON by the standard library,
signatures and sealing by PyCryptodome.
"""

import base64
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from Crypto.Cipher import AES

from tests.naive_merkle import mth, path, proof
from tests.vectors.handovers import build_handover
from tests.vectors.refusals import build_refusals
from tests.vectors.sample_keys import fixed, private_of, sha256, sign, spki_of

HERE = Path(__file__).parent
GOLDEN = HERE / "format-v1.json"
REFUSED = HERE / "refused-v1.json"
ORIGIN = "bvdk.quangninh.example/ledger"
ZERO = bytes(32)


def uuid(label: str) -> str:
    """Return a UUID of version 8 that is always the same."""
    raw = bytearray(fixed(label)[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def compact(value: object) -> bytes:
    """Return strict JSON: sorted members, no white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def b64(data: bytes) -> str:
    """Return standard base64."""
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def prefixed(*parts: bytes) -> bytes:
    """Return each part after its length in four bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def compact_jws(alg: str, header: object, claims: object) -> str:
    """Return a compact JWS with an encoded payload."""
    signing_input = f"{b64url(compact(header))}.{b64url(compact(claims))}"
    return f"{signing_input}.{b64url(sign(alg, signing_input.encode()))}"


# name, algorithm, stream, kind, version, type, content
EVENTS: list[tuple[str, str, str, str, int, str, str]] = [
    ("founded", "ES256", "facility", "facility", 1, "ledger-founded.v1", '{"note":"facility"}'),
    ("registered", "RS256", "patient", "patient", 1, "patient-registered.v1", '{"note":"patient"}'),
    ("opened", "PS256", "record", "record", 1, "record-opened.v1", '{"note":"record"}'),
    ("note", "ES256", "record", "record", 2, "note-written.v1", '{"note":"Sốt 39,5 độ, đau đầu"}'),
    ("amended", "ES384", "record", "record", 3, "entry-amended.v1", '{"note":"Sốt 38,5 độ"}'),
    ("vitals", "EdDSA", "record", "record", 4, "vitals-recorded.v1", '{"note":"37.10"}'),
]


def time_text(ms: int) -> str:
    """Return the time of milliseconds since 1970."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def build_events() -> list[dict[str, Any]]:
    """Return a small ledger, every value of every event."""
    done: list[dict[str, Any]] = []
    for position, event in enumerate(EVENTS):
        done.append(build_event(position, event, done))
    return done


def build_event(
    position: int, event: tuple[str, str, str, str, int, str, str], done: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return every value of one event."""
    name, alg, stream, kind, version, tag, content_text = event
    content, salt = content_text.encode(), fixed(f"{name} content salt")
    content_digest = sha256(b"clinledger/content/v1\n" + salt + content)
    leaves = [bytes.fromhex(entry["leaf_hash"]) for entry in done]
    received = 1_795_316_645_678 + position * 1000
    statement: dict[str, Any] = {
        "alg": alg,
        "content": {
            "digest": content_digest.hex(),
            "media_type": "application/json" if kind == "facility" else "application/fhir+json",
            "size": len(content),
        },
        "event_id": uuid(name),
        "format": "clinledger/statement/v1",
        "key_id": sha256(spki_of(alg)).hex(),
        "ledger": ORIGIN,
        "occurred_at": time_text(received - 60_000),
        "signed_at": time_text(received - 500),
        "signer": uuid(f"staff {alg}"),
        "stream": uuid(stream),
        "stream_kind": kind,
        "type": tag,
    }
    if position:
        statement["seen"] = {"root": mth(leaves).hex(), "size": position}
    if name == "amended":
        target = done[3]
        statement["refs"] = [
            {
                "event_id": target["event_id"],
                "relation": "amends",
                "statement": target["statement_digest"],
            }
        ]
    statement_bytes = compact(statement)
    container = build_container(alg, statement_bytes)
    before = [entry for entry in done if entry["stream"] == uuid(stream)]
    previous = bytes.fromhex(before[-1]["leaf_hash"]) if before else ZERO
    link_salt = fixed(f"{name} link salt")
    link = sha256(b"clinledger/link/v1\n" + link_salt + version.to_bytes(8, "big") + previous)
    entry = (
        b"CLE1" + received.to_bytes(8, "big") + link + sha256(statement_bytes) + sha256(container)
    )
    leaf = sha256(b"\x00" + entry)
    return {
        "name": name,
        "position": position,
        "stream": uuid(stream),
        "version": version,
        "event_id": uuid(name),
        "received_at_ms": received,
        "statement": statement_bytes.decode(),
        "statement_digest": sha256(statement_bytes).hex(),
        "container": container.decode(),
        "container_digest": sha256(container).hex(),
        "content": content.decode(),
        "salt": b64(salt),
        "content_digest": content_digest.hex(),
        "previous": previous.hex(),
        "link_salt": link_salt.hex(),
        "link": link.hex(),
        "entry": b64(entry),
        "leaf_hash": leaf.hex(),
        "root_after": mth([*leaves, leaf]).hex(),
        **build_body(statement, prefixed(statement_bytes, container, salt, content)),
    }


def build_container(alg: str, statement: bytes) -> bytes:
    """Return the container over a statement."""
    header = {"alg": alg, "b64": False, "crit": ["b64"], "typ": "clinledger-statement"}
    protected = b64url(compact(header))
    signature = sign(alg, protected.encode() + b"." + statement)
    return compact({"format": "jws", "value": f"{protected}..{b64url(signature)}"})


def build_body(statement: dict[str, Any], frame: bytes) -> dict[str, Any]:
    """Return the stored body: plain for the directory, sealed for everything else."""
    if statement["stream_kind"] in {"facility", "staff"}:
        return {"frame": b64(frame), "body": b64(b"\x00" + frame)}
    aad = prefixed(*(statement[name].encode() for name in ("ledger", "stream", "event_id")))
    key = fixed("stream key of " + statement["stream"])
    nonce = fixed("nonce of " + statement["event_id"])[:12]
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
    cipher.update(aad)
    sealed, tag = cipher.encrypt_and_digest(frame)
    return {
        "frame": b64(frame),
        "aad": b64(aad),
        "stream_key": b64(key),
        "nonce": b64(nonce),
        "body": b64(b"\x01" + nonce + sealed + tag),
    }


def build_receipt(event: dict[str, Any]) -> dict[str, Any]:
    """Return the receipt of an event as the HTTP interface gives it."""
    return {
        "event_id": event["event_id"],
        "stream": event["stream"],
        "position": event["position"],
        "version": event["version"],
        "received_at": time_text(event["received_at_ms"]),
        "entry": event["entry"],
        "previous": event["previous"],
        "link_salt": event["link_salt"],
        "leaf_hash": event["leaf_hash"],
        "head": {"size": event["position"] + 1, "root": event["root_after"]},
    }


def build_possession() -> dict[str, Any]:
    """Return a possession proof and its parts."""
    alg, staff, nonce = "ES256", uuid("staff ES256"), "9f1c5a0e-enrolment"
    claim = {
        "alg": alg,
        "format": "clinledger/possession/v1",
        "key_id": sha256(spki_of(alg)).hex(),
        "nonce": nonce,
        "origin": ORIGIN,
        "staff": staff,
    }
    proof = compact_jws(alg, {"alg": alg, "typ": "clinledger-possession"}, claim)
    return {
        "alg": alg,
        "staff": staff,
        "nonce": nonce,
        "claim": compact(claim).decode(),
        "proof": proof,
    }


def build_token() -> dict[str, Any]:
    """Return a bearer token and its parts."""
    alg, staff, now = "ES256", uuid("staff ES256"), 1_795_316_645
    claims = {"aud": ORIGIN, "exp": now + 300, "iat": now, "sub": staff}
    header = {"alg": alg, "kid": sha256(spki_of(alg)).hex(), "typ": "clinledger-token"}
    return {
        "alg": alg,
        "staff": staff,
        "issued_at": now,
        "expires_at": now + 300,
        "token": compact_jws(alg, header, claims),
    }


def build_tree() -> dict[str, Any]:
    """Return roots and proofs over leaves that are easy to make again."""
    leaves = [sha256(b"\x00" + index.to_bytes(8, "big")) for index in range(1000)]
    sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 127, 128, 129, 255, 256, 257, 511, 512, 513, 768, 1000]
    inclusion = [(0, 1), (0, 8), (3, 7), (6, 7), (256, 257), (300, 1000), (999, 1000)]
    consistency = [(1, 2), (3, 7), (4, 7), (6, 8), (256, 1000), (257, 1000), (999, 1000)]
    return {
        "leaves": "leaf i is SHA-256(0x00 || i as 8 bytes, big-endian)",
        "roots": {str(size): mth(leaves[:size]).hex() for size in sizes},
        "inclusion": [
            {"index": m, "size": n, "proof": [step.hex() for step in path(m, leaves[:n])]}
            for m, n in inclusion
        ],
        "consistency": [
            {"old": m, "new": n, "proof": [step.hex() for step in proof(m, leaves[:n])]}
            for m, n in consistency
        ],
    }


def build_verified(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an auditor's note of the golden ledger, and a sample drawn from a seed."""
    name, alg = "so-y-te.example/auditor", "EdDSA"
    root = bytes.fromhex(events[-1]["root_after"])
    lines = (
        "clinledger/verified/v1",
        ORIGIN,
        str(len(events)),
        b64(root),
        "from 0",
        "signatures yes",
        "rules yes",
        "contents no",
        "time 2026-11-22T06:40:00.000Z",
    )
    text = "".join(f"{line}\n" for line in lines)
    key = b"\x01" + spki_of(alg)[-32:]
    key_hash = sha256(name.encode() + b"\n" + key)[:4]
    signature = b64(key_hash + sign(alg, text.encode()))
    return {
        "vkey": f"{name}+{key_hash.hex()}+{b64(key)}",
        "note": f"{text}\n\N{EM DASH} {name} {signature}\n",
        "seed": bytes(range(32)).hex(),
        "sampled": {"count": 5, "size": 1000, "positions": draw(bytes(range(32)), 5, 1000)},
    }


def draw(seed: bytes, count: int, size: int) -> list[int]:
    """Draw positions by Floyd's algorithm, from SHA-256 of a prefix, the seed and a counter."""
    numbers, drawn = 0, set[int]()
    for last in range(size - count, size):
        number = 2**64
        while number >= 2**64 // (last + 1) * (last + 1):
            data = b"clinledger/sample/v1\n" + seed + numbers.to_bytes(8, "big")
            number, numbers = int.from_bytes(sha256(data)[:8], "big"), numbers + 1
        position = number % (last + 1)
        drawn.add(last if position in drawn else position)
    return sorted(drawn)


def build() -> str:
    """Return the text of the golden file."""
    events = build_events()
    keys = {
        alg: {
            "spki": b64(spki_of(alg)),
            "key_id": sha256(spki_of(alg)).hex(),
            "private_pkcs8": b64(private_of(alg)),
        }
        for alg in ("ES256", "ES384", "PS256", "RS256", "EdDSA")
    }
    golden = {
        "about": "Golden vectors of docs/format.md; made by tests/vectors/generate.py. "
        "The private keys are for tests only and the contents match no profile.",
        "origin": ORIGIN,
        "keys": keys,
        "events": events,
        "receipt": build_receipt(events[4]),
        "possession": build_possession(),
        "token": build_token(),
        "handover": build_handover(ORIGIN),
        "verified": build_verified(events),
        "tree": build_tree(),
    }
    return json.dumps(golden, indent=1, ensure_ascii=False) + "\n"


def build_refused() -> str:
    """Return the text of the file of what must be refused, spoiled forms of the amendment."""
    event = build_events()[4]
    refused = build_refusals(event["statement"].encode(), event["container"].encode())
    about = "Spoiled forms of the statement and container named 'amended' in format-v1.json."
    return json.dumps({"about": about, **refused}, indent=1) + "\n"


if __name__ == "__main__":
    for file, text in ((GOLDEN, build()), (REFUSED, build_refused())):
        file.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {file}\n")
