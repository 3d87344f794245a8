"""Say of each kind of check whether it was made, on what, and what it rests on."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from api.report.markup import Text, number
from ledger.verify import Report
from ledger.verify.report import Since
from ledger.verify.sample import detectable

Answer = Literal["yes", "partly", "no"]


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table of what was checked."""

    what: Text
    answer: Answer
    how: Text


def check_rows(report: Report) -> Iterator[CheckRow]:
    """Yield the lines, from hashes to what lies outside the database."""
    count = number(report.entries_checked)
    yield CheckRow(
        what=Text("Mục ghi, liên kết, thứ tự", "Entries, links, order"),
        answer="yes",
        how=Text(f"cả {count} mục ghi, tính lại từ byte", f"all {count} entries, from their bytes"),
    )
    yield CheckRow(
        what=Text("Cây, ô lưu, đầu sổ", "Tree, tiles, head"),
        answer="yes",
        how=Text("gốc tính lại từ mọi lá", "the root recomputed from every leaf"),
    )
    yield from _bodies(report)
    yield CheckRow(
        what=Text("Khung nhìn", "Views"),
        answer="yes" if report.views else "no",
        how=Text("mọi dòng gấp lại từ sổ cái", "every row folded from the ledger again")
        if report.views
        else Text("không được so sánh", "not compared"),
    )
    if report.since is not None:
        yield _sample(report.since)
    yield from _anchors(report)


def _bodies(report: Report) -> Iterator[CheckRow]:
    """Yield what was done with statements, signatures, contents and rules."""
    since = report.since
    signed = number(report.signatures_checked)
    for what, was in (
        (Text("Chữ ký", "Signatures"), since is None or since.signatures),
        (Text("Quy tắc", "Rules"), since is None or since.rules),
        (Text("Nội dung", "Contents"), since is None or since.contents),
    ):
        how = _reach(report)
        if what.en == "Signatures":
            how = Text(f"{signed} chữ ký; {how.vi}", f"{signed} signatures; {how.en}")
        answer: Answer = "yes" if report.opened == "all" and since is None else "partly"
        if what.en == "Rules" and not report.rules:
            answer, how = "partly", Text("chỉ trong danh bạ", "in the directory only")
        if not was:
            how = Text(
                f"{how.vi}; biên bản trước không kiểm tra điều này",
                f"{how.en}; the earlier note did not check this",
            )
        yield CheckRow(what=what, answer=answer, how=how)


def _reach(report: Report) -> Text:
    """Say of which events the bodies were opened."""
    match report.opened:
        case "record":
            reach = Text(
                "một hồ sơ, người bệnh của nó và danh bạ", "one record, its patient, the directory"
            )
        case "directory":
            reach = Text("chỉ phần không niêm phong của danh bạ", "only the unsealed directory")
        case "all":
            reach = Text("mọi sự kiện", "all events")
    if report.since is None:
        return reach
    start = number(report.since.size)
    return Text(
        f"{reach.vi} từ vị trí {start}; trước đó theo biên bản của {report.since.by}"
        f" ({report.since.at}) và mẫu ngẫu nhiên",
        f"{reach.en} from position {start}; before it by the note of {report.since.by}"
        f" ({report.since.at}), and the random sample",
    )


def _sample(since: Since) -> CheckRow:
    count, size = number(since.sampled), number(since.size)
    met = detectable(since.sampled, since.size)
    how = Text(f"{count} trong {size} sự kiện cũ", f"{count} of {size} old events")
    if met is not None:
        least = number(met)
        how = Text(
            f"{how.vi}; với xác suất 95 % gặp được nếu ít nhất {least} sự kiện bị sửa",
            f"{how.en}; meets with 95 % probability an alteration of {least} events or more",
        )
    answer: Answer = "partly" if since.sampled < since.size else "yes"
    return CheckRow(
        what=Text("Mẫu ngẫu nhiên", "Random sample"),
        answer=answer if since.sampled else "no",
        how=how,
    )


def _anchors(report: Report) -> Iterator[CheckRow]:
    """Yield what outside the database the ledger was compared with."""
    kinds = {
        "receipts": Text("Biên nhận của bên gửi", "Receipts of clients"),
        "checkpoints": Text("Điểm chốt được giữ", "Kept checkpoints"),
        "notes": Text("Biên bản của kiểm toán viên", "An auditor's note"),
    }
    for kind, what in kinds.items():
        given = [anchor for anchor in report.anchors if anchor.kind == kind]
        if not given:
            how = Text("không được đưa vào", "none was given")
            yield CheckRow(what=what, answer="no", how=how)
        for anchor in given:
            count, size = number(anchor.count), number(anchor.size)
            how = Text(f"{count}, đến kích thước {size}", f"{count}, up to size {size}")
            yield CheckRow(what=what, answer="yes", how=how)
    stored = len(report.marks.stored)
    yield CheckRow(
        what=Text("Điểm chốt đã lưu", "Stored checkpoints"),
        answer="yes" if stored else "no",
        how=Text("tất cả", "all of them") if stored else Text("không có", "there are none"),
    )
    yield CheckRow(
        what=Text("Chữ ký của nhân chứng", "Witnesses' cosignatures"),
        answer="no",
        how=Text(
            "`clinledger check` kiểm tra chúng trong tệp bằng chứng",
            "`clinledger check` looks at them in evidence files",
        ),
    )
