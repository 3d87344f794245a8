"""Spoil the golden statement and container in every way that a reader must notice."""

import base64
import json
from typing import Any

MALFORMED, SPELLING, HEADER = "malformed", "not-canonical", "header"


def compact(value: object) -> bytes:
    """Return strict JSON: sorted members, no white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def swap(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return the data with its first ``old`` replaced, which must be there."""
    if old not in data:
        raise LookupError(old)
    return data.replace(old, new, 1)


def spoiled_statements(good: bytes) -> list[tuple[str, str, bytes]]:
    """Return name, verdict and bytes of each spoiled statement."""
    members: dict[str, Any] = json.loads(good)
    size = b'"size":%d}' % members["content"]["size"]
    alg = b'{"alg":"%s"' % members["alg"].encode()

    def member(name: str, value: object) -> bytes:
        return compact({**members, name: value})

    def content(name: str, value: object) -> bytes:
        return member("content", {**members["content"], name: value})

    def ref(name: str, value: object) -> bytes:
        return member("refs", [{**members["refs"][0], name: value}])

    def without(name: str) -> bytes:
        return compact({key: value for key, value in members.items() if key != name})

    reordered = json.dumps(dict(reversed(members.items())), separators=(",", ":")).encode()
    times = {
        "second-precision": "2026-11-22T03:04:05Z",
        "microseconds": "2026-11-22T03:04:05.678000Z",
        "offset": "2026-11-22T10:04:05.678+07:00",
        "lower-case": "2026-11-22t03:04:05.678z",
        "hour-24": "2026-11-22T24:00:00.000Z",
        "leap-second": "2026-12-31T23:59:60.000Z",
        "31-february": "2026-02-31T00:00:00.000Z",
        "29-february-2026": "2026-02-29T00:00:00.000Z",
        "year-0": "0000-01-01T00:00:00.000Z",
    }
    return [
        ("white-space-after", SPELLING, good + b"\n"),
        ("white-space-within", SPELLING, swap(good, b":", b": ")),
        ("members-reordered", SPELLING, reordered),
        ("member-repeated", SPELLING, swap(good, alg, alg + b"," + alg[1:])),
        ("inner-member-repeated", SPELLING, swap(good, size, b'"size":1,' + size)),
        ("escaped-letter", SPELLING, swap(good, b'"ES', rb'"\u0045S')),
        ("escaped-solidus", SPELLING, swap(good, b"/", rb"\/")),
        ("integer-with-exponent", MALFORMED, swap(good, size, size[:-1] + b"e0}")),
        ("integer-with-fraction", MALFORMED, swap(good, size, size[:-1] + b".0}")),
        ("integer-with-leading-zero", MALFORMED, swap(good, b'"size":', b'"size":0')),
        ("integer-minus-zero", MALFORMED, swap(good, size, b'"size":-0}')),
        ("integer-2^53", MALFORMED, member("seen", {**members["seen"], "size": 2**53})),
        ("size-0", MALFORMED, content("size", 0)),
        ("size-over-1-mib", MALFORMED, content("size", 1024 * 1024 + 1)),
        ("unknown-member", MALFORMED, member("zzz", 1)),
        ("unknown-inner-member", MALFORMED, content("zzz", 1)),
        ("member-missing", MALFORMED, without("signer")),
        ("null", MALFORMED, member("refs", None)),
        ("refs-empty", MALFORMED, member("refs", [])),
        ("relation-unknown", MALFORMED, ref("relation", "mentions")),
        ("hash-upper-case", MALFORMED, member("key_id", members["key_id"].upper())),
        ("hash-short", MALFORMED, ref("statement", members["key_id"][:-2])),
        ("uuid-upper-case", MALFORMED, member("event_id", members["event_id"].upper())),
        ("uuid-without-hyphens", MALFORMED, member("stream", members["stream"].replace("-", ""))),
        ("uuid-nil", MALFORMED, member("signer", "00000000-0000-0000-0000-000000000000")),
        ("algorithm-none", MALFORMED, member("alg", "none")),
        ("stream-kind-unknown", MALFORMED, member("stream_kind", "ward")),
        ("type-without-version", MALFORMED, member("type", "note-written")),
        ("type-v0", MALFORMED, member("type", "note-written.v0")),
        ("origin-with-scheme", MALFORMED, member("ledger", "https://bvdk.example/ledger")),
        ("media-type-parameter", MALFORMED, content("media_type", "text/plain;charset=utf-8")),
        ("non-ascii", MALFORMED, swap(good, b"ledger/", "lédger/".encode())),
        ("line-feed-in-string", MALFORMED, member("type", members["type"] + "\n")),
        ("byte-order-mark", MALFORMED, b"\xef\xbb\xbf" + good),
        ("broken-utf-8", MALFORMED, swap(good, b"ES", b"E\xff")),
        ("cut-short", MALFORMED, good[:-1]),
        ("deep-nesting", MALFORMED, b"[" * 8000),
        ("empty", MALFORMED, b""),
        ("format-v2", MALFORMED, member("format", "clinledger/statement/v2")),
        *((f"time-{name}", MALFORMED, member("occurred_at", text)) for name, text in times.items()),
        ("over-16-kib", "too-large", good + b" " * (16 * 1024 + 1 - len(good))),
    ]


