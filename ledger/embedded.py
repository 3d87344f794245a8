"""Run a PostgreSQL of our own in a folder, for sites and tests without a database server.

The server outlives whoever started it: after a kill -9 of its owner the next start re-attaches,
and stopping asks the postmaster itself, never a count of users. Everything is durable (fsync and
synchronous_commit stay on). It listens on a Unix socket only, which no other account may use.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from ledger.durable import sync
from ledger.errors import EnvironmentRefusedError, UnavailableError
from ledger.machine_memory import memory_bytes
from ledger.postmaster import Postmaster, find_postmaster, remove_stale_pid_file
from ledger.server_programs import (
    ServerPrograms,
    ServerUser,
    find_programs,
    open_programs_to,
    open_to,
    server_user,
)

SUPERUSER: Final = "clinledger"
DATABASE: Final = "clinledger"
_PORT: Final = 5432
_SOCKET_PATH_BYTES: Final = 100  # sockaddr_un holds 104 on macOS, 108 on Linux
_LOG_BYTES: Final = 10 * 1024 * 1024
_START_SECONDS: Final = 300  # crash recovery replays the WAL before the server is ready
_START_TRIES: Final = 10
_LEAST_BUFFERS: Final = 512
_MOST_BUFFERS: Final = 8192
_UNSAFE_IN_SHELL: Final = frozenset('"$`\\\n')  # pg_ctl puts the data folder into a shell line

# DETAIL and STATEMENT lines of the server's log would repeat the values of the failing row.
_SETTINGS: Final = """\
# Written by clinledger at every start.
listen_addresses = ''
port = {port}
unix_socket_directories = '"{sockets}"'
unix_socket_permissions = 0700
fsync = on
full_page_writes = on
synchronous_commit = on
jit = off
# Ids lie at random places of two indexes (120 bytes an event). What does not fit into a quarter of
# the memory, which is what PostgreSQL's own documentation advises, is written out and read again
# all the time; and with the server's default for the log (1 GB) a checkpoint every few seconds
# makes each page be logged whole once more. Recovery after a crash replays so much at most.
shared_buffers = {buffers}MB
max_wal_size = 4GB
# An index is built by one process, so that it leaves the other processors to appends.
max_parallel_maintenance_workers = 0
timezone = 'UTC'
log_timezone = 'UTC'
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""


