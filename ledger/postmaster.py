"""Read who serves a PostgreSQL data folder, without trusting a stale `postmaster.pid`."""

import contextlib
import os
from pathlib import Path

import msgspec

from ledger.errors import EnvironmentRefusedError

_PROGRAM_NAMES = ("postgres", "postmaster")


class Postmaster(msgspec.Struct, frozen=True, kw_only=True):
    """What `postmaster.pid` says of a living server.

    Attributes:
        pid: the postmaster's process id.
        sockets: the folder of its Unix socket, "" when it has not got so far.
        ready: whether it accepts connections (False while starting, recovering or stopping).
    """

    pid: int
    sockets: str
    ready: bool


def find_postmaster(data: Path) -> Postmaster | None:
    """Return the living postmaster of a data folder, or None when none runs.

    Raises:
        EnvironmentRefusedError: the folder may not be read by us.
    """
    lines = _pid_file(data)
    if lines is None or not _serves(int(lines[0]), data):
        return None
    # PostgreSQL's miscadmin.h: line 5 is the socket folder, line 8 the status.
    sockets, status = [*lines, *[""] * 8][4:8:3]
    return Postmaster(pid=int(lines[0]), sockets=sockets, ready=status.strip() == "ready")


def remove_stale_pid_file(data: Path) -> None:
    """Remove `postmaster.pid` when the number in it is certainly not a postmaster's.

    A killed postmaster's number may have gone to another program (after a restart of the
    container) or be a zombie still, and PostgreSQL then refuses to start. Any other postmaster
    is left for PostgreSQL's own locks to judge.
    """
    lines = _pid_file(data)
    if lines is None:
        return
    arguments = _command_line(int(lines[0]))
    if arguments is not None and not arguments[0].endswith(_PROGRAM_NAMES):
        with contextlib.suppress(FileNotFoundError):
            (data / "postmaster.pid").unlink()


def _pid_file(data: Path) -> list[str] | None:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    except PermissionError:
        raise EnvironmentRefusedError(f"{data} belongs to another user; run as that user") from None
    return lines if lines and lines[0].isdecimal() else None


def _serves(pid: int, data: Path) -> bool:
    arguments = _command_line(pid)
    if arguments is not None:
        return arguments[0].endswith(_PROGRAM_NAMES) and str(data) in arguments
    try:  # without /proc, any living process of that number counts
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _command_line(pid: int) -> list[str] | None:
    """Return a process's arguments, [""] when it is dead or a zombie; None without /proc."""
    if not Path("/proc/self/cmdline").exists():
        return None
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return [""]
