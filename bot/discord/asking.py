"""Asking about a message from its menu: a window for the question, and what comes back from it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import discord

from bot.discord.attached import of_message
from bot.quoting import Quoted
from bot.words import say

WINDOW = "about:"
QUESTION = "question"
QUESTION_LIMIT = 2000
MOST_KEPT = 1024
WINDOW_SECONDS = 900.0


class Quotes:
    """Messages that members are asking about, kept while they type; Discord does not send them again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Quoted] = OrderedDict()

    def window(self, interaction: discord.Interaction[Any], message: discord.Message) -> discord.ui.Modal:
        """The window for the question about a message."""
        name = f"{WINDOW}{interaction.id}"
        self._kept[name] = quoted(message)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        modal = discord.ui.Modal(title=say("about-title"), custom_id=name, timeout=WINDOW_SECONDS)
        modal.add_item(
            discord.ui.Label(
                text=say("about-question"),
                component=discord.ui.TextInput(
                    custom_id=QUESTION,
                    style=discord.TextStyle.paragraph,
                    placeholder=say("about-hint"),
                    required=False,
                    max_length=QUESTION_LIMIT,
                ),
            )
        )
        return modal

    def take(self, window: str) -> Quoted | None:
        """The message that a window was about; None if it is forgotten, say since a restart."""
        return self._kept.pop(window, None)


def quoted(message: discord.Message) -> Quoted:
    """A message as it is quoted; a forwarded one by what was forwarded."""
    texts = [*words_of(message)]
    files = [*of_message(message)]
    for forwarded in message.message_snapshots:
        texts.append(forwarded.content)
        files += of_message(forwarded)
    return Quoted(message.author.display_name, "\n".join(filter(None, texts)), files)


def words_of(message: discord.Message) -> Iterator[str]:
    """All that can be read in a message: its content, its cards, and the texts among its components."""
    yield message.content
    for embed in message.embeds:
        yield from filter(None, (embed.title, embed.description))
    yield from texts_in(message.components)


def texts_in(components: Sequence[Any]) -> Iterator[str]:
    """The texts among components, in reading order."""
    for each in components:
        if isinstance(each, discord.TextDisplay):
            yield each.content
        yield from texts_in(getattr(each, "children", ()))


def question_in(data: Mapping[str, Any]) -> str:
    """The question that came back with a window."""
    for label in data.get("components", ()):
        field = label.get("component") or {}
        if field.get("custom_id") == QUESTION:
            return str(field.get("value") or "")
    return ""
