"""Name what can go wrong with signed bytes; the caller decides what it means.

A bad signature of a client is the client's fault and is refused; a bad signature in the ledger is a
finding. No message quotes the signed bytes.
"""


class SigningError(Exception):
    """Root of every error of this package.

    Attributes:
        code: stable kebab-case name of the fault, part of the public interface.
        detail: what is wrong, in words that quote nothing of the document.
        pointer: RFC 6901 pointer into the offending document, "" for the whole or when unknown.
    """

    def __init__(self, code: str, detail: str = "", *, pointer: str = "") -> None:
        self.code = code
        self.detail = detail
        self.pointer = pointer
        place = f" at {pointer}" if pointer else ""
        super().__init__(f"{code}{place}" + (f": {detail}" if detail else ""))


class MalformedStatementError(SigningError):
    """The bytes are not a statement in its only permitted form."""


class MalformedContainerError(SigningError):
    """The bytes are not a signature container in its only permitted form."""


class MalformedKeyError(SigningError):
    """The key is unusable, weak, or does not fit its algorithm; it must not be enrolled."""


class MalformedTokenError(SigningError):
    """The bearer token or possession proof is not in its permitted form, or has run out."""


class MalformedNoteError(SigningError):
    """The bytes are not a signed note, a checkpoint or a policy in its only permitted form."""


class UnknownKeyError(SigningError):
    """No key with this key_id is known."""


class InvalidSignatureError(SigningError):
    """The signature is not one by this key over these bytes."""


class QuorumMissingError(SigningError):
    """Too few of the policy's witnesses have cosigned the checkpoint."""
