# ruff: noqa: E501 - a table of texts, one entry a line
"""List the laboratory's tests: units, reference ranges, alarm limits, and the panels they form."""

from decimal import Decimal
from typing import Final

import msgspec


class Analyte(msgspec.Struct, frozen=True, kw_only=True):
    """One measured quantity.

    Attributes:
        loinc: LOINC code, or None where the laboratory has no mapping.
        unit: as printed; `ucum` is the UCUM code when that differs.
        low, high: reference range of adults; `female` replaces it for women.
        panic: limits beyond which the laboratory calls the ward, or None.
        positive: for tests without a number, the word of an abnormal result.
    """

    key: str
    name: str
    loinc: str | None
    unit: str = ""
    ucum: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    female: tuple[Decimal, Decimal] | None = None
    panic: tuple[Decimal, Decimal] | None = None
    positive: str | None = None

    @property
    def places(self) -> int:
        """Return the decimal places of a value: those of the upper reference limit."""
        exponent = (self.high or Decimal(0)).as_tuple().exponent
        return -exponent if isinstance(exponent, int) else 0


def _range(text: str) -> tuple[Decimal, Decimal]:
    low, high = text.split("-")
    return Decimal(low), Decimal(high)


def _measured(  # noqa: PLR0913 - one row of the table below
    key: str,
    name: str,
    loinc: str | None,
    unit: str,
    limits: str,
    *,
    ucum: str | None = None,
    female: str | None = None,
    panic: str | None = None,
) -> Analyte:
    low, high = _range(limits)
    return Analyte(
        key=key,
        name=name,
        loinc=loinc,
        unit=unit,
        ucum=ucum,
        low=low,
        high=high,
        female=_range(female) if female else None,
        panic=_range(panic) if panic else None,
    )


def _presence(key: str, name: str, loinc: str | None) -> Analyte:
    return Analyte(key=key, name=name, loinc=loinc, positive="Dương tính")


_GIGA: Final = "10*9/L"

_ANALYTES: Final = (
    _measured("WBC", "Số lượng bạch cầu", "6690-2", "G/L", "4.0-10.0", ucum=_GIGA, panic="1.0-50.0"),
    _measured("RBC", "Số lượng hồng cầu", "789-8", "T/L", "4.20-5.80", ucum="10*12/L", female="3.80-5.20"),
    _measured("HGB", "Huyết sắc tố", "718-7", "g/L", "130-170", female="120-150", panic="60-200"),
    _measured("HCT", "Hematocrit", "4544-3", "%", "38.0-50.0", female="36.0-46.0", panic="20.0-60.0"),
    _measured("PLT", "Số lượng tiểu cầu", "777-3", "G/L", "150-400", ucum=_GIGA, panic="30-1000"),
    _measured("NEU", "Tỷ lệ bạch cầu trung tính", "770-8", "%", "45.0-75.0"),
    _measured("LYM", "Tỷ lệ bạch cầu lympho", "736-9", "%", "20.0-45.0"),
    _measured("GLU", "Định lượng glucose máu", "14749-6", "mmol/L", "3.9-6.4", panic="2.5-25.0"),
    _measured("URE", "Định lượng urê máu", "22664-7", "mmol/L", "2.5-7.5"),
    _measured("CRE", "Định lượng creatinin máu", "14682-9", "µmol/L", "62-106", ucum="umol/L", female="44-80"),
    _measured("AST", "Đo hoạt độ AST (GOT)", "1920-8", "U/L", "5-37"),
    _measured("ALT", "Đo hoạt độ ALT (GPT)", "1742-6", "U/L", "5-40"),
    _measured("NA", "Natri máu", "2951-2", "mmol/L", "135-145", panic="120-160"),
    _measured("K", "Kali máu", "2823-3", "mmol/L", "3.5-5.0", panic="2.5-6.5"),
    _measured("CL", "Clo máu", "2075-0", "mmol/L", "98-106"),
    _measured("CRP", "Định lượng CRP", "1988-5", "mg/L", "0.0-5.0"),
    _measured("PCT", "Định lượng procalcitonin", "33959-8", "ng/mL", "0.00-0.05"),
    _measured("LAC", "Định lượng lactat máu", "2524-7", "mmol/L", "0.5-2.2", panic="0.0-5.0"),
    _measured("PT", "Tỷ lệ prothrombin", None, "%", "70-140"),
    _measured("INR", "INR", "6301-6", "{INR}", "0.85-1.20", panic="0.50-5.00"),
    _measured("APTT", "Thời gian APTT", "14979-9", "s", "25.0-36.0"),
    _measured("FIB", "Định lượng fibrinogen", None, "g/L", "2.00-4.00"),
    _measured("HBA1C", "Định lượng HbA1c", "4548-4", "%", "4.0-6.0"),
    _measured("CHO", "Cholesterol toàn phần", "14647-2", "mmol/L", "3.10-5.20"),
    _measured("TRI", "Triglycerid", "14927-8", "mmol/L", "0.46-1.88"),
    _measured("HDL", "HDL-cholesterol", "14646-4", "mmol/L", "0.90-2.00"),
    _measured("LDL", "LDL-cholesterol", "22748-8", "mmol/L", "1.50-3.40"),
    _measured("TNT", "Troponin T siêu nhạy", "67151-1", "ng/L", "0-14"),
    _measured("PH", "pH máu động mạch", "2744-1", "[pH]", "7.35-7.45", panic="7.20-7.60"),
    _measured("PCO2", "pCO2 máu động mạch", "2019-8", "mmHg", "35-45", ucum="mm[Hg]", panic="20-70"),
    _measured("PO2", "pO2 máu động mạch", "2703-7", "mmHg", "80-100", ucum="mm[Hg]", panic="45-500"),
    _measured("HCO3", "HCO3- máu động mạch", "1960-4", "mmol/L", "22.0-26.0"),
    _measured("UPRO", "Protein niệu", None, "g/L", "0.00-0.15"),
    _measured("UGLU", "Glucose niệu", None, "mmol/L", "0.0-0.8"),
    _presence("NS1", "Dengue virus NS1Ag test nhanh", None),
    _presence("DENM", "Dengue virus IgM", None),
    _presence("HBSAG", "HBsAg test nhanh", None),
    _presence("HIV", "HIV Ab test nhanh", None),
    _presence("ROTA", "Rotavirus test nhanh", None),
    _presence("FLU", "Cúm A/B test nhanh", None),
    _presence("AFB", "AFB trực tiếp nhuộm Ziehl-Neelsen", None),
    _presence("UKET", "Ceton niệu", None),
)  # fmt: skip

