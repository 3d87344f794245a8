"""The rules of orders: who answers and cancels them, and until when."""

import pytest

from tests.builders_hospital import Hospital
from tests.builders_resources import (
    encoded,
)
from tests.builders_rules import Taken, refused

AMENDED = {"status": "amended"}


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


def _cancel(hospital: Hospital, order: Taken, signer: str = "") -> Taken:
    return hospital.enter(
        "order-cancelled.v1",
        encoded({"reason": "Người bệnh chuyển khoa"}),
        signer=signer or hospital.doctor,
        refs=[order.ref("answers")],
    )


@pytest.mark.parametrize("category", ["laboratory", "imaging"])
def test_results_are_signed_with_the_role_of_the_orders_category(
    hospital: Hospital, category: str
) -> None:
    order = hospital.placed("order", category)
    right, wrong = hospital.technician, hospital.radiologist
    if category == "imaging":
        right, wrong = wrong, right
    for signer, allowed in ((wrong, False), (hospital.doctor, False), (right, True)):
        performer = [{"reference": f"Practitioner/{signer}"}]
        result = hospital.result(order, performer=performer)
        members = {"signer": signer, "refs": [order.ref("answers")]}
        if allowed:
            hospital.enter("result-reported.v1", result, **members)
        else:
            with refused("role-not-valid", "/signer"):
                hospital.enter("result-reported.v1", result, **members)


@pytest.mark.parametrize("category", ["procedure", "nursing"])
def test_other_orders_take_no_result(hospital: Hospital, category: str) -> None:
    with refused("order-category", "/refs"):
        hospital.reported(hospital.placed("procedure", category))
    hospital.reported(hospital.placed())


def test_the_report_names_the_order_that_it_answers(hospital: Hospital) -> None:
    first, second = hospital.placed("first"), hospital.placed("second")
    result = hospital.result(first)
    members = {"signer": hospital.technician}
    with refused("order-mismatch", "/refs"):
        hospital.enter("result-reported.v1", result, refs=[second.ref("answers")], **members)
    hospital.enter("result-reported.v1", result, refs=[first.ref("answers")], **members)


def test_a_cancelled_order_takes_no_result_and_no_second_cancellation(
    hospital: Hospital,
) -> None:
    order = hospital.placed()
    _cancel(hospital, order, hospital.other_doctor)
    with refused("order-cancelled", "/refs"):
        hospital.reported(order)
    with refused("order-cancelled", "/refs"):
        _cancel(hospital, order)
    with refused("order-cancelled", "/refs/0/event_id"):
        hospital.amend(order, hospital.order())
    with refused("order-cancelled", "/refs/0/event_id"):
        hospital.retract(order)


def test_only_doctors_cancel(hospital: Hospital) -> None:
    order = hospital.placed()
    with refused("role-not-valid", "/signer"):
        _cancel(hospital, order, hospital.nurse)
    _cancel(hospital, order)


def test_an_order_with_a_final_result_is_not_cancelled(hospital: Hospital) -> None:
    order = hospital.placed()
    hospital.reported(order, "first", status="preliminary")
    result = hospital.reported(order, "second")
    with refused("result-final", "/refs"):
        _cancel(hospital, order)
    hospital.retract(result, signer=hospital.technician)
    _cancel(hospital, order)


def test_an_order_takes_results_until_one_is_final(hospital: Hospital) -> None:
    order = hospital.placed()
    hospital.reported(order, "first", status="preliminary")
    final = hospital.reported(order, "second")
    with refused("result-final", "/refs"):
        hospital.reported(order, "third")
    hospital.retract(final, signer=hospital.technician)
    hospital.reported(order, "third")


def test_an_amended_preliminary_result_that_is_final_counts_as_final(
    hospital: Hospital,
) -> None:
    order = hospital.placed()
    result = hospital.reported(order, status="preliminary")
    hospital.amend(result, hospital.result(order), signer=hospital.technician)
    with refused("result-final", "/refs"):
        hospital.reported(order, "second")


def test_a_result_becomes_final_only_while_its_order_is_open(hospital: Hospital) -> None:
    order, cancelled = hospital.placed(), hospital.placed("cancelled order")
    members = {"signer": hospital.technician}
    first = hospital.reported(order, "first", status="preliminary")
    early = hospital.reported(cancelled, "early", status="preliminary")
    _cancel(hospital, cancelled)
    with refused("order-cancelled", "/refs"):
        hospital.amend(early, hospital.result(cancelled, "early"), **members)
    final = hospital.reported(order, "second")
    with refused("result-final", "/refs"):
        hospital.amend(first, hospital.result(order, "first"), **members)
    hospital.retract(final, **members)
    hospital.amend(first, hospital.result(order, "first"), **members)


def test_an_answered_order_stays_as_it_is(hospital: Hospital) -> None:
    order = hospital.placed()
    amended = hospital.amend(order, hospital.order())
    result = hospital.reported(order)
    with refused("order-has-results", "/refs"):
        hospital.amend(amended, hospital.order())
    with refused("order-has-results", "/refs"):
        hospital.retract(amended)
    hospital.retract(result, signer=hospital.technician)
    hospital.retract(amended)


def test_a_result_may_answer_an_amended_order(hospital: Hospital) -> None:
    order = hospital.placed()
    amended = hospital.amend(order, hospital.order())
    result = hospital.enter(
        "result-reported.v1",
        hospital.result(order),
        signer=hospital.technician,
        refs=[amended.ref("answers")],
    )
    assert hospital.summary(result).order == order.statement.event_id
