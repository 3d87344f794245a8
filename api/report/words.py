"""Hold the longer words of the report, in Vietnamese beside English."""

from collections.abc import Mapping
from typing import Final

from api.report.markup import Text
from ledger.verify.report import SELF_ONLY
from ledger.verify.scope import ONE_RECORD, WITHOUT_KEY, WITHOUT_RULES

NOTES: Final[Mapping[str, Text]] = {
    SELF_ONLY: Text(
        "chỉ nhất quán với chính nó: không có điểm chốt, biên nhận hay nhân chứng nào để đối chiếu",
        SELF_ONLY,
    ),
    WITHOUT_KEY: Text(
        "không có khoá cơ sở: với sự kiện được niêm phong, văn bản ký, nội dung và chữ ký không"
        " được xem",
        WITHOUT_KEY,
    ),
    WITHOUT_RULES: Text(
        "không có quy tắc: với sự kiện ngoài danh bạ, hồ sơ nội dung, quy tắc và vai trò không được"
        " xem; giá trị băm, chữ ký và hiệu lực của khoá thì có",
        WITHOUT_RULES,
    ),
    ONE_RECORD: Text(
        "chỉ một hồ sơ: ngoài hồ sơ này, người bệnh của nó và danh bạ, chỉ mục ghi được kiểm tra",
        ONE_RECORD,
    ),
}
"""The notes of a report, by their English text."""

LIMITS: Final = (
    Text(
        "Phần đuôi bị cắt cùng với đầu sổ, trừ khi có gì được giữ bên ngoài cơ sở dữ liệu: biên"
        " nhận, điểm chốt, biên bản.",
        "A tail cut off together with the head, unless something was kept outside the database:"
        " receipts, checkpoints, notes.",
    ),
    Text(
        "Chữ ký cho biết một khoá đã ký, không cho biết người giữ khoá đã hiểu, nội dung là đúng.",
        "A signature shows that a key signed, not that its holder meant it or that it is true.",
    ),
    Text(
        "Ai đã đọc gì: người có khoá cơ sở và cơ sở dữ liệu đọc mà không để lại dấu vết.",
        "Who read what: whoever has the facility key and the database reads without a trace.",
    ),
)
"""What a reader must not take the report for."""
