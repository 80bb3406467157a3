"""Text on its way to and from Slack: no model can ping anybody, nothing a member writes is garbled."""

from __future__ import annotations

import re

LIVE = re.compile(r"<(?=!(?:channel|here|everyone|subteam\^)|@[UW][A-Z0-9]{4,}[|>]|#C[A-Z0-9]{4,}[|>])")
"""The beginning of what Slack turns into a ping or a channel link."""
WORD_JOINER = "\u2060"
LINK = re.compile(r"<(?P<url>(?:https?|mailto|tel):[^|>]+)(?:\|(?P<label>[^>]*))?>")
CHANNEL = re.compile(r"<#\w+\|(?P<name>[^>]*)>")
FALLBACK_LIMIT = 4_000
"""Longest `text` that chat.update takes (msg_too_long)."""


def harmless(text: str) -> str:
    """Markdown whose mentions are dead; one invisible character is added to each."""
    return LIVE.sub(f"<{WORD_JOINER}", text)


def escape(text: str) -> str:
    """Text in which nothing is markup (Slack's three control characters)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """What was typed, from what Slack sends for it."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def fallback(text: str) -> str:
    """What notifications and screen readers get for a Markdown text: its beginning, escaped, never empty."""
    whole = escape(text[: FALLBACK_LIMIT * 3 // 4])
    return (whole if len(whole) <= FALLBACK_LIMIT else escape(text[: FALLBACK_LIMIT // 6])) or "…"


def typed(text: str, bot: str) -> str:
    """What a member meant: without the mention of us, with links and channels as words."""
    without = re.sub(rf"<@{bot}(?:\|[^>]*)?>", " ", text, count=1)
    named = CHANNEL.sub(lambda found: f"#{found['name']}", without)
    return unescape(LINK.sub(_link, named)).strip()


def _link(found: re.Match[str]) -> str:
    url, label = found["url"], found["label"]
    if not label or label in url:
        return url.removeprefix("mailto:").removeprefix("tel:")
    return f"{label} ({url})"
