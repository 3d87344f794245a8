"""The container files, checked as far as possible without an engine."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
OURS = ("migrate", "api", "projector")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """What docker-compose.yml says."""
    return yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their arguments, in order."""
    text = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def test_database_api_and_projector_are_there(compose: dict[str, Any]) -> None:
    """PostgreSQL 18, the API, the projector, and the migration before them."""
    assert sorted(compose["services"]) == sorted(["database", *OURS])
    assert compose["services"]["database"]["image"] == "postgres:18"


def test_no_service_runs_as_root_or_can_become_root(compose: dict[str, Any]) -> None:
    """A break-in ends at an account that owns nothing."""
    for service in compose["services"].values():
        user, _, group = service["user"].partition(":")
        assert int(user) > 0
        assert int(group) > 0
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_every_lasting_service_has_a_health_check(compose: dict[str, Any]) -> None:
    """An engine restarts and orders services by it."""
    for name, service in compose["services"].items():
        if name != "migrate":
            assert service["healthcheck"]["test"][0] == "CMD"
            assert service["restart"] == "unless-stopped"


def test_what_the_services_refer_to_exists(compose: dict[str, Any]) -> None:
    """Dependencies, secrets, volumes and the build folder."""
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        assert {volume.split(":")[0] for volume in service["volumes"]} <= set(compose["volumes"])
        if "build" in service:
            assert (REPOSITORY / service["build"] / "Dockerfile").is_file()


def test_passwords_come_from_files_outside_the_repository(compose: dict[str, Any]) -> None:
    """No variable, and so no `docker inspect`, holds a secret."""
    for secret in compose["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    assert "/secrets/" in (REPOSITORY / ".gitignore").read_text().splitlines()
    for service in compose["services"].values():
        for name, value in service["environment"].items():
            assert "PASSWORD" not in name or name.endswith("_FILE")
            assert not re.search(r"://[^/@]*:[^/@]+@", value)


def test_ports_are_open_to_this_machine_only(compose: dict[str, Any]) -> None:
    """TLS is the reverse proxy's work."""
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:8080:8080"]


def test_durability_is_not_switched_off(compose: dict[str, Any]) -> None:
    """An acknowledgement means committed with fsync."""
    command = compose["services"]["database"]["command"]
    assert "fsync=on" in command
    assert "synchronous_commit=on" in command


def test_the_image_installs_hashed_packages_and_runs_as_a_plain_user(
    instructions: list[tuple[str, str]],
) -> None:
    """The last USER is numeric, so that an engine can check that it is not root."""
    users = [argument for name, argument in instructions if name == "USER"]
    assert users == ["10001:10001"]
    installs = [argument for name, argument in instructions if name == "RUN" and "pip" in argument]
    assert installs
    assert all("--require-hashes" in install for install in installs)


def test_what_the_image_copies_exists_and_is_not_ignored(
    instructions: list[tuple[str, str]],
) -> None:
    """`.dockerignore` lets in exactly what the Dockerfile takes."""
    copied = {
        shlex.split(argument)[0]
        for name, argument in instructions
        if name == "COPY" and "--from=" not in argument
    }
    assert all((REPOSITORY / source).exists() for source in copied)
    ignore = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert "*" in ignore
    assert {line[1:] for line in ignore if line.startswith("!")} == copied


def test_the_image_is_built_in_stages(instructions: list[tuple[str, str]]) -> None:
    """Pip's leftovers stay behind."""
    assert [name for name, _ in instructions].count("FROM") == 2
    assert instructions[-1][0] == "CMD"


@pytest.mark.parametrize("name", OURS)
def test_the_services_run_commands_that_exist(compose: dict[str, Any], name: str) -> None:
    """With `--help` added, the command line refuses unknown commands and options."""
    command = [str(word) for word in compose["services"][name]["command"]]
    answer = subprocess.run(  # noqa: S603  # our own interpreter and the words of our own file
        [sys.executable, "-m", "api.cli.main", *command, "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert f"Usage: clinledger {command[0]}" in answer.stdout


def test_the_image_and_the_api_service_run_the_same_command(
    compose: dict[str, Any], instructions: list[tuple[str, str]]
) -> None:
    """`docker run` and compose serve alike."""
    assert json.loads(instructions[-1][1]) == compose["services"]["api"]["command"]
