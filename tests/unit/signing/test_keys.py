"""Only keys that can carry a signature's weight are enrolled, each in one encoding."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from signing.algorithms import ALGORITHMS
from signing.errors import InvalidSignatureError, MalformedKeyError
from signing.keys import SoftKey, key_id_of, load_verifying_key
from tests.signed import public_key, soft_key

ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")
P = 2**255 - 19
OWN = ["ES256", "ES384", "PS256", "EdDSA"]


def der(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def refusal(spki: bytes, alg: str) -> str:
    with pytest.raises(MalformedKeyError) as caught:
        load_verifying_key(spki, alg)
    return caught.value.code


def tlv(tag: int, body: bytes) -> bytes:
    """Encode one DER value by hand."""
    length = len(body)
    if length < 128:
        return bytes([tag, length]) + body
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(size)]) + size + body


def sequence(*parts: bytes) -> bytes:
    return tlv(0x30, b"".join(parts))


def rsa_spki(modulus: int, exponent: int) -> bytes:
    """Encode an RSA key by hand: the library would not make such weak ones."""
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    numbers = [tlv(2, value.to_bytes(value.bit_length() // 8 + 1)) for value in (modulus, exponent)]
    return sequence(algorithm, tlv(3, b"\x00" + sequence(*numbers)))


MODULUS_2048 = (1 << 2047) + 12345 * 2 + 1


@pytest.mark.parametrize("alg", OWN)
def test_a_good_key_is_loaded_under_the_hash_of_its_spki(alg: str) -> None:
    spki = soft_key(alg).spki
    key = load_verifying_key(spki, alg)
    assert (key.alg, key.spki, key.key_id) == (alg, spki, hashlib.sha256(spki).hexdigest())
    assert key_id_of(spki) == key.key_id == soft_key(alg).key_id


@pytest.mark.parametrize("alg", OWN)
def test_a_signature_holds_for_its_message_only(alg: str) -> None:
    signature = soft_key(alg).sign(b"5 mg")
    key = public_key(alg)
    key.verify(signature, b"5 mg")
    with pytest.raises(InvalidSignatureError) as caught:
        key.verify(signature, b"500 mg")
    assert caught.value.code == "signature-invalid"


@pytest.mark.parametrize("alg", ["none", "", "HS256", "es256", "ES256K", "ES512", "RSA", "Ed25519"])
def test_an_algorithm_that_is_not_ours_is_refused(alg: str) -> None:
    assert refusal(soft_key("ES256").spki, alg) == "key-algorithm"


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("kind", OWN)
def test_a_key_fits_its_own_algorithms_only(alg: str, kind: str) -> None:
    spki = soft_key(kind).spki
    if alg == kind or (alg, kind) == ("RS256", "PS256"):
        assert load_verifying_key(spki, alg).alg == alg
    elif {alg, kind} == {"ES256", "ES384"}:
        assert refusal(spki, alg) == "key-curve"
    else:
        assert refusal(spki, alg) == "key-algorithm"


@pytest.mark.parametrize(
    "curve", [ec.SECP256K1(), ec.SECP521R1(), ec.BrainpoolP256R1(), ec.SECP224R1()]
)
def test_another_curve_is_refused(curve: ec.EllipticCurve) -> None:
    private = ec.generate_private_key(curve)
    assert refusal(der(private.public_key()), "ES256") == "key-curve"
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(MalformedKeyError) as caught:
        SoftKey.from_pem(pem, None)
    assert caught.value.code == "key-curve"


def test_kinds_of_keys_that_nobody_enrols_are_refused() -> None:
    exchange = x25519.X25519PrivateKey.generate()
    goldilocks = ed448.Ed448PrivateKey.generate()
    old = dsa.generate_private_key(2048)
    for private in (exchange, goldilocks, old):
        spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert refusal(spki, "EdDSA") == "key-algorithm"
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(MalformedKeyError) as caught:
            SoftKey.from_pem(pem, None)
        assert caught.value.code == "key-algorithm"


@pytest.mark.parametrize("alg", ["PS256", "RS256"])
@pytest.mark.parametrize(
    ("modulus", "exponent", "code"),
    [
        ((1 << 1023) + 1, 65537, "key-too-small"),
        ((1 << 2046) + 1, 65537, "key-too-small"),
        ((1 << 8192) + 1, 65537, "key-too-large"),
        (MODULUS_2048, 3, "key-exponent"),
        (MODULUS_2048, 17, "key-exponent"),
        (MODULUS_2048, 65535, "key-exponent"),
        (MODULUS_2048, 2**32 + 1, "key-exponent"),
    ],
)
def test_a_weak_or_costly_rsa_key_is_refused(
    alg: str, modulus: int, exponent: int, code: str
) -> None:
    assert refusal(rsa_spki(modulus, exponent), alg) == code


@pytest.mark.parametrize("exponent", [0, 1, 65536, 65538])
def test_an_rsa_exponent_that_makes_no_key_is_refused(exponent: int) -> None:
    assert refusal(rsa_spki(MODULUS_2048, exponent), "PS256") in {"key-malformed", "key-exponent"}


def test_a_key_of_over_2_kib_is_not_even_decoded() -> None:
    assert refusal(rsa_spki((1 << 16_399) + 1, 65537), "PS256") == "key-malformed"


def test_an_rsa_key_at_the_limits_is_accepted() -> None:
    """Same set-up as the refusals above, so that they are refused for the reason given."""
    assert load_verifying_key(rsa_spki(MODULUS_2048, 65537), "PS256").alg == "PS256"


def torsion_points() -> list[tuple[int, int]]:
    """Return the eight points of small order, computed here from the curve's equation."""
    d = -121665 * pow(121666, -1, P) % P
    root_of_minus_one = pow(2, (P - 1) // 4, P)

    def add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
        k = d * a[0] * b[0] * a[1] * b[1] % P
        x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + k, -1, P) % P
        y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, -1, P) % P
        return x, y

    def multiple(n: int, point: tuple[int, int]) -> tuple[int, int]:
        total = (0, 1)
        for bit in f"{n:b}":
            total = add(total, total)
            if bit == "1":
                total = add(total, point)
        return total

    order = 2**252 + 27742317777372353535851937790883648493
    for y in range(2, 100):
        square = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
        x = pow(square, (P + 3) // 8, P)
        if x * x % P != square:
            x = x * root_of_minus_one % P
        if x * x % P != square:
            continue
        generator = multiple(order, (x, y))
        points = [multiple(n, generator) for n in range(8)]
        if len(set(points)) == 8:
            return points
    raise AssertionError


def encoded(x_is_odd: int, y: int) -> bytes:
    return ED25519_PREFIX + (y | x_is_odd << 255).to_bytes(32, "little")


def test_every_point_of_small_order_is_refused_in_every_encoding() -> None:
    """RFC 8032 decoding, plus encodings with y >= p and with a sign for x = 0."""
    points = torsion_points()
    assert (0, 1) in points
    seen = 0
    for _, y in points:
        for spelling in (y, y + P):
            if spelling < 2**255:
                for sign in (0, 1):
                    assert refusal(encoded(sign, spelling), "EdDSA") == "key-small-order"
                    seen += 1
    assert seen == 16 + 2 * 2 + 2  # y = 0 (two points), 1 also fit as y + p


@pytest.mark.parametrize("excess", [3, 4, 18])
def test_a_non_canonical_ed25519_encoding_is_refused(excess: int) -> None:
    assert refusal(encoded(0, P + excess), "EdDSA") == "key-malformed"


def test_an_ed25519_key_that_is_no_curve_point_is_refused() -> None:
    for y in (2, 7, 8):  # (y² - 1) / (dy² + 1) is no square
        assert refusal(encoded(0, y), "EdDSA") == "key-malformed"
    for y in (3, 4, 5, 6, 9, 10):
        assert load_verifying_key(encoded(0, y), "EdDSA").alg == "EdDSA"


def test_every_generated_ed25519_key_is_accepted() -> None:
    for _ in range(64):
        spki = der(ed25519.Ed25519PrivateKey.generate().public_key())
        assert load_verifying_key(spki, "EdDSA").spki == spki


def spellings() -> dict[str, tuple[bytes, str]]:
    """Return other encodings of good keys: the same key must not get a second key_id."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    good = der(public)
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    head = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
    compressed = sequence(head, bytes([0x03, len(point) + 1, 0]) + point)
    hybrid = good[:26] + bytes([6 + (good[-1] & 1)]) + good[27:]
    rsa_good = soft_key("PS256").spki
    rsa_algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    pss_algorithm = bytes.fromhex("300b06092a864886f70d01010a")
    rsa_bits = rsa_good[rsa_good.index(rsa_algorithm) + len(rsa_algorithm) :]
    ed = soft_key("EdDSA").spki
    return {
        "trailing byte": (good + b"\x00", "ES256"),
        "cut short": (good[:-1], "ES256"),
        "long form length": (b"\x30\x81" + good[1:], "ES256"),
        "indefinite length": (b"\x30\x80" + good[2:] + b"\x00\x00", "ES256"),
        "compressed point": (compressed, "ES256"),
        "hybrid point": (hybrid, "ES256"),
        "point off the curve": (good[:-1] + bytes([good[-1] ^ 1]), "ES256"),
        "point at infinity": (sequence(head, b"\x03\x02\x00\x00"), "ES256"),
        "RSA-PSS identifier": (sequence(pss_algorithm, rsa_bits), "PS256"),
        "no NULL": (sequence(bytes.fromhex("300b06092a864886f70d010101"), rsa_bits), "PS256"),
        "a curve nobody knows": (sequence(head[:-1] + b"\x7f", good[len(head) + 2 :]), "ES256"),
        "a kind nobody knows": (ed.replace(b"\x2b\x65\x70", b"\x2b\x65\x7e"), "EdDSA"),
        "Ed25519 with parameters": (
            bytes.fromhex("302c300706032b65700500032100") + ed[12:],
            "EdDSA",
        ),
        "Ed25519 one byte short": (bytes.fromhex("3029300506032b6570032000") + ed[13:], "EdDSA"),
        "Ed25519 raw": (ed[12:], "EdDSA"),
        "PEM": (soft_key("ES256").verifying_key.spki.hex().encode(), "ES256"),
        "nothing": (b"", "ES256"),
        "too long": (good + bytes(2048), "ES256"),
    }


@pytest.mark.parametrize("case", spellings())
def test_another_encoding_of_a_key_is_refused(case: str) -> None:
    spki, alg = spellings()[case]
    assert refusal(spki, alg) in {"key-malformed", "key-algorithm"}


@pytest.mark.parametrize("alg", OWN)
@pytest.mark.parametrize("passphrase", [None, b"m\xe1\xba\xadt kh\xe1\xba\xa9u"])
def test_a_soft_key_survives_its_pem(alg: str, passphrase: bytes | None) -> None:
    key = soft_key(alg)
    pem = key.to_pem(passphrase)
    again = SoftKey.from_pem(pem, passphrase)
    assert (again.alg, again.spki) == (key.alg, key.spki)
    assert (b"ENCRYPTED" in pem) == (passphrase is not None)


def test_a_soft_key_does_not_open_without_its_passphrase() -> None:
    sealed, bare = soft_key("EdDSA").to_pem(b"right"), soft_key("EdDSA").to_pem(None)
    for pem, passphrase in [(sealed, b"wrong"), (sealed, None), (bare, b"any"), (b"no PEM", None)]:
        with pytest.raises(MalformedKeyError) as caught:
            SoftKey.from_pem(pem, passphrase)
        assert caught.value.code == "key-malformed"


@pytest.mark.parametrize("alg", ["RS256", "none"])
def test_no_soft_key_is_made_for_algorithms_that_are_only_accepted(alg: str) -> None:
    with pytest.raises(MalformedKeyError) as caught:
        SoftKey.generate(alg)
    assert caught.value.code == "key-algorithm"


def test_signing_the_same_bytes_again_gives_the_same_ecdsa_signature() -> None:
    """RFC 6979: no random number is used that could repeat and betray the key."""
    for alg in ("ES256", "ES384"):
        assert soft_key(alg).sign(b"note") == soft_key(alg).sign(b"note")
        assert soft_key(alg).sign(b"note") != soft_key(alg).sign(b"other note")


def test_a_soft_key_shows_only_its_key_id() -> None:
    key = soft_key("ES256")
    assert repr(key) == f"SoftKey({key.key_id})"
    assert repr(key.verifying_key) == f"VerifyingKey({key.key_id}, ES256)"


def test_keys_are_equal_when_key_and_algorithm_are() -> None:
    spki = soft_key("PS256").spki
    assert load_verifying_key(spki, "PS256") == public_key("PS256")
    assert hash(load_verifying_key(spki, "PS256")) == hash(public_key("PS256"))
    assert load_verifying_key(spki, "RS256") != public_key("PS256")
    assert public_key("PS256") != spki
