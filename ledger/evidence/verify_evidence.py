"""Check a clinledger evidence file offline, believing only what the person checking brings.

    verify_evidence.py FILE --trust VKEY [--genesis HEX] [--policy FILE] [--json] [--lang vi|en]

One file; needs Python 3.11 and the `cryptography` package, no server and nothing else of ours.
docs/evidence.md and docs/format.md specify every byte. In this order:

1. The file is strict JSON in its one spelling, of permitted form and size.
2. It is of the ledger, founding event and key of --trust and --genesis. Its checkpoint is signed by
   that key or one it handed over to, and cosigned as --policy demands. No other key is believed.
3. Each event is in the tree of that checkpoint: leaf, position, and the link to its predecessor.
   Statement, signature and content are those entered; the author had seen a past of that same tree.
4. The record, and every staff stream, is a whole chain from version 1.
5. Each event is signed by a key that its signer had at its position, in a role that may author it.
6. With published heads: those chains lacked nothing as of the heads' size.

Exit status: 0 all that the file holds is proven; 1 refused, with the reason; 2 wrong usage.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_PARTS: Final = 1_000_000  # bounds what decoding a file can cost
_FAULTS = ValueError, OverflowError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion

_AUTHORS: Final = {  # by roles; docs/events.md is finer where the content decides
    "administrator": "policy-set",
    "administrator registrar": "checkpoint-key-rotated tail-set-aside",
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

    def __init__(self, code: str, detail: str, event: Any = None) -> None:
        self.code, self.detail, self.position = code, detail, event and event.position
        super().__init__(f"{code}: {detail}")


def need(holds: bool, code: str, detail: str, event: Any = None) -> None:
    """Refuse the file, for an event, unless something holds."""
    if not holds:
        raise RefusedError(code, detail, event)


@contextmanager
def refusing(code: str, event: Any = None) -> Generator[None]:
    """Refuse the file, for an event, when what is done here finds a wrong form or signature."""
    try:
        yield
    except _FAULTS as error:
        raise RefusedError(code, str(error) or "a signature is not valid", event) from None


def sha256(*parts: bytes) -> bytes:
    """Return SHA-256 of the joined parts."""
    return hashlib.sha256(b"".join(parts)).digest()


def time_text(ms: int) -> str:
    """Write milliseconds since 1970 as `YYYY-MM-DDTHH:MM:SS.mmmZ`; OverflowError after 9999."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- JSON: values are compared with named forms, and converted
_KEY_NAME: Final = r"[^\s+\x00-\x1f]+"
_TEXTS: Final = {
    "algorithm": "ES256|ES384|PS256|RS256|EdDSA",
    "hex": "[0-9a-f]{64}",
    "media": r"(?=.{1,100}$)[a-z0-9]+([.+-][a-z0-9]+)*/[a-z0-9]+([.+-][a-z0-9]+)*",
    "origin": r"(?=.{1,200}$)[a-z0-9]+([.-][a-z0-9]+)*(:[1-9][0-9]{0,4})?"
    r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*",
    "relation": "answers|amends|retracts|cosigns|acknowledges|verifies|based-on|replaces",
    "text": "(?s).{1,16384}",
    "moment": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z",
    "type": r"(?=.{1,64}$)[a-z]+(-[a-z]+)*\.v[1-9][0-9]*",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
}
_NUMBERS = {"length": range(1, 2**20 + 1), "number": range(2**53 - 1), "positive": range(1, 2**53)}
OBJECTS: Final = {  # member:form, or :pattern; `?` may be absent, `*` array, `+` not empty
    "evidence": "checkpoint:bytes events:event+ format:clinledger/evidence/v1 heads?:heads"
    " origin:origin subject:subject",
    "subject": "id:uuid kind:event|record",
    "event": "container:bytes content?:bytes entry:bytes link_salt:hash position:number"
    " previous:hash proof:hash* salt?:bytes seen_proof?:hash* statement:bytes version:positive",
    "heads": "event_id:uuid openings:opening+",
    "opening": "index:number leaf_hash:hash proof:hash* stream:uuid version:positive",
    "statement": "alg:algorithm content:claim event_id:uuid format:clinledger/statement/v1"
    " key_id:hex ledger:origin occurred_at:time refs?:ref+ seen?:seen signed_at:time"
    " signer:uuid stream:uuid stream_kind:patient|record|staff|facility|access type:type",
    "claim": "digest:hash media_type:media size:length",
    "ref": "event_id:uuid relation:relation statement:hash",
    "seen": "root:hash size:positive",
    # contents that the verifier itself reads, by type of event
    "ledger-founded.v1": "checkpoint_key:vkey origin:origin registrars:registrar* succeeds?:any",
    "registrar": "alg:algorithm possession:text spki:bytes staff:uuid",
    "checkpoint-key-rotated.v1": "checkpoint_key:vkey handover:note reason:text second?:any",
    "key-enrolled.v1": "alg:algorithm certificate?:bytes possession:text spki:bytes",
    "key-revoked.v1": "key_id:hex reason:[a-z-]+ since?:time",
    "role-granted.v1": "role:[a-z]+",
    "role-withdrawn.v1": "reason:[a-z-]+ role:[a-z]+",
    "heads-published.v1": "root:hash size:number streams:number",
}


