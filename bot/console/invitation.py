"""What the operator needs to know to invite the Discord bot."""

from __future__ import annotations

from engine.settings import Settings

SWITCH = "switch on Message Content Intent at https://discord.com/developers/applications, page Bot"


def about_discord(settings: Settings) -> tuple[list[str], list[str]]:
    """The invite link and the intents; and what is wrong with the token."""
    if settings.discord is None:
        return [], []
    from bot.discord import invite  # noqa: PLC0415 - the SDK is for those who use it

    application = invite.application_of(settings.discord.token.get_secret_value())
    if application is None:
        return [], ["DISCORD_TOKEN: is no bot token. Copy it from the Bot page of your application."]
    names = ", ".join(invite.needed_intents)
    intents = f"Discord intents: {names}; none is privileged"
    if settings.discord.message_content:
        intents = f"Discord intents: {names}, {invite.PRIVILEGED}; the last one is privileged: {SWITCH}"
    return [f"Discord invite link: {invite.invite_link(application)}", intents], []
