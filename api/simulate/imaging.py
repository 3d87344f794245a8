"""Order imaging examinations and report them: the machine first, then the radiologist who reads."""

from typing import Final

from api.simulate.chance import derived_id
from api.simulate.chart import MINUTE_MS, Chart, Entry
from api.simulate.fhir import (
    LOINC,
    JsonObject,
    coding,
    collection,
    concept,
    local_time,
    terminology,
)
from api.simulate.imaging_catalogue import EXAMINATIONS, Examination
from api.simulate.orders import LOCAL_CODES, Order, place_order
from api.simulate.scenario import ImagingPlan

_IMAGING: Final = f"{LOCAL_CODES}/imaging"
_RADIOLOGISTS: Final = ("radiologist-1", "radiologist-2")
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_FINDINGS: Final = coding(LOINC, "59776-5", "Procedure findings Narrative")


def order_examination(chart: Chart, plan: ImagingPlan, *, signer: str, at_ms: int) -> Entry:
    """Add the order of an examination."""
    examination = EXAMINATIONS[plan.examination]
    codes = [coding(_IMAGING, examination.key, examination.name)]
    if examination.loinc:
        codes.insert(0, coding(LOINC, examination.loinc))
    code = concept(*codes, text=examination.name)
    order = Order(category="imaging", code=code, reason=plan.indication)
    return place_order(chart, order, signer=signer, at_ms=at_ms)


def report_examination(
    chart: Chart, order: Entry, plan: ImagingPlan, *, at_ms: int, words: dict[str, str]
) -> Entry:
    """Add the report of an examination.

    A radiologist signs the final report; sometimes the machine signs a preliminary one first,
    which the radiologist then completes. What needs no reading is signed by the machine alone.

    Args:
        chart: of the admission.
        order: which the report answers.
        plan: what is seen.
        at_ms: when the picture was taken.
        words: the vital signs that the findings may quote.
    """
    examination = EXAMINATIONS[plan.examination]
    event_id = chart.new_id()
    read_ms = at_ms + chart.chance.between(25, 70) * MINUTE_MS
    final = _Report(chart, order, examination, event_id=event_id, at_ms=at_ms)
    texts = (plan.findings.format(**words), plan.impression)
    reader = chart.chance.one_of(_RADIOLOGISTS) if examination.person else examination.device
    if not (examination.person and chart.chance.happens(35)):
        whole = final.resource("final", texts, by=reader, issued_ms=read_ms)
        return _file(chart, order, whole, by=reader, event_id=event_id, times=(at_ms, read_ms))
    shot_ms = at_ms + 5 * MINUTE_MS
    waiting = ("Đã chụp xong, ảnh đạt chất lượng chẩn đoán.", "Chờ bác sĩ đọc kết quả.")
    first = final.resource("preliminary", waiting, by=examination.device, issued_ms=shot_ms)
    entry = _file(
        chart, order, first, by=examination.device, event_id=event_id, times=(at_ms, shot_ms)
    )
    chart.amend(
        entry,
        final.resource("final", texts, by=reader, issued_ms=read_ms),
        reason="Bác sĩ chẩn đoán hình ảnh đọc kết quả",
        signer=reader,
        at_ms=read_ms,
    )
    return entry


def _file(  # noqa: PLR0913 - the members of the event
    chart: Chart,
    order: Entry,
    resource: JsonObject,
    *,
    by: str,
    event_id: str,
    times: tuple[int, int],
) -> Entry:
    return chart.add(
        "result-reported.v1",
        resource,
        signer=by,
        at_ms=times[0],
        filed_ms=times[1],
        refs=(("answers", order.event.event_id),),
        event_id=event_id,
    )


class _Report:
    """What the versions of one report share."""

    def __init__(
        self, chart: Chart, order: Entry, examination: Examination, *, event_id: str, at_ms: int
    ) -> None:
        self._chart = chart
        self._order = order
        self._examination = examination
        self._id = event_id
        self._taken = local_time(at_ms)

    def resource(
        self, status: str, texts: tuple[str, str], *, by: str, issued_ms: int
    ) -> JsonObject:
        """Return one version: findings and impression, signed by a person or a machine."""
        findings, impression = texts
        shared: JsonObject = {
            "subject": self._chart.patient,
            "encounter": self._chart.encounter,
            "effectiveDateTime": self._taken,
            "issued": local_time(issued_ms),
        }
        performer = (
            {"display": "Khoa Chẩn đoán hình ảnh"}
            if by == self._examination.device
            else self._chart.staff(by)
        )
        finding_id = derived_id(self._id, "findings")
        finding: JsonObject = {
            "resourceType": "Observation",
            "id": finding_id,
            "status": status,
            "category": [concept(coding(terminology("observation-category"), "imaging"))],
            "code": concept(_FINDINGS, text="Mô tả hình ảnh"),
            **shared,
            "performer": [performer],
            "valueString": f"{self._examination.technique} {findings}",
            "device": self._chart.staff(self._examination.device),
        }
        report: JsonObject = {
            "resourceType": "DiagnosticReport",
            "id": self._id,
            "basedOn": [{"reference": f"ServiceRequest/{self._order.event.event_id}"}],
            "status": status,
            "category": [
                concept(coding(terminology("v2-0074"), "RAD", "Radiology")),
                concept(coding(_DICOM, self._examination.modality)),
            ],
            "code": self._order.resource["code"],
            **shared,
            "performer": [performer],
            "result": [{"reference": f"urn:uuid:{finding_id}"}],
            "conclusion": impression,
        }
        return collection([report, finding])