def shaped(value: Any, form: str) -> Any:
    """Return a decoded JSON value, converted, if it has a form; else ValueError."""
    kind = value.__class__
    if form == "any" or (kind is int and value in _NUMBERS.get(form, ())):
        return value
    if form in OBJECTS and kind is dict:
        parts = dict(member.split(":", 1) for member in OBJECTS[form].split())
        forms = {name.rstrip("?"): part for name, part in parts.items()}
        if parts.keys() & forms.keys() <= value.keys() <= forms.keys():
            return {name: shaped(part, forms[name]) for name, part in value.items()}
    elif kind is list and form[-1] in "*+" and (value or form[-1] == "*"):
        return [shaped(item, form[:-1]) for item in value]
    elif kind is str and form in _CONVERT:
        return _CONVERT[form](value)
    elif kind is str and re.fullmatch(_TEXTS.get(form, form), value):
        return value
    raise ValueError(f"not of the form that belongs here: {form}")


def decode_base64(text: str) -> bytes:
    """Decode standard base64 with padding in its one spelling; ValueError for any other."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def decode_json(data: bytes, *, strict: bool) -> Any:
    """Decode JSON without repeated members; strict: in the one spelling of docs/format.md §1."""
    if strict and not re.fullmatch(rb"[ -\[\]-~]*", data):
        raise ValueError("not printable ASCII without escapes")
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=lambda m: dict(m) if len(dict(m)) == len(m) else None
        )
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
_CURVES: Final = {"ES256": "secp256r1", "ES384": "secp384r1"}
_SHA256: Final = hashes.SHA256()
_METHODS: Final[Mapping[str, Sequence[Any]]] = {
    "ES256": [ec.ECDSA(_SHA256)],
    "ES384": [ec.ECDSA(hashes.SHA384())],
    "PS256": [padding.PSS(padding.MGF1(_SHA256), salt_length=32), _SHA256],
    "RS256": [padding.PKCS1v15(), _SHA256],
}


def load_edwards(encoded: bytes) -> ed25519.Ed25519PublicKey:
    """Load an Ed25519 key; ValueError: of small order, not on the curve, not in canonical form."""
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _PRIME) % _PRIME
    if y >= _PRIME or y in _SMALL_ORDER or pow(x_squared, (_PRIME - 1) // 2, _PRIME) != 1:
        raise ValueError("not an acceptable Ed25519 key")
    return ed25519.Ed25519PublicKey.from_public_bytes(encoded)


def load_key(spki: bytes, alg: str) -> Any:
    """Load a public key that fits its algorithm and is strong enough, or ValueError."""
    key: Any = serialization.load_der_public_key(spki)
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if alg in _CURVES:
        fits = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == _CURVES[alg]
    elif alg == "EdDSA":
        fits = isinstance(key, ed25519.Ed25519PublicKey) and bool(load_edwards(spki[-32:]))
    else:
        fits = isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 8192
        fits = fits and 2**16 < key.public_numbers().e < 2**32
    if not fits or key.public_bytes(encoding, form) != spki:
        raise ValueError("the key does not fit its algorithm")
    return key


# --- Merkle tree: RFC 9162 §2.1.3.2 and §2.1.4.2. ValueError when a proof has a wrong form
def climb(index: int, size: int, start: bytes, path: Iterable[bytes]) -> tuple[bytes, bytes]:
    """Hash upwards from a node; return the roots of the tree that ends there, and of the whole."""
    place, last, first, second = index, size - 1, start, start
    if not 0 <= place <= last:
        raise ValueError("not within the tree")
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


def climb_between(old: int, new: int, root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the roots of an older, smaller tree and of the new one to which a proof leads."""
    path = list(proof) if old & (old - 1) else [root, *proof]
    if not 0 < old < new or not path:
        raise ValueError("the proof is too short, or the older tree is not smaller")
    height = (old & -old).bit_length() - 1
    return climb((old - 1) >> height, ((new - 1) >> height) + 1, path[0], path[1:])


# --- Signed notes, checkpoints, cosignatures, policies (c2sp.org). ValueError when malformed
_LOG, _COSIGNER, _MLDSA = 1, 4, 6  # Ed25519; with a time; ML-DSA-44 with a time


