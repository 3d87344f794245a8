"""Name what can go wrong between the ledger and its read models.

A view is never the truth: *retry* when it is behind, *stop* when it cannot be computed.
"""


class ProjectionError(Exception):
    """Root of every error that the projections raise."""


class ProjectionBehindError(ProjectionError):
    """The views have not reached the position that the reader asked for; ask again.

    Attributes:
        wanted: the position asked for.
        reached: the position that the views had reached at last, -1 for none.
        retry_after_seconds: how long the caller should wait.
    """

    def __init__(self, wanted: int, reached: int, *, retry_after_seconds: int = 1) -> None:
        self.wanted = wanted
        self.reached = reached
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"the views are at position {reached}, position {wanted} was asked for")


class ProjectionFailedError(ProjectionError):
    """The views cannot be computed or read as they are; they must be rebuilt."""
