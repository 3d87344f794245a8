"""List the departments of the simulated hospital with their codes from the insurance catalogue."""

from typing import Final

import msgspec


class Department(msgspec.Struct, frozen=True, kw_only=True):
    """A department: our short key, its code in the insurance catalogue (`K..`), its name."""

    key: str
    code: str
    name: str


HOSPITAL_NAME: Final = "Bệnh viện Đa khoa tỉnh Quảng Ninh (mô phỏng)"

DEPARTMENTS: Final = {
    department.key: department
    for department in (
        Department(key="office", code="KHTH", name="Phòng Kế hoạch tổng hợp"),
        Department(key="examination", code="K01", name="Khoa Khám bệnh"),
        Department(key="emergency", code="K02", name="Khoa Hồi sức cấp cứu"),
        Department(key="internal", code="K03", name="Khoa Nội tổng hợp"),
        Department(key="cardiology", code="K04", name="Khoa Nội tim mạch"),
        Department(key="infectious", code="K11", name="Khoa Truyền nhiễm"),
        Department(key="neurology", code="K14", name="Khoa Thần kinh"),
        Department(key="paediatrics", code="K18", name="Khoa Nhi"),
        Department(key="surgery", code="K19", name="Khoa Ngoại tổng hợp"),
        Department(key="trauma", code="K24", name="Khoa Chấn thương chỉnh hình"),
        Department(key="obstetrics", code="K27", name="Khoa Phụ sản"),
        Department(key="imaging", code="CDHA", name="Khoa Chẩn đoán hình ảnh"),
        Department(key="laboratory", code="XN", name="Khoa Xét nghiệm"),
        Department(key="pharmacy", code="DUOC", name="Khoa Dược"),
    )
}