class NoteKey:
    """A verifier key: `<name>+<id>+<base64 of kind and key>`."""

    def __init__(self, text: str) -> None:
        if not re.fullmatch(rf"{_KEY_NAME}\+[0-9a-f]{{8}}\+\S+", text):
            raise ValueError("not a verifier key <name>+<id>+<base64>")
        self.text, (self.name, _, encoded) = text, text.split("+", 2)
        data = decode_base64(encoded)
        self.id, self.kind, self.public = bytes.fromhex(text.split("+")[1]), data[0], data[1:]
        known = self.id == sha256(self.name.encode(), b"\n", data)[:4]
        if not known or len(self.public) != {_LOG: 32, _COSIGNER: 32, _MLDSA: 1312}.get(self.kind):
            raise ValueError("not a verifier key of a known kind, or of another id")
        if self.kind != _MLDSA:
            load_edwards(self.public)


class Note:
    """A signed note (c2sp.org/signed-note); `lines` are (key name, key id, signature)."""

    def __init__(self, data: bytes) -> None:
        whole = data.decode() if len(data) <= 1024 * 1024 else ""
        text, _, block = whole.rpartition("\n\n")
        if not text or not block.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", whole):
            raise ValueError("not a signed note")
        self.text, self.lines = f"{text}\n", list[tuple[str, bytes, bytes]]()
        for line in block[:-1].split("\n"):
            found = re.fullmatch(rf"— ({_KEY_NAME}) (\S+)", line)
            signature = decode_base64(found[2]) if found else b""
            if not found or len(signature) <= 4 or len(self.lines) == 100:
                raise ValueError("not a signature line, or more than are permitted")
            self.lines.append((found[1], signature[:4], signature[4:]))

    def time_of(self, key: NoteKey) -> str | None:
        """Return when a key signed this ("" for a log), None when it did not; or raise."""
        found = [line[2] for line in self.lines if line[:2] == (key.name, key.id)]
        if not found:
            return None
        [signed], cut = found, 0 if key.kind == _LOG else 8  # ValueError: signed twice
        seconds, signature = int.from_bytes(signed[:cut]), signed[cut:]
        time = time_text(seconds * 1000) if cut else ""
        if key.kind != _MLDSA:
            timed = f"cosignature/v1\ntime {seconds}\n" if cut else ""
            load_edwards(key.public).verify(signature, (timed + self.text).encode())
            return time
        from cryptography.hazmat.primitives.asymmetric import mldsa  # noqa: PLC0415 - is new

        origin, size, root = self.head()  # the whole tree, as a subtree
        if self.text.count("\n") > 3:
            raise ValueError("extension lines, which this cosigner does not sign")
        names = [bytes([len(name)]) + name for name in (key.name.encode(), origin.encode())]
        message = b"subtree/v1\n\0" + names[0] + seconds.to_bytes(8) + names[1]
        message += bytes(8) + size.to_bytes(8) + root
        mldsa.MLDSA44PublicKey.from_public_bytes(key.public).verify(signature, message)
        return time

    def head(self) -> tuple[str, int, bytes]:
        """Return origin, size and root of a checkpoint (c2sp.org/tlog-checkpoint)."""
        lines = self.text[:-1].split("\n")
        if len(lines) < 3 or not all(lines) or not re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]):
            raise ValueError("not a checkpoint")
        size, root = int(lines[1]), decode_base64(lines[2])
        if size > 2**63 - 1 or len(root) != 32:
            raise ValueError("not a checkpoint's size and root")
        return lines[0], size, root


class Policy:
    """Which witnesses are known, and which must have cosigned; logs are not read (tlog-policy)."""

    def __init__(self, text: str = "quorum none") -> None:
        self.witnesses: dict[str, NoteKey] = {}
        self.groups: dict[str, tuple[int, list[str]]] = {}  # how many of whom; members before
        names, free, self.quorum = {"none"}, set[str](), ""
        for line in text.split("\n"):
            match re.split("[ \t]+", line.strip(" \t")):
                case [first, *_] if not first or first == "log" or first.startswith("#"):
                    pass
                case ["witness", name, vkey, *url] if len(url) <= 1 and name not in names:
                    key = NoteKey(vkey)
                    known = [witness.public for witness in self.witnesses.values()]
                    if key.kind == _LOG or key.public in known:
                        raise ValueError("not a cosigner's key, or one that stands there already")
                    self.witnesses[name] = key
                    names, free = names | {name}, free | {name}
                case ["group", name, count, *members] if members and name not in names:
                    number = {"any": "1", "all": str(len(members))}.get(count, count)
                    needed = int(number) if re.fullmatch("[1-9][0-9]{0,3}", number) else 0
                    if not 0 < needed <= len(members) == len(free.intersection(members)):
                        raise ValueError("a group that is not possible")
                    self.groups[name] = needed, members
                    names, free = names | {name}, free.difference(members) | {name}
                case ["quorum", name] if not self.quorum and name in names:
                    self.quorum = name
                case _:
                    raise ValueError("not a line of a policy, or a name twice or not yet defined")
        if not self.quorum:
            raise ValueError("the policy names no quorum")

    def is_met(self, cosigned: Iterable[str]) -> bool:
        """Tell whether these witnesses are a quorum."""
        reached = {"none", *cosigned}
        for name, (needed, members) in self.groups.items():
            if len(reached.intersection(members)) >= needed:
                reached.add(name)
        return self.quorum in reached


