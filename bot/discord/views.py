"""Words and buttons as Discord takes them; a button's id alone says whose it is and what it does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

import discord

from bot.reply import Button, Reply, Style
from bot.split import pages

MESSAGE_LIMIT = 2000
BUTTON_LIMIT = 25
LABEL_LIMIT = 80
LINK_LIMIT = 512
"""A link button's address may not be longer; Stripe's checkout addresses often are."""
STYLES = {
    Style.PRIMARY: discord.ButtonStyle.primary,
    Style.PLAIN: discord.ButtonStyle.secondary,
    Style.DANGER: discord.ButtonStyle.danger,
}


@runtime_checkable
class Presses(Protocol):
    """The client, as far as a pressed button needs it."""

    def pressed(self, interaction: discord.Interaction[Any], owner: int, action: str) -> None:
        """Somebody pressed the button of `owner` (a user id); must return at once."""
        ...


class Press(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"m:(?P<owner>\d+):(?P<action>.+)"
):
    """A button that works for as long as its message is there, also after a restart."""

    def __init__(self, button: discord.ui.Button[discord.ui.View], owner: int, action: str) -> None:
        super().__init__(button)
        self.owner = owner
        self.action = action

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Press:
        """The button behind a press."""
        if not isinstance(item, discord.ui.Button):
            raise TypeError(f"{match.string!r} is not a button")
        return cls(item, int(match["owner"]), match["action"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press on."""
        if isinstance(interaction.client, Presses):
            interaction.client.pressed(interaction, self.owner, self.action)


@dataclass(frozen=True, slots=True)
class Page:
    """One message as it is to be: its text and the buttons below."""

    text: str
    buttons: tuple[Button, ...] = ()

    def view(self, owner: int) -> discord.ui.View | None:
        """The buttons for `owner`, the only one who may press them; None without any."""
        if not self.buttons:
            return None
        view = discord.ui.View(timeout=None)
        for button in self.buttons[:BUTTON_LIMIT]:
            view.add_item(item(button, owner))
        return view


def item(button: Button, owner: int) -> discord.ui.Item[Any]:
    """One button."""
    label = button.label[:LABEL_LIMIT]
    if button.url is not None:
        return discord.ui.Button(label=label, url=button.url)
    custom_id = f"m:{owner}:{button.action}"
    style = STYLES[button.style]
    return Press(discord.ui.Button(label=label, style=style, custom_id=custom_id), owner, button.action or "")


def of_reply(reply: Reply) -> Sequence[Page]:
    """A reply as messages; links that Discord refuses on a button come as text."""
    links = [button for button in reply.buttons if button.url is not None and not linkable(button.url)]
    rest = tuple(button for button in reply.buttons if button not in links)
    lines = [f"{button.label}: {written(button)}" for button in links]
    texts = pages("\n".join((reply.text, *lines)), MESSAGE_LIMIT)
    found = [Page(text) for text in texts]
    return [*found[:-1], replace(found[-1], buttons=rest)] if found else []


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