def spoiled_containers(good: bytes) -> list[tuple[str, str, bytes]]:
    """Return name, verdict and bytes of each spoiled container."""
    value = json.loads(good)["value"]
    protected, _, signature = value.split(".")
    header = base64.urlsafe_b64decode(protected + "=" * (-len(protected) % 4))

    def wrapped(text: str) -> bytes:
        return compact({"format": "jws", "value": text})

    def with_header(old: bytes, new: bytes) -> bytes:
        spoiled = base64.urlsafe_b64encode(swap(header, old, new)).decode().rstrip("=")
        return wrapped(f"{spoiled}..{signature}")

    return [
        ("algorithm-none", HEADER, with_header(b"ES384", b"none")),
        ("algorithm-hmac", HEADER, with_header(b"ES384", b"HS256")),
        ("algorithm-twice", HEADER, with_header(b'{"alg"', b'{"alg":"none","alg"')),
        ("header-extra-member", HEADER, with_header(b'"typ"', b'"kid":"1","typ"')),
        ("header-empty-crit", HEADER, with_header(b'["b64"]', b"[]")),
        ("header-no-crit", HEADER, with_header(b'"crit":["b64"],', b"")),
        ("header-b64-true", HEADER, with_header(b"false", b"true")),
        ("header-other-typ", HEADER, with_header(b"-statement", b"-possession")),
        ("header-white-space", HEADER, with_header(b":", b": ")),
        ("payload-embedded", MALFORMED, wrapped(f"{protected}.e30.{signature}")),
        ("signature-padded", MALFORMED, wrapped(value + "==")),
        ("signature-unused-bits", MALFORMED, wrapped(value[:-2] + "B")),
        ("signature-standard-base64", MALFORMED, wrapped(value[:-4] + "+/+/")),
        ("signature-missing", MALFORMED, wrapped(protected)),
        ("signature-twice", MALFORMED, wrapped(f"{value}.{signature}")),
        ("trailing-byte", MALFORMED, good + b"\n"),
        ("white-space", MALFORMED, swap(good, b",", b", ")),
        ("member-repeated", MALFORMED, swap(good, b'"format"', b'"format":"jws","format"')),
        ("unknown-member", MALFORMED, swap(good, b"}", b',"x":1}')),
        ("other-format", MALFORMED, swap(good, b'"jws"', b'"cades"')),
        ("bare-jws", MALFORMED, value.encode()),
        ("empty", MALFORMED, b""),
        ("over-4-kib", "too-large", wrapped(f"{protected}..{'A' * 4096}")),
    ]


def build_refusals(statement: bytes, container: bytes) -> dict[str, Any]:
    """Return everything that must be refused, with what is expected."""
    kinds = {
        "statement": spoiled_statements(statement),
        "container": spoiled_containers(container),
    }
    return {
        kind: [
            {
                "mutation": name,
                "code": f"{kind}-{verdict}",
                "bytes": base64.b64encode(data).decode(),
            }
            for name, verdict, data in cases
        ]
        for kind, cases in kinds.items()
    }
