"""Messages as Discord takes them: text, the bot's own words in a box, and buttons whose ids tell all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

import discord
from discord import ui

from bot.reply import Button, Reply, Style
from bot.split import pages

TEXT_LIMIT = 4000
"""Characters of all texts of a message together (Components V2)."""
PLAIN_LIMIT = 2000
"""Characters of a message without components of that kind."""
ROW_LIMIT, ROWS_LIMIT = 5, 5
LABEL_LIMIT = 80
ID_LIMIT = 100
LINK_LIMIT = 512
"""A link button's address may not be longer; Stripe's checkout addresses often are."""
SMALL = "-# "
"""Discord's Markdown for small, grey text."""
ACCENT = 0x5865F2
"""The colour of the box around the bot's own words."""
STYLES = {
    Style.PRIMARY: discord.ButtonStyle.primary,
    Style.PLAIN: discord.ButtonStyle.secondary,
    Style.DANGER: discord.ButtonStyle.danger,
}
File = tuple[str, bytes]
"""Name and content."""


@runtime_checkable
class Presses(Protocol):
    """The client, as far as a pressed button needs it."""

    def pressed(self, interaction: discord.Interaction[Any], owner: int, action: str) -> None:
        """Somebody pressed the button of `owner` (a user id); must return at once."""
        ...


class Press(ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"m:(?P<owner>\d+):(?P<action>.+)"):
    """A button that works for as long as its message is there, also after a restart."""

    def __init__(self, button: ui.Button[ui.LayoutView], owner: int, action: str) -> None:
        super().__init__(button)
        self.owner = owner
        self.action = action

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Press:
        """The button behind a press."""
        if not isinstance(item, ui.Button):
            raise TypeError(f"{match.string!r} is not a button")
        return cls(item, int(match["owner"]), match["action"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press on."""
        if isinstance(interaction.client, Presses):
            interaction.client.pressed(interaction, self.owner, self.action)


@dataclass(frozen=True, slots=True)
class Section:
    """One of several answers in a message: a model's text below a heading with a button beside it."""

    title: str
    text: str = ""
    notice: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()

    def parts(self, owner: int) -> Iterator[ui.Item[Any]]:
        """Its components."""
        words = filter(None, (f"**{self.title}**", self.footer and f"{SMALL}{self.footer}"))
        head = [ui.TextDisplay[ui.LayoutView](each) for each in words]
        if self.buttons:
            yield ui.Section(*head, accessory=item(self.buttons[0], owner))
        else:
            yield from head
        if self.text:
            yield ui.TextDisplay(self.text)
        if self.notice:
            yield ui.Container(ui.TextDisplay(self.notice), accent_colour=ACCENT)
        yield from rows_of(self.buttons[1:], owner)


@dataclass(frozen=True, slots=True)
class Page:
    """One message as it is to be.

    `text` is a model's, at full width. `notice` is the bot's own, in a box that no text can draw; `footer` is
    small and below a line. Buttons of a notice that stands alone are in its box. `sections` come first, each
    with a line between.
    """

    text: str = ""
    notice: str = ""
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    files: tuple[File, ...] = ()
    sections: tuple[Section, ...] = ()

    @property
    def words(self) -> str:
        """What a notification can show of it: nothing of any component."""
        titles = ", ".join(section.title for section in self.sections)
        return (self.text or self.notice or self.footer or titles)[:PLAIN_LIMIT]

    def view(self, owner: int) -> ui.LayoutView:
        """The message's components; its buttons are for `owner` (a user id) alone."""
        view = ui.LayoutView(timeout=None)
        for part in self._parts(owner):
            view.add_item(part)
        return view

    def plain_view(self, owner: int) -> ui.View | None:
        """The buttons of a message without components of the new kind; None without any."""
        if not self.buttons:
            return None
        view = ui.View(timeout=None)
        for button in self.buttons[: ROW_LIMIT * ROWS_LIMIT]:
            view.add_item(item(button, owner))
        return view

    def uploads(self) -> list[discord.File]:
        """The files, to be read once."""
        return [discord.File(BytesIO(content), name) for name, content in self.files]

    def _parts(self, owner: int) -> Iterator[ui.Item[Any]]:
        rows = list(rows_of(self.buttons, owner))
        for number, section in enumerate(self.sections):
            if number:
                yield ui.Separator(spacing=discord.SeparatorSpacing.large)
            yield from section.parts(owner)
        if self.sections and (rows or self.notice):
            yield ui.Separator()
        if self.text:
            yield ui.TextDisplay(self.text)
        if self.notice:
            inside = [] if self.text or self.footer else rows
            yield ui.Container(ui.TextDisplay(self.notice), *inside, accent_colour=ACCENT)
            rows = rows if self.text or self.footer else []
        yield from (ui.File(f"attachment://{name}") for name, _ in self.files)
        if self.footer:
            if self.text:
                yield ui.Separator()
            yield ui.TextDisplay(f"{SMALL}{self.footer}")
        yield from rows


def rows_of(buttons: Sequence[Button], owner: int) -> Iterator[ui.ActionRow[Any]]:
    """Buttons in rows."""
    for at in range(0, min(len(buttons), ROW_LIMIT * ROWS_LIMIT), ROW_LIMIT):
        yield ui.ActionRow(*(item(button, owner) for button in buttons[at : at + ROW_LIMIT]))


def item(button: Button, owner: int) -> ui.Item[Any]:
    """One button; ValueError if what it carries is more than Discord keeps."""
    label = button.label[:LABEL_LIMIT]
    if button.url is not None:
        return ui.Button(label=label, url=button.url)
    custom_id = f"m:{owner}:{button.action}"
    if len(custom_id) > ID_LIMIT:
        raise ValueError(f"a button's id has {len(custom_id)} characters: {custom_id}")
    style = STYLES[button.style]
    return Press(ui.Button(label=label, style=style, custom_id=custom_id), owner, button.action or "")


def of_reply(reply: Reply, limit: int = TEXT_LIMIT) -> Sequence[Page]:
    """A reply as messages; links that Discord refuses on a button come as text."""
    links = [button for button in reply.buttons if button.url is not None and not linkable(button.url)]
    rest = tuple(button for button in reply.buttons if button not in links)
    lines = [f"{button.label}: {written(button)}" for button in links]
    found = [Page(notice=text) for text in pages("\n".join((reply.text, *lines)), limit)]
    files = (reply.file,) if reply.file else ()
    return [*found[:-1], replace(found[-1], buttons=rest, files=files)] if found else []


def linkable(url: str) -> bool:
    """Whether Discord takes this address on a button: not too long, and a host that is not only local."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    public = "." in host and not host.rpartition(".")[2].isdigit()
    return len(url) <= LINK_LIMIT and parts.scheme in {"http", "https"} and public


def written(button: Button) -> str:
    """A link in a text, without a preview: a long one hides behind its label."""
    url = button.url or ""
    return f"<{url}>" if len(url) <= LINK_LIMIT else f"[{button.label}](<{url}>)"
