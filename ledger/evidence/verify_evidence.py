"""Check a clinledger evidence file offline, believing only what the person checking brings.

    python verify_evidence.py FILE --trust VKEY [--genesis HEX] [--policy FILE] [--json]
                              [--lang vi|en]

One file; needs Python 3.11 and the `cryptography` package, no server and nothing else of ours.
docs/evidence.md and docs/format.md specify every byte. In this order:

1. The file is strict JSON in its one spelling, of permitted form and size.
2. Its checkpoint is signed by the key of --trust, under the origin that this key names, and
   cosigned as the policy of --policy demands. No key in the file is ever believed.
3. Each event is in the tree of that checkpoint: leaf, inclusion proof, position, and the link that
   commits to version and predecessor. Statement, signature container and content have the digests
   that were entered; the root that the author had seen is of the same tree.
4. The record, and every staff stream, is a whole chain from version 1.
5. From the founding event on, each event is signed by a key that was enrolled for its signer and
   valid at its position, and its signer held a role for it.
6. With published heads: those chains lacked nothing as of the heads' size.

Exit status: 0 all that the file holds is proven; 1 refused, with the reason; 2 wrong usage.
"""

# ruff: noqa: ANN401, PLR2004 - JSON is of any type, and forms are made of numbers

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa, utils

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
MAX_PARTS: Final = 1_000_000  # bounds what decoding a file can cost
MAX_STATEMENT_BYTES: Final = 16 * 1024
MAX_CONTAINER_BYTES: Final = 4 * 1024
MAX_CONTENT_BYTES: Final = 1024 * 1024
MAX_INTEGER: Final = 2**53 - 1
MAX_TIME_MS: Final = 253_402_300_799_999  # the end of the year 9999
HASH: Final = 32

_AUTHORS: Final = {  # by roles; docs/events.md is finer where the content decides
    "administrator": "policy-set",
    "administrator registrar": "checkpoint-key-rotated",
    "ledger": "heads-published",
    "registrar": "practitioner-enrolled device-enrolled key-enrolled key-revoked role-granted"
    " role-withdrawn",
    "registrar doctor nurse his": "patient-registered patient-identity-updated",
    "doctor nurse pharmacist": "allergy-recorded",
    "doctor registrar his": "record-opened record-closed",
    "doctor": "diagnosis-recorded order-placed order-cancelled",
    "doctor nurse pharmacist laboratory imaging": "note-written",
    "nurse doctor monitor his": "vitals-recorded",
    "laboratory imaging": "result-reported",
    "registrar doctor nurse pharmacist laboratory imaging his monitor": "entry-amended"
    " entry-retracted",
}
AUTHORS: Final = {f"{t}.v1": set(r.split()) for r, ts in _AUTHORS.items() for t in ts.split()}


class RefusedError(Exception):
    """The file does not prove what it says: a code, the reason, and the position concerned."""

    def __init__(self, code: str, detail: str, position: int | None = None) -> None:
        self.code, self.detail, self.position = code, detail, position
        super().__init__(f"{code}: {detail}")


def sha256(*parts: bytes) -> bytes:
    """Return SHA-256 of the joined parts."""
    return hashlib.sha256(b"".join(parts)).digest()