class EmbeddedPostgres:
    """One PostgreSQL server in `<home>/postgres`. Safe to use from many processes at once."""

    def __init__(self, home: Path, *, programs_directory: Path | None = None) -> None:
        """Describe the server; nothing is started.

        Args:
            home: CLINLEDGER_HOME; created when missing.
            programs_directory: folder of the server programs; default: see `find_programs`.
        """
        self.home = home.expanduser().resolve()
        self.data = self.home / "postgres"
        self.log = self.data / "server.log"
        self._programs_directory = programs_directory
        if _UNSAFE_IN_SHELL & set(str(self.data)):
            raise EnvironmentRefusedError(f"{self.home}: quotes, $, ` and \\ cannot be in the path")

    def start(self) -> str:
        """Initialise the server if there is none, start it if it does not run; return its URL.

        Raises:
            EnvironmentRefusedError: no server programs, or the folder cannot be used.
            UnavailableError: the server does not become ready.
        """
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        deadline = time.monotonic() + _START_SECONDS
        with self._locked() as lock:
            # A dying postmaster still looks alive for a moment: only a connection is proof.
            while time.monotonic() < deadline:
                postmaster = self.postmaster()
                if postmaster is None:
                    self._launch(lock)
                elif postmaster.ready and _ensure_database(_url(postmaster, "postgres")):
                    return _url(postmaster, DATABASE)
                else:
                    time.sleep(0.05)
        raise UnavailableError(f"PostgreSQL does not become ready; its log is {self.log}")

    def running_url(self) -> str | None:
        """Return the URL of the running server, or None; starts nothing."""
        postmaster = self.postmaster()
        return _url(postmaster, DATABASE) if postmaster is not None and postmaster.ready else None

    def postmaster(self) -> Postmaster | None:
        """Return the living postmaster of this folder, or None when it does not run."""
        return find_postmaster(self.data)

    def stop(self, *, timeout_seconds: float = 60) -> bool:
        """Stop the server, whoever uses it; return False when none was running.

        Committed transactions are safe; open ones are rolled back. After the time-out the server
        is stopped without a last checkpoint, so that the next start recovers from the WAL.

        Raises:
            UnavailableError: it still runs after all.
        """
        if not self.data.exists():
            return False
        with self._locked():
            postmaster = self.postmaster()
            if postmaster is None:
                return False
            for request in (signal.SIGINT, signal.SIGQUIT):  # fast, then immediate shutdown
                with contextlib.suppress(ProcessLookupError):
                    os.kill(postmaster.pid, request)
                if self._is_gone_within(timeout_seconds):
                    if postmaster.sockets not in ("", str(self.data)):
                        with contextlib.suppress(OSError):
                            Path(postmaster.sockets).rmdir()
                    return True
        raise UnavailableError(f"PostgreSQL (process {postmaster.pid}) does not stop")

    @contextlib.contextmanager
    def _locked(self) -> Generator[int]:
        # The kernel releases the lock when its last holder dies, so a kill -9 leaves none behind.
        with (self.home / "postgres.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file.fileno()

    def _launch(self, lock: int) -> None:
        # 1. Programs of the version that made the data folder, and the account that owns it.
        made_by = self.data / "PG_VERSION"
        major = int(made_by.read_text()) if made_by.exists() else None
        programs = find_programs(self._programs_directory, major=major)
        user = server_user(self.data)
        if user is not None:
            open_to(user, self.data)
            open_programs_to(user, programs)
        # 2. A data folder, whole or not at all.
        if major is None:
            self._initialise(programs, user, lock=lock)
        # 3. Settings, socket folder, log.
        sockets = self._socket_folder(user)
        settings = _SETTINGS.format(
            buffers=_buffers(), port=_PORT, sockets=str(sockets).replace("'", "''")
        )
        _replace_file(user, self.data / "clinledger.conf", settings)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        remove_stale_pid_file(self.data)
        # 4. Start. Children of a killed postmaster need a moment to notice: hence the tries.
        command = [programs.directory / "pg_ctl", "start", "-D", self.data, "-l", self.log]
        for _ in range(_START_TRIES):
            if _run_as(user, [*command, "-w", "-t", str(_START_SECONDS)]) is None:
                return
            if self.postmaster() is not None:  # slow, not dead: the caller waits for it
                return
            time.sleep(0.5)
        raise UnavailableError(f"PostgreSQL does not start; its log is {self.log}")

    def _initialise(self, programs: ServerPrograms, user: ServerUser | None, *, lock: int) -> None:
        # Made aside and renamed, so that a crash leaves no half-made data folder behind.
        if self.data.exists():
            raise EnvironmentRefusedError(f"{self.data} exists but holds no PostgreSQL data")
        aside = self.home / "postgres.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        if user is not None:
            os.chown(aside, user.uid, user.gid)
        command = [programs.directory / "initdb", "-D", aside, "-U", SUPERUSER, "--data-checksums"]
        access = ["--auth-local=trust", "--auth-host=reject"]
        # initdb holds our lock too: should we be killed, the next start waits for its end.
        failure = _run_as(user, [*command, *access, "--encoding=UTF8", "--no-locale"], keep=(lock,))
        if failure is not None:
            raise UnavailableError(f"initdb failed: {failure}")
        with (aside / "postgresql.conf").open("a") as file:
            file.write("\ninclude = 'clinledger.conf'\n")
        aside.rename(self.data)
        sync(self.home)  # else a power cut could undo the renaming

    def _socket_folder(self, user: ServerUser | None) -> Path:
        path = os.fsencode(self.data / f".s.PGSQL.{_PORT}")
        if len(path) <= _SOCKET_PATH_BYTES and not set(str(self.data)) & set(",%@"):
            return self.data
        name = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        folder = Path("/tmp") / f"clinledger-{name}"  # noqa: S108  # short; its owner is checked
        folder.mkdir(mode=0o700, exist_ok=True)
        uid = os.geteuid() if user is None else user.uid
        status = folder.lstat()
        if user is not None and status.st_uid == 0:
            os.chown(folder, user.uid, user.gid, follow_symlinks=False)
            status = folder.lstat()
        if status.st_uid != uid or folder.is_symlink():
            raise EnvironmentRefusedError(f"{folder} belongs to somebody else: remove it")
        folder.chmod(0o700)
        return folder

    def _is_gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.postmaster() is None:
                return True
            time.sleep(0.02)
        return False


def _url(postmaster: Postmaster, database: str) -> str:
    folder = quote(postmaster.sockets, safe="/")
    return f"postgresql://{SUPERUSER}@/{database}?host={folder}&port={_PORT}"


def _buffers() -> int:
    """Return how many MB of pages the server keeps: a quarter of the memory, within bounds."""
    return max(_LEAST_BUFFERS, min(memory_bytes() // 4 // 2**20, _MOST_BUFFERS))


def _ensure_database(url: str) -> bool:
    """Create our database if there is none; return False when the server does not answer yet."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = 'clinledger'"
            if connection.execute(query).fetchone() is None:
                connection.execute("CREATE DATABASE clinledger")
    except psycopg.OperationalError:
        return False
    return True


def _replace_file(user: ServerUser | None, path: Path, text: str) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(text)
    if user is not None:
        os.chown(aside, user.uid, user.gid)
    aside.replace(path)


def _run_as(
    user: ServerUser | None, command: list[str | Path], *, keep: tuple[int, ...] = ()
) -> str | None:
    """Run a server program; return None when it succeeded, else what it said."""
    # Files, not pipes: the postmaster inherits them and a pipe would never be closed.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    account = None if user is None else user.uid
    with tempfile.TemporaryFile() as output:
        result = subprocess.run(  # noqa: S603  # programs found by find_programs, our own paths
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            env=environment,
            cwd="/",
            user=account,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
            umask=0o077,
            pass_fds=keep,
        )
        if result.returncode == 0:
            return None
        output.seek(0)
        lines = output.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit {result.returncode}"
