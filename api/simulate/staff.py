"""List the staff of the simulated hospital: people and devices, their departments and roles."""

import functools
from typing import Final, Literal

import msgspec

from api.simulate.chance import derived_id
from api.simulate.names import PersonName, Sex

Duty = Literal[
    "registrar", "doctor", "nurse", "pharmacist", "technician", "radiologist", "auditor",
    "his", "analyser", "imager", "monitor",
]  # fmt: skip
KeyAlgorithm = Literal["ES256", "ES384", "PS256", "EdDSA"]

_ROLES_OF_DUTY: Final[dict[Duty, tuple[str, ...]]] = {
    "registrar": ("registrar", "administrator"),
    "doctor": ("doctor",),
    "nurse": ("nurse",),
    "pharmacist": ("pharmacist",),
    "technician": ("laboratory",),
    "radiologist": ("imaging",),
    "auditor": ("auditor",),
    "his": ("his",),
    "analyser": ("laboratory",),
    "imager": ("imaging",),
    "monitor": ("monitor",),
}
_DEVICES: Final = frozenset({"his", "analyser", "imager", "monitor"})


class StaffMember(msgspec.Struct, frozen=True, kw_only=True):
    """A person or device of the hospital.

    Attributes:
        key: short permanent name; the staff id derives from it and the origin, never from a seed.
        title: how the profession is written before the name; for devices the model.
        name: of people; None for devices.
        number: licence number of people, serial number of devices.
    """

    key: str
    duty: Duty
    department: str
    alg: KeyAlgorithm
    title: str
    number: str
    name: PersonName | None = None
    sex: Sex | None = None

    @property
    def is_device(self) -> bool:
        """Tell devices from people."""
        return self.duty in _DEVICES

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the roles that this member holds in the ledger."""
        return _ROLES_OF_DUTY[self.duty]

    @property
    def kind(self) -> str:
        """Return the FHIR resource type that describes this member."""
        return "Device" if self.is_device else "Practitioner"

    def staff_id(self, origin: str) -> str:
        """Return the staff stream's id in the ledger of this origin."""
        return _staff_id(origin, self.key)


@functools.lru_cache(maxsize=1_024)  # every resource names some of these few
def _staff_id(origin: str, key: str) -> str:
    return derived_id("clinledger/simulate/staff", origin, key)


def _person(  # noqa: PLR0913 - one row of the table below
    key: str, duty: Duty, department: str, written: str, title: str, *, alg: KeyAlgorithm = "ES256"
) -> StaffMember:
    family, middle, given = written.split("|")
    sex: Sex = "female" if "Thị" in middle or title == "Nữ hộ sinh" else "male"
    serial = sum(key.encode()) * 7 % 10_000
    return StaffMember(
        key=key,
        duty=duty,
        department=department,
        alg=alg,
        title=title,
        number=f"{serial:06d}/QNI-CCHN",
        name=PersonName(family=family, middle=middle, given=given),
        sex=sex,
    )


def _device(  # noqa: PLR0913 - one row of the table below
    key: str, duty: Duty, department: str, model: str, serial: str, *, alg: KeyAlgorithm = "ES256"
) -> StaffMember:
    return StaffMember(
        key=key, duty=duty, department=department, alg=alg, title=model, number=serial
    )


