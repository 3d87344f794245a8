"""Tell how much memory this process may use: the machine's, or less where its group is limited.

Groups are those of Linux, version 2 (`memory.max`) or 1 (`memory.limit_in_bytes`; cgroups(7)): the
limits of containers and of systemd's `MemoryMax`. A limit above a process's group counts as well.
"""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

_GROUPS: Final = Path("/proc/self/cgroup")
_MOUNTED: Final = Path("/sys/fs/cgroup")


def memory_bytes(*, groups: Path = _GROUPS, mounted: Path = _MOUNTED) -> int:
    """Return how many bytes of memory may be used at most; what others use is not taken off.

    Args:
        groups: names the groups of this process, as the kernel does.
        mounted: where the groups' files are.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *_limits(groups, mounted)])


def _limits(groups: Path, mounted: Path) -> Iterator[int]:
    """Yield the limits of all groups that this process is in, of those that have one."""
    try:
        lines = groups.read_text("utf-8", "replace").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, name = mounted, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = mounted / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = PurePosixPath(path.lstrip("/"))
        for one in (group, *group.parents):
            try:
                yield int((root / one / name).read_text("utf-8"))
            except (OSError, ValueError):  # not shown here, or "max"
                continue
