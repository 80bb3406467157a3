"""What the operator needs to know to invite the Discord bot."""

from __future__ import annotations

from engine.config import Settings


def about_discord(settings: Settings) -> tuple[list[str], list[str]]:
    """The invite link and the intents; and what is wrong with the token."""
    if settings.discord is None:
        return [], []
    from bot.discord import invite  # noqa: PLC0415 - the SDK is for those who use it

    application = invite.application_of(settings.discord.token.get_secret_value())
    if application is None:
        return [], ["DISCORD_TOKEN: is no bot token. Copy it from the Bot page of your application."]
    intents = f"Discord intents: {', '.join(invite.needed_intents)}; none is privileged"
    return [f"Discord invite link: {invite.invite_link(application)}", intents], []
