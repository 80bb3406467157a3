"""What became of a gift code, as words."""

from __future__ import annotations

from bot.render import day, title
from bot.reply import Reply
from bot.words import say
from engine.gifts import Redeemed, Unredeemed


def redeemed(found: Redeemed | Unredeemed) -> Reply:
    """Until when the tier is the member's and from when on, or why the code gave nothing."""
    if isinstance(found, Unredeemed):
        return Reply(say(f"gift-{found}"))
    grant, until = found.grant, found.access.until
    tier = f"**{title(grant.tier)}**"
    if grant.since > grant.made_at and (found.access.tier is not grant.tier or until is None):
        return Reply(say("redeem-later", tier=tier, since=day(grant.since), day=day(grant.until)))
    return Reply(say("redeem-done", tier=tier, day=day(grant.until)))
