from decimal import Decimal

import pytest

from api.simulate.analytes import ANALYTES, PANELS
from api.simulate.imaging_catalogue import EXAMINATIONS
from api.simulate.laboratory import flag
from api.simulate.scenario import Course
from api.simulate.scenarios import SCENARIOS
from api.simulate.staff import STAFF_BY_KEY, doctors_of, monitor_of, nurse_of


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2.5", "LL"),
        ("3.4", "L"),
        ("3.5", "N"),
        ("5.0", "N"),
        ("5.1", "H"),
        ("6.5", "HH"),
    ],
)
def test_values_are_flagged_against_reference_and_alarm_limits(value: str, expected: str) -> None:
    potassium = ANALYTES["K"]

    assert flag(Decimal(value), potassium, (Decimal("3.5"), Decimal("5.0"))) == expected


@pytest.mark.parametrize(
    ("share", "expected"), [("0", "40"), ("0.25", "30"), ("0.5", "20"), ("0.75", "25"), ("1", "30")]
)
def test_a_course_runs_through_its_three_numbers(share: str, expected: str) -> None:
    course = Course(first=Decimal(40), middle=Decimal(20), last=Decimal(30))

    assert course.at(Decimal(share)) == Decimal(expected)


def test_panels_and_examinations_name_devices_that_exist() -> None:
    assert {STAFF_BY_KEY[panel.analyser].duty for panel in PANELS.values()} == {"analyser"}
    assert {STAFF_BY_KEY[one.device].duty for one in EXAMINATIONS.values()} == {"imager"}
    assert all(set(panel.analytes) <= set(ANALYTES) for panel in PANELS.values())


def test_illnesses_move_only_known_analytes_and_signs() -> None:
    signs = {"TEMP", "HR", "RR", "SYS", "DIA", "SPO2"}
    for scenario in SCENARIOS:
        assert signs <= set(scenario.course)
        assert set(scenario.course) - signs <= set(ANALYTES)
        for plan in scenario.labs:
            assert plan.positive <= set(PANELS[plan.panel].analytes)


def test_every_illness_finds_doctors_a_nurse_and_a_monitor() -> None:
    for scenario in SCENARIOS:
        assert doctors_of(scenario.department)
        assert STAFF_BY_KEY[nurse_of(scenario.department)].duty == "nurse"
        assert STAFF_BY_KEY[monitor_of(scenario.department)].duty == "monitor"
