"""Let what nobody waits for give way to appends, whatever way the machine shares its processors."""

import contextlib
import os
from pathlib import Path
from typing import Final

BACKGROUND: Final = 10
"""Niceness of what can take longer: verifying, rebuilding, signing checkpoints."""


def give_way(pid: int, niceness: int = BACKGROUND) -> None:
    """Let a process, the first of a session of its own, give way where others want a processor."""
    with contextlib.suppress(OSError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
    # Where Linux schedules sessions instead of processes (sched(7), autogroup), as on a desktop,
    # niceness says nothing to another session, but this does.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness), "ascii")


def work_in_background() -> None:
    """Let this process, which helps another one of ours, give way as a session of its own."""
    with contextlib.suppress(OSError):  # it is the first of one already
        os.setsid()
    give_way(os.getpid())