_CONVERT: Final[Mapping[str, Callable[[str], Any]]] = {
    "bytes": decode_base64,
    "hash": lambda text: bytes.fromhex(shaped(text, "hex")),
    "note": lambda text: Note(text.encode()),
    "time": lambda text: shaped(text, "moment") if datetime.fromisoformat(text) else "",
    "vkey": NoteKey,
}


# --- Who signed, with which key, in which role: events, and the directory that follows them
class Event(SimpleNamespace):
    """One event: the members of docs/evidence.md §2.1 as attributes, and its statement `said`."""

    def __init__(self, **members: Any) -> None:
        super().__init__(**{"content": None, "salt": None, "seen_proof": None, **members})
        self.leaf = sha256(b"\x00", self.entry)
        with refusing("entry-malformed", self):
            self.received_at = time_text(int.from_bytes(self.entry[4:12]))
        need((len(self.entry), self.entry[:4]) == (108, b"CLE1"), "entry-malformed", "not v1", self)
        small = len(self.statement) <= 16 * 1024 and len(self.container) <= 4 * 1024
        need(small, "statement-malformed", "statement or container is too large", self)
        with refusing("statement-malformed", self):
            self.said = shaped(decode_json(self.statement, strict=True), "statement")

    def document(self) -> Any:
        """Return the decoded content, of a type that the verifier reads."""
        need(self.content is not None, "content-missing", "nothing is proven without it", self)
        with refusing("rule-broken", self):
            return shaped(decode_json(self.content, strict=False), self.said["type"])

    def check_signature(self, key: Any) -> None:
        """Check the signature container (RFC 7515, RFC 7518 §3), which has one spelling."""
        header = f'{{"alg":"{key.alg}","b64":false,"crit":["b64"],"typ":"clinledger-statement"}}'
        protected = base64.urlsafe_b64encode(header.encode()).rstrip(b"=")
        start, end = b'{"format":"jws","value":"' + protected + b"..", b'"}'
        text = self.container.removeprefix(start).removesuffix(end)
        with refusing("signature-invalid", self):
            raw = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
            spelled = start + base64.urlsafe_b64encode(raw).rstrip(b"=") + end
            need(spelled == self.container, "signature-invalid", "not its one spelling", self)
            if half := key.public.key_size // 8 if key.alg in _CURVES else 0:
                need(len(raw) == 2 * half, "signature-invalid", "of another length", self)
                pair = int.from_bytes(raw[:half]), int.from_bytes(raw[half:])
                raw = utils.encode_dss_signature(*pair)
            key.public.verify(raw, protected + b"." + self.statement, *_METHODS.get(key.alg, ()))


class Directory:
    """Keys (valid from `enrolled_at` to `revoked_at`, both included), roles and names by now."""

    def __init__(self) -> None:
        self.keys, self.names = dict[str, Any](), dict[str, str]()
        self.roles: dict[str, set[str]] = {}

    def follow(self, event: Event) -> list[str]:
        """Check one event's authorship, then apply it; return the roles its signer held."""
        said, founds = event.said, event.said["type"] == "ledger-founded.v1"
        need(founds is (event.position == 0), "rule-broken", "founded elsewhere than first", event)
        for item in event.document()["registrars"] if founds else ():
            self._enrol(event, item, item["staff"])
            self.roles[item["staff"]] = {"administrator", "registrar"}
        key = self.keys.get(said["key_id"])
        if key is None or (key.staff, key.alg) != (said["signer"], said["alg"]):
            raise RefusedError("key-not-valid", "the signer had no such key here", event)
        need(key.revoked_at is None, "key-not-valid", f"revoked at {key.revoked_at}", event)
        event.check_signature(key)
        roles, permitted = sorted(self.roles.get(said["signer"], ())), AUTHORS.get(said["type"])
        able = permitted is None or not permitted.isdisjoint(roles)
        need(able, "role-not-valid", "the signer held no role that may author this", event)
        if said["stream_kind"] == "staff":
            self._apply(event, said["stream"])
        return roles

    def _apply(self, event: Event, staff: str) -> None:
        roles = self.roles.setdefault(staff, set())
        match event.said["type"]:
            case "practitioner-enrolled.v1" | "device-enrolled.v1":
                self.names[staff] = _name_in(event.content or b"")
            case "key-enrolled.v1":
                self._enrol(event, event.document(), staff)
            case "key-revoked.v1":
                key = self.keys.get(event.document()["key_id"])
                if key is None or (key.staff, key.revoked_at) != (staff, None):
                    raise RefusedError("rule-broken", "revokes no valid key of theirs", event)
                key.revoked_at = event.position
            case "role-granted.v1":
                roles.add(event.document()["role"])
            case "role-withdrawn.v1":
                roles.discard(event.document()["role"])
            case _:
                need(False, "type-unknown", "a staff event that only newer verifiers know", event)

    def _enrol(self, event: Event, item: Mapping[str, Any], staff: str) -> None:
        key_id = sha256(item["spki"]).hex()
        need(key_id not in self.keys, "rule-broken", "a key is enrolled a second time", event)
        with refusing("rule-broken", event):
            public = load_key(item["spki"], item["alg"])
        facts = {"staff": staff, "public": public, "enrolled_by": event.said["signer"]}
        times = {"enrolled_at": event.position, "revoked_at": None}
        self.keys[key_id] = SimpleNamespace(**{"certificate": None, **item, **facts, **times})


