"""The embedded server: durable, restartable after any death, private, and quiet."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from ledger.embedded import EmbeddedPostgres
from ledger.errors import EnvironmentRefusedError
from ledger.server_programs import PROGRAMS_VARIABLE
from tests.postgres import oldest_programs, start_watchdog

REPOSITORY = Path(__file__).parents[2]
START = """
import sys, time
from pathlib import Path
from ledger.embedded import EmbeddedPostgres
print(EmbeddedPostgres(Path(sys.argv[1])).start(), flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def home(clinledger_home: Path) -> Path:
    return clinledger_home


def run_starter(home: Path, *, linger_seconds: float) -> subprocess.Popen[str]:
    """Run a process that starts the server and then lives on for a while."""
    return subprocess.Popen(  # noqa: S603  # our own interpreter and script
        [sys.executable, "-W", "error", "-c", START, str(home), str(linger_seconds)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"},
    )


def postmaster_id(server: EmbeddedPostgres) -> int:
    postmaster = server.postmaster()
    assert postmaster is not None
    return postmaster.pid


def execute(url: str, query: bytes) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def test_starting_again_attaches_to_the_running_server(home: Path) -> None:
    """A second command uses the server of the first."""
    server = EmbeddedPostgres(home)
    url = server.start()
    first = postmaster_id(server)
    assert EmbeddedPostgres(home).start() == url
    assert EmbeddedPostgres(home).running_url() == url
    assert postmaster_id(server) == first


def test_stop_works_whoever_is_connected_and_says_when_nothing_ran(home: Path) -> None:
    """`clinledger stop` depends on no count of users."""
    server = EmbeddedPostgres(home)
    assert server.stop() is False
    url = server.start()
    other = psycopg.connect(url)
    other.execute("SELECT 1")
    assert EmbeddedPostgres(home).stop() is True
    other.close()
    assert server.stop() is False
    assert server.running_url() is None


def test_after_kill_9_of_its_owner_the_next_start_reattaches(home: Path) -> None:
    """The server outlives whoever started it; nothing about it is lost."""
    owner = run_starter(home, linger_seconds=60)
    assert owner.stdout is not None
    url = owner.stdout.readline().strip()
    execute(url, b"CREATE TABLE kept AS SELECT 7 AS n")
    server = EmbeddedPostgres(home)
    before = postmaster_id(server)
    owner.kill()
    owner.communicate()
    assert server.start() == url
    assert postmaster_id(server) == before
    assert execute(url, b"SELECT n FROM kept") == [(7,)]


def test_after_every_kill_9_of_the_postmaster_the_next_start_recovers(home: Path) -> None:
    """What was committed is there; neither a dying server nor its children mislead the start."""
    server = EmbeddedPostgres(home)
    url = server.start()
    execute(url, b"CREATE TABLE kept (n int)")
    for n in range(5):
        connection = psycopg.connect(url, autocommit=True)
        connection.execute("INSERT INTO kept VALUES (%s)", [n])
        os.kill(postmaster_id(server), signal.SIGKILL)
        assert server.start() == url
        connection.close()
        assert execute(url, b"SELECT count(*)::int FROM kept") == [(n + 1,)]


@pytest.mark.parametrize("after_seconds", [0.25, 0.5, 0.8])
def test_a_kill_9_during_initialisation_leaves_nothing_half_made(
    home: Path, after_seconds: float
) -> None:
    """The data folder is made aside and renamed; an orphaned initdb is waited for."""
    starter = run_starter(home, linger_seconds=60)
    time.sleep(after_seconds)
    starter.kill()
    starter.communicate()
    url = EmbeddedPostgres(home).start()
    assert execute(url, b"SELECT current_database()::text") == [("clinledger",)]


def test_processes_that_start_it_together_share_one_server(home: Path) -> None:
    """One initialises and starts, the others attach."""
    starters = [run_starter(home, linger_seconds=0) for _ in range(3)]
    answers = [starter.communicate(timeout=60) for starter in starters]
    assert len({url for url, _ in answers}) == 1
    assert [starter.returncode for starter in starters] == [0, 0, 0]


def test_starting_prints_nothing_and_warns_of_nothing(home: Path) -> None:
    """Warnings are errors in the starter, and XDG_RUNTIME_DIR is unset there."""
    starter = run_starter(home, linger_seconds=0)
    url, complaints = starter.communicate(timeout=60)
    assert url.startswith("postgresql://")
    assert complaints == ""
    assert starter.returncode == 0


def test_a_home_with_a_very_long_path_gets_a_short_socket_folder(home: Path) -> None:
    """A Unix socket's path holds about 100 bytes."""
    long = home / ("long " * 20) / "Bệnh viện"
    watchdog = start_watchdog(long)
    server = EmbeddedPostgres(long)
    try:
        url = server.start()
        assert execute(url, b"SELECT 1") == [(1,)]
        postmaster = server.postmaster()
        assert postmaster is not None
        assert stat.S_IMODE(Path(postmaster.sockets).stat().st_mode) == 0o700
        server.stop()
        assert not Path(postmaster.sockets).exists()
    finally:
        watchdog.communicate(timeout=60)


def test_a_path_that_a_shell_would_interpret_is_refused(tmp_path: Path) -> None:
    """pg_ctl starts the server through a shell."""
    with pytest.raises(EnvironmentRefusedError, match="path"):
        EmbeddedPostgres(tmp_path / "$(touch stolen)")


def test_a_stale_pid_file_of_another_program_does_not_prevent_the_start(home: Path) -> None:
    """After a container's restart the number may be anybody's."""
    server = EmbeddedPostgres(home)
    server.start()
    os.kill(postmaster_id(server), signal.SIGKILL)
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert server.running_url() is None
    assert execute(server.start(), b"SELECT 1") == [(1,)]
    assert postmaster_id(server) != os.getpid()


def test_a_folder_that_holds_something_else_is_left_alone(home: Path) -> None:
    """Nothing is ever deleted in order to initialise."""
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "letter.txt").write_text("not a database")
    with pytest.raises(EnvironmentRefusedError, match="holds no PostgreSQL data"):
        EmbeddedPostgres(home).start()
    assert (home / "postgres" / "letter.txt").exists()


def test_commits_are_durable_and_nobody_else_can_connect(home: Path) -> None:
    """The server keeps fsync on; no TCP; socket and data for the server's account only."""
    server = EmbeddedPostgres(home)
    url = server.start()
    query = b"""
    SELECT name || '=' || setting FROM pg_settings WHERE name IN (
      'fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'data_checksums')
    ORDER BY name
    """
    assert execute(url, query) == [
        ("data_checksums=on",),
        ("fsync=on",),
        ("full_page_writes=on",),
        ("listen_addresses=",),
        ("synchronous_commit=on",),
    ]
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.data / ".s.PGSQL.5432").stat().st_mode) == 0o700


