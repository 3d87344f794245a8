"""Put the report of a verification on one page for people, in Vietnamese and English.

The page needs neither network nor script, may be printed, and holds no patient's data: ids of
streams, positions, codes. Whatever came out of the database is escaped.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import msgspec

from api.report.checks import check_rows
from api.report.markup import Text, both, code, identity, number, plain
from api.report.meanings import MEANINGS
from api.report.picture import picture
from api.report.style import STYLE
from api.report.words import LIMITS, NOTES
from ledger.verify import Finding, Report

_NOTHING_ELSE: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"
_VIETNAM: Final = timezone(timedelta(hours=7))


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """When and by what a report was made.

    Attributes:
        at_ms: milliseconds since 1970, when the verification ended.
        version: of the program.
    """

    at_ms: int
    version: str


def render_report(report: Report, made: Made) -> str:
    """Return the page as one HTML document."""
    parts = [
        _head(report, made),
        _facts(report, made),
        _picture(report),
        _checks(report),
        _findings(report),
        _limits(report),
    ]
    title = Text("Báo cáo kiểm chứng sổ cái", "Ledger verification report")
    return (
        '<!DOCTYPE html>\n<html lang="vi">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_ELSE}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{plain(title.vi)} / {plain(title.en)}: {plain(report.origin or '-')}</title>\n"
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{both(title)}</h1>\n" + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


def _head(report: Report, made: Made) -> str:
    words = Text(
        "Toàn vẹn trong phạm vi đã kiểm tra: không có phát hiện nào",
        "Whole as far as it was checked: nothing was found",
    )
    if not report.ok:
        count = number(len(report.findings))
        words = Text(f"KHÔNG TOÀN VẸN: {count} phát hiện", f"NOT WHOLE: {count} findings")
    kind = "whole" if report.ok else "broken"
    return (
        f"<p>{code(report.origin or '-')} · {_time(made.at_ms)}</p>\n"
        f'<p class="verdict {kind}">{both(words)}</p>'
    )


def _facts(report: Report, made: Made) -> str:
    rows = [
        (Text("Sổ cái", "Ledger (origin)"), code(report.origin or "-")),
        (Text("Lá khởi lập", "Genesis"), code(report.genesis or "-")),
        (Text("Số mục ghi", "Size"), number(report.size)),
        (Text("Gốc của cây", "Root"), code(report.root)),
        (Text("Thời điểm", "When"), _time(made.at_ms)),
        (Text("Thời gian chạy", "Took"), f"{report.seconds:.1f} s"),
        (Text("Chương trình", "Program"), code(f"clinledger {made.version}")),
    ]
    lines = "\n".join(
        f'<tr><th scope="row">{both(label)}</th><td>{value}</td></tr>' for label, value in rows
    )
    heading = both(Text("Sổ cái nào", "Which ledger"))
    return f'<h2>{heading}</h2>\n<table class="facts">\n<tbody>\n{lines}\n</tbody>\n</table>'


def _picture(report: Report) -> str:
    caption = Text(
        "Mỗi ô là một đoạn vị trí; bên trên là các cây con mà giá trị băm của chúng đã được tính"
        " lại.",
        "Each cell is a range of positions; above it the subtrees whose hashes were recomputed.",
    )
    heading = both(Text("Hình ảnh những gì đã kiểm tra", "A picture of what was checked"))
    return (
        f"<h2>{heading}</h2>\n<figure>\n{picture(report)}\n"
        f"<figcaption>{both(caption)}</figcaption>\n</figure>"
    )


def _checks(report: Report) -> str:
    answers = {
        "yes": Text("có", "yes"),
        "partly": Text("một phần", "partly"),
        "no": Text("không", "no"),
    }
    lines = "\n".join(
        f'<tr><th scope="row">{both(row.what)}</th>'
        f'<td class="{row.answer}">{both(answers[row.answer])}</td><td>{both(row.how)}</td></tr>'
        for row in check_rows(report)
    )
    heading = both(Text("Đã kiểm tra gì, chưa kiểm tra gì", "What was checked, and what was not"))
    titles = (Text("Đối tượng", "What"), Text("Đã kiểm tra", "Checked"), Text("Ra sao", "How"))
    notes = "\n".join(
        f"<li>{both(NOTES.get(note, Text(note, note)))}</li>" for note in report.notes
    )
    return (
        f'<h2>{heading}</h2>\n<table class="checked">\n{_columns(*titles)}\n<tbody>\n{lines}\n'
        "</tbody>\n</table>" + (f"\n<ul>\n{notes}\n</ul>" if notes else "")
    )


def _findings(report: Report) -> str:
    heading = f"<h2>{both(Text('Phát hiện', 'Findings'))}</h2>\n"
    if not report.findings:
        return heading + f"<p>{both(Text('Không có.', 'None.'))}</p>"
    titles = (
        Text("Vị trí", "Position"),
        Text("Mã", "Code"),
        Text("Ý nghĩa, chi tiết", "Meaning, detail"),
        Text("Chuỗi, sự kiện", "Stream, event"),
    )
    caption = Text(
        "Một lần can thiệp có thể gây nhiều phát hiện: hãy đọc vị trí nhỏ nhất trước.",
        "One tampering may cause several: read the lowest position first.",
    )
    lines = "\n".join(map(_finding, report.findings))
    return (
        f'{heading}<table class="findings">\n<caption>{both(caption)}</caption>\n'
        f"{_columns(*titles)}\n<tbody>\n{lines}\n</tbody>\n</table>"
    )


def _finding(finding: Finding) -> str:
    place = "-" if finding.position is None else number(finding.position)
    return (
        f'<tr><td class="number">{place}</td><th scope="row">{code(finding.code)}</th>'
        f"<td>{both(MEANINGS[finding.code])}"
        f'<span class="detail" lang="en">{plain(finding.detail)}</span></td>'
        f"<td>{identity(finding.stream)}<br>{identity(finding.event_id)}</td></tr>"
    )


def _limits(report: Report) -> str:
    heading = both(Text("Điều không kiểm chứng nào thấy được", "What no verification sees"))
    lines = "\n".join(f"<li>{both(line)}</li>" for line in LIMITS)
    end = Text(
        "Giải thích các mã và bảng tấn công: docs/trust.md. Báo cáo không chứa dữ liệu người bệnh.",
        "Codes and the table of attacks: docs/trust.md. This report holds no patient's data.",
    )
    own = ""
    if report.since is not None:
        given = Text("được cho trước", "given") if report.since.seed_given else Text("mới", "new")
        seed = both(Text(f"Hạt giống lấy mẫu ({given.vi}):", f"Seed of the sample ({given.en}):"))
        own = f"<p>{seed} {code(report.since.seed)}</p>\n"
    return f"<h2>{heading}</h2>\n<ul>\n{lines}\n</ul>\n<footer>{own}<p>{both(end)}</p></footer>"


def _columns(*titles: Text) -> str:
    cells = "".join(f'<th scope="col">{both(title)}</th>' for title in titles)
    return f"<thead>\n<tr>{cells}</tr>\n</thead>"


def _time(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    there = moment.astimezone(_VIETNAM)
    return f"{there:%Y-%m-%d %H:%M:%S} (UTC+7), {moment:%H:%M:%S} UTC"