def _name_in(content: bytes) -> str:
    """Return the name in a Practitioner or Device, "" when its content was left out."""
    try:
        found: Any = decode_json(content, strict=False)
        name = found["name"][0]["text"] if "name" in found else found["deviceName"][0]["name"]
        return printable(name) if type(name) is str else ""
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def printable(text: str) -> str:
    """Replace what could steer a terminal or reorder a line of the report."""
    return "".join(c if c.isprintable() else "?" for c in text)


def certificate_facts(key: Any, signed_at: str) -> dict[str, Any]:
    """Say what a key's certificate states, if it has one; who issued it is not judged here."""
    if key.certificate is None:
        return {"certificate": "none"}
    found = x509.load_der_x509_certificate(key.certificate)
    first, last = found.not_valid_before_utc, found.not_valid_after_utc
    units = found.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    names = {"issuer": found.issuer, "subject": found.subject}
    facts = {name: printable(text.rfc4514_string()) for name, text in names.items()}
    facts |= {"unit": printable(str(units[0].value))} if units else {}
    facts["certificate"] = f"{first.isoformat()} .. {last.isoformat()}"
    valid = first <= datetime.fromisoformat(signed_at) <= last
    return {**facts, "certificate_valid": valid and found.public_key() == key.public}


class Evidence:
    """A file that is checked step by step, as told at the top. Raises RefusedError."""

    def __init__(self, data: bytes) -> None:
        parts = sum(map(data.count, (b",", b"[", b"{")))
        need(len(data) <= MAX_BYTES and parts <= MAX_PARTS, "evidence-too-large", "too large")
        with refusing("evidence-malformed"):
            self.file = shaped(decode_json(data, strict=True), "evidence")
        self.origin, self.subject = self.file["origin"], self.file["subject"]
        self.events = [Event(**item) for item in self.file["events"]]
        self.chains, self.handovers = dict[str, list[Event]](), list[str]()

    def follow_keys(self, trusted: NoteKey, genesis: bytes | None) -> NoteKey:
        """Return the checkpoint key in force at the checkpoint, to which the trusted one led (2).

        The founding event names the first, each rotation the next. From the trusted one on, the
        next is believed for the handover note signed by the one before; only the last is in force.
        """
        first, key = self.events[0], None
        need(self.origin == trusted.name, "wrong-ledger", "of another ledger than the trusted key")
        need(first.position == 0, "event-missing", "the founding event is not in the file")
        need(genesis in {None, first.leaf}, "genesis-mismatch", "another founding event", first)
        for event in self.events:
            if event.said["type"] not in {"ledger-founded.v1", "checkpoint-key-rotated.v1"}:
                continue
            document, facility = event.document(), event.said["stream"] == first.said["stream"]
            new: NoteKey = document["checkpoint_key"]
            named = facility and (new.name, new.kind) == (self.origin, _LOG)
            named = named and document.get("origin", self.origin) == self.origin
            need(named, "wrong-ledger", "founded with another origin or kind of key", event)
            if note := document.get("handover"):
                text = f"clinledger/checkpoint-key/v1\n{self.origin}\n{new.text}\n"
                with refusing("handover-invalid", event):
                    if note.text != text or note.time_of(new) is None:
                        raise ValueError("not a handover to the key that is named")
                    if key and note.time_of(key) is None:
                        raise ValueError(f"{key.text} did not sign the handover to {new.text}")
                if key:
                    self.handovers += [f"[{event.position}] {event.received_at} {new.text}"]
            key = new if key or new.text == trusted.text else None
        need(key is not None, "wrong-ledger", "no event names the trusted checkpoint key", first)
        return key or trusted

    def check_checkpoint(self, key: NoteKey, policy: Policy) -> None:
        """Check the checkpoint's signature, and who of the known witnesses cosigned it when (2)."""
        with refusing("checkpoint-invalid"):
            note = Note(self.file["checkpoint"])
            origin, self.size, self.root = note.head()
            signed = note.time_of(key) is not None
            times = {n: note.time_of(key) for n, key in sorted(policy.witnesses.items())}
        need(origin == self.origin, "wrong-ledger", "the checkpoint is of another ledger")
        need(signed, "checkpoint-unsigned", f"not signed by the key in force, {key.text}")
        self.cosigned = {name: time for name, time in times.items() if time}
        self.count = f"{len(self.cosigned)} of {len(times)}"
        need(policy.is_met(self.cosigned), "witnesses-missing", f"cosigned by {self.count}")

    def check_event(self, event: Event) -> None:
        """Check digests, link and place in the tree, and the root that the author had seen (3)."""
        said, entry, claim, salt = event.said, event.entry, event.said["content"], event.salt
        need(said["ledger"] == self.origin, "wrong-ledger", "made for another ledger", event)
        need(sha256(event.statement) == entry[44:76], "statement-mismatch", "not entered", event)
        need(sha256(event.container) == entry[76:108], "container-mismatch", "not entered", event)
        link = b"clinledger/link/v1\n", event.link_salt, event.version.to_bytes(8), event.previous
        need(sha256(*link) == entry[12:44], "link-broken", "another version or predecessor", event)
        with refusing("inclusion-invalid", event):
            _, root = climb(event.position, self.size, event.leaf, event.proof)
        need(root == self.root, "inclusion-invalid", "the proof leads to another root", event)
        if event.content is not None or salt is not None:
            content, salt = event.content or b"", salt or b""
            same = sha256(b"clinledger/content/v1\n", salt, content) == claim["digest"]
            same = same and (len(salt), len(content)) == (32, claim["size"])
            need(same, "content-mismatch", "not the content that was signed", event)
        seen, proof = said.get("seen", {"size": 0, "root": b""}), event.seen_proof
        if event.position or "seen" in said or proof is not None:
            with refusing("seen-inconsistent", event):
                roots = climb_between(seen["size"], self.size, seen["root"], proof or [])
            same = roots == (seen["root"], self.root) and seen["size"] <= event.position
            need(same, "seen-inconsistent", "the author signed another past, or a later one", event)

    def check_chains(self) -> None:
        """Sort the events by stream; check order, uniqueness, references and chains (4)."""
        record = self.subject["kind"] == "record"
        about, texts, before = self.subject["id"], dict[str, bytes](), (-1, "")
        for event in self.events:
            said, now = event.said, (event.position, event.received_at)
            later = now[0] > before[0] and now[1] >= before[1]
            need(later, "time-regression", "position or time is not after the one before", event)
            need(said["event_id"] not in texts, "duplicate-event", "one id at two positions", event)
            before, texts[said["event_id"]] = now, sha256(event.statement)
            for ref in said.get("refs", ()):
                same = texts.get(ref["event_id"], ref["statement"]) == ref["statement"]
                need(same, "reference-mismatch", "another text than was referred to", event)
            chain, kind = self.chains.setdefault(said["stream"], []), said["stream_kind"]
            if kind == "staff" or (record and (kind, about) == ("record", said["stream"])):
                newest = chain[-1].leaf if chain else bytes(32)
                whole = (event.version, event.previous) == (len(chain) + 1, newest)
                need(whole, "version-gap", "an earlier event of this stream was left out", event)
            else:
                ours = kind == "facility" and said["stream"] == self.events[0].said["stream"]
                need(ours or said["event_id"] == about, "rule-broken", "not needed here", event)
            chain.append(event)
        records = {e.said["stream"] for e in self.events if e.said["stream_kind"] == "record"}
        need(about in (records if record else texts), "event-missing", "the subject is missing")

    def check_heads(self) -> dict[str, Any] | None:
        """Compare whole chains with the newest published heads in the file, if any (6)."""
        if "heads" not in self.file:
            return None
        wanted = self.file["heads"]["event_id"], "heads-published.v1"
        found = [e for e in self.events if (e.said["event_id"], e.said["type"]) == wanted]
        need(bool(found), "event-missing", "the event that published the heads is not in the file")
        event, heads = found[0], found[0].document()
        size, seen = heads["size"], event.said["seen"]["size"]
        need(size == seen, "rule-broken", "heads of another tree than the one that was seen", event)
        newest = {e.said["stream"]: (e.version, e.leaf) for e in self.events if e.position < size}
        needed = {e.said["signer"] for e in self.events} | {self.subject["id"]} & newest.keys()
        needed |= {e.said["stream"] for e in self.events if e.said["stream_kind"] == "staff"}
        unopened = {name for name in needed if name in newest or name not in self.chains}
        for opening in self.file["heads"]["openings"]:
            stream, version, leaf = opening["stream"], opening["version"], opening["leaf_hash"]
            name = sha256(b"clinledger/head/v1\n", stream.encode())
            head = sha256(b"\x00", name, version.to_bytes(8), leaf)
            with refusing("heads-mismatch", event):
                _, root = climb(opening["index"], heads["streams"], head, opening["proof"])
            whole = (root, newest.get(stream)) == (heads["root"], (version, leaf))
            need(whole, "heads-mismatch", f"an event of stream {stream} was left out", event)
            unopened.discard(stream)
        facts = {"position": event.position, "size": size, "unopened": sorted(unopened)}
        return {**facts, "published_at": event.said["signed_at"]}


