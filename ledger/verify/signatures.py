"""Check signatures by keys of the directory, and count them."""

from ledger.verify.report import Findings, Place
from signing.container import verify_container
from signing.errors import SigningError
from signing.keys import VerifyingKey, load_verifying_key


class SignatureChecker:
    """Checks containers against statements, loading each key once.

    Attributes:
        checked: signatures looked at, valid or not.
    """

    def __init__(self, findings: Findings) -> None:
        self.checked = 0
        self._findings = findings
        self._loaded: dict[tuple[bytes, str], VerifyingKey | None] = {}

    def check(
        self, container: bytes, statement: bytes, *, spki: bytes, alg: str, place: Place
    ) -> bool:
        """Tell whether the key signed the statement; report it when not."""
        self.checked += 1
        key = self._load(spki, alg)
        if key is None:
            self._findings.add("key-not-valid", place, "the enrolled key is not a usable key")
            return False
        try:
            verify_container(container, statement, key)
        except SigningError as error:
            self._findings.add("signature-invalid", place, error.code)
            return False
        return True

    def _load(self, spki: bytes, alg: str) -> VerifyingKey | None:
        name = (spki, alg)
        if name not in self._loaded:
            try:
                self._loaded[name] = load_verifying_key(spki, alg)
            except SigningError:
                self._loaded[name] = None
        return self._loaded[name]
