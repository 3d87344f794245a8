import asyncio
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from api.directory_documents import founding_document
from api.keystore import KeyStore
from api.simulate.acks import AckFile
from api.simulate.fhir import encode
from api.simulate.plan import plan_patient
from api.simulate.runner import Simulation, SimulationReport, Surroundings, run_simulation
from api.simulate.staff import STAFF
from api.simulate.submitter import Author
from ledger.clock import SystemClock
from ledger.draft import Draft, sign_event
from ledger.errors import EnvironmentRefusedError, UnavailableError
from signing.statement import parse_statement
from tests.rules_client import RulesClient

ORIGIN = "bvdk.quangninh.example/ledger"


@pytest.fixture(scope="module")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of all staff, made once: RSA keys are slow to make."""
    folder = tmp_path_factory.mktemp("hospital") / "keys"
    for member in STAFF:
        KeyStore(folder).load_or_create(member.staff_id(ORIGIN), member.alg)
    return folder


@pytest.fixture
def home(tmp_path: Path, made_keys: Path) -> Path:
    """A home of the test's own, in which the staff have keys that no ledger knows."""
    shutil.copytree(made_keys, tmp_path / "keys")
    return tmp_path


def surroundings(home: Path, **changes: object) -> Surroundings:
    """Return real keys in a folder of the test's, the real clock and real randomness."""
    return Surroundings(
        keys=KeyStore(home / "keys"),
        clock=SystemClock(),
        randomness=os.urandom,
        **changes,  # type: ignore[arg-type]
    )


def run(client: RulesClient, around: Surroundings, *, seed: int, patients: int) -> SimulationReport:
    simulation = Simulation(seed=seed, patients=patients, concurrency=4)
    return asyncio.run(run_simulation(client, simulation, around))


def planned(seed: int, patients: int) -> set[str]:
    plans = (plan_patient(ORIGIN, seed=seed, number=number + 1) for number in range(patients))
    return {event.event_id for plan in plans for event in plan.events}


def clinical(client: RulesClient) -> list[str]:
    """Return the ids of the events of patients and records, in the order of the ledger."""
    statements = [parse_statement(event.statement) for event in client.submitted]
    return [one.event_id for one in statements if one.stream_kind in {"patient", "record"}]


def test_twenty_patients_pass_every_rule_of_a_new_ledger(home: Path) -> None:
    client = RulesClient(ORIGIN)

    report = run(client, surroundings(home), seed=7, patients=20)

    assert Counter(clinical(client)) == Counter(planned(7, 20))
    assert report.size == report.submitted == len(client.submitted)
    assert report.already_there == 0
    assert report.types["ledger-founded.v1"] == 1
    founders = 2
    assert report.types["key-enrolled.v1"] == len(STAFF) - founders
    assert report.types["practitioner-enrolled.v1"] + report.types["device-enrolled.v1"] == len(
        STAFF
    )


def test_the_same_seed_again_adds_nothing_and_another_seed_adds_patients(home: Path) -> None:
    client, around = RulesClient(ORIGIN), surroundings(home)
    first = run(client, around, seed=7, patients=2)
    again = run(client, around, seed=7, patients=2)
    other = run(client, around, seed=8, patients=1)

    assert again.submitted == 0
    assert again.already_there == first.events
    assert other.submitted == other.events > 0
    assert set(clinical(client)) == planned(7, 2) | planned(8, 1)


def test_more_patients_of_a_seed_add_to_the_fewer(home: Path) -> None:
    client, around = RulesClient(ORIGIN), surroundings(home)
    run(client, around, seed=7, patients=1)
    report = run(client, around, seed=7, patients=3)

    assert Counter(clinical(client)) == Counter(planned(7, 3))
    assert report.already_there == len(planned(7, 1))


@pytest.mark.parametrize("answers", [0, 1, 2, 3, 30, 130, 200])
def test_a_run_cut_anywhere_is_completed_by_the_next(home: Path, answers: int) -> None:
    client = RulesClient(ORIGIN)
    around = surroundings(home, patience_seconds=0.0)
    client.fails_after = answers
    with pytest.raises(UnavailableError):
        run(client, around, seed=7, patients=3)
    client.fails_after = None

    run(client, around, seed=7, patients=3)

    assert Counter(clinical(client)) == Counter(planned(7, 3))


@pytest.mark.parametrize("fault", ["before", "after"])
@pytest.mark.parametrize("position", [0, 1, 2, 40, 150])
def test_an_event_whose_answer_fails_once_is_in_the_ledger_once(
    home: Path, position: int, fault: str
) -> None:
    client = RulesClient(ORIGIN)
    client.falters = {position: fault}

    report = run(client, surroundings(home, acks=home / "acks.jsonl"), seed=7, patients=2)

    assert not client.falters
    assert Counter(clinical(client)) == Counter(planned(7, 2))
    assert report.submitted == len((home / "acks.jsonl").read_text().splitlines()) == report.size