def check_evidence(data: bytes, key: NoteKey, genesis: bytes | None, policy: Policy) -> Any:
    """Check a file by what the person checking brings; return what is proven, or RefusedError."""
    file, directory = Evidence(data), Directory()  # 1
    file.check_checkpoint(file.follow_keys(key, genesis), policy)  # 2
    for event in file.events:  # 3
        file.check_event(event)
    file.check_chains()  # 4
    followed = [(event, directory.follow(event)) for event in file.events]  # 5
    heads, subject = file.check_heads(), file.subject  # 6
    told_of = [describe(event, roles, directory) for event, roles in followed]
    about = "event_id" if subject["kind"] == "event" else "stream"
    return {
        "ok": True,
        "origin": file.origin,
        "genesis": file.events[0].leaf.hex(),
        "genesis_compared": genesis is not None,
        "handovers": file.handovers,
        "size": file.size,
        "root": file.root.hex(),
        "witnessed": f"witnessed by {file.count}"
        if file.cosigned
        else "signed by the operator only",
        "witnesses": file.cosigned,
        "newest_at": max(file.cosigned.values(), default=told_of[-1]["received_at"]),
        "subject": subject,
        "heads": heads,
        "events": [item for item in told_of if item[about] == subject["id"]],
        "relied_on": [item for item in told_of if item[about] != subject["id"]],
    }