ANALYTES: Final = {analyte.key: analyte for analyte in _ANALYTES}


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """What is ordered together from one sample.

    Attributes:
        analyser: staff key of the device that signs the results.
        hours: how long after the order the result is usually out.
    """

    key: str
    name: str
    loinc: str | None
    specimen: str
    analyser: str
    analytes: tuple[str, ...]
    hours: int = 2


def _panel(  # noqa: PLR0913 - one row of the table below
    key: str, name: str, loinc: str | None, *, of: str, on: str, what: str, hours: int = 2
) -> Panel:
    return Panel(
        key=key,
        name=name,
        loinc=loinc,
        specimen=of,
        analyser=on,
        analytes=tuple(what.split()),
        hours=hours,
    )


_BLOOD, _SERUM, _CITRATE = "Máu toàn phần EDTA", "Huyết thanh", "Huyết tương citrat"
_CELLS, _CHEMISTRY, _IMMUNOLOGY = "lis-haematology", "lis-chemistry", "lis-immunology"

PANELS: Final = {
    panel.key: panel
    for panel in (
        _panel("CBC", "Tổng phân tích tế bào máu ngoại vi", "58410-2", of=_BLOOD, on=_CELLS, what="WBC RBC HGB HCT PLT NEU LYM", hours=1),
        _panel("CHEM", "Sinh hóa máu cơ bản", None, of=_SERUM, on=_CHEMISTRY, what="GLU URE CRE AST ALT"),
        _panel("ION", "Điện giải đồ (Na, K, Cl)", None, of=_SERUM, on=_CHEMISTRY, what="NA K CL"),
        _panel("INFL", "Chỉ số viêm", None, of=_SERUM, on=_CHEMISTRY, what="CRP PCT", hours=3),
        _panel("COAG", "Đông máu cơ bản", None, of=_CITRATE, on=_CELLS, what="PT INR APTT FIB"),
        _panel("LIPID", "Bộ mỡ máu", None, of=_SERUM, on=_CHEMISTRY, what="CHO TRI HDL LDL", hours=3),
        _panel("A1C", "Định lượng HbA1c", None, of=_BLOOD, on=_CHEMISTRY, what="HBA1C", hours=4),
        _panel("GLU", "Glucose máu mao mạch tại giường", None, of="Máu mao mạch", on=_CHEMISTRY, what="GLU", hours=1),
        _panel("TROP", "Troponin T siêu nhạy", None, of=_SERUM, on=_IMMUNOLOGY, what="TNT"),
        _panel("GAS", "Khí máu động mạch", None, of="Máu động mạch", on=_CHEMISTRY, what="PH PCO2 PO2 HCO3 LAC", hours=1),
        _panel("DENGUE", "Chẩn đoán Dengue", None, of=_SERUM, on=_IMMUNOLOGY, what="NS1 DENM"),
        _panel("VIRUS", "Sàng lọc HBsAg, HIV", None, of=_SERUM, on=_IMMUNOLOGY, what="HBSAG HIV"),
        _panel("ROTA", "Rotavirus trong phân", None, of="Phân", on=_IMMUNOLOGY, what="ROTA"),
        _panel("FLU", "Cúm A/B test nhanh", None, of="Dịch tỵ hầu", on=_IMMUNOLOGY, what="FLU", hours=1),
        _panel("AFB", "AFB đờm trực tiếp", None, of="Đờm", on=_IMMUNOLOGY, what="AFB", hours=20),
        _panel("URINE", "Tổng phân tích nước tiểu", None, of="Nước tiểu", on=_CHEMISTRY, what="UPRO UGLU UKET", hours=2),
    )
}  # fmt: skip
