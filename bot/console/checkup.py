"""The doctor's look at configuration, clock, chat platforms and operators."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

from aiohttp import ClientError, ClientSession, ClientTimeout

from engine.channels import Channel
from engine.checkup import Finding, Light, good, worth_knowing, wrong
from engine.domain import Person, Platform
from engine.errors import OutsideError
from engine.ports import Clock, Store, Vault
from engine.settings import Settings

PATIENCE = 10.0
"""Seconds to be told the time."""
APART = 60.0
"""Seconds between two clocks that are worth mending; from 300 on signed calls are refused."""
ASK_AGAIN = "Check the network, then run this again: calls signed by a wrong clock are refused."
STEPS = {
    "Discord": "set DISCORD_TOKEN; docs/discord.md has the steps",
    "Slack": "docs/slack.md has the steps",
}


async def check_configuration(settings: Settings) -> list[Finding]:
    """What was read, and what is worth knowing about it."""
    shelf, on = len(settings.shelf), len(settings.models)
    what = f"{len(settings.tiers)} tiers, {shelf} models in config.toml, of which {on} can answer"
    return [
        good("Configuration", what),
        *(worth_knowing("Configuration", remark) for remark in settings.remarks),
        *about_operators(settings),
        *about_questions(settings),
    ]


async def check_pauses(store: Store, clock: Clock) -> list[Finding]:
    """What the operator has paused; that the database is away is told elsewhere."""
    now = clock.now()
    try:
        pauses = await store.read(lambda tx: tx.pauses(now))
    except OutsideError:
        return []
    ends = "`main.py resume` ends it"
    found = [worth_knowing("Answers", f"{pause.told}. {ends}.") for pause in pauses]
    return found or [good("Answers", "nothing is paused")]


async def check_clock(settings: Settings, clock: Clock) -> list[Finding]:
    """How far this machine's clock is from that of a service that is on."""
    silent: list[str] = []
    for name, address in services(settings):
        told = await time_at(address)
        if told is not None:
            return [compared(name, (clock.now() - told).total_seconds())]
        silent.append(name)
    if silent:
        words = f"not compared with another: {' and '.join(silent)} did not tell the time. {ASK_AGAIN}"
        return [worth_knowing("Clock", words)]
    return [good("Clock", "not compared with another: no service that tells the time is on")]


def services(settings: Settings) -> Iterator[tuple[str, str]]:
    """Services that tell the time with every answer, whatever they are asked."""
    if settings.stripe:
        yield "Stripe", root(settings.stripe.api_base or "https://api.stripe.com")
    if settings.discord:
        yield "Discord", root(settings.discord.api_base or "https://discord.com")
    if settings.slack:
        yield "Slack", root(settings.slack.api_url)


def root(address: str) -> str:
    """The first page of the server at an address."""
    return urljoin(address, "/")


async def time_at(address: str) -> datetime | None:
    """What time it is there; None if that is not told."""
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=PATIENCE), trust_env=True) as session,
            session.get(address) as response,
        ):
            return parsedate_to_datetime(response.headers["Date"])
    except (ClientError, OSError, TimeoutError, KeyError, ValueError):
        return None


def compared(name: str, ahead: float) -> Finding:
    """What a difference in seconds means."""
    if abs(ahead) <= APART:
        return good("Clock", f"within {abs(ahead):.0f} s of {name}'s")
    way = "ahead of" if ahead > 0 else "behind"
    return wrong("Clock", f"{abs(ahead):.0f} s {way} {name}'s. Switch time synchronisation on.")


async def check_chat(settings: Settings, store: Store, tokens: Vault | None) -> list[Finding]:
    """Discord and Slack, as far as they are on."""
    if not (settings.discord or settings.slack):
        where = "in the playground alone" if settings.playground.on else "by nobody"
        steps = f"For Discord {STEPS['Discord']}; for Slack {STEPS['Slack']}."
        return [worth_knowing("Chat", f"the bot can be asked {where}. {steps}")]
    found = await asyncio.gather(of_discord(settings), of_slack(settings, store, tokens))
    return [finding for findings in found for finding in findings]


