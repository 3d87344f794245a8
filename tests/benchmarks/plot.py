"""Draw horizontal bars as SVG, without a library."""

from collections.abc import Sequence
from html import escape
from typing import Final

import msgspec

_WIDTH: Final = 900
_LABEL: Final = 400
_ROW: Final = 26
_TOP: Final = 48
_MOST: Final = 3.0
_UNIT: Final = (_WIDTH - _LABEL - 110) / _MOST
_MET, _MISSED = "#2f7d4f", "#b5472f"


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One bar, in multiples of its target.

    Attributes:
        low, high: of the rounds.
        goal: where a dashed line stands; 1 for none.
        text: what stands behind the bar.
    """

    label: str
    value: float
    low: float
    high: float
    goal: float
    text: str


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Return an SVG of one bar a row, with a line at the target."""
    bottom = _TOP + _ROW * len(rows)
    height = bottom + 30
    view = f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12"'
    target = _place(1.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view}>',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        _text(10, 22, title, 'font-size="15" font-weight="bold"'),
        *(part for number, row in enumerate(rows) for part in _bar(row, _TOP + number * _ROW)),
        _line(target, _TOP - 6, target, bottom, ""),
        _text(target, bottom + 16, "target", 'text-anchor="middle"'),
        _text(
            _WIDTH - 10,
            bottom + 16,
            "thin line: lowest to highest round; dashed: goal",
            'text-anchor="end"',
        ),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _bar(row: Bar, y: int) -> list[str]:
    colour = _MET if row.value >= 1 else _MISSED
    width = _place(row.value) - _LABEL
    behind = max(_place(row.value), _place(row.high), _place(row.goal if row.goal > 1 else 0)) + 6
    middle = y + 10
    parts = [
        _text(_LABEL - 8, y + 14, row.label, 'text-anchor="end"'),
        f'<rect x="{_LABEL}" y="{y + 2}" width="{width:.1f}" height="16" fill="{colour}"/>',
        _line(_place(row.low), middle, _place(row.high), middle, ""),
        _text(behind, y + 14, row.text, ""),
    ]
    if row.goal > 1:
        goal = _place(row.goal)
        parts.append(_line(goal, y, goal, y + 20, 'stroke-dasharray="3 2"'))
    return parts


def _place(value: float) -> float:
    return _LABEL + min(max(value, 0.0), _MOST) * _UNIT


def _line(x1: float, y1: float, x2: float, y2: float, more: str) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="#222" {more}/>'


def _text(x: float, y: float, text: str, more: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(text)}</text>'
