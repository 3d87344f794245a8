"""Say what each finding means, in the words of docs/trust.md §4 and in Vietnamese."""

from collections.abc import Mapping
from typing import Final

from api.report.markup import Text
from ledger.verify import FindingCode

MEANINGS: Final[Mapping[FindingCode, Text]] = {
    "position-gap": Text(
        "một vị trí không có mục ghi, có hai mục ghi, hoặc có thân mà không có mục ghi",
        "a position has no entry, two, or a body without an entry",
    ),
    "version-gap": Text(
        "số phiên bản trong một chuỗi không nối tiếp nhau",
        "a stream's versions do not follow one another",
    ),
    "entry-malformed": Text("108 byte không phải là một mục ghi", "the 108 bytes are not an entry"),
    "leaf-mismatch": Text(
        "giá trị băm lá đã lưu không phải của mục ghi",
        "the stored leaf hash is not that of the entry",
    ),
    "link-broken": Text(
        "liên kết không khớp với phiên bản, muối và lá trước đó",
        "the link is not that of version, salt and previous leaf",
    ),
    "statement-mismatch": Text(
        "văn bản ký đã lưu không phải văn bản đã ghi vào sổ",
        "the stored statement is not the one entered",
    ),
    "container-mismatch": Text(
        "chữ ký đã lưu không phải chữ ký đã ghi vào sổ",
        "the stored signature container is not the one entered",
    ),
    "statement-malformed": Text(
        "văn bản ký không ở dạng viết duy nhất được phép",
        "the statement is not in the one permitted spelling",
    ),
    "column-mismatch": Text(
        "một cột, dòng của sổ cái hoặc dòng khoá chuỗi mâu thuẫn với điều đã ký",
        "a column, the ledger row or a stream key's row contradicts what was signed",
    ),
    "signature-invalid": Text(
        "không phải chữ ký trên văn bản này bằng khoá mà nó nêu",
        "the container is not a signature over this statement by the key it names",
    ),
    "key-not-valid": Text(
        "tại vị trí này khoá chưa được đăng ký cho người ký, hoặc không còn hiệu lực",
        "the key was not enrolled for the signer at this position, or no longer",
    ),
    "role-not-valid": Text(
        "người ký không giữ vai trò được phép lập sự kiện này",
        "the signer held no role that may author this",
    ),
    "rule-broken": Text(
        "quy tắc không chấp nhận sự kiện tại đây; chi tiết có mã trong docs/events.md",
        "the rules refuse the event here; the detail has the code of docs/events.md",
    ),
    "seen-inconsistent": Text(
        "tác giả đã ký một gốc mà sổ cái, như đang có ở đây, chưa từng có, hoặc không ký gốc nào",
        "the author signed a root that the ledger, as it lies here, never had, or none",
    ),
    "reference-mismatch": Text(
        "tham chiếu không trỏ tới đúng văn bản của một mục còn hiệu lực, hoặc không phải bản mới"
        " nhất",
        "a reference does not name a standing entry by its text, or not the newest",
    ),
    "content-mismatch": Text(
        "nội dung không phải nội dung đã ký", "the content is not the one signed"
    ),
    "body-missing": Text("một mục ghi không có thân được lưu", "an entry has no stored body"),
    "body-unreadable": Text(
        "một thân hoặc khoá chuỗi không mở được tại chỗ của nó",
        "a body or a stream key does not open where it stands",
    ),
    "duplicate-event": Text("hai mục ghi có cùng một event_id", "two entries have one event_id"),
    "time-regression": Text("được nhận trước mục đứng trước nó", "received before its predecessor"),
    "head-mismatch": Text(
        "kích thước, gốc hoặc các đỉnh không phải của các mục ghi, hoặc còn dòng ở phía sau",
        "size, root or peaks are not those of the entries, or rows go on beyond",
    ),
    "acknowledged-missing": Text(
        "điều đã xác nhận với bên gửi không có ở vị trí của nó, hoặc là sự kiện khác",
        "what a client was acknowledged is not at its position, or is another event",
    ),
    "tile-mismatch": Text(
        "giá trị băm của một cây con bị sai, thiếu hoặc thừa",
        "a stored subtree hash is wrong, missing or surplus",
    ),
    "checkpoint-inconsistent": Text(
        "một điểm chốt đã ký, được lưu hoặc được đưa vào, hay biên bản của kiểm toán viên, không"
        " thuộc cây này; hoặc điểm chốt không do khoá có hiệu lực tại kích thước đó ký; hoặc có"
        " điểm chốt đã lưu bị thiếu",
        "a signed checkpoint, stored or given, or an auditor's note, is not of this tree; or a"
        " checkpoint is not signed by the key in force at its size; or stored ones are missing",
    ),
    "heads-mismatch": Text(
        "các đầu chuỗi đã công bố không phải mục mới nhất của các chuỗi tại kích thước đó",
        "published heads are not the newest entries of the streams as of their size",
    ),
    "set-aside-mismatch": Text(
        "phần được tách khỏi sổ cái không đúng như sự kiện tại vị trí đó ghi nhận, hoặc không có sự"
        " kiện nào như vậy",
        "what was set aside is not what the event at that position says, or no such event records"
        " it",
    ),
    "view-mismatch": Text(
        "một dòng của khung nhìn khác với kết quả gấp từ sổ cái",
        "a view's row is not what folding the ledger gives",
    ),
}
"""By code."""