async def of_discord(settings: Settings) -> list[Finding]:
    """Discord, or how to switch it on."""
    if settings.discord is None:
        return [good("Discord", f"off; {STEPS['Discord']}")]
    from bot.discord import checkup  # noqa: PLC0415 - the SDK is for those who use it

    channels = channels_on(settings, Platform.DISCORD)
    found = await checkup.check_discord(settings.discord)
    if channels and not any(each.light is Light.RED for each in found):
        lost = await checkup.check_discord_channels(settings.discord, channels)
        found += about_channels("Discord", channels, lost)
    return found


async def of_slack(settings: Settings, store: Store, tokens: Vault | None) -> list[Finding]:
    """Slack, or how to switch it on."""
    if settings.slack is None:
        return [good("Slack", f"off; {STEPS['Slack']}")]
    from bot.slack import checkup  # noqa: PLC0415 - as above

    notes, problems = await checkup.check_slack(settings.slack, settings.server.app_url, store, tokens)
    found = [*(good("Slack", note) for note in notes), *(wrong("Slack", each) for each in problems)]
    if problems:
        return found
    channels = channels_on(settings, Platform.SLACK)
    if channels:
        lost = await checkup.check_slack_channels(settings.slack, channels, store, tokens)
        found += about_channels("Slack", channels, lost)
    return [good("Slack", "tokens and scopes are as the manifest wants them"), *found]


def channels_on(settings: Settings, platform: Platform) -> list[Channel]:
    """The channels of a platform that are told things."""
    told = dict.fromkeys((*settings.alerts.channels, *settings.report.channels))
    return [each for each in told if each.platform is platform]


async def check_mailbox(settings: Settings) -> list[Finding]:
    """Whether the mail server of the daily report takes us; no mail is sent."""
    if settings.mail is None:
        return [good("Mail", "off; set SMTP_URL, MAIL_FROM and MAIL_TO for the daily report")]
    from bot.mail import check_mail  # noqa: PLC0415 - for those who use it

    lost = await check_mail(settings.mail)
    taken = f"the server takes us; the daily report goes to {len(settings.mail.receivers)}"
    return [wrong("Mail", each) for each in lost] or [good("Mail", taken)]


def about_channels(area: str, channels: Sequence[Channel], lost: Sequence[str]) -> list[Finding]:
    """Which of them cannot be told anything, and how that is mended."""
    told = f"told what happens: {', '.join(map(str, channels))}"
    return [wrong(area, each) for each in lost] or [good(area, told)]


def about_operators(settings: Settings) -> Iterator[Finding]:
    """Who is told when something needs the operator, as far as that can be."""
    told: tuple[Person | Channel, ...] = (*settings.admins, *settings.alerts.channels)
    if not told:
        yield worth_knowing(
            "Operators",
            "nobody is told when something needs the operator. Set ADMIN_IDS; the log alone has it.",
        )
        return
    on = {
        Platform.DISCORD: settings.discord is not None,
        Platform.SLACK: settings.slack is not None,
        Platform.LOCAL: settings.playground.on,
    }
    if heard := [str(each) for each in told if on[each.platform]]:
        yield good("Operators", f"what needs you is told to {', '.join(heard)}")
    for each in told:
        if not on[each.platform]:
            where = "ADMIN_IDS" if isinstance(each, Person) else "[alerts] channels"
            words = f"{each} cannot be told anything. {SWITCHES[each.platform]}, or change {where}."
            yield worth_knowing("Operators", words)


SWITCHES = {
    Platform.DISCORD: "Switch discord on (DISCORD_TOKEN)",
    Platform.SLACK: "Switch slack on (SLACK_BOT_TOKEN)",
    Platform.LOCAL: "Switch the playground on (PLAYGROUND=1)",
}


def about_questions(settings: Settings) -> Iterator[Finding]:
    """Whether anything of a member's is kept at a limit."""
    if settings.prompt_keys:
        yield good("Questions", "what a limit stops is kept, sealed, and answered later")
    else:
        words = "what a limit stops is not kept, and is lost. Set PROMPT_KEY to keep it for a day."
        yield worth_knowing("Questions", words)