def decode_base64(text: str) -> bytes:
    """Decode standard base64 with padding in its one spelling; ValueError for any other."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def time_text(ms: int) -> str:
    """Write milliseconds since 1970 as `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


# --- JSON. A form says what a value must be; `shaped` compares and converts, or ValueError.


def shaped(value: Any, form: Any) -> Any:
    """Return a decoded JSON value if it has a form.

    A form is a pattern (text), a range (integer), a list of one form (array; a second item: not
    empty), a mapping of forms (object; a name that ends in `?` may be absent), or a function that
    converts a text.
    """
    kind, wanted = value.__class__, form.__class__
    if wanted is dict:
        names = {name.rstrip("?"): part for name, part in form.items()}
        needed = {name for name in form if name in names}
        if kind is not dict or not needed <= value.keys() <= names.keys():
            raise ValueError("not an object with exactly the members that belong here")
        return {name: shaped(part, names[name]) for name, part in value.items()}
    if wanted is list and kind is list and (value or len(form) == 1):
        return [shaped(item, form[0]) for item in value]
    if wanted is range and kind is int and value in form:
        return value
    if wanted is str and kind is str and re.fullmatch(form, value):
        return value
    if kind is str and callable(form):
        return form(value)
    raise ValueError("a value does not have the form that belongs here")


def hash_of(text: str) -> bytes:
    """Convert 64 lower-case hexadecimal digits."""
    return bytes.fromhex(shaped(text, "[0-9a-f]{64}"))


def time_of(text: str) -> str:
    """Demand a time of the calendar, UTC with milliseconds."""
    shaped(text, r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
    datetime.fromisoformat(text)
    return text


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a repeated member")
    return dict(pairs)


def decode_json(data: bytes, *, strict: bool) -> Any:
    """Decode JSON without repeated members; strict: in the one spelling of docs/format.md §1."""
    if strict and not re.fullmatch(rb"[ -\[\]-~]*", data):
        raise ValueError("not printable ASCII without escapes")
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique)
        if strict and json.dumps(value, sort_keys=True, separators=(",", ":")).encode() != data:
            raise ValueError("not the one permitted spelling")
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


# --- Keys and signatures

_PRIME: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _PRIME) % _PRIME
_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER: Final = {0, 1, _PRIME - 1, _ORDER_8, _PRIME - _ORDER_8}
_CURVES: Final[Mapping[str, tuple[str, int, hashes.HashAlgorithm]]] = {
    "ES256": ("secp256r1", 32, hashes.SHA256()),
    "ES384": ("secp384r1", 48, hashes.SHA384()),
}


def check_edwards(encoded: bytes) -> None:
    """Refuse Ed25519 keys of small order, off the curve, or not in their canonical encoding."""
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _PRIME) % _PRIME
    if y >= _PRIME or y in _SMALL_ORDER or pow(x_squared, (_PRIME - 1) // 2, _PRIME) != 1:
        raise ValueError("not an acceptable Ed25519 key")


def load_key(spki: bytes, alg: str) -> Any:
    """Load a public key that fits its algorithm and is strong enough, or ValueError."""
    try:
        key: Any = serialization.load_der_public_key(spki)
    except UnsupportedAlgorithm:
        raise ValueError("an unknown kind of key") from None
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    fits = key.public_bytes(encoding, form) == spki
    if isinstance(key, ec.EllipticCurvePublicKey):
        fits = fits and alg in _CURVES and key.curve.name == _CURVES[alg][0]
    elif isinstance(key, rsa.RSAPublicKey):
        fits = fits and alg in {"PS256", "RS256"} and 2048 <= key.key_size <= 8192
        fits = fits and 2**16 < key.public_numbers().e < 2**32
    elif isinstance(key, ed25519.Ed25519PublicKey):
        check_edwards(key.public_bytes_raw())
        fits = fits and alg == "EdDSA"
    else:
        fits = False
    if not fits:
        raise ValueError("the key does not fit its algorithm")
    return key


def check_signature(key: Any, alg: str, signature: bytes, message: bytes) -> None:
    """Check a raw signature (RFC 7518 §3); ValueError or InvalidSignature when it is none."""
    if alg in _CURVES:
        _, length, digest = _CURVES[alg]
        if len(signature) != 2 * length:
            raise ValueError("a signature of another length")
        r, s = int.from_bytes(signature[:length]), int.from_bytes(signature[length:])
        key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(digest))
    elif alg == "EdDSA":
        key.verify(signature, message)
    else:
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=HASH)
        chosen = pss if alg == "PS256" else padding.PKCS1v15()
        key.verify(signature, message, chosen, hashes.SHA256())


# --- Merkle tree: RFC 9162 §2.1.3.2 and §2.1.4.2. ValueError when a proof has a wrong form.


def _climb(place: int, last: int, start: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Hash upwards to the root of the tree that ends with a node, and of the whole tree."""
    first = second = start
    for sibling in path:
        if last == 0:
            raise ValueError("the proof is too long")
        if place & 1 or place == last:
            first, second = sha256(b"\x01", sibling, first), sha256(b"\x01", sibling, second)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            second = sha256(b"\x01", second, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise ValueError("the proof is too short")
    return first, second


def root_of_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the root to which an inclusion proof leads."""
    if not 0 <= index < size:
        raise ValueError("not within the tree")
    return _climb(index, size - 1, leaf, proof)[1]


def roots_of_consistency(
    old: int, new: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Return the roots of an older, smaller tree and of the new one to which a proof leads."""
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not 0 < old < new or not path:
        raise ValueError("the proof is too short, or the older tree is not smaller")
    height = (old & -old).bit_length() - 1
    return _climb((old - 1) >> height, (new - 1) >> height, path[0], path[1:])


# --- Signed notes, checkpoints, cosignatures, policies (c2sp.org). ValueError when malformed.

_LOG, _COSIGNER, _MLDSA = 1, 4, 6  # Ed25519; with a time; ML-DSA-44 with a time
_KEY_BYTES: Final = {_LOG: 32, _COSIGNER: 32, _MLDSA: 1312}


@dataclass(frozen=True)
class NoteKey:
    """A verifier key: `<name>+<id>+<base64 of kind and key>`."""

    text: str
    name: str
    id: bytes
    kind: int
    public: bytes


def _check_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() or c < " " for c in name):
        raise ValueError("a key's name is empty, or has a space or plus")


def read_note_key(text: str) -> NoteKey:
    """Read a verifier key."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    data = decode_base64(encoded)
    digest = sha256(name.encode(), b"\n", data)[:4]
    _check_name(name)
    if key_id != digest.hex() or not data or _KEY_BYTES.get(data[0]) != len(data) - 1:
        raise ValueError("not a verifier key <name>+<id>+<base64> of a known kind")
    if data[0] != _MLDSA:
        check_edwards(data[1:])
    return NoteKey(text=text, name=name, id=digest, kind=data[0], public=data[1:])


@dataclass(frozen=True)
class Checkpoint:
    """A signed tree head; `lines` are (key name, key id, signature)."""

    text: bytes
    lines: Sequence[tuple[str, bytes, bytes]]
    origin: str
    size: int
    root: bytes

    def time_of(self, key: NoteKey) -> int | None:
        """Return when a key signed this (seconds, 0 for a log), None when it did not.

        ValueError: two signatures of this key, or one that is not valid.
        """
        found = [line[2] for line in self.lines if line[:2] == (key.name, key.id)]
        if not found:
            return None
        if len(found) > 1:
            raise ValueError("two signatures of one key")
        try:
            if key.kind == _LOG:
                self._verify(key, found[0], self.text)
                return 0
            (seconds,) = struct.unpack(">Q", found[0][:8])
            self._verify(key, found[0][8:], self._cosigned(key, seconds))
        except (InvalidSignature, UnsupportedAlgorithm, struct.error):
            raise ValueError("the signature of a known key is not valid") from None
        if seconds > MAX_TIME_MS // 1000:
            raise ValueError("a cosignature of an impossible time")
        return int(seconds)

    def _verify(self, key: NoteKey, signature: bytes, message: bytes) -> None:
        kind = mldsa.MLDSA44PublicKey if key.kind == _MLDSA else ed25519.Ed25519PublicKey
        kind.from_public_bytes(key.public).verify(signature, message)

    def _cosigned(self, key: NoteKey, seconds: int) -> bytes:
        """Return what a cosigner signs (c2sp.org/tlog-cosignature)."""
        if key.kind == _COSIGNER:
            return f"cosignature/v1\ntime {seconds}\n".encode() + self.text
        if self.text.count(b"\n") > len(("origin", "size", "root")):
            raise ValueError("extension lines, which this cosigner does not sign")
        names = [bytes([len(name)]) + name for name in (key.name.encode(), self.origin.encode())]
        head = struct.pack(">QQ", 0, self.size) + self.root
        return b"subtree/v1\n\0" + names[0] + struct.pack(">Q", seconds) + names[1] + head


def parse_checkpoint(data: bytes) -> Checkpoint:
    """Parse a signed checkpoint (c2sp.org/signed-note, c2sp.org/tlog-checkpoint)."""
    whole = data.decode() if len(data) <= 1024 * 1024 else ""
    text, separator, block = whole.rpartition("\n\n")
    if not separator or not block.endswith("\n") or any(c < " " and c != "\n" for c in whole):
        raise ValueError("not a signed note")
    if block.count("\n") > 100:
        raise ValueError("more signatures than are permitted")
    head = text.split("\n")
    if len(head) < len(("origin", "size", "root")) or not all(head):
        raise ValueError("not a checkpoint")
    size, root = shaped(head[1], "0|[1-9][0-9]{0,18}"), decode_base64(head[2])
    if int(size) > 2**63 - 1 or len(root) != HASH:
        raise ValueError("not a checkpoint's size and root")
    lines = [_signature(line) for line in block[:-1].split("\n")]
    return Checkpoint(text.encode() + b"\n", lines, head[0], int(size), root)


def _signature(line: str) -> tuple[str, bytes, bytes]:
    dash, name, encoded = line.split(" ") if line.count(" ") == len("  ") else ("", "", "")
    data = decode_base64(encoded)
    _check_name(name)
    if dash != "\N{EM DASH}" or len(data) <= len(b"4 id"):
        raise ValueError("not a signature line")
    return name, data[:4], data[4:]


@dataclass
class Policy:
    """Which witnesses are known, and which must have cosigned (c2sp.org/tlog-policy)."""

    witnesses: dict[str, NoteKey] = field(default_factory=dict[str, NoteKey])
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict[str, Any])
    quorum: str = "none"

    def is_met(self, cosigned: set[str]) -> bool:
        """Tell whether these witnesses are a quorum; groups stand after their members."""
        reached = {"none"} | cosigned
        for name, (needed, members) in self.groups.items():
            if len(reached.intersection(members)) >= needed:
                reached.add(name)
        return self.quorum in reached


def read_policy(text: str) -> Policy:
    """Read a policy file; its logs are not needed, for --trust names the one."""
    policy, known, used = Policy(quorum=""), {"none"}, {"none"}
    for line in text.split("\n"):
        match re.split("[ \t]+", line.strip(" \t")):
            case [first, *_] if not first or first == "log" or first.startswith("#"):
                pass
            case ["witness", name, vkey, *url] if len(url) <= 1 and name not in known:
                key = read_note_key(vkey)
                if key.kind == _LOG or key.public in {w.public for w in policy.witnesses.values()}:
                    raise ValueError("not a cosigner's key, or one that stands there already")
                policy.witnesses[name] = key
                known.add(name)
            case ["group", name, count, *members] if members and name not in known:
                number = {"any": "1", "all": str(len(members))}.get(count, count)
                needed = int(shaped(number, "[1-9][0-9]{0,3}"))
                fresh = set(members) <= known - used and len(set(members)) == len(members)
                if not fresh or needed > len(members):
                    raise ValueError("a group that is not possible")
                policy.groups[name] = needed, members
                known.add(name)
                used.update(members)
            case ["quorum", name] if not policy.quorum and name in known:
                policy.quorum = name
            case _:
                raise ValueError("not a line of a policy, or a name twice or not yet defined")
    if not policy.quorum:
        raise ValueError("the policy names no quorum")
    return policy


# --- 1. The file

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_ORIGIN: Final = (
    r"(?=.{1,200}$)"
    r"[a-z0-9]+([.-][a-z0-9]+)*(:[1-9][0-9]{0,4})?(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*"
)
_NAMES: Final = "[a-z0-9]+([.+-][a-z0-9]+)*"
_POSITION: Final = range(MAX_INTEGER)
_EVENT: Final = {
    "container": decode_base64,
    "content?": decode_base64,
    "entry": decode_base64,
    "link_salt": hash_of,
    "position": _POSITION,
    "previous": hash_of,
    "proof": [hash_of],
    "salt?": decode_base64,
    "seen_proof?": [hash_of],
    "statement": decode_base64,
    "version": range(1, MAX_INTEGER),
}
_OPENING: Final = {
    "index": _POSITION,
    "leaf_hash": hash_of,
    "proof": [hash_of],
    "stream": _UUID,
    "version": range(1, MAX_INTEGER),
}
_EVIDENCE: Final = {
    "checkpoint": decode_base64,
    "events": [_EVENT, 1],
    "format": "clinledger/evidence/v1",
    "heads?": {"event_id": _UUID, "openings": [_OPENING, 1]},
    "origin": _ORIGIN,
    "subject": {"id": _UUID, "kind": "event|record"},
}
_RELATIONS: Final = "answers|amends|retracts|cosigns|acknowledges|verifies|based-on|replaces"
_STATEMENT: Final = {
    "alg": "ES256|ES384|PS256|RS256|EdDSA",
    "content": {
        "digest": hash_of,
        "media_type": f"(?=.{{1,100}}$){_NAMES}/{_NAMES}",
        "size": range(1, MAX_CONTENT_BYTES + 1),
    },
    "event_id": _UUID,
    "format": "clinledger/statement/v1",
    "key_id": "[0-9a-f]{64}",
    "ledger": _ORIGIN,
    "occurred_at": time_of,
    "refs?": [{"event_id": _UUID, "relation": _RELATIONS, "statement": hash_of}, 1],
    "seen?": {"root": hash_of, "size": range(1, MAX_INTEGER + 1)},
    "signed_at": time_of,
    "signer": _UUID,
    "stream": _UUID,
    "stream_kind": "patient|record|staff|facility|access",
    "type": r"(?=.{1,64}$)[a-z]+(-[a-z]+)*\.v[1-9][0-9]*",
}


@dataclass
class Event:
    """One event of the file; `said` is its statement, decoded."""

    position: int
    version: int
    previous: bytes
    link_salt: bytes
    entry: bytes
    proof: list[bytes]
    statement: bytes
    container: bytes
    content: bytes | None = None
    salt: bytes | None = None
    seen_proof: list[bytes] | None = None
    said: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        if len(self.entry) != 108 or self.entry[:4] != b"CLE1" or self.received_at_ms > MAX_TIME_MS:
            raise self.refuse("entry-malformed", "not an entry of version 1")
        if len(self.statement) > MAX_STATEMENT_BYTES or len(self.container) > MAX_CONTAINER_BYTES:
            raise self.refuse("statement-malformed", "statement or container is too large")
        try:
            self.said = shaped(decode_json(self.statement, strict=True), _STATEMENT)
        except ValueError as error:
            raise self.refuse("statement-malformed", str(error)) from None

    @property
    def received_at_ms(self) -> int:
        """The ledger's clock, as entered."""
        return int.from_bytes(self.entry[4:12])

    @property
    def leaf(self) -> bytes:
        """The leaf hash."""
        return sha256(b"\x00", self.entry)

    def refuse(self, code: str, detail: str) -> RefusedError:
        """Name a fault of this event."""
        return RefusedError(code, detail, self.position)


def read_evidence(data: bytes) -> tuple[dict[str, Any], list[Event]]:
    """Decode a file and its events; everything is in its one spelling and within bounds."""
    if len(data) > MAX_FILE_BYTES or sum(map(data.count, (b",", b"[", b"{"))) > MAX_PARTS:
        raise RefusedError("evidence-too-large", f"more than {MAX_FILE_BYTES} bytes, or parts")
    try:
        evidence = shaped(decode_json(data, strict=True), _EVIDENCE)
    except ValueError as error:
        raise RefusedError("evidence-malformed", str(error)) from None
    return evidence, [Event(**item) for item in evidence["events"]]


# --- 2. The checkpoint


Times = dict[str, int]


@dataclass(frozen=True)
class Trust:
    """What the person checking believes beforehand."""

    key: NoteKey
    genesis: bytes | None = None
    policy: Policy = field(default_factory=Policy)


def check_checkpoint(evidence: Mapping[str, Any], trust: Trust) -> tuple[Checkpoint, Times]:
    """Return the checkpoint and when each known witness cosigned it (seconds), by name."""
    if evidence["origin"] != trust.key.name:
        raise RefusedError("wrong-ledger", "the file is of another ledger than the trusted key")
    try:
        checkpoint = parse_checkpoint(evidence["checkpoint"])
        by_log = checkpoint.time_of(trust.key)
        times = {name: checkpoint.time_of(key) for name, key in trust.policy.witnesses.items()}
    except ValueError as error:
        raise RefusedError("checkpoint-invalid", str(error)) from None
    if checkpoint.origin != trust.key.name:
        raise RefusedError("wrong-ledger", "the checkpoint is of another ledger")
    if by_log is None:
        raise RefusedError("checkpoint-unsigned", "not signed by the trusted key")
    cosigned = {name: seconds for name, seconds in times.items() if seconds}
    if not trust.policy.is_met(set(cosigned)):
        count = f"{len(cosigned)} of {len(times)}"
        raise RefusedError("witnesses-missing", f"cosigned by {count}: the policy is not met")
    return checkpoint, cosigned


# --- 3. Each event by itself


def check_event(event: Event, checkpoint: Checkpoint) -> None:
    """Check digests, link and place in the tree, and the root that the author had seen."""
    if event.said["ledger"] != checkpoint.origin:
        raise event.refuse("wrong-ledger", "the statement was made for another ledger")
    if sha256(event.statement) != event.entry[44:76]:
        raise event.refuse("statement-mismatch", "not the statement that was entered")
    if sha256(event.container) != event.entry[76:108]:
        raise event.refuse("container-mismatch", "not the signature that was entered")
    version = struct.pack(">Q", event.version)
    link = sha256(b"clinledger/link/v1\n", event.link_salt, version, event.previous)
    if link != event.entry[12:44]:
        raise event.refuse("link-broken", "another version, predecessor or salt was entered")
    try:
        root = root_of_inclusion(event.position, checkpoint.size, event.leaf, event.proof)
    except ValueError as error:
        raise event.refuse("inclusion-invalid", str(error)) from None
    if root != checkpoint.root:
        raise event.refuse("inclusion-invalid", "the proof leads to another root")
    claim = event.said["content"]
    if event.content is not None or event.salt is not None:
        content, salt = event.content or b"", event.salt or b""
        digest = sha256(b"clinledger/content/v1\n", salt, content)
        if len(salt) != HASH or len(content) != claim["size"] or digest != claim["digest"]:
            raise event.refuse("content-mismatch", "not the content that was signed")
    _check_seen(event, checkpoint)


def _check_seen(event: Event, checkpoint: Checkpoint) -> None:
    seen, proof = event.said.get("seen"), event.seen_proof
    if seen is None or proof is None:
        if event.position == 0 and seen is None and proof is None:
            return
        raise event.refuse("seen-inconsistent", "the author named no root, or its proof is missing")
    if seen["size"] > event.position:
        raise event.refuse("seen-inconsistent", "the author cannot have seen a later tree")
    try:
        roots = roots_of_consistency(seen["size"], checkpoint.size, seen["root"], proof)
    except ValueError as error:
        raise event.refuse("seen-inconsistent", str(error)) from None
    if roots != (seen["root"], checkpoint.root):
        raise event.refuse("seen-inconsistent", "the author signed another past than this one")


# --- 4. Order and chains

Chains = dict[str, list[Event]]


def check_chains(evidence: Mapping[str, Any], events: Sequence[Event]) -> Chains:
    """Return the events by stream, once order, uniqueness and chains are checked."""
    kind, wanted = evidence["subject"]["kind"], evidence["subject"]["id"]
    chains: Chains = {}
    texts: dict[str, bytes] = {}
    before = (-1, 0)
    for event in events:
        if event.position <= before[0] or event.received_at_ms < before[1]:
            raise event.refuse("time-regression", "position or time is not after the one before")
        if event.said["event_id"] in texts:
            raise event.refuse("duplicate-event", "one event_id at two positions")
        before = event.position, event.received_at_ms
        texts[event.said["event_id"]] = sha256(event.statement)
        chains.setdefault(event.said["stream"], []).append(event)
        for ref in event.said.get("refs", ()):
            if texts.get(ref["event_id"], ref["statement"]) != ref["statement"]:
                raise event.refuse("reference-mismatch", "another text than was referred to")
    if wanted not in (texts if kind == "event" else chains):
        raise RefusedError("event-missing", "what the file is about is not in it")
    for stream, chain in chains.items():
        kinds = {event.said["stream_kind"] for event in chain}
        if kinds == {"staff"} or (kind, stream, kinds) == ("record", wanted, {"record"}):
            _check_chain(chain)
        elif kinds != {"facility"} and [wanted] != [event.said["event_id"] for event in chain]:
            raise chain[0].refuse("rule-broken", "a stream of two kinds, or one that is not needed")
    return chains


def _check_chain(chain: Sequence[Event]) -> None:
    previous = bytes(HASH)
    for version, event in enumerate(chain, 1):
        if event.version != version or event.previous != previous:
            raise event.refuse("version-gap", "an earlier event of this stream was left out")
        previous = event.leaf


# --- 5. Who signed, with which key, in which role: the directory, replayed from the founding

_KEY: Final = {"alg": _STATEMENT["alg"], "possession": ".{1,4096}", "spki": decode_base64}
_DOCUMENTS: Final[Mapping[str, Any]] = {
    "ledger-founded.v1": {
        "checkpoint_key": ".+",
        "origin": _ORIGIN,
        "registrars": [{**_KEY, "staff": _UUID}],
    },
    "key-enrolled.v1": {**_KEY, "certificate?": decode_base64},
    "key-revoked.v1": {"key_id": "[0-9a-f]{64}", "reason": "[a-z-]+", "since?": time_of},
    "role-granted.v1": {"role": "[a-z]+"},
    "role-withdrawn.v1": {"role": "[a-z]+", "reason": "[a-z-]+"},
    "heads-published.v1": {"root": hash_of, "size": _POSITION, "streams": _POSITION},
}


def document_of(event: Event) -> Any:
    """Return the content of an event of the directory."""
    if event.content is None:
        raise event.refuse("content-missing", "nothing is proven without this content")
    try:
        return shaped(decode_json(event.content, strict=False), _DOCUMENTS[event.said["type"]])
    except ValueError as error:
        raise event.refuse("rule-broken", str(error)) from None


@dataclass
class Key:
    """An enrolled key; valid from one position up to and including the other."""

    alg: str
    staff: str
    public: Any
    enrolled_at: int
    enrolled_by: str
    certificate: bytes | None
    revoked_at: int | None = None


class Directory:
    """Keys, roles and names, as of the event that was applied last."""

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self.keys: dict[str, Key] = {}
        self.roles: dict[str, set[str]] = {}
        self.names: dict[str, str] = {}

    def follow(self, event: Event) -> list[str]:
        """Check one event's authorship, then apply it; return the roles its signer held."""
        founds = event.said["type"] == "ledger-founded.v1"
        if founds != (event.position == 0):
            raise event.refuse("rule-broken", "position 0, and nothing else, founds a ledger")
        if founds:
            self._apply(event)
        self._check_signature(event)
        held = self.roles.get(event.said["signer"], set[str]())
        permitted = AUTHORS.get(event.said["type"])
        if permitted is not None and held.isdisjoint(permitted):
            raise event.refuse("role-not-valid", "the signer held no role that may author this")
        roles = sorted(held)
        if not founds:
            self._apply(event)
        return roles

    def _check_signature(self, event: Event) -> None:
        said = event.said
        key = self.keys.get(said["key_id"])
        if key is None or (key.staff, key.alg) != (said["signer"], said["alg"]):
            raise event.refuse("key-not-valid", "the signer had no such key at this position")
        if key.revoked_at is not None:
            raise event.refuse("key-not-valid", f"revoked at position {key.revoked_at}")
        header = f'{{"alg":"{key.alg}","b64":false,"crit":["b64"],"typ":"clinledger-statement"}}'
        protected = base64.urlsafe_b64encode(header.encode()).rstrip(b"=")
        start, end = b'{"format":"jws","value":"' + protected + b"..", b'"}'
        text = event.container.removeprefix(start).removesuffix(end)
        try:
            signature = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
            check_signature(key.public, key.alg, signature, protected + b"." + event.statement)
        except (ValueError, InvalidSignature):
            raise event.refuse("signature-invalid", "not a signature of this statement") from None
        if start + base64.urlsafe_b64encode(signature).rstrip(b"=") + end != event.container:
            raise event.refuse("signature-invalid", "not the one spelling of a container")

    def _apply(self, event: Event) -> None:
        said, staff = event.said, event.said["stream"]
        if said["type"] == "ledger-founded.v1":
            self._found(event)
        elif said["stream_kind"] != "staff":
            return
        elif said["type"] in {"practitioner-enrolled.v1", "device-enrolled.v1"}:
            self.names[staff] = _name_in(event)
        elif said["type"] == "key-enrolled.v1":
            self._enrol(event, document_of(event), staff)
        elif said["type"] == "key-revoked.v1":
            key = self.keys.get(document_of(event)["key_id"])
            if key is None or key.staff != staff or key.revoked_at is not None:
                raise event.refuse("rule-broken", "revokes no valid key of this person or device")
            key.revoked_at = event.position
        elif said["type"] == "role-granted.v1":
            self.roles.setdefault(staff, set()).add(document_of(event)["role"])
        elif said["type"] == "role-withdrawn.v1":
            self.roles.setdefault(staff, set()).discard(document_of(event)["role"])
        else:
            raise event.refuse("type-unknown", "a staff event that only a newer verifier knows")

    def _found(self, event: Event) -> None:
        founding = document_of(event)
        named = founding["origin"], founding["checkpoint_key"]
        if named != (self.trust.key.name, self.trust.key.text):
            raise event.refuse("wrong-ledger", "founded with another origin or checkpoint key")
        if self.trust.genesis not in {None, event.leaf}:
            raise event.refuse("genesis-mismatch", "not the founding event that was expected")
        for item in founding["registrars"]:
            self._enrol(event, item, item["staff"])
            self.roles[item["staff"]] = {"administrator", "registrar"}

    def _enrol(self, event: Event, item: Mapping[str, Any], staff: str) -> None:
        key_id = sha256(item["spki"]).hex()
        try:
            public = load_key(item["spki"], item["alg"])
        except ValueError as error:
            raise event.refuse("rule-broken", str(error)) from None
        if key_id in self.keys:
            raise event.refuse("rule-broken", "a key is enrolled a second time")
        by, shown = event.said["signer"], item.get("certificate")
        self.keys[key_id] = Key(item["alg"], staff, public, event.position, by, shown)


def _name_in(event: Event) -> str:
    """Return the name in a Practitioner or Device, "" when its content was left out."""
    try:
        found: Any = decode_json(event.content or b"", strict=False)
        name = found["name"][0]["text"] if "name" in found else found["deviceName"][0]["name"]
        return printable(name) if type(name) is str else ""
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def printable(text: str) -> str:
    """Replace what could steer a terminal or reorder a line of the report."""
    return "".join(c if c.isprintable() else "?" for c in unicodedata.normalize("NFC", text))


def certificate_facts(key: Key, signed_at: str) -> dict[str, Any] | None:
    """Say what a key's certificate states; who issued it is not judged here."""
    if key.certificate is None:
        return None
    try:
        found = x509.load_der_x509_certificate(key.certificate)
        units = found.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
        names = found.issuer.rfc4514_string(), found.subject.rfc4514_string()
        first, last = found.not_valid_before_utc, found.not_valid_after_utc
        fits = found.public_key() == key.public
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        names, units, fits = ("?", "?"), [], False
        first = last = datetime.fromtimestamp(0, UTC)
    return {
        "issuer": printable(names[0]),
        "subject": printable(names[1]),
        "unit": printable(str(units[0].value)) if units else None,
        "not_before": first.isoformat(),
        "not_after": last.isoformat(),
        "valid_when_signed": fits and first <= datetime.fromisoformat(signed_at) <= last,
    }


# --- 6. Completeness as of published heads


def check_heads(evidence: Mapping[str, Any], events: Sequence[Event], chains: Chains) -> Any:
    """Compare whole chains with the newest published heads in the file, if there are any."""
    if "heads" not in evidence:
        return None
    wanted = evidence["heads"]["event_id"]
    event = next((e for e in events if e.said["event_id"] == wanted), None)
    if event is None or event.said["type"] != "heads-published.v1":
        raise RefusedError("event-missing", "the event that published the heads is not in the file")
    heads, subject = document_of(event), evidence["subject"]["id"]
    if heads["size"] != event.said["seen"]["size"]:
        raise event.refuse("rule-broken", "heads of another tree than the one that was seen")
    missing = {e.said["signer"] for e in events} | (chains.keys() & {subject})
    missing |= {name for name, chain in chains.items() if chain[0].said["stream_kind"] == "staff"}
    missing -= {name for name, chain in chains.items() if chain[0].position >= heads["size"]}
    for opening in evidence["heads"]["openings"]:
        stream, version = opening["stream"], struct.pack(">Q", opening["version"])
        name = sha256(b"clinledger/head/v1\n", stream.encode())
        leaf = sha256(b"\x00", name, version, opening["leaf_hash"])
        try:
            root = root_of_inclusion(opening["index"], heads["streams"], leaf, opening["proof"])
        except ValueError as error:
            raise event.refuse("heads-mismatch", str(error)) from None
        known = [e for e in chains.get(stream, ()) if e.position < heads["size"]]
        newest = (known[-1].version, known[-1].leaf) if known else None
        if root != heads["root"] or newest != (opening["version"], opening["leaf_hash"]):
            raise event.refuse("heads-mismatch", f"an event of stream {stream} was left out")
        missing.discard(stream)
    facts = {"position": event.position, "size": heads["size"], "unopened": sorted(missing)}
    return {**facts, "published_at": event.said["signed_at"]}


# --- The verdict

OPERATOR: Final = "signed by the operator only", "chỉ đơn vị vận hành ký"


def check_evidence(data: bytes, trust: Trust) -> dict[str, Any]:
    """Check a file's bytes; return what is proven. Raises RefusedError."""
    evidence, events = read_evidence(data)  # 1
    checkpoint, cosigned = check_checkpoint(evidence, trust)  # 2
    for event in events:  # 3
        check_event(event, checkpoint)
    chains = check_chains(evidence, events)  # 4
    directory = Directory(trust)  # 5
    if events[0].position != 0:
        raise RefusedError("event-missing", "the founding event is not in the file")
    reports = [(event, directory.follow(event)) for event in events]
    heads = check_heads(evidence, events, chains)  # 6
    subject = evidence["subject"]
    name = "event_id" if subject["kind"] == "event" else "stream"
    told_of = [describe(event, roles, directory) for event, roles in reports]
    witnesses = len(trust.policy.witnesses)
    return {
        "ok": True,
        "origin": checkpoint.origin,
        "genesis": events[0].leaf.hex(),
        "genesis_compared": trust.genesis is not None,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "witnessed": f"witnessed by {len(cosigned)} of {witnesses}" if cosigned else OPERATOR[0],
        "witnesses": {name: time_text(cosigned[name] * 1000) for name in sorted(cosigned)},
        "subject": subject,
        "heads": heads,
        "events": [item for item in told_of if item[name] == subject["id"]],
        "relied_on": [item for item in told_of if item[name] != subject["id"]],
    }


def describe(event: Event, roles: Sequence[str], directory: Directory) -> dict[str, Any]:
    """Say what is proven of one event."""
    said, key = event.said, directory.keys[event.said["key_id"]]
    names = "event_id type stream stream_kind signer key_id alg occurred_at signed_at"
    return {
        "position": event.position,
        "version": event.version,
        **{name: said[name] for name in names.split()},
        "received_at": time_text(event.received_at_ms),
        "signer_name": directory.names.get(said["signer"]) or None,
        "roles": list(roles),
        "role_judged": said["type"] in AUTHORS,
        "key_enrolled_by": directory.names.get(key.enrolled_by) or key.enrolled_by,
        "key_enrolled_at_position": key.enrolled_at,
        "key_revoked_at_position": key.revoked_at,
        "certificate": certificate_facts(key, said["signed_at"]),
        "media_type": said["content"]["media_type"],
        "content_size": said["content"]["size"],
        "content_digest": said["content"]["digest"].hex(),
        "content": None if event.content is None else event.content.decode(errors="replace"),
        "refs": [{**ref, "statement": ref["statement"].hex()} for ref in said.get("refs", ())],
    }


def _rows(verdict: Mapping[str, Any]) -> list[tuple[str, str, str | tuple[str, str]]]:
    """Say what a verdict says of the ledger: label and value in English and Vietnamese."""
    if not verdict["ok"]:
        place = "" if verdict["position"] is None else f" [{verdict['position']}]"
        return [("Reason", "Lý do", f"{verdict['code']}{place}: {verdict['detail']}")]
    heads, witnessed = verdict["heads"], (verdict["witnessed"], OPERATOR[1])
    if verdict["witnesses"]:
        times = "; ".join(f"{name} {time}" for name, time in verdict["witnesses"].items())
        count, known = witnessed[0].split()[2::2]
        witnessed = f"{witnessed[0]}: {times}", f"{count} trên {known} nhân chứng ký: {times}"
    complete = "newest as asserted by the ledger", "mới nhất theo lời của sổ cái"
    if heads:
        place, but = f"{heads['size']} ({heads['published_at']})", len(heads["unopened"])
        complete = (
            f"nothing left out before position {place}, {but} streams excepted; then {complete[0]}",
            f"không thiếu gì trước vị trí {place}, trừ {but} chuỗi; sau đó {complete[1]}",
        )
    compared = "as expected", "đúng như đã biết"
    if not verdict["genesis_compared"]:
        compared = "NOT compared: see --genesis", "CHƯA đối chiếu: xem --genesis"
    return [
        ("Ledger", "Sổ cái", verdict["origin"]),
        ("About", "Đối tượng", f"{verdict['subject']['kind']} {verdict['subject']['id']}"),
        ("Founding event", "Sự kiện khởi lập", verdict["genesis"]),
        ("", "", compared),
        ("Checkpoint", "Điểm chốt", f"{verdict['size']} {verdict['root']}"),
        ("Signed by", "Bên xác nhận", witnessed),
        ("Completeness", "Tính đầy đủ", complete),
        *(row for event in verdict["events"] for row in _event_rows(event, verdict)),
    ]


def _event_rows(event: Mapping[str, Any], verdict: Mapping[str, Any]) -> list[Any]:
    """Say what is proven of one event, as the rules for verifying signatures in Vietnam ask."""
    origin, paper = verdict["origin"], event["certificate"]
    said, clock, latest = event["signed_at"], event["received_at"], ("", "")
    if verdict["witnesses"]:
        end = max(verdict["witnesses"].values())
        latest = f", by {end} (witnesses)", f", không muộn hơn {end} (nhân chứng)"
    valid = "the key was valid at this position", "khoá còn hiệu lực tại vị trí này"
    if event["key_revoked_at_position"] is not None:
        place = event["key_revoked_at_position"]
        valid = f"{valid[0]}; revoked at {place}", f"{valid[1]}; bị thu hồi tại {place}"
    issuer = f"{event['key_enrolled_by']}, {origin}"
    unit, period = origin, ("no certificate", "không có chứng thư")
    if paper:
        issuer, unit = paper["issuer"], paper["unit"] or origin
        dates = f"{paper['not_before']} .. {paper['not_after']}"
        yes = ("yes", "có") if paper["valid_when_signed"] else ("NO", "KHÔNG")
        period = f"{dates}; when signed: {yes[0]}", f"{dates}; khi ký: {yes[1]}"
    received = f"{clock} (ledger's clock){latest[0]}", f"{clock} (đồng hồ sổ cái){latest[1]}"
    whole = "statement, signature, content intact", "văn bản ký, chữ ký, nội dung nguyên vẹn"
    if event["content"] is None:
        whole = "intact; content left out", "nguyên vẹn; không kèm nội dung"
    return [
        ("\nEvent", "\nSự kiện", f"[{event['position']}] {event['type']} {event['event_id']}"),
        ("Signer", "Người ký", f"{event['signer_name'] or '-'} {event['signer']}"),
        ("Role", "Vai trò", ", ".join(event["roles"])),
        ("Key issued by", "Đơn vị cấp khoá", issuer),
        ("Managing unit", "Đơn vị quản lý", unit),
        ("Key", "Khoá", f"{event['alg']} {event['key_id']}"),
        ("Valid when signed", "Hiệu lực khi ký", valid),
        ("Certificate", "Chứng thư số", period),
        ("Signed at", "Thời điểm ký", (f"{said} (signer's clock)", f"{said} (đồng hồ người ký)")),
        ("Received at", "Thời điểm nhận", received),
        ("Integrity", "Tính toàn vẹn", whole),
        *(("Refers to", "Liên quan", f"{r['relation']} {r['event_id']}") for r in event["refs"]),
    ]


def told(verdict: Mapping[str, Any], lang: int) -> str:
    """Put a verdict into words: 0 English, 1 Vietnamese."""
    titles = ("PROVEN: all that this file holds", "ĐÃ CHỨNG MINH: toàn bộ nội dung của tệp")
    if not verdict["ok"]:
        titles = ("REFUSED: this file proves nothing", "TỪ CHỐI: tệp không chứng minh được gì")
    lines = [titles[lang]]
    for *label, value in _rows(verdict):
        lines.append(f"{label[lang]:<18} {value if isinstance(value, str) else value[lang]}")
    return "\n".join(lines)


def check_file(
    path: Path, *, trust: str, genesis: str | None = None, policy: Path | None = None
) -> dict[str, Any]:
    """Check a file by what the person checking gave; return the verdict, good or bad.

    ValueError or OSError: what was given, or the file itself, cannot be used.
    """
    key = read_note_key(trust)
    if key.kind != _LOG:
        raise ValueError("--trust needs a ledger's own key")
    rules = read_policy(policy.read_text("utf-8")) if policy else Policy()
    given = Trust(key=key, genesis=hash_of(genesis) if genesis else None, policy=rules)
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    try:
        return check_evidence(data, given)
    except RefusedError as error:
        return {"ok": False, "code": error.code, "detail": error.detail, "position": error.position}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(description="Check a clinledger evidence file offline.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--trust", required=True, metavar="VKEY", help="its checkpoint key")
    parser.add_argument("--genesis", metavar="HEX", help="leaf hash of the founding event")
    parser.add_argument("--policy", type=Path, help="witnesses and quorum (c2sp.org/tlog-policy)")
    parser.add_argument("--json", action="store_true", help="the verdict as one line of JSON")
    parser.add_argument("--lang", choices=["vi", "en"], help="default both")
    given = parser.parse_args(arguments)
    brought = {"trust": given.trust, "genesis": given.genesis, "policy": given.policy}
    try:
        verdict = check_file(given.file, **brought)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if given.json:
        text = json.dumps(verdict, ensure_ascii=False, sort_keys=True)
    else:
        chosen = [["en", "vi"].index(given.lang)] if given.lang else [0, 1]
        text = "\n\n".join(told(verdict, lang) for lang in chosen)
    sys.stdout.buffer.write(f"{text}\n".encode())  # whatever the terminal's own encoding is
    return 0 if verdict["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
