"""What Discord says of its rate limits with every answer, for those who pace our writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import SimpleNamespace

from aiohttp import ClientSession, TraceConfig, TraceRequestEndParams

from bot.pacing import Pacing

MESSAGES = re.compile(r"/channels/(?P<channel>\d+)/messages")
INTERACTION = re.compile(r"/(?:webhooks|interactions)/\d+/(?P<token>[^/]+)")
RATE_LIMITED = 429


def channel_clock(channel: int | str) -> str:
    """What the pacing of a channel's messages is known by."""
    return f"discord:{channel}"


def interaction_clock(token: str) -> str:
    """What the pacing of an interaction's messages is known by: Discord counts them by its token."""
    return f"discord:interaction:{token}"


def listening(messages: Pacing, interactions: Pacing) -> TraceConfig:
    """What discord.Client takes as `http_trace`, so that the pacings learn what Discord really takes.

    https://docs.discord.com/developers/topics/rate-limits#header-format
    """

    async def ended(_session: ClientSession, _context: SimpleNamespace, found: TraceRequestEndParams) -> None:
        path, response = found.url.path, found.response
        if place := MESSAGES.search(path):
            clock = channel_clock(place["channel"])
            learn(messages, clock, found.method == "POST", response.status, response.headers)
        elif place := INTERACTION.search(path):
            clock = interaction_clock(place["token"])
            learn(interactions, clock, found.method == "POST", response.status, response.headers)
        elif response.status == RATE_LIMITED and everywhere(response.headers):
            messages.refused_everywhere(seconds(response.headers, "Retry-After") or 1.0)

    trace = TraceConfig()
    trace.on_request_end.append(ended)
    return trace


def learn(pacing: Pacing, clock: str, posts: bool, status: int, headers: Mapping[str, str]) -> None:  # noqa: FBT001
    """Hand one answer's facts on."""
    wait = seconds(headers, "X-RateLimit-Reset-After")
    if status == RATE_LIMITED and everywhere(headers):
        pacing.refused_everywhere(seconds(headers, "Retry-After") or 1.0)
    elif status == RATE_LIMITED:
        pacing.refused(clock, wait or seconds(headers, "Retry-After"))
    elif wait is not None and headers.get("X-RateLimit-Remaining", "").isdecimal():
        pacing.learned(clock, int(headers["X-RateLimit-Remaining"]), wait, posts=posts)


def everywhere(headers: Mapping[str, str]) -> bool:
    """Whether a refusal is about all requests of the bot."""
    return "X-RateLimit-Global" in headers or headers.get("X-RateLimit-Scope") == "global"


def seconds(headers: Mapping[str, str], name: str) -> float | None:
    """A header's number of seconds; None without one."""
    text = headers.get(name, "")
    return float(text) if re.fullmatch(r"\d+(?:\.\d+)?", text) else None