STAFF: Final = (
    _person("registrar-office", "registrar", "office", "Phạm|Thị Hồng|Vân", "Cử nhân"),
    _person("registrar-offline", "registrar", "office", "Trần|Quốc|Bảo", "Thạc sĩ", alg="ES384"),
    _person("doctor-examination", "doctor", "examination", "Đỗ|Thị|Minh", "BSCKI"),
    _person("doctor-emergency-1", "doctor", "emergency", "Nguyễn|Tiến|Dũng", "BSCKII"),
    _person("doctor-emergency-2", "doctor", "emergency", "Vũ|Thị|Ngân", "BS"),
    _person("doctor-internal-1", "doctor", "internal", "Lê|Văn|Thịnh", "BSCKII"),
    _person("doctor-internal-2", "doctor", "internal", "Hoàng|Thị Thu|Hà", "BS"),
    _person("doctor-cardiology-1", "doctor", "cardiology", "Bùi|Quang|Huy", "TS.BS", alg="ES384"),
    _person("doctor-cardiology-2", "doctor", "cardiology", "Phan|Thị|Yến", "BS"),
    _person("doctor-infectious-1", "doctor", "infectious", "Đặng|Hữu|Phước", "BSCKI"),
    _person("doctor-infectious-2", "doctor", "infectious", "Ngô|Thị|Loan", "BS"),
    _person("doctor-neurology-1", "doctor", "neurology", "Trịnh|Xuân|Trường", "ThS.BS"),
    _person("doctor-paediatrics-1", "doctor", "paediatrics", "Lương|Thị|Thảo", "BSCKII"),
    _person("doctor-paediatrics-2", "doctor", "paediatrics", "Nông|Văn|Tùng", "BS"),
    _person("doctor-surgery-1", "doctor", "surgery", "Nguyễn|Mạnh|Cường", "TS.BS", alg="PS256"),
    _person("doctor-surgery-2", "doctor", "surgery", "Đoàn|Văn|Khánh", "BSCKI"),
    _person("doctor-trauma-1", "doctor", "trauma", "Hồ|Đình|Sơn", "BSCKII", alg="PS256"),
    _person("doctor-obstetrics-1", "doctor", "obstetrics", "Dương|Thị Kim|Oanh", "BSCKII"),
    _person("doctor-obstetrics-2", "doctor", "obstetrics", "Tạ|Thị|Phương", "BS"),
    _person("nurse-emergency", "nurse", "emergency", "Mai|Thị|Nhung", "CNĐD"),
    _person("nurse-internal", "nurse", "internal", "Nguyễn|Thị|Hiền", "CNĐD"),
    _person("nurse-cardiology", "nurse", "cardiology", "Đào|Thị|Huệ", "CNĐD"),
    _person("nurse-infectious", "nurse", "infectious", "Triệu|Thị|Mai", "CNĐD"),
    _person("nurse-neurology", "nurse", "neurology", "Phạm|Văn|Thuận", "CNĐD"),
    _person("nurse-paediatrics", "nurse", "paediatrics", "Vi|Thị|Lan", "CNĐD"),
    _person("nurse-surgery", "nurse", "surgery", "Cao|Thị|Liên", "CNĐD"),
    _person("nurse-trauma", "nurse", "trauma", "Đinh|Công|Lộc", "CNĐD"),
    _person("nurse-obstetrics", "nurse", "obstetrics", "Trần|Khánh|Ly", "Nữ hộ sinh"),
    _person("pharmacist-1", "pharmacist", "pharmacy", "Vương|Thị|Quỳnh", "DSĐH"),
    _person("technician-1", "technician", "laboratory", "Tô|Minh|Hiếu", "CNXN", alg="PS256"),
    _person("technician-2", "technician", "laboratory", "Lê|Thị|Dung", "CNXN"),
    _person("radiologist-1", "radiologist", "imaging", "Phùng|Đức|Long", "BSCKII", alg="ES384"),
    _person("radiologist-2", "radiologist", "imaging", "Bế|Thị|Nguyệt", "BSCKI"),
    _person("auditor-1", "auditor", "office", "Huỳnh|Ngọc|Toàn", "Cử nhân"),
    _device("his", "his", "office", "HIS máy chủ tiếp đón", "HIS-0001"),
    _device(
        "lis-haematology", "analyser", "laboratory", "Sysmex XN-1000", "XN1-70213", alg="EdDSA"
    ),
    _device("lis-chemistry", "analyser", "laboratory", "Cobas 6000", "C6K-11894"),
    _device(
        "lis-immunology", "analyser", "laboratory", "Architect i2000", "AI2-55102", alg="EdDSA"
    ),
    _device("ris-xray", "imager", "imaging", "X-quang số hóa DR-600", "DR6-20977"),
    _device("ris-ct", "imager", "imaging", "CLVT 64 dãy Revolution", "CT6-30041"),
    _device("ris-us", "imager", "imaging", "Siêu âm Acuson Redwood", "US5-41120"),
    _device("ecg", "imager", "cardiology", "Điện tim 12 kênh ECG-3350", "ECG-1107", alg="EdDSA"),
    _device("monitor-emergency", "monitor", "emergency", "B650", "MON-1001", alg="EdDSA"),
    _device("monitor-internal", "monitor", "internal", "PVM-4000", "MON-1002", alg="EdDSA"),
    _device("monitor-surgery", "monitor", "surgery", "PVM-4000", "MON-1003", alg="EdDSA"),
)

STAFF_BY_KEY: Final = {member.key: member for member in STAFF}
REGISTRARS: Final = tuple(member for member in STAFF if member.duty == "registrar")


def doctors_of(department: str) -> tuple[str, ...]:
    """Return the keys of the doctors of a department, the senior one first."""
    return _of(department, "doctor")


def nurse_of(department: str) -> str:
    """Return the key of the nurse of a department."""
    return _of(department, "nurse")[0]


def monitor_of(department: str) -> str:
    """Return the key of the monitor that serves a department."""
    if department in {"surgery", "trauma", "obstetrics"}:
        return "monitor-surgery"
    return "monitor-emergency" if department == "emergency" else "monitor-internal"


def _of(department: str, duty: Duty) -> tuple[str, ...]:
    return tuple(m.key for m in STAFF if m.department == department and m.duty == duty)
