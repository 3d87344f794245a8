"""Name what can go wrong in the ledger, grouped by what the caller should do about it.

Three fates (docs/architecture.md): *reject* (the caller's fault; nothing was stored), *retry*
(nothing is known to be wrong; ask again with the same event_id), *stop* (stored bytes contradict
a hash, a signature or a constraint). No message ever contains clinical content or a name.
"""


class LedgerError(Exception):
    """Root of every error that the ledger raises."""


class RejectedError(LedgerError):
    """The request cannot be accepted as it is; nothing of it was stored.

    Attributes:
        code: stable kebab-case name of the fault, part of the public interface.
        pointer: RFC 6901 pointer into the offending document, "" for the whole.
        detail: what is wrong, in words that name no patient and quote no content.
    """

    def __init__(self, code: str, pointer: str = "", detail: str = "") -> None:
        self.code = code
        self.pointer = pointer
        self.detail = detail
        super().__init__(f"{code} at {pointer or '/'}" + (f": {detail}" if detail else ""))


class SubmissionRejectedError(RejectedError):
    """The submission's outer form is wrong: statement, container, origin, salt, size or clock."""


class ContentRejectedError(RejectedError):
    """The content breaks the rules of its format or of its event type's profile."""


class CommandRefusedError(RejectedError):
    """The event is well formed, but the ledger's rules refuse it in the present state."""


class EventConflictError(RejectedError):
    """Another statement was already accepted under this event_id."""

    def __init__(self) -> None:
        super().__init__("event-id-taken", "/event_id", "another statement has this event_id")


class NotFoundError(RejectedError):
    """There is no such event, record, patient or staff member in this ledger."""


class UnavailableError(LedgerError):
    """The ledger cannot answer now; the same request may succeed later.

    Attributes:
        retry_after_seconds: how long the caller should wait.
    """

    def __init__(self, reason: str, *, retry_after_seconds: int = 1) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(reason)


class CorruptionError(LedgerError):
    """Stored bytes contradict a hash, a signature or a constraint. Never handled, never retried.

    Attributes:
        code: a finding code of docs/trust.md.
        position: the ledger position concerned, or None.
    """

    def __init__(self, code: str, position: int | None = None, detail: str = "") -> None:
        self.code = code
        self.position = position
        place = "" if position is None else f" at position {position}"
        super().__init__(f"{code}{place}" + (f": {detail}" if detail else ""))


class EnvironmentRefusedError(LedgerError):
    """The surroundings are not as they must be: no key, wrong database, another sequencer runs."""


def stream_damaged() -> UnavailableError:
    """Build the answer of one stream whose stored bytes are damaged, while others go on."""
    return UnavailableError("this stream is damaged; see verify", retry_after_seconds=3600)


class SequencerRunningError(EnvironmentRefusedError):
    """Another process is the ledger's sequencer; the message names it."""