def describe(event: Event, roles: Sequence[str], directory: Directory) -> dict[str, Any]:
    """Say what is proven of one event: what its statement says, and more."""
    said, key, claim = event.said, directory.keys[event.said["key_id"]], event.said["content"]
    names = ("event_id", "type", "stream", "stream_kind", "signer", "key_id", "alg", "occurred_at")
    by = directory.names.get(key.enrolled_by) or key.enrolled_by
    with refusing("rule-broken", event):
        paper = {"issuer": by, "unit": said["ledger"], **certificate_facts(key, said["signed_at"])}
    return {
        **{name: said[name] for name in (*names, "signed_at")},
        "position": event.position,
        "version": event.version,
        "received_at": event.received_at,
        "signer_name": directory.names.get(said["signer"]) or None,
        "roles": roles,
        "role_judged": said["type"] in AUTHORS,
        "key_enrolled_at_position": key.enrolled_at,
        "key_revoked_at_position": key.revoked_at,
        **paper,
        "media_type": claim["media_type"],
        "content_size": claim["size"],
        "content_digest": claim["digest"].hex(),
        "content": None if event.content is None else event.content.decode(errors="replace"),
        "refs": [{**ref, "statement": ref["statement"].hex()} for ref in said.get("refs", ())],
    }


# --- What is said: each fact that there is, by its name in the verdict, in English and Vietnamese
_WORDS: Final = {
    "True": ("yes", "có"),
    "False": ("NO", "KHÔNG"),
    "whole": ("statement, signature, content intact", "văn bản, chữ ký, nội dung nguyên vẹn"),
    "none": ("none", "không có"),
    "left out": ("intact; content left out", "nguyên vẹn; không kèm nội dung"),
    "signed by the operator only": ("signed by the operator only", "chỉ đơn vị vận hành ký"),
}
_REASONS: Final = {  # by parts of a code, the first that are there
    "malformed|large": "tệp sai dạng hoặc quá lớn",
    "checkpoint|handover|witness": "điểm chốt, bàn giao khoá hoặc nhân chứng không hợp lệ",
    "ledger|genesis": "thuộc sổ cái khác",
    "mismatch|link|inclusion|seen": "không đúng như đã ghi vào sổ cái",
    "-valid|signature": "người ký không có khoá, chữ ký hoặc vai trò hợp lệ",
    "": "bị bỏ bớt, sai thứ tự hoặc trái quy tắc của sổ cái",
}
_LABELS: Final = """
refusal|Reason|Lý do
about|About|Đối tượng
origin|Ledger|Sổ cái
genesis|Founding event|Sự kiện khởi lập
genesis_compared|Founding event compared with --genesis|Đã đối chiếu sự kiện khởi lập (--genesis)
handovers|Checkpoint key handed over|Khoá điểm chốt được bàn giao
tree|Checkpoint|Điểm chốt
witnessed|Checkpoint is|Xác nhận điểm chốt
times|Cosigned|Nhân chứng ký
before|Nothing left out before position|Không thiếu gì trước vị trí
unopened|Except in streams|Trừ các chuỗi
newest_at|Newest as asserted by the ledger on|Mới nhất theo lời của sổ cái lúc
event|Event|Sự kiện
name|Signer|Người ký
roles|Role|Vai trò
role_judged|Role suffices|Vai trò đủ thẩm quyền
issuer|Key issued by|Đơn vị cấp khoá
unit|Managing unit|Đơn vị quản lý
key|Key, valid at this position|Khoá, còn hiệu lực tại vị trí này
key_revoked_at_position|Key revoked later, at position|Khoá bị thu hồi sau đó, tại vị trí
certificate|Certificate's period|Thời hạn chứng thư số
certificate_valid|Certificate valid when signed|Chứng thư số còn hiệu lực khi ký
signed_at|Signed at (signer's clock)|Thời điểm ký (đồng hồ người ký)
received_at|Received at (ledger's clock)|Thời điểm nhận (đồng hồ sổ cái)
integrity|Integrity|Tính toàn vẹn
refers|Refers to|Liên quan
"""


