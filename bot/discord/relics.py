"""Reads a comparison back from its message, to say of what was being written that it broke off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import discord

from bot.discord.board import first, newest, shares, weight
from bot.discord.views import SMALL, STYLES, TEXT_LIMIT, Page, Section
from bot.render import lost_buttons
from bot.reply import Button, Style
from bot.split import utf16
from bot.words import say
from engine.domain import TurnId


def broken_board(message: discord.Message, turns: Sequence[str]) -> Page | None:
    """The comparison as it stays, its texts as they are; None if nothing of it is being written.

    `turns` are those of its sections, in order, as far as they are known.
    """
    groups = grouped(message.components)
    if not any(runs(group) for group in groups):
        return None
    known = [*turns, *[""] * len(groups)]
    sections = [
        lost(group, turn) if runs(group) else ended(group) for group, turn in zip(groups, known, strict=False)
    ]
    wanted = [utf16(section.text) for section in sections]
    rooms = shares(wanted, TEXT_LIMIT - sum(weight(section) for section in sections))
    return Page(
        sections=tuple(
            replace(section, text=(newest if runs(group) else first)(section.text, room))
            if need > room
            else section
            for section, group, need, room in zip(sections, groups, wanted, rooms, strict=True)
        )
    )


def grouped(components: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """The components of each section."""
    found: list[list[Any]] = [[]]
    for each in components:
        if isinstance(each, discord.SeparatorComponent) and each.spacing is discord.SeparatorSpacing.large:
            found.append([])
        elif isinstance(each, discord.SeparatorComponent | discord.ActionRow | discord.FileComponent):
            break
        else:
            found[-1].append(each)
    return [group for group in found if group]


def runs(group: Sequence[Any]) -> bool:
    """Whether a section is being written: only then it has no button."""
    return not isinstance(group[0], discord.SectionComponent)


def lost(group: Sequence[Any], turn: str) -> Section:
    """A section that was being written."""
    title, _, *rest = words(group)
    buttons = lost_buttons(TurnId(turn))[:1] if turn else ()
    return Section(
        bare(title), "\n".join(rest), say("discord-broken-off"), say("discord-failed"), tuple(buttons)
    )


def ended(group: Sequence[Any]) -> Section:
    """A section that was complete."""
    head, *rest = group
    title, *footer = words(head.children)
    boxes = [text for each in rest if isinstance(each, discord.Container) for text in words(each.children)]
    return Section(
        bare(title),
        "\n".join(words(rest)),
        "\n".join(boxes),
        "".join(footer).removeprefix(SMALL),
        (button(head.accessory),),
    )


def words(components: Sequence[Any]) -> list[str]:
    """The texts right among components."""
    return [each.content for each in components if isinstance(each, discord.TextDisplay)]


def bare(title: str) -> str:
    """A heading without its bold."""
    return title.removeprefix("**").removesuffix("**")


def button(shown: discord.Button) -> Button:
    """A button as it was made."""
    style = next((style for style, known in STYLES.items() if known is shown.style), Style.PLAIN)
    return Button(shown.label or "", (shown.custom_id or "").partition(":")[2].partition(":")[2], style=style)
