"""Read the configuration of a witness: one small TOML file, strict."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from api.witness.rules import Pin, Watch, Witness, WitnessedLog
from api.witness.state import WitnessState
from ledger.clock import Clock
from ledger.errors import EnvironmentRefusedError
from signing.checkpoints import MAX_SIZE, ROOT_BYTES
from signing.cosignatures import Cosigner, load_cosigner, load_log_verifier
from signing.errors import SigningError
from signing.vkeys import decode_base64

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8091
_OPEN_TO_OTHERS: Final = 0o077


class PinConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a log's history starts for this witness.

    Attributes:
        size: number of leaves.
        root: base64 of the root hash at this size.
    """

    size: int
    root: str


class LogConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A log to witness.

    Attributes:
        keys: verifier keys, all named by the log's origin.
        pin: or the first checkpoint that comes is trusted.
    """

    keys: tuple[str, ...]
    pin: PinConfig | None = None


class WitnessConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file says. Relative paths are relative to the file's folder.

    Attributes:
        name: of the witness, such as `witness.hospital-b.example/w1`.
        key_files: private keys, PKCS#8 PEM, mode 600; Ed25519 or ML-DSA-44.
        state_file: the witness's memory.
        host: address to listen on.
        port: TCP port; 0 takes a free one.
        prefix: path under which everything is served, such as `/w1`; usually empty.
        logs: whom to witness.
    """

    name: str
    key_files: tuple[str, ...]
    state_file: str
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    prefix: str = ""
    logs: tuple[LogConfig, ...] = ()


def read_config(path: Path) -> WitnessConfig:
    """Read a configuration file.

    Raises:
        EnvironmentRefusedError: it cannot be read or says what cannot be.
    """
    try:
        config = msgspec.toml.decode(path.read_bytes(), type=WitnessConfig)
    except OSError as error:
        raise EnvironmentRefusedError(f"cannot read {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EnvironmentRefusedError(f"{path}: {error}") from None
    if not config.key_files:
        raise EnvironmentRefusedError(f"{path}: key_files is empty")
    if config.prefix and (not config.prefix.startswith("/") or config.prefix.endswith("/")):
        raise EnvironmentRefusedError(f"{path}: prefix starts with a slash and ends without one")
    return config


def build_witness(path: Path, config: WitnessConfig, *, clock: Clock, watch: Watch) -> Witness:
    """Return the witness of a configuration file.

    Raises:
        EnvironmentRefusedError: a key, a log or the state cannot be used; above all, a state file
            that is missing is never made here.
    """
    folder = path.parent
    try:
        cosigners = [_load_key(folder / name, config.name) for name in config.key_files]
        logs = [_log_of(log) for log in config.logs]
    except (SigningError, ValueError) as error:
        raise EnvironmentRefusedError(f"{path}: {error}") from None
    if len({log.origin for log in logs}) != len(logs):
        raise EnvironmentRefusedError(f"{path}: a log is listed twice")
    state = WitnessState(folder / config.state_file)
    return Witness(logs=logs, cosigners=cosigners, state=state, clock=clock, watch=watch)


def _load_key(path: Path, name: str) -> Cosigner:
    try:
        if path.stat().st_mode & _OPEN_TO_OTHERS:
            raise EnvironmentRefusedError(f"others may read the key file {path}: chmod 600")
        return load_cosigner(name, path.read_bytes())
    except OSError as error:
        raise EnvironmentRefusedError(f"cannot read {path}: {error.strerror}") from None


def _log_of(config: LogConfig) -> WitnessedLog:
    keys = tuple(load_log_verifier(key) for key in config.keys)
    origins = {key.vkey.name for key in keys}
    if len(origins) != 1:
        raise ValueError("a log has one or more keys, all named by its one origin")
    pin = config.pin
    return WitnessedLog(origin=origins.pop(), keys=keys, pin=None if pin is None else _pin_of(pin))


def _pin_of(pin: PinConfig) -> Pin:
    root = decode_base64(pin.root)
    if not 0 < pin.size <= MAX_SIZE or len(root) != ROOT_BYTES:
        raise ValueError("a pin has a size above 0 and a root of 32 bytes")
    return Pin(size=pin.size, root=root)


def new_private_file(path: Path, data: bytes) -> None:
    """Write a new file of mode 600, durable on return.

    Raises:
        EnvironmentRefusedError: there is one already, or it cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise EnvironmentRefusedError(f"{path} exists already") from None
    except OSError as error:
        raise EnvironmentRefusedError(f"cannot write {path}: {error.strerror}") from None


def config_text(*, name: str, host: str, port: int, logs: Sequence[str]) -> str:
    """Return a configuration file for a new witness, with `witness.pem` and `witness.sqlite`."""
    head = (
        f"name = {_quoted(name)}\n"
        'key_files = ["witness.pem"]\n'
        'state_file = "witness.sqlite"\n'
        f"host = {_quoted(host)}\n"
        f"port = {port}\n"
    )
    example = (
        "\n# One block for each ledger to witness:\n"
        "# [[logs]]\n"
        '# keys = ["<verifier key of the ledger>"]  # two while it replaces its key\n'
        "# Optional: trust nothing before this checkpoint.\n"
        '# pin = { size = 123, root = "<base64>" }\n'
    )
    keys: dict[str, list[str]] = {}
    for vkey in logs:  # a log that replaces its key has two
        keys.setdefault(vkey.partition("+")[0], []).append(_quoted(vkey))
    blocks = "".join(f"\n[[logs]]\nkeys = [{', '.join(of_log)}]\n" for of_log in keys.values())
    return head + example + blocks


def _quoted(text: str) -> str:
    # A JSON string without control characters is a basic string of TOML.
    return msgspec.json.encode(text).decode()