def _lines(facts: Mapping[str, list[str] | str | int | None], lang: int) -> list[str]:
    lines: list[str] = []
    for name, *labels in (row.split("|") for row in _LABELS.strip().splitlines()):
        fact = facts.get(name)
        text = ", ".join(fact) if isinstance(fact, list) else str(fact)
        if fact not in (None, [], ""):
            lines.append(f"{labels[lang]}: {_WORDS.get(text, (text, text))[lang]}")
    return lines


def told(verdict: Mapping[str, Any], lang: int) -> str:
    """Put a verdict into words: 0 English, 1 Vietnamese."""
    if not verdict["ok"]:
        title = "REFUSED: this file proves nothing", "TỪ CHỐI: tệp không chứng minh được gì"
        code, place = verdict["code"], f" [{verdict['position']}]:".replace(" [None]:", ":")
        reason = verdict["detail"], next(text for p, text in _REASONS.items() if re.search(p, code))
        return "\n".join([title[lang], *_lines({"refusal": f"{code}{place} {reason[lang]}"}, lang)])
    title = "PROVEN: all that this file holds", "ĐÃ CHỨNG MINH: toàn bộ nội dung của tệp"
    facts = {**verdict, "about": " ".join(verdict["subject"].values())}
    if lang:
        facts["witnessed"] = verdict["witnessed"].replace("witnessed by", "số nhân chứng ký:")
    facts["times"] = [f"{name} {time}" for name, time in verdict["witnesses"].items()]
    if heads := verdict["heads"]:
        facts |= {**heads, "before": f"{heads['size']} ({heads['published_at']})"}
    facts["tree"] = f"{verdict['size']} {verdict['root']}"
    lines = [title[lang], *_lines(facts, lang)]
    for event in verdict["events"]:
        facts = {**event, "key": f"{event['alg']} {event['key_id']}"}
        facts["event"] = f"[{event['position']}] {event['type']} {event['event_id']}"
        facts["name"] = f"{event['signer_name'] or '-'} {event['signer']}"
        facts["integrity"] = "left out" if event["content"] is None else "whole"
        facts["refers"] = [f"{ref['relation']} {ref['event_id']}" for ref in event["refs"]]
        lines += ["", *_lines(facts, lang)]
    return "\n".join(lines)


def check_file(path: Path, trust: str, genesis: str | None, policy: Path | None) -> dict[str, Any]:
    """Check a file by what is given; return the verdict. ValueError or OSError: cannot be used."""
    key, expected = NoteKey(trust), shaped(genesis, "hash") if genesis else None
    if key.kind != _LOG:
        raise ValueError("--trust needs a ledger's own key")
    rules = Policy(policy.read_text("utf-8")) if policy else Policy()
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    try:
        return check_evidence(data, key, expected, rules)
    except RefusedError as error:
        return {"ok": False, "code": error.code, "detail": error.detail, "position": error.position}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(description="Check a clinledger evidence file offline.")
    parser.add_argument("path", type=Path, metavar="FILE")
    parser.add_argument("--trust", required=True, metavar="VKEY", help="its checkpoint key")
    parser.add_argument("--genesis", metavar="HEX", help="leaf hash of the founding event")
    parser.add_argument("--policy", type=Path, help="witnesses and quorum (c2sp.org/tlog-policy)")
    parser.add_argument("--json", action="store_true", help="the verdict as one line of JSON")
    parser.add_argument("--lang", choices=["en", "vi"], help="default both")
    given = vars(parser.parse_args(arguments))
    as_json, lang = given.pop("json"), given.pop("lang")
    try:
        verdict = check_file(given.pop("path"), **given)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    texts = [told(verdict, n) for n, name in enumerate(("en", "vi")) if lang in {None, name}]
    as_text = json.dumps(verdict, ensure_ascii=False, sort_keys=True)
    text = as_text if as_json else "\n\n".join(texts)
    sys.stdout.buffer.write(f"{text}\n".encode())  # whatever the terminal's own encoding is
    return 0 if verdict["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
