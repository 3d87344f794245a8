"""Draw horizontal bars as SVG, without a library."""

from collections.abc import Sequence
from html import escape
from typing import Final

_WIDTH: Final = 900
_LABEL: Final = 470
_ROW: Final = 24
_TOP: Final = 44
_MOST: Final = 3.0


def bars(title: str, rows: Sequence[tuple[str, float, float]]) -> str:
    """Return an SVG of one bar per row: label, value, and where its goal lies (1 for none)."""
    height = _TOP + _ROW * len(rows) + 30
    unit = (_WIDTH - _LABEL - 60) / _MOST
    view = f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view}>',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="10" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for number, (label, value, goal) in enumerate(rows):
        y = _TOP + number * _ROW
        length = min(value, _MOST) * unit
        colour = "#2f7d4f" if value >= 1 else "#b5472f"
        parts += [
            f'<text x="{_LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(label)}</text>',
            f'<rect x="{_LABEL}" y="{y + 2}" width="{length:.1f}" height="16" fill="{colour}"/>',
            f'<text x="{_LABEL + length + 5:.1f}" y="{y + 14}">{value:.2f}</text>',
        ]
        if goal > 1:
            x = _LABEL + min(goal, _MOST) * unit
            parts.append(
                f'<line x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{y + 20}" stroke="#444" '
                'stroke-dasharray="3 2"/>'
            )
    x = _LABEL + unit
    bottom = _TOP + _ROW * len(rows)
    parts += [
        f'<line x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{bottom}" stroke="black"/>',
        f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">target</text>',
        f'<text x="{_WIDTH - 10}" y="{bottom + 16}" text-anchor="end">dashed: goal</text>',
        "</svg>\n",
    ]
    return "\n".join(parts)
