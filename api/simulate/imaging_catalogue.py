# ruff: noqa: E501 - a table of texts, one entry a line
"""List the examinations of the imaging department."""

from typing import Final

import msgspec


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """One imaging examination.

    Attributes:
        loinc: LOINC code, or None where the department has no mapping.
        modality: DICOM modality code.
        device: staff key of the machine.
        person: whether a radiologist reads and signs; the machine itself signs otherwise.
    """

    key: str
    name: str
    modality: str
    device: str
    person: bool = True
    loinc: str | None = None
    technique: str = ""


EXAMINATIONS: Final = {
    examination.key: examination
    for examination in (
        Examination(key="CXR", name="Chụp X-quang ngực thẳng", modality="DX", device="ris-xray", loinc="36643-5", technique="Chụp tư thế đứng, hít sâu nín thở."),
        Examination(key="ABD-XR", name="Chụp X-quang bụng không chuẩn bị", modality="DX", device="ris-xray", technique="Chụp tư thế đứng."),
        Examination(key="LIMB-XR", name="Chụp X-quang xương cẳng chân thẳng nghiêng", modality="DX", device="ris-xray", technique="Chụp hai tư thế thẳng và nghiêng."),
        Examination(key="LIMB-XR-POST", name="Chụp X-quang kiểm tra sau kết hợp xương cẳng chân", modality="DX", device="ris-xray", technique="Chụp hai tư thế thẳng và nghiêng."),
        Examination(key="HEAD-CT", name="Chụp cắt lớp vi tính sọ não không tiêm thuốc cản quang", modality="CT", device="ris-ct", loinc="30799-1", technique="Lát cắt 1 mm, tái tạo đa mặt phẳng."),
        Examination(key="HEAD-CTA", name="Chụp cắt lớp vi tính mạch não", modality="CT", device="ris-ct", technique="Tiêm 60 ml thuốc cản quang i-ốt."),
        Examination(key="CHEST-CT", name="Chụp cắt lớp vi tính ngực", modality="CT", device="ris-ct", technique="Lát cắt 1 mm, không tiêm thuốc."),
        Examination(key="ABD-CT", name="Chụp cắt lớp vi tính ổ bụng có tiêm thuốc", modality="CT", device="ris-ct", technique="Tiêm 80 ml thuốc cản quang i-ốt."),
        Examination(key="ABD-US", name="Siêu âm ổ bụng", modality="US", device="ris-us", technique="Đầu dò cong 3,5 MHz."),
        Examination(key="OB-US", name="Siêu âm thai", modality="US", device="ris-us", technique="Đầu dò cong 3,5 MHz."),
        Examination(key="ECHO", name="Siêu âm Doppler tim", modality="US", device="ris-us", technique="Qua thành ngực."),
        Examination(key="PLEURA-US", name="Siêu âm màng phổi", modality="US", device="ris-us", technique="Đầu dò phẳng 7,5 MHz."),
        Examination(key="ECG", name="Điện tâm đồ 12 chuyển đạo", modality="ECG", device="ecg", person=False, technique="Tốc độ 25 mm/s."),
    )
}  # fmt: skip
