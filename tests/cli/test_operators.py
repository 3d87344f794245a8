"""`migrate`, `doctor`, `rebuild`, `projector`, `stop`, `serve`, `simulate`, and the settings."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cli.facility import Facility
from tests.cli.shell import Shell
from tests.docs.documents import REPOSITORY


def test_migrate_can_be_repeated(empty_database_url: str, tmp_path: Path) -> None:
    """The second time there is nothing to do."""
    shell = Shell(tmp_path / "home", empty_database_url)
    first, second = shell("migrate"), shell("migrate")
    assert (first.code, second.code) == (0, 0)
    assert first.out == second.out
    assert re.fullmatch(r"schema ledger has its \d+ migrations\n", first.out)


def test_before_migration_every_command_names_the_remedy(
    empty_database_url: str, tmp_path: Path
) -> None:
    """Exit 2, not a traceback of a missing table."""
    shell = Shell(tmp_path / "home", empty_database_url)
    for command in (("verify",), ("staff", "list"), ("search", "x"), ("serve",), ("rebuild",)):
        answer = shell(*command)
        assert answer.code == 2, command
        assert "clinledger migrate" in answer.err


def test_before_founding_every_command_names_the_remedy(shell: Shell) -> None:
    """`init` begins everything."""
    for command in (("staff", "list"), ("show", "x"), ("token",), ("projector", "--once")):
        answer = shell(*command)
        assert answer.code == 2, command
        assert "clinledger init" in answer.err


def test_a_command_in_the_wrong_folder_starts_no_server(tmp_path: Path) -> None:
    """It says where it looked, and leaves the folder as it was."""
    shell = Shell(tmp_path / "home", None)
    for command in (("show", "x"), ("verify",), ("staff", "list"), ("submit", __file__)):
        answer = shell(*command)
        assert answer.code in {1, 2}
    assert str(tmp_path / "home") in shell("verify").err
    assert list(tmp_path.iterdir()) == []


def test_doctor_lists_what_it_looked_at(facility: Facility) -> None:
    """For people, and as JSON for programs."""
    facility("projector", "--once")
    found = facility("doctor", "--json").json
    assert found["ok"] is True
    names = [check["name"] for check in found["checks"]]
    assert names == [
        *("key files", "server", "durability", "migrations", "roles", "ledger"),
        *("checkpoints", "views"),
    ]
    assert all(set(check) == {"name", "state", "detail"} for check in found["checks"])
    assert facility("doctor").out.count("\n") == len(names)


def test_doctor_tells_an_unreachable_database(tmp_path: Path) -> None:
    """Exit 1 and a line about it; the password of the URL is nowhere."""
    shell = Shell(tmp_path / "home", "postgresql://u:hunter2@127.0.0.1:1/none?connect_timeout=2")
    answer = shell("doctor")
    assert answer.code == 1
    assert re.search(r"^error +database", answer.out, re.MULTILINE)
    assert "hunter2" not in answer.out + answer.err


def test_an_unreachable_database_is_no_traceback(tmp_path: Path) -> None:
    """Exit 2, without the password."""
    shell = Shell(tmp_path / "home", "postgresql://u:hunter2@127.0.0.1:1/none?connect_timeout=2")
    for command in (("migrate",), ("verify",), ("search", "x")):
        answer = shell(*command)
        assert (answer.code, answer.out) == (2, "")
        assert "Traceback" not in answer.err
        assert "hunter2" not in answer.err


def test_rebuild_and_projector_bring_the_views_to_the_head(facility: Facility) -> None:
    """Views are rebuilt beside the live ones, then switched."""
    size = facility("verify", "--json").json["size"]
    assert f"from {size} events" in facility("rebuild").out
    assert facility("projector", "--once").text == f"the views are at position {size - 1}"


def test_stop_when_nothing_runs_is_fine(facility: Facility, tmp_path: Path) -> None:
    """A script can stop first, whatever there is."""
    answer = facility("stop")
    assert (answer.code, answer.out) == (0, "")
    assert "nothing was running" in answer.err
    assert Shell(tmp_path / "none", None)("stop").code == 0


def test_stop_never_ends_a_process_that_is_not_a_server(own_facility: Facility) -> None:
    """A server file that outlived its server may name a number that somebody else has now."""
    file = own_facility.home / "server.json"
    stranger = subprocess.Popen(["/bin/sleep", "60"])
    try:
        file.write_text(json.dumps({"url": "http://127.0.0.1:1", "pid": stranger.pid}))
        assert "nothing was running" in own_facility("stop").err
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
    assert not file.exists()
    file.write_text("{")
    assert own_facility("stop").code == 2


@pytest.mark.parametrize(
    "schema", ["", "Ledger", "a-b", "ledger; DROP SCHEMA ledger", "x" * 41, "sổ_cái", "1a"]
)
def test_wrong_schema_names_are_refused(facility: Facility, schema: str) -> None:
    """Exit 2, whichever way they are given; empty is a missing value."""
    answer = facility("staff", "list", "--schema", schema)
    assert (answer.code, answer.out) == (2, "")
    assert "schema" in answer.err


def test_another_schema_is_another_ledger(facility: Facility) -> None:
    """What is not there is not migrated either."""
    answer = facility("staff", "list", "--schema=elsewhere")
    assert (answer.code, "clinledger migrate" in answer.err) == (2, True)


def test_global_options_may_stand_anywhere(facility: Facility) -> None:
    """Before the command, between its parts, after it; with a space or an equals sign."""
    url = facility.variables["CLINLEDGER_DATABASE_URL"]
    bare = Shell(facility.home.parent / "nowhere", None)
    home = str(facility.home)
    for line in (
        ("--home", home, "--database-url", url, "staff", "list"),
        ("staff", f"--home={home}", "list", f"--database-url={url}"),
        ("staff", "list", "--schema", "ledger", "--database-url", url, "--home", home),
    ):
        answer = bare(*line)
        assert answer.code == 0, answer.err
        assert facility.doctor in answer.out
    for line in (("staff", "list", "--home"), ("staff", "list", "--home=")):
        answer = bare(*line)
        assert (answer.code, "--home needs a value" in answer.err) == (2, True)


def test_after_two_dashes_everything_is_text(facility: Facility) -> None:
    """A search for the word `--home` is one."""
    answer = facility("search", "--", "--home")
    assert (answer.code, "nobody found" in answer.err) == (0, True)


def test_unknown_commands_and_options_are_usage_errors(facility: Facility) -> None:
    """Exit 2, with the usage."""
    for line in (("frobnicate",), ("verify", "--frobnicate"), ("show",), ("init", "a.example")):
        answer = facility(*line)
        assert answer.code == 2
        assert "Usage:" in answer.err


def test_simulate_ends_with_counts(shell: Shell, tmp_path: Path) -> None:
    """`--json` has counts and rates; the same seed adds nothing the second time."""
    shell("migrate")
    line = ("simulate", "--patients", "1", "--seed", "3", "--acks", tmp_path / "acks", "--json")
    first, second = shell(*line).json, shell(*line).json
    assert {"patients", "admissions", "events", "submitted", "already_there", "size"} <= set(first)
    assert first["submitted"] >= first["events"] > 20
    assert (second["submitted"], second["size"]) == (0, first["size"])
    assert shell("verify", "--acks", tmp_path / "acks", "--json").json["ok"] is True


@pytest.fixture
def served(own_facility: Facility) -> Generator[tuple[Facility, str]]:
    """A facility with a running server, and its URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", "serve", "--port", "0"],
        cwd=REPOSITORY,
        env={**os.environ, **own_facility.variables},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        url = ""
        for line in process.stderr:
            found = json.loads(line)
            if found["event"] == "serving":
                url = found["url"]
                break
        try:
            yield own_facility, url
        finally:
            process.terminate()
            process.communicate(timeout=30)


