"""Draw what was checked: the tree, the ledger by position, findings, samples and checkpoints.

One SVG without script, style sheet or anything from elsewhere. Each state has a colour and a
pattern or a shape, and is named in words; the picture has a title and a description.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from api.report.coverage import Coverage, State
from api.report.markup import Text, number, plain
from ledger.verify import Report

WIDTH: Final = 960
LEFT: Final = 172
RIGHT: Final = 24
PLOT: Final = WIDTH - LEFT - RIGHT
_LEVELS: Final = 6
_LEVEL: Final = 17
_LEAST_WIDTH: Final = 1.5
_LABEL_WIDTH: Final = 46

_FILL: Final[dict[State, str]] = {
    "verified": "#1f7a5a",
    "hashed": "url(#hashed)",
    "note": "url(#note)",
    "mixed": "#dce6ee",
    "finding": "#b3261e",
    "missing": "url(#missing)",
}
_INK: Final[dict[State, str]] = {
    "verified": "#ffffff",
    "hashed": "#0b3d2c",
    "note": "#2b3947",
    "mixed": "#17202a",
    "finding": "#5c100b",
    "missing": "#96180f",
}
_DEFINITIONS: Final = """<defs>
<pattern id="note" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="6" height="6" fill="#d5dee7"/><rect width="1.6" height="6" fill="#8595a6"/></pattern>
<pattern id="hashed" width="6" height="6" patternUnits="userSpaceOnUse">
<rect width="6" height="6" fill="#cfe6dc"/><rect width="6" height="1.6" fill="#4f9a7c"/></pattern>
<pattern id="missing" width="6" height="6" patternUnits="userSpaceOnUse">
<rect width="6" height="6" fill="#ffffff"/><circle cx="3" cy="3" r="1" fill="#b3261e"/></pattern>
</defs>"""

_TITLE: Final = Text("Những gì đã kiểm tra", "What was checked")
_TREE: Final = Text("Cây Merkle", "Merkle subtrees")
_STRIP: Final = Text("Mục ghi theo vị trí", "Entries by position")
_SAMPLE: Final = Text("Kiểm tra lại ngẫu nhiên", "Re-sampled at random")
_STORED: Final = Text("Điểm chốt đã lưu", "Stored checkpoints")
_GIVEN: Final = Text("Mốc được đưa vào", "Anchors given")
_NAMES: Final[dict[State, Text]] = {
    "verified": Text("đã kiểm chứng lần này", "verified now"),
    "hashed": Text("chỉ kiểm tra mục ghi", "entries only"),
    "note": Text("dựa trên biên bản trước", "by an earlier note"),
    "mixed": Text("cả hai", "both"),
    "finding": Text("có phát hiện", "finding"),
    "missing": Text("thiếu", "missing"),
}
_LEGEND: Final[tuple[State, ...]] = ("verified", "hashed", "note", "finding", "missing")
_TREE_FILL: Final = {**_FILL, "finding": "#f2c1bc"}
"""A subtree with one finding in it is not all wrong."""


def picture(report: Report) -> str:
    """Return the picture of a report as one `svg` element."""
    canvas = _Canvas(report)
    canvas.tree()
    canvas.findings()
    canvas.strip()
    canvas.samples()
    canvas.marks()
    canvas.axis()
    canvas.legend()
    return canvas.finish()


def split(size: int) -> int:
    """Return how many leaves the left subtree of a tree has (RFC 6962 §2.1)."""
    return 1 << (size - 1).bit_length() - 1


class _Canvas:
    """Draws row under row."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._coverage = Coverage(report)
        self._parts: list[str] = []
        self._y = 14.0

    def tree(self) -> None:
        """Draw the tree from its root down, each node as wide as what it covers."""
        self._label(_TREE, self._y + _LEVEL * 1.5)
        nodes = [(0, self._report.size)]
        for _ in range(_LEVELS):
            for first, end in nodes:
                self._node(first, end)
            self._y += _LEVEL
            nodes = [half for node in nodes for half in _halves(*node)]
            if not nodes:
                break
        self._y += 6

    def findings(self) -> None:
        """Draw a pointer down to each place with a finding."""
        self._y += 9
        for x in _apart((self._x(position + 0.5) for position in self._coverage.found), 3):
            self._add(f'<path d="M{x - 4:.1f} {self._y - 8} h8 l-4 7 z" fill="#b3261e"/>')

    def strip(self) -> None:
        """Draw the ledger."""
        self._label(_STRIP, self._y + 19)
        for cell in self._coverage.cells():
            self._box(cell.first, cell.end, _FILL[cell.state], height=30)
        self._y += 30

    def samples(self) -> None:
        """Draw what part of each range was derived again, as bars from below."""
        if self._report.since is None:
            return
        self._y += 10
        self._label(_SAMPLE, self._y + 14)
        for cell in self._coverage.cells():
            if cell.sampled:
                high = max(3.0, 22 * cell.sampled / (cell.end - cell.first))
                x, wide = self._x(cell.first), self._x(cell.end) - self._x(cell.first)
                self._add(
                    f'<rect x="{x:.1f}" y="{self._y + 22 - high:.1f}" width="{max(1.0, wide):.1f}"'
                    f' height="{high:.1f}" fill="#2456a6"/>'
                )
        self._line(self._y + 22.5, "#8595a6")
        self._y += 26

    def marks(self) -> None:
        """Draw where checkpoints and other anchors stand."""
        marks = self._report.marks
        if marks.stored:
            self._row(_STORED, marks.stored, 'fill="#ffffff" stroke="#17202a" stroke-width="1.3"')
        kept = [anchor.size for anchor in self._report.anchors]
        if kept:
            self._row(_GIVEN, [*marks.given, *kept], 'fill="#17202a" stroke="#17202a"')

    def axis(self) -> None:
        """Write positions under it all, and where the note ends."""
        self._y += 12
        self._line(self._y, "#17202a")
        end = self._coverage.end
        for position in sorted({end * quarter // 4 for quarter in range(5)}):
            x = self._x(position)
            anchor = {0: "start", end: "end"}.get(position, "middle")
            self._add(f'<path d="M{x:.1f} {self._y} v5" stroke="#17202a"/>')
            self._text(x, self._y + 17, number(position), anchor=anchor)
        note = self._coverage.note
        if 0 < note <= end:
            x = self._x(note)
            self._add(
                f'<path d="M{x:.1f} 6 V{self._y}" stroke="#17202a" stroke-width="1.2"'
                ' stroke-dasharray="5 3"/>'
            )
        self._y += 26

    def legend(self) -> None:
        """Name the states that occur."""
        self._y += 18
        x = float(LEFT)
        states = self._coverage.states
        for state in _LEGEND:
            if state not in states:
                continue
            words = _NAMES[state]
            self._add(
                f'<rect x="{x:.1f}" y="{self._y - 11}" width="16" height="14"'
                f' fill="{_FILL[state]}" stroke="#5a6572" stroke-width="0.6"/>'
            )
            self._text(x + 22, self._y - 2, words.vi, lang="vi")
            self._text(x + 22, self._y + 11, words.en, lang="en", ink="#4a5561")
            x += 185
        self._y += 22

    def finish(self) -> str:
        """Return the whole."""
        height = round(self._y)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
            ' aria-labelledby="picture-title picture-words" font-size="12"'
            ' font-family="system-ui, Noto Sans, DejaVu Sans, sans-serif">\n'
            f'<title id="picture-title">{plain(_TITLE.vi)} / {plain(_TITLE.en)}</title>\n'
            f'<desc id="picture-words">{plain(describe(self._report))}</desc>\n'
            f"{_DEFINITIONS}\n" + "\n".join(self._parts) + "\n</svg>"
        )

    def _x(self, position: float) -> float:
        """Return where a position stands; what lies beyond the picture stands at its edge."""
        within = min(max(position, 0), self._coverage.end)
        return LEFT + PLOT * within / self._coverage.end

    def _add(self, part: str) -> None:
        self._parts.append(part)

    def _node(self, first: int, end: int) -> None:
        if end - first < 1:
            return
        wide = self._x(end) - self._x(first)
        if wide < _LEAST_WIDTH:
            return
        state = self._coverage.state(first, end)
        self._box(first, end, _TREE_FILL[state], height=_LEVEL - 2)
        words = number(end - first)
        if wide > max(_LABEL_WIDTH, 8 * len(words)):
            x = (self._x(first) + self._x(end)) / 2
            if state not in ("verified", "finding", "mixed"):  # a ground for words on a pattern
                half = 3.6 * len(words) + 3
                self._add(
                    f'<rect x="{x - half:.1f}" y="{self._y + 1.5}" width="{2 * half:.1f}"'
                    f' height="{_LEVEL - 5}" fill="#ffffff" opacity="0.85"/>'
                )
            self._text(x, self._y + 11.5, words, anchor="middle", ink=_INK[state], size=10.5)

    def _box(self, first: int, end: int, fill: str, *, height: float) -> None:
        x = self._x(first)
        wide = max(_LEAST_WIDTH, self._x(end) - x)
        gap = 1 if wide > 3 else 0  # noqa: PLR2004 - else nothing would be left
        self._add(
            f'<rect x="{x:.1f}" y="{self._y:.1f}" width="{wide - gap:.1f}" height="{height}"'
            f' fill="{fill}"/>'
        )

    def _row(self, words: Text, sizes: Sequence[int], paint: str) -> None:
        self._y += 14
        self._label(words, self._y + 12)
        self._line(self._y + 9, "#c9d0d8")
        for x in _apart(sorted(self._x(size) for size in sizes), 12):
            self._add(f'<path d="M{x:.1f} {self._y + 3.5} l5.5 5.5 -5.5 5.5 -5.5 -5.5 z" {paint}/>')
        self._y += 20

    def _line(self, y: float, ink: str) -> None:
        self._add(f'<path d="M{LEFT} {y} h{PLOT}" stroke="{ink}"/>')

    def _label(self, words: Text, y: float) -> None:
        self._text(LEFT - 12, y - 6, words.vi, anchor="end", lang="vi")
        self._text(LEFT - 12, y + 8, words.en, anchor="end", lang="en", ink="#4a5561")

    def _text(  # noqa: PLR0913 - as many as a text has looks
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: str = "start",
        ink: str = "#17202a",
        lang: str | None = None,
        size: float = 12,
    ) -> None:
        spoken = "" if lang is None else f' lang="{lang}"'
        self._add(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}"'
            f' font-size="{size}"{spoken}>{plain(words)}</text>'
        )


