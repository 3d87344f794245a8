"""Make the golden vector of a new checkpoint key by the second implementation; see README.md."""

import base64
import json
from typing import Any

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from tests.vectors.sample_keys import fixed, key_of, sha256, sign, spki_of


def build_handover(origin: str) -> dict[str, Any]:
    """Return a handover from the sample Ed25519 key to another, and a second signature over it."""
    old, new = key_of("EdDSA"), ECC.construct(curve="Ed25519", seed=fixed("next checkpoint key"))
    vkey = _vkey(origin, new)
    text = f"clinledger/checkpoint-key/v1\n{origin}\n{vkey}\n"
    lines = "".join(f"\u2014 {origin} {_signature(origin, key, text)}\n" for key in (new, old))
    return {
        "old_vkey": _vkey(origin, old),
        "vkey": vkey,
        "private_pkcs8": _b64(new.export_key(format="DER", use_pkcs8=True)),
        "text": text,
        "note": f"{text}\n{lines}",
        "second_key_id": sha256(spki_of("ES256")).hex(),
        "second": _second("ES256", text),
    }


def _second(alg: str, text: str) -> str:
    header = {"alg": alg, "b64": False, "crit": ["b64"], "typ": "clinledger-handover"}
    protected = _b64url(json.dumps(header, separators=(",", ":")).encode())
    signature = sign(alg, f"{protected}.{text}".encode())
    return f'{{"format":"jws","value":"{protected}..{_b64url(signature)}"}}'


def _vkey(origin: str, key: ECC.EccKey) -> str:
    typed = b"\x01" + _raw(key)
    return f"{origin}+{_key_hash(origin, key).hex()}+{_b64(typed)}"


def _signature(origin: str, key: ECC.EccKey, text: str) -> str:
    return _b64(_key_hash(origin, key) + eddsa.new(key, "rfc8032").sign(text.encode()))


def _key_hash(origin: str, key: ECC.EccKey) -> bytes:
    return sha256(origin.encode() + b"\n\x01" + _raw(key))[:4]


def _raw(key: ECC.EccKey) -> bytes:
    return key.public_key().export_key(format="raw")


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
