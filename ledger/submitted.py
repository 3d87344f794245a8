"""Hold what a client submits of one event: the four byte strings that the ledger keeps."""

import msgspec
from typing_extensions import override


class SubmittedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as its author's client made it; nothing of it is checked yet.

    Attributes:
        statement: exact bytes that the author signed.
        container: exact bytes of the signature container.
        content: exact bytes of the content.
        salt: 32 random bytes of the content digest.
    """

    statement: bytes
    container: bytes
    content: bytes
    salt: bytes

    @override
    def __repr__(self) -> str:
        return "SubmittedEvent"  # its bytes are a patient's
