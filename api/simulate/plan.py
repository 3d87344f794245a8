"""Plan everything that a simulated patient's stays in hospital put into the ledger."""

from datetime import datetime
from typing import Final

import msgspec

from api.simulate.chance import Chance, derived_id
from api.simulate.chart import DAY_MS, MINUTE_MS, Chart, PlannedEvent, Subject
from api.simulate.episodes import Admission, Episode
from api.simulate.fhir import HANOI
from api.simulate.people import Person, PersonFrame, draw_person
from api.simulate.registration import patient_resource
from api.simulate.scenario import Scenario
from api.simulate.scenarios import SCENARIOS

YEAR: Final = 2026
_FIRST_DAY_MS: Final = int(datetime(YEAR, 1, 2, tzinfo=HANOI).timestamp()) * 1000
_DAYS: Final = 215
_OPEN_PERCENT: Final = 10
_RETURN_PERCENT: Final = 12


class AdmissionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One stay: the record's stream, the illness, and its events in order."""

    record: str
    scenario: str
    events: tuple[PlannedEvent, ...]


class PatientPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All events of one patient: first the registration, then the stays."""

    number: int
    patient: str
    registration: tuple[PlannedEvent, ...]
    admissions: tuple[AdmissionPlan, ...]

    @property
    def events(self) -> tuple[PlannedEvent, ...]:
        """Return all events in the order in which they are to be submitted."""
        stays = (event for admission in self.admissions for event in admission.events)
        return (*self.registration, *stays)

    def __repr__(self) -> str:
        return f"<PatientPlan {self.number}>"


def plan_patient(origin: str, *, seed: int, number: int) -> PatientPlan:
    """Return the plan of one patient; the same three arguments always give the same bytes.

    Args:
        origin: of the ledger.
        seed: of the simulation.
        number: of the patient, from 1; independent of how many there are.
    """
    name = (origin, str(seed), str(number))
    chance = Chance("clinledger/simulate", *name)
    scenario = chance.weighted([(one, one.weight) for one in SCENARIOS])
    frame = PersonFrame(
        sex=scenario.sex, youngest=scenario.youngest, oldest=scenario.oldest, year=YEAR
    )
    person = draw_person(chance.fork("person"), frame)
    patient = derived_id("clinledger/simulate/patient", *name)
    day = chance.below(_DAYS)
    stays = [_stay(chance, scenario, person, day=day)]
    again = _fitting(person)
    if again and not stays[0].stays_open and chance.happens(_RETURN_PERCENT):
        stays.append(_stay(chance, chance.one_of(again), person, day=day + chance.between(20, 40)))
    registration = _register(name, patient, person, at_ms=stays[0].opened_ms)
    admissions = tuple(
        _admit(name, patient, stay, index=index) for index, stay in enumerate(stays, start=1)
    )
    return PatientPlan(
        number=number, patient=patient, registration=registration, admissions=admissions
    )


def _fitting(person: Person) -> list[Scenario]:
    """Return the illnesses that could bring this person back."""
    return [
        one for one in SCENARIOS if one.youngest <= person.age <= one.oldest and one.sex is None
    ]


def _stay(chance: Chance, scenario: Scenario, person: Person, *, day: int) -> Admission:
    arrival = _FIRST_DAY_MS + day * DAY_MS + chance.between(5 * 60, 20 * 60) * MINUTE_MS
    return Admission(
        scenario=scenario,
        person=person,
        opened_ms=arrival,
        days=chance.between(scenario.shortest, scenario.longest),
        stays_open=chance.happens(_OPEN_PERCENT),
    )


def _register(
    name: tuple[str, ...], patient: str, person: Person, *, at_ms: int
) -> tuple[PlannedEvent, ...]:
    chance = Chance("clinledger/simulate/registration", *name)
    chart = Chart(Subject(origin=name[0], name=name, patient=patient, record=patient), chance)
    signer = "his" if chance.happens(80) else "registrar-office"
    known = person.temporary_code is None
    arrived = patient_resource(person, patient, identified=known)
    chart.add("patient-registered.v1", arrived, signer=signer, at_ms=at_ms - 8 * MINUTE_MS)
    if not known:
        whole = patient_resource(person, patient, identified=True)
        chart.add(
            "patient-identity-updated.v1",
            whole,
            signer="registrar-office",
            at_ms=at_ms + chance.between(60, 240) * MINUTE_MS,
        )
    return chart.events()


def _admit(name: tuple[str, ...], patient: str, stay: Admission, *, index: int) -> AdmissionPlan:
    words = (*name, f"admission {index}")
    record = derived_id("clinledger/simulate/record", *words)
    subject = Subject(origin=name[0], name=words, patient=patient, record=record)
    chart = Chart(subject, Chance("clinledger/simulate/admission", *words))
    Episode(chart, stay).write()
    return AdmissionPlan(record=record, scenario=stay.scenario.key, events=chart.events())
