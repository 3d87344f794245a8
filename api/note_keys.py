"""Keep auditors' note keys: `keys/<file>.pem` as other soft keys, their public half in `.vkey`.

A note key signs notes under a name of its own (c2sp.org/signed-note), such as
`so-y-te.example/auditor`; the `.vkey` file holds the name and the public key, one line of text.
"""

from pathlib import Path
from typing import Final

from api.keystore import KeyStore
from ledger.errors import EnvironmentRefusedError
from signing.errors import MalformedKeyError
from signing.notes import Ed25519Signer, Ed25519Verifier
from signing.vkeys import VerifierKey, ed25519_vkey, parse_vkey

_SUFFIX: Final = ".vkey"
_MAX_BYTES: Final = 4096


class NoteKeys:
    """The note keys in one folder of key files."""

    def __init__(self, folder: Path) -> None:
        """Use this folder."""
        self._folder = folder
        self._store = KeyStore(folder)

    def create(self, file: str, name: str) -> VerifierKey:
        """Make a key that signs notes under a name; return its public half.

        Raises:
            EnvironmentRefusedError: there is such a key file already, or none can be written.
            MalformedKeyError: the name is impossible (empty, a space, a plus).
        """
        if self._store.load(file) is not None:
            raise EnvironmentRefusedError(f"there is a key already: {self._store.path(file)}")
        parse_vkey(str(VerifierKey(name=name, type=1, public_key=bytes(32))))  # before one is made
        vkey = ed25519_vkey(name, self._store.load_or_create(file, "EdDSA"))
        try:
            self._path(file).write_text(f"{vkey}\n", encoding="utf-8")
        except OSError as error:
            raise EnvironmentRefusedError(
                f"cannot write {self._folder}: {error.strerror}"
            ) from None
        return vkey

    def signer(self, file: str | None) -> Ed25519Signer:
        """Return the key of a file, or the only one there is.

        Raises:
            EnvironmentRefusedError: there is none, several, or its two halves do not fit.
        """
        name = file or self._only()
        key = self._store.load(name)
        if key is None or not self._path(name).exists():
            raise EnvironmentRefusedError(
                f"no note key {name} in {self._folder}: make one with `clinledger key new {name} "
                "--note NAME`"
            )
        vkey = self._read(self._path(name))
        try:
            signer = Ed25519Signer(vkey.name, key)
        except MalformedKeyError:
            raise EnvironmentRefusedError(f"{self._store.path(name)} is no Ed25519 key") from None
        if signer.verifier.vkey != vkey:
            raise EnvironmentRefusedError(f"{self._path(name)} is of another key")
        return signer

    def verifiers(self) -> list[Ed25519Verifier]:
        """Return the public halves in this folder, by file name.

        Raises:
            EnvironmentRefusedError: one of the files holds none.
        """
        return [verifier_of(self._read(path)) for path in self._paths()]

    def _only(self) -> str:
        names = [path.stem for path in self._paths()]
        if len(names) != 1:
            raise EnvironmentRefusedError(
                f"{len(names)} note keys in {self._folder}: name one with --key, or make one with "
                "`clinledger key new FILE --note NAME`"
            )
        return names[0]

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX}"))

    def _path(self, file: str) -> Path:
        return self._folder / f"{file}{_SUFFIX}"

    def _read(self, path: Path) -> VerifierKey:
        try:
            with path.open("rb") as file:
                return parse_vkey(file.read(_MAX_BYTES).decode().removesuffix("\n"))
        except (OSError, UnicodeDecodeError, MalformedKeyError):
            raise EnvironmentRefusedError(f"{path} holds no verifier key") from None


def verifier_of(vkey: VerifierKey) -> Ed25519Verifier:
    """Return what checks notes by this key.

    Raises:
        EnvironmentRefusedError: it is no Ed25519 verifier key.
    """
    try:
        return Ed25519Verifier(vkey)
    except MalformedKeyError as error:
        raise EnvironmentRefusedError(f"not an Ed25519 verifier key ({error.code})") from None
