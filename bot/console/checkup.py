"""The doctor's look at the chat platforms: what is good to know, and what has to be mended."""

from __future__ import annotations

from bot.console.invitation import about_discord
from engine.domain import Platform
from engine.ports import Store, Vault
from engine.settings import Settings


async def about_chat(settings: Settings, store: Store, tokens: Vault | None) -> tuple[list[str], list[str]]:
    """Notes, and problems with their mends, of Discord and Slack as far as they are on."""
    notes, problems = about_discord(settings)
    notes += [*about_operators(settings), *about_questions(settings)]
    notes.append("`main.py models --check` asks each model with one token")
    if settings.discord and not problems:
        from bot.discord.checkup import check_discord  # noqa: PLC0415 - the SDK is for those who use it

        problems += await check_discord(settings.discord)
    if settings.slack:
        from bot.slack.checkup import check_slack  # noqa: PLC0415 - as above

        told, wrong = await check_slack(settings.slack, settings.server.app_url, store, tokens)
        notes, problems = notes + told, problems + wrong
    return notes, problems


def about_operators(settings: Settings) -> list[str]:
    """Who is told when something needs the operator, as far as that can be."""
    if not settings.admins:
        return ["ADMIN_IDS is not set: what needs you (a ceiling, a vendor) is only written into the log"]
    on = {
        Platform.DISCORD: settings.discord is not None,
        Platform.SLACK: settings.slack is not None,
        Platform.LOCAL: settings.playground.on,
    }
    deaf = [
        f"ADMIN_IDS: {each} cannot be told anything, since {each.platform} is off"
        for each in settings.admins
        if not on[each.platform]
    ]
    return [f"What needs you is told to {', '.join(map(str, settings.admins))}", *deaf]


def about_questions(settings: Settings) -> list[str]:
    """That nothing of a member's is kept at a limit."""
    if settings.prompt_keys:
        return []
    return ["PROMPT_KEY is not set: a question that a limit stops is not kept, and has to be written anew"]