def test_commands_that_write_use_the_running_server(served: tuple[Facility, str]) -> None:
    """All of them: signing, submitting, enrolling, granting; then `stop` ends it."""
    facility, _ = served
    facility.write_note()
    staff = facility.enrol("Trịnh Thị Lý", "--code", "DD-11", role="nurse")
    assert facility("staff", "withdraw", staff, "nurse").code == 0
    assert facility("key", "revoke", staff).code == 0
    assert facility("verify", "--json").json["ok"] is True
    assert "stopped" in facility("stop").err
    assert not (facility.home / "server.json").exists()
    facility.write_note()


def test_another_sequencer_is_named(served: tuple[Facility, str], tmp_path: Path) -> None:
    """Who cannot find the server's home is told where the one writer runs (A§5.8)."""
    facility, url = served
    elsewhere = facility.elsewhere(tmp_path / "other")
    for command in (("staff", "grant", facility.doctor, "nurse"), ("serve", "--port", "0")):
        answer = elsewhere(*command)
        assert answer.code == 2
        assert url in answer.err


def test_a_port_in_use_is_named(served: tuple[Facility, str], tmp_path: Path) -> None:
    """Exit 2 before anything starts."""
    facility, url = served
    port = url.rsplit(":", 1)[1]
    answer = facility.elsewhere(tmp_path / "other")("serve", "--port", port)
    assert answer.code == 2
    assert f"port {port}" in answer.err


def test_the_server_of_another_schema_is_not_used(served: tuple[Facility, str]) -> None:
    """A home whose server serves another facility does not lead events there."""
    facility, url = served
    other = Shell(facility.home, facility.variables["CLINLEDGER_DATABASE_URL"], "other")
    file = facility.home / "server.json"
    assert json.loads(file.read_bytes())["url"] == url
    names = ("--registrar", "Trần Thị Bình", "--registrar", "Lê Văn Cường")
    founded = other("init", "other.example/ledger", *names)
    assert founded.code == 0, founded.err
    assert other("verify", "--json").json["size"] == 6
