"""Hold the style of the report: on paper as on a screen, and without colour as well."""

from typing import Final

# Contrast of text is at least 4.5:1 on its ground; what has a colour has a shape or words too.
STYLE: Final = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #17202a; font: 15px/1.5 system-ui, "Segoe UI",
  "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 1024px; margin: 0 auto; padding: 32px 32px 48px; }
h1 { font-size: 25px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 34px 0 10px; padding-bottom: 4px; border-bottom: 2px solid #17202a; }
h1 span, h2 span { margin-right: 8px; }
[lang=en] { color: #4a5561; }
h1 [lang=en], h2 [lang=en] { font-weight: 400; }
p { margin: 6px 0; }
code { font: 12.5px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.verdict { margin: 18px 0 6px; padding: 14px 18px; border: 2px solid; border-left-width: 12px;
  font-size: 19px; font-weight: 700; }
.verdict [lang] { display: block; color: inherit; }
.verdict [lang=en] { font-weight: 400; font-size: 16px; }
.whole { color: #0b5a40; background: #eef7f3; border-color: #0b5a40; }
.broken { color: #96180f; background: #fdf0ef; border-color: #96180f; }
table { border-collapse: collapse; width: 100%; margin: 8px 0; }
caption { text-align: left; padding: 0 0 6px; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0;
  border-bottom: 1px solid #c9d0d8; }
th { font-weight: 600; }
thead th { border-bottom: 2px solid #5a6572; }
th [lang], td [lang] { display: block; } th [lang=en] { font-weight: 400; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.facts th { width: 25%; } .facts th [lang] { display: inline; }
.facts th [lang=en] { font-weight: 400; }
.checked td:nth-child(2) { width: 20%; font-weight: 600; }
.no { color: #96180f; } .partly { color: #7a4b00; } .yes { color: #0b5a40; }
.no [lang], .partly [lang], .yes [lang] { color: inherit; }
.findings code { font-size: 11.5px; white-space: nowrap; }
.findings td:last-child code { font-size: 10.5px; }
.findings .detail { color: inherit; margin-top: 4px; }
.findings th:last-child, .findings td:last-child { padding-right: 0; }
figure { margin: 10px 0; }
svg { display: block; width: 100%; height: auto; }
figcaption [lang] { display: block; }
ul { padding-left: 20px; margin: 6px 0; } li [lang] { display: block; }
footer { margin-top: 34px; padding-top: 8px; border-top: 1px solid #c9d0d8; font-size: 13px; }
@page { size: A4; margin: 14mm; }
@media print {
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  thead { display: table-header-group; } tr, figure, .verdict { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""
