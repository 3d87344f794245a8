"""Keep the private keys of staff as files: `keys/<staff id>.pem` under CLINLEDGER_HOME, mode 600.

Soft keys on disk are for demonstrations, devices and small sites; people sign with tokens.
"""

from pathlib import Path
from typing import Final

from ledger.durable import create_file
from ledger.errors import EnvironmentRefusedError
from signing.errors import MalformedKeyError
from signing.keys import SoftKey

_SUFFIX: Final = ".pem"
_FOLDER_MODE: Final = 0o700
_OPEN_TO_OTHERS: Final = 0o077


class KeyStore:
    """The key files in one folder. Several processes may use it at once: the first writer wins."""

    def __init__(self, folder: Path) -> None:
        """Use this folder, made when the first key is written."""
        self._folder = folder

    def path(self, name: str) -> Path:
        """Return where the key of a staff id, or another named key, is kept."""
        return self._folder / f"{name}{_SUFFIX}"

    def names(self) -> tuple[str, ...]:
        """Return the staff ids and other names of which there is a key, sorted."""
        return tuple(sorted(file.stem for file in self._folder.glob(f"*{_SUFFIX}")))

    def load(self, name: str) -> SoftKey | None:
        """Return the key, or None when there is none.

        Raises:
            EnvironmentRefusedError: the file is unreadable, is no key, or others may read it.
        """
        path = self.path(name)
        try:
            if path.stat().st_mode & _OPEN_TO_OTHERS:
                raise EnvironmentRefusedError(f"others may read the key file {path}: chmod 600")
            return SoftKey.from_pem(path.read_bytes(), None)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EnvironmentRefusedError(f"cannot read {path}: {error.strerror}") from None
        except MalformedKeyError:
            raise EnvironmentRefusedError(f"{path} holds no usable private key") from None

    def load_or_create(self, name: str, alg: str) -> SoftKey:
        """Return the key, made with this algorithm when there is none; durable on return.

        Raises:
            EnvironmentRefusedError: as `load`, or the folder cannot be written.
        """
        found = self.load(name)
        if found is not None:
            return found
        key = SoftKey.generate(alg)
        try:
            if self._write(self.path(name), key.to_pem(None)):
                return key
        except OSError as error:
            raise EnvironmentRefusedError(
                f"cannot write {self._folder}: {error.strerror}"
            ) from None
        return self.load_or_create(name, alg)  # another process was faster

    def _write(self, path: Path, data: bytes) -> bool:
        """Write a new file whole or not at all; False when there is one already.

        A crash leaves at most a file with another suffix, which nobody reads.
        """
        self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        return create_file(path, data)
