"""Interactions as the front takes them: who wants what, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import discord

from bot.commands import Command
from bot.discord.aloud import OPENLY
from bot.discord.hearing import person_of, place_anchors
from bot.discord.places import place_of
from bot.front import Front, Request
from bot.render import kept_in
from engine.domain import Ask, KeptId


def request_from(
    interaction: discord.Interaction[Any], command: Command, options: Mapping[str, str]
) -> Request:
    """A slash command as the front takes it; one that streams begins a conversation wherever it is used."""
    return Request(
        person_of(interaction.user),
        command,
        options,
        f"discord:interaction:{interaction.id}",
        () if command.streams else tuple(anchors_of(interaction)),
        interaction.context.dm_channel,
        place_of(interaction.guild_id, interaction.channel, interaction.user),
        admin=interaction.guild_id is not None and interaction.permissions.manage_guild,
    )


def question_behind(front: Front, interaction: discord.Interaction[Any], action: str) -> Ask | None:
    """The question behind a button, None if it is none that a model answers."""
    return front.question_of(
        person_of(interaction.user),
        action.removeprefix(OPENLY),
        f"discord:interaction:{interaction.id}",
        tuple(anchors_of(interaction)),
        dm=interaction.context.dm_channel,
        place=place_of(interaction.guild_id, interaction.channel, interaction.user),
    )


def kept_behind(action: str) -> KeptId | None:
    """The kept question behind a button, None if it is for something else."""
    return kept_in(action.removeprefix(OPENLY))


def is_private(interaction: discord.Interaction[Any], action: str) -> bool:
    """Whether a button stands where only its owner sees it, and what it brings belongs there."""
    shown = interaction.message
    return shown is not None and shown.flags.ephemeral and not action.startswith(OPENLY)


def anchors_of(interaction: discord.Interaction[Any]) -> Sequence[str]:
    """The place of an interaction, if conversations continue there."""
    dm = interaction.context.dm_channel
    return place_anchors(interaction.channel_id or 0, interaction.channel, dm=dm)
