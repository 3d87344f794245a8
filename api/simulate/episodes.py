"""Let an illness run its course in the hospital: from admission to discharge, day by day."""

from typing import Final

import msgspec

from api.simulate import corrections, orders
from api.simulate.analytes import PANELS
from api.simulate.chart import MINUTE_MS, Chart, Entry
from api.simulate.fhir import coding, concept
from api.simulate.imaging import order_examination, report_examination
from api.simulate.laboratory import Sample, order_panel, report_panel
from api.simulate.notes import (
    CARE_SHEET,
    DISCHARGE_SUMMARY,
    OPERATION_REPORT,
    TREATMENT_SHEET,
    Note,
    write_note,
)
from api.simulate.people import Person
from api.simulate.record import Stay, close_record, open_record, record_diagnosis
from api.simulate.registration import record_allergy
from api.simulate.scenario import ImagingPlan, LabPlan, Phase, ProcedurePlan, Scenario
from api.simulate.signs import Signs, draw_signs, record_signs
from api.simulate.staff import doctors_of, monitor_of, nurse_of
from api.simulate.timeline import HOUR_MS, Timeline

ROUTINE_BUDGET: Final = (30, 50)
"""Events, drawn per stay, after which routine notes thin out: a record stays under 60."""

_CROWDED: Final = 40
_CERTAIN: Final = 2
_RECORD_TITLES: Final = {
    "01": "Bệnh án nội khoa", "02": "Bệnh án nhi khoa", "03": "Bệnh án truyền nhiễm",
    "05": "Bệnh án sản khoa", "10": "Bệnh án ngoại khoa",
}  # fmt: skip


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when the patient arrives; all else follows from it and the chart's chance.

    Attributes:
        opened_ms: when the record is opened.
        days: of the stay; the first and the last are days in hospital.
        stays_open: whether the record is still open when the simulation ends.
    """

    scenario: Scenario
    person: Person
    opened_ms: int
    days: int
    stays_open: bool


class Episode:
    """One admission while it is written into its chart."""

    def __init__(self, chart: Chart, admission: Admission) -> None:
        self._chart = chart
        self._admission = admission
        self._scenario = admission.scenario
        self._chance = chart.chance
        self._line = Timeline(self._chance, opened_ms=admission.opened_ms, days=admission.days)
        ward = admission.scenario.department
        self._doctor = self._chance.one_of(doctors_of(ward))
        self._nurse = nurse_of(ward)
        self._monitor = monitor_of(ward)
        self._stay = Stay(
            record_type=admission.scenario.record_type,
            department=ward,
            doctor=self._doctor,
            number=f"BA26{self._chance.digits(9)}",
            bed=self._chance.between(1, 48),
            opened_ms=admission.opened_ms,
            reason=self._chance.one_of(admission.scenario.complaint),
        )

    def write(self) -> None:
        """Write the whole admission, then what had to be corrected in it."""
        self._admit()
        for rank, plan in enumerate(self._scenario.labs):
            for day in sorted({self._line.day(day) for day in plan.days}):
                if self._needed(rank, day):
                    self._laboratory(plan, day)
        for rank, picture in enumerate(self._scenario.imaging):
            if picture.day < self._admission.days and self._needed(rank, 0):
                self._imaging(picture)
        self._treat()
        self._rounds()
        if not self._admission.stays_open:
            self._discharge()
        corrections.correct(
            self._chart, closed_ms=None if self._admission.stays_open else self._line.end
        )

    def _signs(self, at_ms: int) -> Signs:
        return draw_signs(self._chance, self._scenario.course, self._line.share(at_ms))

    def _words(self, signs: Signs) -> dict[str, str]:
        return {
            **signs.words(),
            "days": str(self._admission.days),
            "days_before": str(self._chance.between(2, 4)),
            "hours_before": str(self._chance.between(6, 20)),
        }

    def _admit(self) -> None:
        scenario, chance = self._scenario, self._chance
        open_record(self._chart, self._stay, signer="his" if chance.happens(85) else self._doctor)
        signs = self._signs(self._line.after(4))
        record_signs(self._chart, signs, signer=self._nurse, at_ms=self._line.after(6))
        words = self._words(signs)
        note = Note(
            form=f"{scenario.record_type}/BV1",
            title=_RECORD_TITLES[scenario.record_type],
            sections=(
                ("Lý do vào viện", self._stay.reason),
                ("Bệnh sử", chance.one_of(scenario.history).format(**words)),
                ("Tiền sử", chance.one_of(scenario.past)),
                ("Khám bệnh", scenario.examination.format(**words)),
                ("Chẩn đoán sơ bộ", scenario.admitted_with.text),
                ("Hướng xử trí", scenario.phases[0].plan[0]),
            ),
        )
        write_note(self._chart, note, signer=self._doctor, at_ms=self._line.after(16))
        record_diagnosis(
            self._chart,
            scenario.admitted_with,
            signer=self._doctor,
            at_ms=self._line.after(22),
            use="AD",
        )
        if chance.happens(22):
            record_allergy(self._chart, chance, signer=self._doctor, at_ms=self._line.after(18))
        nursing = orders.Order(
            category="nursing",
            code=concept(text=scenario.nursing_order),
            reason=scenario.admitted_with.text,
        )
        orders.place_order(self._chart, nursing, signer=self._doctor, at_ms=self._line.after(28))

    def _needed(self, rank: int, day: int) -> bool:
        """Draw whether the plan's entry of this rank is really ordered (the first ones always)."""
        if day == 0 and rank < _CERTAIN:
            return True
        return self._chance.happens(75) and self._chart.size < _CROWDED

    def _laboratory(self, plan: LabPlan, day: int) -> None:
        chart, panel = self._chart, PANELS[plan.panel]
        ordered_ms = self._line.after(24) if day == 0 else self._line.time(day, 8, 20)
        order = order_panel(
            chart,
            plan,
            signer=self._doctor,
            at_ms=ordered_ms,
            why=self._scenario.admitted_with.text,
        )
        if day > 0 and self._chance.happens(5):
            reason = self._chance.one_of(corrections.CANCELLED_BECAUSE)
            chart.cancel(order, reason=reason, signer=self._doctor, at_ms=ordered_ms + HOUR_MS)
            return
        taken_ms = ordered_ms + self._chance.between(8, 25) * MINUTE_MS
        sample = Sample(
            panel=panel,
            sex=self._admission.person.sex,
            course=self._scenario.course,
            share=self._line.share(taken_ms),
            positive=plan.positive,
            taken_at_ms=taken_ms,
            reported_at_ms=taken_ms + panel.hours * self._chance.between(40, 75) * MINUTE_MS,
        )
        early = plan.preliminary and day == 0
        result = report_panel(chart, order, sample, status="preliminary" if early else "final")
        if early:
            corrections.finalise(chart, result, at_ms=sample.reported_at_ms + HOUR_MS)

    def _imaging(self, plan: ImagingPlan) -> None:
        ordered_ms = self._line.after(26) if plan.day == 0 else self._line.time(plan.day, 8, 30)
        order = order_examination(self._chart, plan, signer=self._doctor, at_ms=ordered_ms)
        taken_ms = ordered_ms + self._chance.between(20, 60) * MINUTE_MS
        words = self._words(self._signs(taken_ms))
        report_examination(self._chart, order, plan, at_ms=taken_ms, words=words)

    def _treat(self) -> None:
        for rank, plan in enumerate(self._scenario.drugs):
            if not self._needed(rank, 0):
                continue
            day = min(plan.day, self._admission.days - 1)
            at_ms = self._line.after(32) if day == 0 else self._line.time(day, 8, 40)
            order = orders.order_drug(self._chart, plan, signer=self._doctor, at_ms=at_ms)
            if plan.days > 1 and self._chance.happens(6):
                later_ms = at_ms + self._chance.between(3, 20) * HOUR_MS
                corrections.replace_drug(
                    self._chart, order, plan, at_ms=min(later_ms, self._line.end - 3 * HOUR_MS)
                )
        for plan in self._scenario.procedures:
            self._procedure(plan)

    def _procedure(self, plan: ProcedurePlan) -> None:
        ordered_ms = self._line.after(45) if plan.day == 0 else self._line.time(plan.day, 7, 30)
        wanted = orders.Order(
            category="procedure",
            code=concept(coding(f"{orders.LOCAL_CODES}/procedure", "PT"), text=plan.name),
            reason=plan.reason,
        )
        order = orders.place_order(self._chart, wanted, signer=self._doctor, at_ms=ordered_ms)
        done_ms = ordered_ms + self._chance.between(130, 260) * MINUTE_MS
        write_note(
            self._chart,
            Note(form=OPERATION_REPORT, title=f"Tường trình: {plan.name}", sections=plan.report),
            signer=self._doctor,
            at_ms=done_ms,
            refs=(("based-on", order.event.event_id),),
        )

    def _rounds(self) -> None:
        """Write the daily signs and treatment sheets, then as much routine as the budget holds."""
        days = self._admission.days
        today: list[tuple[int, Signs]] = []
        for day in range(days):
            at_ms = self._line.after(38) if day == 0 else self._line.time(day, 6, 10)
            signs = self._signs(at_ms)
            by_monitor = day == 0 or self._chance.happens(40)
            record_signs(
                self._chart, signs, signer=self._monitor if by_monitor else self._nurse, at_ms=at_ms
            )
            self._sheet(day, signs)
            today.append((day, signs))
        budget = self._chance.between(*ROUTINE_BUDGET)
        for day, signs in today:
            if self._chart.size < budget:
                self._care(day, signs)
        for day, _ in today[:-1]:
            if self._chart.size < budget:
                at_ms = self._line.time(day, 17, 0)
                record_signs(self._chart, self._signs(at_ms), signer=self._nurse, at_ms=at_ms)

    def _phase(self, day: int) -> Phase:
        return self._scenario.phases[min(2, day * 3 // self._admission.days)]

    def _sheet(self, day: int, signs: Signs) -> Entry:
        phase, words = self._phase(day), {**self._words(signs), "day": str(day + 1)}
        progress = (
            self._chance.one_of(phase.subjective),
            phase.objective.format(**words),
            phase.assessment.format(**words),
        )
        note = Note(
            form=TREATMENT_SHEET,
            title=f"Tờ điều trị số {day + 1}",
            sections=(
                ("Diễn biến bệnh", "\n".join(progress)),
                ("Chỉ định", self._chance.one_of(phase.plan)),
            ),
        )
        at_ms = self._line.after(50) if day == 0 else self._line.time(day, 7, 50)
        return write_note(self._chart, note, signer=self._doctor, at_ms=at_ms)

    def _care(self, day: int, signs: Signs) -> Entry:
        text = self._chance.one_of(self._phase(day).nursing).format(**self._words(signs))
        note = Note(
            form=CARE_SHEET,
            title=f"Phiếu chăm sóc ngày {day + 1}",
            sections=(("Theo dõi và chăm sóc", text),),
        )
        at_ms = self._line.after(90) if day == 0 else self._line.time(day, 10, 0)
        return write_note(self._chart, note, signer=self._nurse, at_ms=at_ms)

    def _discharge(self) -> None:
        scenario, chart, end = self._scenario, self._chart, self._line.end
        doctor = self._doctor
        record_diagnosis(
            chart, scenario.discharged_with, signer=doctor, at_ms=end - 90 * MINUTE_MS, use="DD"
        )
        if scenario.comorbidities and self._chance.happens(60):
            record_diagnosis(
                chart,
                self._chance.one_of(scenario.comorbidities),
                signer=doctor,
                at_ms=end - 85 * MINUTE_MS,
                use="CM",
            )
        words = {"days": str(self._admission.days)}
        note = Note(
            form=DISCHARGE_SUMMARY,
            sections=(
                ("Chẩn đoán ra viện", scenario.discharged_with.text),
                ("Kết quả điều trị", scenario.outcome.format(**words)),
                ("Lời dặn", "\n".join(scenario.advice)),
            ),
        )
        write_note(chart, note, signer=doctor, at_ms=end - 60 * MINUTE_MS)
        close_record(
            chart, self._stay, signer="his" if self._chance.happens(70) else doctor, at_ms=end
        )
