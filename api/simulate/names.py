"""Draw Vietnamese names about as often as people bear them. All texts are NFC."""

from typing import Literal

import msgspec

from api.simulate.chance import Chance

Sex = Literal["male", "female"]


class PersonName(msgspec.Struct, frozen=True, kw_only=True):
    """A name in its three parts; written in the order family, middle, given."""

    family: str
    middle: str
    given: str

    @property
    def text(self) -> str:
        """Return the whole name as it is written and read aloud."""
        return " ".join(part for part in (self.family, self.middle, self.given) if part)


# Shares of the Kinh majority in per mille (the common estimate: Nguyễn about 38 %).
_KINH_FAMILIES = (
    ("Nguyễn", 384), ("Trần", 121), ("Lê", 95), ("Phạm", 70), ("Hoàng", 40), ("Huỳnh", 11),
    ("Phan", 45), ("Vũ", 28), ("Võ", 11), ("Đặng", 21), ("Bùi", 20), ("Đỗ", 14), ("Hồ", 13),
    ("Ngô", 13), ("Dương", 10), ("Lý", 5), ("Đinh", 8), ("Đoàn", 8), ("Mai", 7), ("Trịnh", 7),
    ("Lương", 6), ("Đào", 6), ("Tạ", 4), ("Vương", 3), ("Cao", 4), ("Tô", 3), ("Phùng", 3),
)  # fmt: skip

ETHNIC_FAMILIES: dict[str, tuple[tuple[str, int], ...]] = {
    "Kinh": _KINH_FAMILIES,
    "Tày": (("Hoàng", 5), ("Nông", 5), ("Bế", 2), ("Ma", 2), ("Lương", 3), ("Vi", 2)),
    "Dao": (("Triệu", 4), ("Bàn", 4), ("Đặng", 4), ("Phùng", 3), ("Chíu", 2), ("Tằng", 1)),
    "Sán Dìu": (("Từ", 2), ("Trương", 3), ("Tô", 2), ("Diệp", 3), ("Lý", 2)),
    "Sán Chay": (("Trần", 3), ("Hoàng", 2), ("La", 2), ("Nình", 2), ("Lỷ", 1)),
    "Hoa": (("Trần", 3), ("Lâm", 3), ("Vương", 2), ("Quách", 2), ("Lưu", 2)),
    "Mường": (("Bùi", 5), ("Quách", 3), ("Đinh", 3), ("Hà", 2)),
    "Nùng": (("Nông", 4), ("Hoàng", 3), ("Lý", 2), ("Vi", 2), ("Lục", 1)),
}

_MALE_MIDDLES = (
    ("Văn", 45), ("Đức", 9), ("Hữu", 7), ("Quang", 6), ("Minh", 6), ("Xuân", 4), ("Công", 4),
    ("Đình", 4), ("Ngọc", 4), ("Thanh", 3), ("Quốc", 4), ("Tiến", 3), ("Mạnh", 2), ("Bá", 2),
)  # fmt: skip
_MALE_GIVEN = (
    "Hùng", "Dũng", "Cường", "Tuấn", "Minh", "Nam", "Hải", "Long", "Sơn", "Thành", "Trung",
    "Đức", "Huy", "Quân", "Kiên", "Phong", "Bình", "An", "Khánh", "Toàn", "Thắng", "Tùng",
    "Việt", "Hiếu", "Hoàng", "Lâm", "Phúc", "Quý", "Sáng", "Tâm", "Thuận", "Vinh", "Đạt", "Lộc",
)  # fmt: skip
_FEMALE_MIDDLES = (
    ("Thị", 55), ("Thu", 6), ("Ngọc", 6), ("Thanh", 6), ("Minh", 4), ("Phương", 4), ("Hồng", 4),
    ("Kim", 4), ("Bích", 3), ("Thúy", 3), ("Diệu", 2), ("Mỹ", 2), ("Khánh", 2), ("Thị Thu", 4),
)  # fmt: skip
_FEMALE_GIVEN = (
    "Lan", "Hoa", "Hương", "Mai", "Hằng", "Hạnh", "Hà", "Thảo", "Linh", "Trang", "Nga", "Ngân",
    "Yến", "Dung", "Loan", "Thủy", "Hiền", "Oanh", "Nhung", "Phượng", "Quỳnh", "Vân", "Xuân",
    "Tuyết", "Anh", "Châu", "Chi", "Diệp", "Giang", "Huệ", "Liên", "Ly", "Nguyệt", "Thơm",
)  # fmt: skip

_FOREIGN: tuple[tuple[str, str, Sex, str], ...] = (
    ("Kim", "Ji-hoon", "male", "KR"), ("Park", "Seo-yeon", "female", "KR"),
    ("Tanaka", "Hiroshi", "male", "JP"), ("Müller", "Andreas", "male", "DE"),
    ("Martin", "Élise", "female", "FR"), ("Wilson", "Sarah", "female", "GB"),
    ("Chen", "Wei", "male", "CN"), ("Johnson", "Mark", "male", "US"),
)  # fmt: skip


def draw_name(chance: Chance, sex: Sex, ethnicity: str = "Kinh") -> PersonName:
    """Return a name of a person of this sex and ethnic group."""
    family = chance.weighted(ETHNIC_FAMILIES[ethnicity])
    if sex == "male":
        middle, given = chance.weighted(_MALE_MIDDLES), chance.one_of(_MALE_GIVEN)
    else:
        middle, given = chance.weighted(_FEMALE_MIDDLES), chance.one_of(_FEMALE_GIVEN)
    if given in middle.split():
        middle = "Văn" if sex == "male" else "Thị"
    return PersonName(family=family, middle=middle, given=given)


def draw_foreign_name(chance: Chance, sex: Sex) -> tuple[PersonName, str]:
    """Return the name of a visitor of this sex and the ISO 3166 code of the country."""
    fitting = [row for row in _FOREIGN if row[2] == sex]
    family, given, _, country = chance.one_of(fitting)
    return PersonName(family=family, middle="", given=given), country