def test_two_runs_of_a_seed_at_once_add_nothing_twice(home: Path) -> None:
    client, around = RulesClient(ORIGIN), surroundings(home)
    simulation = Simulation(seed=7, patients=3, concurrency=2)

    async def both() -> list[SimulationReport]:
        runs = (run_simulation(client, simulation, around) for _ in range(2))
        return await asyncio.gather(*runs)

    reports = asyncio.run(both())

    assert Counter(clinical(client)) == Counter(planned(7, 3))
    assert sum(report.submitted for report in reports) == len(client.submitted)


def test_every_acknowledged_event_has_one_line(home: Path) -> None:
    client = RulesClient(ORIGIN)
    acks = home / "acks.jsonl"

    run(client, surroundings(home, acks=acks), seed=7, patients=1)
    run(client, surroundings(home, acks=acks), seed=8, patients=1)

    lines = [json.loads(line) for line in acks.read_text().splitlines()]
    assert sorted(line["position"] for line in lines) == list(range(len(client.submitted)))
    for line in lines:
        receipt = client.receipts[line["event_id"]]
        assert line == {
            "event_id": receipt.event_id,
            "position": receipt.position,
            "leaf_hash": receipt.leaf_hash,
        }


@pytest.mark.parametrize(
    ("left", "kept"),
    [
        (b"", b""),
        (b'{"whole":1}\n', b'{"whole":1}\n'),
        (b'{"whole":1}\n{"torn', b'{"whole":1}\n'),
        (b'{"torn', b""),
        (b'{"whole":1}\n' + b"x" * 10_000, b'{"whole":1}\n'),
    ],
)
def test_a_line_torn_by_a_kill_is_dropped(tmp_path: Path, left: bytes, kept: bytes) -> None:
    path = tmp_path / "acks.jsonl"
    path.write_bytes(left)

    AckFile(path).close()

    assert path.read_bytes() == kept


def test_an_acknowledgement_file_that_cannot_be_opened_is_an_environment_error(
    tmp_path: Path,
) -> None:
    with pytest.raises(EnvironmentRefusedError):
        AckFile(tmp_path / "missing" / "acks.jsonl")


def test_progress_is_told_after_every_patient(home: Path) -> None:
    told: list[tuple[int, int]] = []

    def tell(done: int, of: int) -> None:
        told.append((done, of))

    around = surroundings(home, on_progress=tell)

    run(RulesClient(ORIGIN), around, seed=7, patients=3)

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_lost_founders_keys_are_reported(home: Path) -> None:
    client = RulesClient(ORIGIN)
    run(client, surroundings(home), seed=7, patients=1)

    with pytest.raises(EnvironmentRefusedError, match="founder"):
        run(client, surroundings(home / "elsewhere"), seed=8, patients=1)


def test_a_lost_key_of_staff_is_replaced_by_a_new_one(home: Path) -> None:
    client, around = RulesClient(ORIGIN), surroundings(home)
    run(client, around, seed=7, patients=1)
    doctor = next(member for member in STAFF if member.duty == "doctor").staff_id(ORIGIN)
    around.keys.path(doctor).unlink()

    report = run(client, around, seed=7, patients=1)

    assert report.types == {"key-enrolled.v1": 1}


def test_a_ledger_founded_by_others_takes_staff_from_their_registrar_only(home: Path) -> None:
    client = RulesClient(ORIGIN)
    founders = asyncio.run(founded_by_others(client, KeyStore(home / "theirs")))

    with pytest.raises(EnvironmentRefusedError, match="registrar"):
        run(client, surroundings(home), seed=7, patients=1)
    report = run(client, surroundings(home, registrar=founders[0]), seed=7, patients=1)

    assert report.types["key-enrolled.v1"] == len(STAFF)
    assert set(clinical(client)) == planned(7, 1)


async def founded_by_others(client: RulesClient, keys: KeyStore) -> list[Author]:
    """Found the ledger as `clinledger init` would, with registrars of other ids."""
    founders = [
        Author(staff=staff, key=keys.load_or_create(staff, "ES256"))
        for staff in (
            "01980000-0000-7000-8000-000000000001",
            "01980000-0000-7000-8000-000000000002",
        )
    ]
    document = founding_document(
        ORIGIN,
        checkpoint=keys.load_or_create("checkpoint", "EdDSA"),
        registrars=[(one.staff, one.key, f"nonce {n}") for n, one in enumerate(founders)],
    )
    draft = Draft(
        stream="01980000-0000-7000-8000-000000000003",
        stream_kind="facility",
        event_id="01980000-0000-7000-8000-000000000004",
        type="ledger-founded.v1",
        occurred_at_ms=SystemClock().now_ms(),
        media_type="application/json",
        content=encode(document),
    )
    event = sign_event(
        draft,
        founders[0].key,
        origin=ORIGIN,
        signer_staff=founders[0].staff,
        seen=None,
        salt=os.urandom(32),
        signed_at_ms=SystemClock().now_ms(),
    )
    await client.submit(event)
    return founders
