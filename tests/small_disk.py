"""A file system of a few megabytes of its own, for tests that must run out of room."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_WATCHDOG = """
import subprocess, sys, time
sys.stdin.read()
for _ in range(100):
    if subprocess.run(["umount", sys.argv[1]], stderr=subprocess.DEVNULL).returncode == 0:
        break
    time.sleep(0.1)
else:
    subprocess.run(["umount", "-l", sys.argv[1]])
"""


class SmallDisk:
    """A mounted file system that can be filled up and emptied again."""

    def __init__(self, folder: Path) -> None:
        """Take the folder where it is mounted."""
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, *, leave_bytes: int = 0) -> None:
        """Leave only this much room."""
        status = os.statvfs(self.folder)
        size = status.f_bavail * status.f_frsize - leave_bytes
        with self._filler.open("ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), size)

    def clear(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(*, megabytes: int) -> Generator[SmallDisk | None]:
    """Mount a file system of this size; None where that is not allowed.

    It is unmounted when the test process ends, by any death.
    """
    with tempfile.TemporaryDirectory(prefix="clinledger-disk-") as name:
        folder = Path(name) / "disk"
        folder.mkdir()
        Path(name).chmod(0o755)  # the server's account must pass through
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "none", folder]
        mounted = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - constants
        if mounted.returncode != 0:
            yield None
            return
        watchdog = subprocess.Popen(  # noqa: S603 - our own interpreter and constants
            [sys.executable, "-c", _WATCHDOG, str(folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        yield SmallDisk(folder)
        watchdog.communicate(timeout=60)
