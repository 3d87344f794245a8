"""Correct, complete, cancel and retract: what goes wrong on a ward, and how it is put right."""

from typing import TYPE_CHECKING, Final, cast

from api.simulate.chance import Chance
from api.simulate.chart import MINUTE_MS, Chart, Entry, PlannedRef
from api.simulate.fhir import JsonObject
from api.simulate.notes import corrected
from api.simulate.orders import order_drug
from api.simulate.scenario import DrugPlan

if TYPE_CHECKING:
    from decimal import Decimal

CANCELLED_BECAUSE: Final = (
    "Người bệnh vừa làm xét nghiệm này ở khoa khác",
    "Chỉ định trùng, nhập nhầm",
    "Người bệnh không nhịn ăn, hẹn làm ngày sau",
)
_RETRACTED_BECAUSE: Final = ("Ghi nhầm hồ sơ người bệnh khác", "Nhập trùng phiếu", "Nhập nhầm giờ")
_ADDITIONS: Final = (
    ("Bổ sung tiền sử", "Người nhà cung cấp thêm: có dùng thuốc nam trước vào viện 3 ngày."),
    ("Đính chính", "Thời điểm khởi phát muộn hơn ghi ban đầu khoảng 2 giờ."),
    ("Bổ sung", "Đã giải thích tình trạng bệnh cho người bệnh và gia đình, đồng ý điều trị."),
)
_HOUR_MS: Final = 60 * MINUTE_MS
_FULL: Final = 57


def correct(chart: Chart, *, closed_ms: int | None) -> None:
    """Correct and retract a few entries of a chart that is otherwise written.

    Args:
        chart: of the admission.
        closed_ms: when the record was closed, or None; some corrections come later still.
    """
    chance = chart.chance
    notes = _entries(chart, "note-written.v1")
    signs = [entry for entry in _entries(chart, "vitals-recorded.v1") if _by_nurse(entry)]
    if chance.happens(40) and chart.size < _FULL:
        note = chance.one_of(notes)
        _complete(chart, note, after_ms=_HOUR_MS)
        if chance.happens(25):
            _complete(chart, note, after_ms=5 * _HOUR_MS)
    if chance.happens(25) and chart.size < _FULL:
        _correct_pulse(chart, chance.one_of(signs))
    if chance.happens(10) and chart.size < _FULL:
        _retract(chart, chance.one_of(signs[1:] or signs), closed_ms=closed_ms)
    if closed_ms is not None and chance.happens(6):
        late = closed_ms + chance.between(2, 60) * _HOUR_MS
        results = [entry for entry in _entries(chart, "result-reported.v1") if _is_final(entry)]
        _rerun(chart, chance.one_of(results), at_ms=late)


def finalise(chart: Chart, result: Entry, *, at_ms: int) -> None:
    """Let a technician turn an analyser's preliminary result into the final one."""
    technician = chart.chance.one_of(("technician-1", "technician-2"))
    chart.amend(
        result,
        with_status(result.resource, "final"),
        reason="Kỹ thuật viên duyệt kết quả",
        signer=technician,
        at_ms=at_ms,
    )


def replace_drug(chart: Chart, order: Entry, plan: DrugPlan, *, at_ms: int) -> None:
    """Cancel a drug's order and place it anew with another instruction."""
    signer = order.event.signer
    chart.cancel(order, reason="Chỉnh lại cách dùng thuốc", signer=signer, at_ms=at_ms)
    anew = DrugPlan(
        drug=plan.drug,
        day=plan.day,
        days=plan.days,
        instruction=f"{plan.instruction}; theo dõi phản ứng trong 30 phút đầu",
    )
    replaced: tuple[PlannedRef, ...] = (("replaces", order.event.event_id),)
    order_drug(chart, anew, signer=signer, at_ms=at_ms + 2 * MINUTE_MS, refs=replaced)


def with_status(bundle: JsonObject, status: str, **report: str) -> JsonObject:
    """Return a result's Bundle whose every resource has this status.

    Args:
        bundle: of a DiagnosticReport and its Observations.
        status: FHIR status of all of them.
        report: further elements of the report.
    """
    resources = [{**resource, "status": status} for resource in members(bundle)]
    resources[0] |= report
    return with_members(bundle, resources)


def members(bundle: JsonObject) -> list[JsonObject]:
    """Return the resources of a Bundle that `api.simulate.fhir.collection` made."""
    return [entry["resource"] for entry in _bundle_entries(bundle)]


def with_members(bundle: JsonObject, resources: list[JsonObject]) -> JsonObject:
    """Return the Bundle with other versions of its resources, in the same order."""
    pairs = zip(_bundle_entries(bundle), resources, strict=True)
    return {**bundle, "entry": [{**entry, "resource": resource} for entry, resource in pairs]}


def _bundle_entries(bundle: JsonObject) -> list[dict[str, JsonObject]]:
    return cast("list[dict[str, JsonObject]]", bundle["entry"])


def _entries(chart: Chart, event_type: str) -> list[Entry]:
    return [entry for entry in chart.entries if entry.event.type == event_type]


def _by_nurse(entry: Entry) -> bool:
    return entry.event.signer.startswith("nurse")


def _is_final(entry: Entry) -> bool:
    return members(entry.resource)[0]["status"] == "final"


def _complete(chart: Chart, note: Entry, *, after_ms: int) -> None:
    title, text = chart.chance.one_of(_ADDITIONS)
    chart.amend(
        note,
        corrected(note, title, text),
        reason=title,
        signer=note.event.signer,
        at_ms=note.event.filed_at_ms + after_ms,
    )


def _correct_pulse(chart: Chart, entry: Entry) -> None:
    resources = members(entry.resource)
    pulse = dict(resources[2])
    value = cast("dict[str, Decimal]", pulse["valueQuantity"])
    pulse["status"] = "corrected"
    pulse["valueQuantity"] = {**value, "value": value["value"] + _shift(chart.chance)}
    chart.amend(
        entry,
        with_members(entry.resource, [*resources[:2], pulse, *resources[3:]]),
        reason="Nhập nhầm tần số mạch",
        signer=entry.event.signer,
        at_ms=entry.event.filed_at_ms + 15 * MINUTE_MS,
    )


def _shift(chance: Chance) -> int:
    return chance.one_of((-10, -6, 6, 10))


def _retract(chart: Chart, entry: Entry, *, closed_ms: int | None) -> None:
    at_ms = entry.newest.filed_at_ms + 2 * _HOUR_MS
    chart.retract(
        entry,
        reason=chart.chance.one_of(_RETRACTED_BECAUSE),
        signer=entry.event.signer,
        at_ms=at_ms if closed_ms is None else min(at_ms, closed_ms),
    )


def _rerun(chart: Chart, result: Entry, *, at_ms: int) -> None:
    imaging = result.event.signer.startswith(("radiologist", "ris", "ecg"))
    chart.amend(
        result,
        with_status(result.resource, "corrected", conclusion="Kết quả đã được kiểm tra lại."),
        reason="Kiểm tra lại kết quả sau hội chẩn",
        signer="radiologist-1" if imaging else "technician-1",
        at_ms=at_ms,
    )
