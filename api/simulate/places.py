"""Draw addresses on the two levels in force since 1 July 2025: province and commune."""

import msgspec

from api.simulate.chance import Chance


class Province(msgspec.Struct, frozen=True, kw_only=True):
    """A province or centrally run city.

    Attributes:
        code: the three digits with which citizen ids issued there begin.
        communes: some of its wards and communes, with the word for their kind.
    """

    code: str
    name: str
    communes: tuple[str, ...]


class HomeAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person lives: house and street or hamlet, commune, province."""

    line: str
    commune: str
    province: Province

    @property
    def text(self) -> str:
        """Return the address on one line, the smallest place first."""
        return f"{self.line}, {self.commune}, {self.province.name}"


HOME_PROVINCE = Province(
    code="022",
    name="Tỉnh Quảng Ninh",
    communes=(
        "Phường Hạ Long", "Phường Hồng Gai", "Phường Hà Lầm", "Phường Cao Xanh", "Phường Hà Tu",
        "Phường Bãi Cháy", "Phường Việt Hưng", "Phường Tuần Châu", "Phường Cẩm Phả",
        "Phường Quang Hanh", "Phường Cửa Ông", "Phường Mông Dương", "Phường Uông Bí",
        "Phường Vàng Danh", "Phường Yên Tử", "Phường Móng Cái 1", "Phường Quảng Yên",
        "Phường Đông Triều", "Phường Mạo Khê", "Xã Quảng La", "Xã Thống Nhất", "Xã Tiên Yên",
        "Xã Đầm Hà", "Xã Quảng Hà", "Xã Bình Liêu", "Xã Ba Chẽ", "Xã Hải Ninh",
        "Đặc khu Vân Đồn", "Đặc khu Cô Tô",
    ),
)  # fmt: skip


def _province(code: str, name: str, *communes: str) -> Province:
    return Province(code=code, name=name, communes=communes)


_NEIGHBOURS = (
    (_province("031", "Thành phố Hải Phòng", "Phường Lê Chân", "Xã Vĩnh Bảo"), 30),
    (_province("001", "Thành phố Hà Nội", "Phường Cầu Giấy", "Phường Hà Đông", "Xã Sóc Sơn"), 20),
    (_province("027", "Tỉnh Bắc Ninh", "Phường Bắc Giang", "Phường Kinh Bắc", "Xã Lục Ngạn"), 18),
    (_province("020", "Tỉnh Lạng Sơn", "Phường Đông Kinh", "Xã Đình Lập", "Xã Lộc Bình"), 12),
    (_province("033", "Tỉnh Hưng Yên", "Phường Thái Bình", "Xã Tiền Hải", "Xã Kiến Xương"), 10),
    (_province("038", "Tỉnh Thanh Hóa", "Phường Hạc Thành", "Phường Sầm Sơn", "Xã Thọ Xuân"), 6),
    (_province("040", "Tỉnh Nghệ An", "Phường Thành Vinh", "Phường Cửa Lò", "Xã Diễn Châu"), 4),
)

_STREETS = (
    "Nguyễn Văn Cừ", "Trần Phú", "Lê Lợi", "Lê Thánh Tông", "Cao Thắng", "Nguyễn Trãi",
    "Lý Thường Kiệt", "Trần Hưng Đạo", "Quang Trung", "Hai Bà Trưng", "Nguyễn Huệ", "Tô Hiệu",
)  # fmt: skip
_HAMLETS = ("Thôn Đông", "Thôn Đoài", "Thôn Trung", "Thôn Bắc Sơn", "Bản Nà Làng", "Thôn Khe Sím")


def draw_address(chance: Chance) -> HomeAddress:
    """Return an address, mostly in the hospital's own province."""
    province = HOME_PROVINCE if chance.happens(85) else chance.weighted(_NEIGHBOURS)
    commune = chance.one_of(province.communes)
    if commune.startswith("Phường"):
        line = f"Số {chance.between(1, 320)} đường {chance.one_of(_STREETS)}"
        if chance.happens(35):
            line = f"Tổ {chance.between(1, 12)}, khu {chance.between(1, 9)}"
    else:
        line = chance.one_of(_HAMLETS)
    return HomeAddress(line=line, commune=commune, province=province)
