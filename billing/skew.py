"""How far our clock is from Stripe's."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from billing.client import StripeCaller
from billing.rights import READ, Right, rightly
from engine.ports import Clock

WORTH_MENDING_SECONDS = 60.0


async def skew_of(caller: StripeCaller, clock: Clock) -> str | None:
    """What to mend if our clock and the `Date` of Stripe's answers are more than a minute apart."""
    asked = caller.call(lambda: caller.sdk.v1.prices.list_async({"limit": 1}))
    listed = await rightly(Right.PRICES, READ, asked)
    now, answer = clock.now(), listed.last_response
    date = answer.headers.get("Date") if answer else None
    if not date:
        return None
    ahead = (now - parsedate_to_datetime(date)).total_seconds()
    if abs(ahead) <= WORTH_MENDING_SECONDS:
        return None
    way = "ahead of" if ahead > 0 else "behind"
    return (
        f"This machine's clock is {abs(ahead):.0f} s {way} Stripe's; from 300 s on, webhooks are refused. "
        "Switch time synchronisation on."
    )
