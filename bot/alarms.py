"""What an operator is told unasked, as words: what happened, what it means, and how to mend it."""

from __future__ import annotations

from bot.render import moment
from bot.reply import Reply
from bot.words import say
from engine.alerts import Alert, AlertKind, Bulletin, digest

LONGEST_DETAIL = 600
IN_FULL = 10
"""Alerts that a message tells in full."""
MODERATION = "moderation"


def bulletin(told: Bulletin) -> Reply:
    """Several alerts as one message: the first ones of each kind in full, and how many more there are."""
    said = digest(told.alerts, IN_FULL)
    more = [say("alert-more", n, kind=kind.value) for kind, n in said.more]
    return Reply("\n\n".join([*map(paragraph, said.full), *more]))


def paragraph(alert: Alert) -> str:
    """One alert; its detail may be a vendor's words, so it stands as code, where nothing in it counts."""
    alarm = key_of(alert)
    words = f"{say(alarm, subject=plain(alert.subject))} ({moment(alert.at)})"
    if alert.link:
        words = f"{words} [{say('alert-look')}]({alert.link})"
    return f"{words}\n```\n{plain(alert.detail)}\n```" if alert.detail.strip() else words


def key_of(alert: Alert) -> str:
    """The key of its words: a vendor that refuses means something else about moderation."""
    if alert.kind is AlertKind.VENDOR_BROKEN and alert.subject == MODERATION:
        return "moderation-broken"
    return f"alert-{alert.kind}"


def plain(text: str) -> str:
    """Text that cannot leave the code it stands in."""
    text = text.strip().replace("`", "'")
    return text if len(text) <= LONGEST_DETAIL else f"{text[:LONGEST_DETAIL]} ..."
