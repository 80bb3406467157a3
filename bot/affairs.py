"""Commands and buttons about money: buying, changing, cancelling, and use beyond a tier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot import deals, metered, presents, proposals
from bot.commands import BY_NAME
from bot.reply import Reply
from bot.words import say
from engine.catalogue import Wares
from engine.changes import Changes, Flush, Proposed
from engine.checkout import Checkout, Links
from engine.domain import Interval, Micros, Person, TierName
from engine.gifts import Gifts
from engine.giving import Giving
from engine.metering import Meter
from engine.overage import MeterOffer
from engine.ports import Billing, Clock, Store
from engine.settings import Settings
from engine.subscriptions import Subscriptions
from engine.terms import ChangeKind, ProposalId
from engine.wishes import MOST_SEATS, Obstacle

LEFT_TO_CHECKOUT = frozenset(
    {
        Obstacle.NOTHING_RUNNING,
        Obstacle.UNKNOWN_PRODUCT,
        Obstacle.PAYMENT_FAILING,
        Obstacle.SUSPENDED,
        Obstacle.DISPUTED,
        Obstacle.NOT_FOR_SALE,
    }
)
"""What is not changed here: the checkout sells, leads to the portal, or says why not."""
LARGEST_CAP = 100_000
"""USD a month."""


@dataclass(frozen=True, slots=True)
class Affairs:
    """What members do about money. OutsideErrors are for the caller to put into words."""

    wares: Wares
    checkout: Checkout
    changes: Changes
    meter: Meter
    giving: Giving
    gifts: Gifts

    async def redeem(self, person: Person, code: str) -> Reply:
        """What became of a gift code."""
        return presents.redeemed(await self.gifts.redeem(person, code))

    async def press(self, person: Person, name: str, rest: str) -> Reply | None:
        """The reply to a button of this room; None for one that is none of its own."""
        match name:
            case "upgrade":
                tier, _, interval = rest.partition(":")
                return await self.buy(person, tier, interval or None)
            case "confirm":
                return proposals.confirmed(await self.changes.confirm(person, ProposalId(rest)))
            case "decline":
                return await self._decline(person, rest)
            case "seats" | "cancel" | "resume" | "billing":
                return await self.run(person, name, {"count": rest} if rest else {})
            case "overage":
                switch, _, cap = rest.partition(":")
                return await self._meter_pressed(person, switch, cap)
        return None

    async def run(self, person: Person, name: str, options: Mapping[str, str]) -> Reply:
        """The reply to a command of this room."""
        match name:
            case "seats":
                return await self._seats(person, options.get("count", ""))
            case "cancel":
                return await self._change(person, ChangeKind.CANCEL)
            case "resume":
                return await self._change(person, ChangeKind.RESUME)
            case "overage":
                return await self._overage(person, options.get("switch"), options.get("cap"))
        return deals.portal(await self.checkout.portal(person))

    async def buy(self, person: Person, tier: str, interval: str | None) -> Reply:
        """A change of the running subscription to confirm, or the link to buy one."""
        if tier not in set(TierName) or interval not in {None, *Interval}:
            return Reply(say("unknown-tier"))
        wanted, paid = TierName(tier), Interval(interval) if interval else None
        await self.checkout.chosen(person, wanted)
        found = await self.changes.propose(person, ChangeKind.SWITCH, wanted, paid)
        if isinstance(found, Proposed):
            return proposals.proposed(found)
        if found.obstacle not in LEFT_TO_CHECKOUT:
            return proposals.refused(found, self.wares.today.tier(found.access.tier))
        return deals.checkout(await self.checkout.upgrade(person, wanted, paid or Interval.MONTH))

    async def _change(self, person: Person, kind: ChangeKind, quantity: int | None = None) -> Reply:
        found = await self.changes.propose(person, kind, quantity=quantity)
        if isinstance(found, Proposed):
            return proposals.proposed(found)
        return proposals.refused(found, self.wares.today.tier(found.access.tier))

    async def _seats(self, person: Person, count: str) -> Reply:
        if not count.isdecimal():
            return Reply(say("seats-how-many", usage=BY_NAME["seats"].usage))
        return await self._change(person, ChangeKind.SEATS, min(int(count), MOST_SEATS + 1))

    async def _decline(self, person: Person, proposal: str) -> Reply:
        if proposal:
            await self.changes.decline(person, ProposalId(proposal))
        return Reply(say("declined"))

    async def _overage(self, person: Person, switch: str | None, cap: str | None) -> Reply:
        if switch == "off":
            return metered.stopped(await self.meter.stop(person))
        status = await self.meter.status(person)
        if status is None or (switch is None and cap is None):
            return metered.standing(status)
        most = micros(cap) if cap else status.cap
        if not most or most > LARGEST_CAP * 1_000_000:
            return Reply(say("overage-cap-needed"))
        return metered.terms(status, most) if status.offer is MeterOffer.OFFERED else metered.standing(status)

    async def _meter_pressed(self, person: Person, switch: str, cap: str) -> Reply:
        if switch == "on" and cap.isdecimal() and 0 < int(cap) <= LARGEST_CAP * 1_000_000:
            return metered.agreed(await self.meter.agree(person, Micros(int(cap))))
        return await self._overage(person, switch if switch == "off" else None, None)


def micros(dollars: str) -> Micros:
    """An amount in USD, with cents behind a point, as micro-dollars."""
    return Micros(int(Decimal(dollars) * 1_000_000))


def open_affairs(
    settings: Settings,
    store: Store,
    clock: Clock,
    billing: Billing,
    wares: Wares,
    subscriptions: Subscriptions,
    flush: Flush,
) -> Affairs:
    """All of it; `flush` as for `Changes`."""
    links = Links(settings.returns.success, settings.returns.cancel, settings.server.app_url)
    return Affairs(
        wares,
        Checkout(store, clock, billing, wares, subscriptions, links, settings.billing),
        Changes(store, clock, billing, wares, subscriptions, flush),
        Meter(store, clock, billing, wares, subscriptions, settings.billing),
        Giving(store, clock, wares, subscriptions),
        Gifts(store, clock, wares, subscriptions),
    )
