"""The daily report as plain text, for mail and terminal, and as a message for channels."""

from __future__ import annotations

from collections.abc import Iterator

from bot.daily.sheet import Line, Section, Sheet

NAME, VALUE = 22, 12


def text(sheet: Sheet) -> str:
    """All of it, in columns."""
    head = [sheet.title, *([sheet.mark] if sheet.mark else []), ""]
    foot = ["", f"More: {sheet.link}"] if sheet.link else []
    return "\n".join([*head, *body(sheet), *foot])


def message(sheet: Sheet) -> str:
    """The same in Markdown; its first line tells it from that of any other day."""
    head = f"**{quoted(sheet.title)}**" + (f" {quoted(sheet.mark)}" if sheet.mark else "")
    foot = f"\n[All figures]({sheet.link})" if sheet.link else ""
    columns = quoted("\n".join(body(sheet)))
    return f"{head}\n```\n{columns}\n```{foot}"


def quoted(text: str) -> str:
    """Text that neither begins code nor ends it."""
    return text.replace("`", "'")


def body(sheet: Sheet) -> Iterator[str]:
    """The figures."""
    yield from map(row, sheet.tiles)
    for each in sheet.sections:
        yield ""
        yield from section(each)


def section(found: Section) -> Iterator[str]:
    """Its title and its figures."""
    if not found.lines:
        yield f"{found.title}: {found.empty}"
        return
    yield found.title
    yield from (f"  {row(line, NAME - 2)}" for line in found.lines)


def row(line: Line, width: int = NAME) -> str:
    """A figure in columns; a name that is too long pushes the rest aside."""
    return f"{line.name:<{width}} {line.value:>{VALUE}}  {line.note}".rstrip()
