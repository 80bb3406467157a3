"""The parts of the product: what is on, what is off, and how to switch it on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bot.console.words import models_note
from engine.settings import Settings


class Switch(NamedTuple):
    """One part: its name, whether it is on, a word about it, and a page of ours that it has."""

    name: str
    on: bool
    note: str
    link: str | None


def switches(settings: Settings) -> Iterator[Switch]:
    """Every part as the settings have it."""
    address = settings.server.app_url
    oauth = settings.slack.oauth if settings.slack else None
    parts = (
        ("Playground", settings.playground.on, f"{address}/playground", "set PLAYGROUND=1 to serve it"),
        ("Discord", bool(settings.discord), "", "set DISCORD_TOKEN; docs/discord.md has the steps"),
        (
            "Slack",
            bool(settings.slack),
            f"workspaces install it at {oauth.install_url}" if oauth else "",
            "set SLACK_BOT_TOKEN and SLACK_APP_TOKEN; see docs/slack.md",
        ),
        ("Models", bool(settings.models), models_note(settings), "no model has its key; see config.toml"),
        ("Stripe", bool(settings.stripe), "", "payments are SIMULATED; see docs/billing.md for real ones"),
    )
    links = {"Playground": "/playground", "Slack": "/slack/install" if oauth else None}
    for name, on, yes, no in parts:
        yield Switch(name, on, yes if on else no, links.get(name) if on else None)
