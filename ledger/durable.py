"""Write files that are there whole or not at all, and still there after a power cut."""

import os
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600


def sync(path: Path) -> None:
    """Bring a file's bytes, or a folder's names, to the disk; durable on return.

    Raises:
        OSError: it cannot be.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_file(path: Path, data: bytes) -> bool:
    """Create a file of mode 600, durable on return; False when there is one, which stays as it is.

    A crash leaves at most a file whose name begins with a dot and ends in `.new`.

    Raises:
        OSError: it cannot be written.
    """
    aside = _write_aside(path, data)
    try:
        path.hardlink_to(aside)  # unlike a rename, this never replaces anything
    except FileExistsError:
        return False
    finally:
        aside.unlink()
    sync(path.parent)
    return True


def replace_file(path: Path, data: bytes) -> None:
    """Put a file of mode 600 in the place of an earlier one, if any; durable on return.

    A crash leaves the earlier one or this one.

    Raises:
        OSError: it cannot be written; the earlier one is still there.
    """
    aside = _write_aside(path, data)
    try:
        aside.replace(path)
    except OSError:
        aside.unlink()
        raise
    sync(path.parent)


def _write_aside(path: Path, data: bytes) -> Path:
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        aside.unlink()
        raise
    return aside