def describe(report: Report) -> str:
    """Say in words what the picture shows, for those who do not see it."""
    coverage = Coverage(report)
    size, note = report.size, min(coverage.note, report.size)
    kind = "verified" if report.opened == "all" else "looked at as entries only"
    vi_kind = "được kiểm chứng" if report.opened == "all" else "chỉ được kiểm tra mục ghi"
    vi = [f"{size - note} trong {size} mục ghi {vi_kind} lần này."]
    en = [f"{size - note} of {size} entries {kind} now."]
    if report.since is not None:
        vi.append(f"{note} mục ghi dựa trên biên bản trước, {report.since.sampled} kiểm tra lại.")
        en.append(f"{note} rest on an earlier note, {report.since.sampled} of them re-sampled.")
    count = len(coverage.found)
    vi.append(f"{count} vị trí có phát hiện." if count else "Không có vị trí nào có phát hiện.")
    en.append(f"{count} positions with findings." if count else "No position with a finding.")
    return " ".join([*vi, *en])


def _halves(first: int, end: int) -> Iterator[tuple[int, int]]:
    if end - first > 1:
        middle = first + split(end - first)
        yield first, middle
        yield middle, end


def _apart(places: Iterable[float], least: float) -> Iterator[float]:
    """Leave out what would lie on what was drawn before it."""
    last = float("-inf")
    for place in places:
        if place - last >= least:
            last = place
            yield place
