"""A witness is configured by one small file; what is wrong in it is told before it serves."""

from pathlib import Path

import pytest

from api.witness.config import build_witness, config_text, new_private_file, read_config
from api.witness.request import format_add_checkpoint
from api.witness.rules import Witness
from api.witness.state import WitnessState
from ledger.errors import EnvironmentRefusedError
from signing.checkpoints import sign_checkpoint
from signing.cosignatures import generate_mldsa_pem
from signing.notes import Ed25519Signer
from tests.noted import LOG_ORIGIN, WITNESS_NAME, Tree, cosigner, log_signer, note_key
from tests.witnessed import Heard, SetClock, request

LOG = str(log_signer().verifier.vkey)
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
TREE = Tree()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A configuration file with its key and state."""
    new_private_file(tmp_path / "witness.pem", note_key(WITNESS_NAME).to_pem(None))
    WitnessState.create(tmp_path / "witness.sqlite")
    path = tmp_path / "witness.toml"
    text = config_text(name=WITNESS_NAME, host="127.0.0.1", port=8091, logs=[LOG])
    path.write_text(text)
    return path


def build(path: Path) -> Witness:
    return build_witness(path, read_config(path), clock=SetClock(), watch=Heard())


def told(path: Path) -> str:
    with pytest.raises(EnvironmentRefusedError) as caught:
        build(path)
    return str(caught.value)


def test_the_file_that_init_writes_makes_a_witness(path: Path) -> None:
    witness = build(path)
    assert witness.vkeys == (str(cosigner().verifier.vkey),)
    assert witness.add_checkpoint(request(TREE, 0, 5)).status == 200


def test_two_keys_of_one_log_are_put_into_one_block(path: Path) -> None:
    """A log that replaces its key has two; each of them is believed, and its history is one."""
    old, other = Ed25519Signer(LOG_ORIGIN, note_key("old")), log_signer("other.example/log")
    vkeys = [LOG, str(other.verifier.vkey), str(old.verifier.vkey)]
    text = config_text(name=WITNESS_NAME, host="127.0.0.1", port=8091, logs=vkeys)
    path.write_text(text)

    witness = build(path)

    signed = sign_checkpoint(TREE.checkpoint(5), old)
    first = format_add_checkpoint(old_size=0, proof=(), signed=signed)
    assert witness.add_checkpoint(first).status == 200
    assert witness.add_checkpoint(request(TREE, 5, 9)).status == 200
    assert witness.add_checkpoint(request(Tree("fork"), 9, 9)).status == 422


def test_a_witness_may_have_a_post_quantum_key_beside(path: Path) -> None:
    new_private_file(path.parent / "second.pem", generate_mldsa_pem())
    path.write_text(path.read_text().replace('"witness.pem"', '"witness.pem", "second.pem"'))
    witness = build(path)
    assert len(witness.vkeys) == 2
    assert witness.add_checkpoint(request(TREE, 0, 5)).body.count(b"\n") == 2


def test_a_pin_is_where_a_log_starts(path: Path) -> None:
    path.write_text(path.read_text() + f'pin = {{ size = 20852163, root = "{ROOT}" }}\n')
    assert build(path).add_checkpoint(request(TREE, 0, 5)).body == b"20852163\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("port =", "prot =", "prot"),
        ("port = 8091", 'port = "8091"', "port"),
        (f'name = "{WITNESS_NAME}"', 'name = "a b"', "vkey-malformed"),
        (f'name = "{WITNESS_NAME}"', "", "name"),
        ('["witness.pem"]', "[]", "key_files is empty"),
        ('["witness.pem"]', '["other.pem"]', "cannot read"),
        ('["witness.pem"]', '["witness.toml"]', "others may read"),
        ('["witness.pem"]', '["witness.sqlite"]', "key-malformed"),
        ('"witness.sqlite"', '"other.sqlite"', "is missing"),
        ('"witness.sqlite"', '"witness.pem"', "not the state file"),
        (f'keys = ["{LOG}"]', "keys = []", "one or more keys"),
        (f'keys = ["{LOG}"]', "", "keys"),
        (LOG, "x", "vkey-malformed"),
        (LOG, str(cosigner().verifier.vkey), "vkey-type"),
        (LOG, f'{LOG}", "{log_signer("other").verifier.vkey}', "its one origin"),
        ("port =", 'prefix = "w1/"\nport =', "prefix"),
        ("port =", 'prefix = "w1"\nport =', "prefix"),
        ("state_file", "state file", "witness.toml"),
    ],
)
def test_a_wrong_configuration_is_told(path: Path, old: str, new: str, expected: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    path.chmod(0o644)
    assert expected in told(path)


@pytest.mark.parametrize(
    "pin",
    [
        f'size = 0, root = "{ROOT}"',
        f'size = -1, root = "{ROOT}"',
        f'size = 9223372036854775808, root = "{ROOT}"',
        'size = 5, root = "AAAA"',
        'size = 5, root = "?"',
        f'size = 5, root = "{ROOT}", more = 1',
        "size = 5",
    ],
)
def test_an_impossible_pin_is_told(path: Path, pin: str) -> None:
    path.write_text(path.read_text() + f"pin = {{ {pin} }}\n")
    assert "witness.toml" in told(path)


def test_a_log_listed_twice_is_told(path: Path) -> None:
    text = path.read_text()
    path.write_text(text + text[text.rindex("[[logs]]") :])
    assert "listed twice" in told(path)


def test_a_missing_or_unreadable_file_is_told(path: Path) -> None:
    assert "cannot read" in told(path.parent / "other.toml")
    path.write_bytes(b"name = '\xff'")
    assert "witness.toml" in told(path)


def test_private_files_replace_nothing(path: Path) -> None:
    with pytest.raises(EnvironmentRefusedError, match="exists already"):
        new_private_file(path.parent / "witness.pem", b"other")
    with pytest.raises(EnvironmentRefusedError, match="cannot write"):
        new_private_file(path.parent / "nowhere" / "witness.pem", b"other")
    with pytest.raises(EnvironmentRefusedError, match="cannot write"):
        WitnessState.create(path.parent / "nowhere" / "witness.sqlite")


def test_the_example_in_the_file_says_what_a_log_needs(path: Path) -> None:
    lines = path.read_text().splitlines()
    example = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    assert "[[logs]]" in example
    assert LOG_ORIGIN not in "".join(example)
