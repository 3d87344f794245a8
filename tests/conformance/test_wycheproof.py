"""The Wycheproof cases meet their verdicts through our own key loading, checking and sealing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa, utils

from ledger.errors import CorruptionError
from ledger.sealing import open_body, seal
from signing.errors import InvalidSignatureError, MalformedKeyError
from signing.keys import load_verifying_key
from tests.shared_vectors import shared_vectors

Case = tuple[dict[str, Any], dict[str, Any]]


def cases(name: str) -> Iterator[Case]:
    path = shared_vectors("wycheproof") / f"{name}_test.json"
    for group in json.loads(path.read_text())["testGroups"]:
        for case in group["tests"]:
            yield group, case


def der_to_raw(der: bytes, length: int) -> bytes:
    """Turn the DER form of an ECDSA signature into ours; strict, as the parser used is."""
    r, s = utils.decode_dss_signature(der)
    try:
        raw = r.to_bytes(length) + s.to_bytes(length)
    except OverflowError:
        raise ValueError("out of range") from None
    if utils.encode_dss_signature(r, s) != der:
        raise ValueError("not DER")
    return raw


def accepts(alg: str, group: dict[str, Any], case: dict[str, Any], *, der: bool = False) -> bool:
    key = load_verifying_key(bytes.fromhex(group["publicKeyDer"]), alg)
    signature = bytes.fromhex(case["sig"])
    try:
        if der:
            signature = der_to_raw(signature, 32)
        key.verify(signature, bytes.fromhex(case["msg"]))
    except (InvalidSignatureError, ValueError):
        return False
    return True


@pytest.mark.parametrize(
    ("name", "alg", "der", "valid", "total"),
    [
        ("ecdsa_secp256r1_sha256_p1363", "ES256", False, 173, 262),
        ("ecdsa_secp256r1_sha256", "ES256", True, 174, 484),
        ("ecdsa_secp384r1_sha384_p1363", "ES384", False, 193, 280),
        ("ed25519", "EdDSA", False, 88, 151),
        ("rsa_pss_2048_sha256_mgf1_32", "PS256", False, 63, 108),
    ],
)
def test_signatures_meet_their_wycheproof_verdicts(
    name: str, alg: str, *, der: bool, valid: int, total: int
) -> None:
    found = list(cases(name))
    accepted = [case["tcId"] for group, case in found if accepts(alg, group, case, der=der)]
    assert accepted == [case["tcId"] for _, case in found if case["result"] == "valid"]
    assert (len(accepted), len(found)) == (valid, total)


def test_pkcs1_signatures_meet_their_wycheproof_verdicts() -> None:
    """Keys with exponent 3 are refused before any signature of theirs is looked at."""
    refused_keys, accepted, expected = 0, list[int](), list[int]()
    for group, case in cases("rsa_signature_2048_sha256"):
        if group["publicKey"]["publicExponent"] == "03":
            with pytest.raises(MalformedKeyError) as refusal:
                accepts("RS256", group, case)
            assert refusal.value.code == "key-exponent"
            refused_keys += 1
            continue
        if accepts("RS256", group, case):
            accepted.append(case["tcId"])
        if case["result"] == "valid":  # "acceptable" (a missing NULL) is refused
            expected.append(case["tcId"])
    assert accepted == expected
    assert accepted
    assert refused_keys


def test_sealing_meets_the_wycheproof_verdicts_of_aes_256_gcm() -> None:
    """Only the sizes that we seal with: 256-bit keys, 96-bit nonces, 128-bit tags."""
    verdicts: dict[str, int] = {}
    for group, case in cases("aes_gcm"):
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue
        key, nonce, aad = (bytes.fromhex(case[name]) for name in ("key", "iv", "aad"))
        message = bytes.fromhex(case["msg"])
        body = b"\x01" + nonce + bytes.fromhex(case["ct"]) + bytes.fromhex(case["tag"])
        sealed = seal(message, key=key, nonce=nonce, aad=aad)
        assert (sealed == body) == (case["result"] == "valid"), case["tcId"]
        # What opens is no frame, and is refused as such; what does not open never gets there.
        with pytest.raises(CorruptionError) as refusal:
            open_body(body, key=key, aad=aad)
        opened = "does not open" not in str(refusal.value)
        assert opened == (case["result"] == "valid"), case["tcId"]
        verdicts[case["result"]] = verdicts.get(case["result"], 0) + 1
    assert verdicts["valid"] > 20
    assert verdicts["invalid"] > 20


def test_ml_dsa_65_of_the_library_meets_its_wycheproof_verdicts() -> None:
    """No format of ours uses ML-DSA yet; this says that the library could be built on."""
    accepted, expected = list[int](), list[int]()
    for group, case in cases("mldsa_65_verify"):
        if case["result"] == "valid":
            expected.append(case["tcId"])
        try:
            key = mldsa.MLDSA65PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]))
            key.verify(
                bytes.fromhex(case["sig"]),
                bytes.fromhex(case["msg"]),
                bytes.fromhex(case.get("ctx", "")),
            )
        except (InvalidSignature, ValueError):
            continue
        accepted.append(case["tcId"])
    assert accepted == expected
    assert len(accepted) == 79