def test_the_servers_log_does_not_repeat_values(home: Path) -> None:
    """PostgreSQL's DETAIL and STATEMENT lines would name the patient."""
    server = EmbeddedPostgres(home)
    url = server.start()
    execute(url, b"CREATE TABLE person (name text UNIQUE)")
    execute(url, b"INSERT INTO person VALUES ('Nguyen Van An')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        execute(url, b"INSERT INTO person VALUES ('Nguyen Van An')")
    log = server.log.read_text()
    assert "person_name_key" in log
    assert "Nguyen" not in log


def test_programs_of_the_machine_serve_when_chosen(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLINLEDGER_POSTGRES_BIN, and a data folder stays with its major version."""
    programs = oldest_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server programs in /usr/lib/postgresql")
    monkeypatch.setenv(PROGRAMS_VARIABLE, str(programs))
    server = EmbeddedPostgres(home)
    url = server.start()
    major = programs.parent.name
    assert execute(url, b"SHOW server_version_num")[0][0] is not None
    assert (server.data / "PG_VERSION").read_text().strip() == major
    server.stop()
    monkeypatch.setenv(PROGRAMS_VARIABLE, str(home))
    with pytest.raises(EnvironmentRefusedError, match=f"PostgreSQL {major} in"):
        server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_account_runs_the_server_as_itself(home: Path) -> None:
    """No root, no other account needed."""
    script = f"""
import os, sys, psycopg
from pathlib import Path
from ledger.embedded import EmbeddedPostgres
os.setgroups([]); os.setgid(65534); os.setuid(65534)
server = EmbeddedPostgres(Path({str(home)!r}))
psycopg.connect(server.start()).close()
print(server.data.stat().st_uid, server.stop())
"""
    home.mkdir()
    os.chown(home, 65534, 65534)
    for parent in home.parents:
        if not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o001)
    answer = subprocess.run(  # noqa: S603  # our own interpreter and script
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (answer.stdout, answer.stderr) == ("65534 True\n", "")


def test_a_killed_test_process_leaves_no_server_behind(home: Path) -> None:
    """The watchdog of tests.postgres notices any death."""
    script = """
import sys, tempfile, time
tempfile.tempdir = sys.argv[1]
from tests.postgres import OwnServer
server = OwnServer()
print(server.home, flush=True)
time.sleep(60)
"""
    owner = subprocess.Popen(  # noqa: S603  # our own interpreter and script
        [sys.executable, "-c", script, str(home.parent)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    its_home = Path(owner.stdout.readline().strip())
    server = EmbeddedPostgres(its_home)
    pid = postmaster_id(server)
    owner.kill()
    owner.communicate()
    deadline = time.monotonic() + 30
    while its_home.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not its_home.exists()
    assert not Path(f"/proc/{pid}/exe").exists()
