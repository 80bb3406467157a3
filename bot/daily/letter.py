"""The daily report as HTML that mail programs take: tables, styles at each element, nothing from outside."""

from __future__ import annotations

from html import escape

from bot.daily.sheet import Line, Section, Sheet, Tone

FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
INK, QUIET, PAPER, CARD, RULE = "#1b2230", "#59636f", "#f2f4f7", "#ffffff", "#e3e7ec"
TONES = {Tone.PLAIN: QUIET, Tone.GOOD: "#17713c", Tone.BAD: "#b3261e"}
BAR, GROOVE = "#5468d4", "#e8ebf5"
DARK = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .paper { background: #12151a !important; }
  .card { background: #1d222a !important; border-color: #303742 !important; }
  .ink { color: #e8ebf0 !important; }
  .quiet { color: #a7b0bd !important; }
  .good { color: #74d59d !important; }
  .bad { color: #ff9d94 !important; }
  .rule { border-color: #303742 !important; }
  .groove { background: #2b3240 !important; }
  .bar { background: #8c9cf2 !important; }
  .mark { background: #4a3b12 !important; color: #ffe2a3 !important; }
}
@media (max-width: 480px) {
  .tile { display: inline-block !important; width: 50% !important; box-sizing: border-box !important; }
  .side { padding-left: 16px !important; padding-right: 16px !important; }
  .tiles { padding-left: 8px !important; padding-right: 8px !important; }
}
"""
FRAME = f"max-width:600px;background:{CARD};border:1px solid {RULE};border-radius:12px"
ROUND = "height:6px;border-radius:3px"
TABLE = 'role="presentation" cellpadding="0" cellspacing="0" border="0" width="100%"'


def letter(sheet: Sheet) -> str:
    """The whole document."""
    title = escape(sheet.title)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{title}</title>
<style>{DARK}</style>
</head>
<body class="paper" style="margin:0;padding:0;background:{PAPER}">
<table {TABLE} class="paper" style="background:{PAPER}"><tr><td align="center" style="padding:24px 8px">
<table {TABLE} class="card" style="{FRAME}">
<tr><td class="side" style="padding:28px 32px 8px">{heading(sheet)}</td></tr>
<tr><td class="tiles" style="padding:8px 24px 4px">{tiles(sheet)}</td></tr>
{"".join(map(section, sheet.sections))}
<tr><td class="side" style="padding:20px 32px 28px">{footing(sheet)}</td></tr>
</table>
</td></tr></table>
</body>
</html>
"""


def heading(sheet: Sheet) -> str:
    """The day, and whether its money is real."""
    mark = (
        f'<p class="mark" style="margin:12px 0 0;padding:8px 12px;border-radius:6px;background:#fff1cc;'
        f'color:#5c4300;font-size:13px;{FONT}">{escape(sheet.mark)}</p>'
        if sheet.mark
        else ""
    )
    return (
        f'<p class="quiet" style="margin:0;color:{QUIET};font-size:13px;{FONT}">Daily report</p>'
        f'<h1 class="ink" style="margin:2px 0 0;color:{INK};font-size:24px;line-height:1.25;{FONT}">'
        f"{escape(sheet.day)}</h1>{mark}"
    )


def tiles(sheet: Sheet) -> str:
    """The figures that one looks at first, side by side; two and two on a telephone."""
    return f"<table {TABLE}><tr>{''.join(map(tile, sheet.tiles))}</tr></table>"


def tile(line: Line) -> str:
    """One of them."""
    return (
        '<td class="tile" width="25%" valign="top" style="padding:12px 8px;word-break:break-word">'
        f'<div class="quiet" style="color:{QUIET};font-size:13px;{FONT}">{escape(line.name)}</div>'
        f'<div class="ink" style="color:{INK};font-size:20px;font-weight:600;line-height:1.4;{FONT}">'
        f"{escape(line.value)}</div>{note(line)}</td>"
    )


def note(line: Line) -> str:
    """What stands below or beside a figure."""
    quiet = "quiet" if line.tone is Tone.PLAIN else line.tone.value
    style = f"color:{TONES[line.tone]};font-size:12px;line-height:1.4;{FONT}"
    return f'<div class="{quiet}" style="{style}">{escape(line.note)}</div>' if line.note else ""


def section(found: Section) -> str:
    """Figures below a title."""
    title = (
        f'<h2 class="ink" style="margin:0 0 4px;color:{INK};font-size:15px;{FONT}">{escape(found.title)}</h2>'
    )
    quiet = f"margin:6px 0 0;color:{QUIET};font-size:14px;{FONT}"
    nothing = f'<p class="quiet" style="{quiet}">{escape(found.empty)}</p>'
    rows = "".join(map(row, found.lines))
    inside = f"<table {TABLE}>{rows}</table>" if rows else nothing
    return f'<tr><td class="side" style="padding:20px 32px 0">{title}{inside}</td></tr>'


def row(line: Line) -> str:
    """A name with its note, and its figure at the right; a bar below it shows its part."""
    strong = "ink" if line.tone is Tone.PLAIN else line.tone.value
    colour = INK if line.tone is Tone.PLAIN else TONES[line.tone]
    cell = f"padding:8px 0;border-bottom:1px solid {RULE};font-size:14px;line-height:1.4;{FONT}"
    said = f' <span class="quiet" style="color:{QUIET};font-size:13px">{escape(line.note)}</span>'
    return (
        f'<tr><td class="rule ink" style="{cell};color:{INK};word-break:break-word">{escape(line.name)}'
        f"{said if line.note else ''}{bar(line)}</td>"
        f'<td class="rule {strong}" align="right" valign="top" style="{cell};color:{colour};'
        f'padding-left:12px;white-space:nowrap;font-weight:600">{escape(line.value)}</td></tr>'
    )


def bar(line: Line) -> str:
    """How much of the whole it is; nothing where there is no whole."""
    if line.part is None:
        return ""
    percent = max(1, min(100, round(line.part * 100)))
    return (
        f'<div class="groove" style="margin-top:6px;{ROUND};background:{GROOVE}">'
        f'<div class="bar" style="width:{percent}%;{ROUND};background:{BAR}"></div></div>'
    )


def footing(sheet: Sheet) -> str:
    """Where more is seen, and what the figures are."""
    link = (
        f'<a href="{escape(sheet.link)}" style="display:inline-block;margin-bottom:14px;padding:10px 18px;'
        f"border-radius:8px;background:#4253be;color:#ffffff;font-size:14px;font-weight:600;"
        f'text-decoration:none;{FONT}">All figures</a><br>'
        if sheet.link
        else ""
    )
    words = "Figures are of the UTC day, as on the dashboard. What needs you is as it is now."
    return f'{link}<span class="quiet" style="color:{QUIET};font-size:12px;{FONT}">{words}</span>'
