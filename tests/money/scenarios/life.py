"""A life in which all is asked of Stripe that the product can ask, and what the books say of it then."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import astuple
from datetime import timedelta
from decimal import Decimal

from pydantic import SecretStr

from billing.gateway import StripeGateway
from engine.catalogue import Catalogue
from engine.changes import Changes, Confirmed, Proposed
from engine.checkout import Checkout
from engine.domain import AccountId, Interval, Micros, Person, TierName
from engine.facts import Mode, Subscription
from engine.ledger import Tx
from engine.metering import Meter, MeteringStatus
from engine.reports import Reports, last_days
from engine.settings import StripeSettings
from engine.terms import ChangeKind, ChangeState, Policy, UsageEvent
from tests.bot.counter import TIERS
from tests.engine.conftest import ALICE, BOB
from tests.fakes.stripe import SECRET
from tests.money.conftest import LINKS, QUICK, Till, open_till
from tests.money.scenarios.people import account, buys, customer, member, night_falls

CAROL = member("carol")
CATALOGUE = Catalogue(TIERS, ())
POLICY = Policy(trial_days=3, promotion_codes=True, metered_markup=Decimal("1.25"))
SECONDS = re.compile(r":\d\d:\d\d")
"""Minutes and seconds, which depend on whose turn it was first."""
Story = dict[str, list[tuple[str, ...]]]


@asynccontextmanager
async def open_shop(till: Till) -> AsyncIterator[Till]:
    """A process beside the till, with seats, trials, codes and metered use."""
    settings = StripeSettings(SecretStr("sk_test_fake"), till.stripe.base_url, (SecretStr(SECRET),), {})
    gateway = StripeGateway(settings, TIERS, till.clock, POLICY, patience=QUICK)
    shop = open_till(till.store, till.clock, till.stripe, POLICY, gateway)
    shop.alter = Changes(till.store, till.clock, gateway, CATALOGUE, shop.subscriptions, shop.dispatch.flush)
    shop.checkout = Checkout(till.store, till.clock, gateway, CATALOGUE, shop.subscriptions, LINKS, POLICY)
    shop.meter = Meter(till.store, till.clock, gateway, CATALOGUE, shop.subscriptions, POLICY)
    try:
        yield shop
    finally:
        await gateway.aclose()


async def live(shop: Till) -> None:
    """Three members come, change their minds and go; whatever fails, fails for one of them."""
    shop.stripe.prices |= shop.stripe.drive.stock({}, usage_cents="0.125")
    await shop.gateway.verify_stripe_config()
    await alice_grows_and_shrinks(shop)
    await bob_pays_late_and_quarrels(shop)
    await carol_buys_twice(shop)
    await night_falls(shop)
    await shop.pass_time(timedelta(days=40))
    await night_falls(shop)


async def alice_grows_and_shrinks(shop: Till) -> None:
    """A trial, a year, pro with metered use, and back to premium at the end."""
    drive = shop.stripe.drive
    drive.promotion_code(drive.coupon("forever", percent_off=10)["id"], "TENTH")
    await shop.checkout.upgrade(ALICE, TierName.PRO, Interval.YEAR)
    await buys(shop, ALICE, code="TENTH")
    await shop.checkout.portal(ALICE)
    await shop.pass_time(timedelta(days=3, minutes=2))
    await changes(shop, ALICE, ChangeKind.SWITCH, TierName.PRO)
    assert isinstance(await shop.meter.agree(ALICE, Micros(20_000_000)), MeteringStatus)
    await uses(shop, ALICE, 5_000_000)
    await shop.pass_time(timedelta(hours=2))
    await changes(shop, ALICE, ChangeKind.CANCEL)
    await changes(shop, ALICE, ChangeKind.RESUME)
    await changes(shop, ALICE, ChangeKind.SWITCH, TierName.PREMIUM)
    await changes(shop, ALICE, ChangeKind.RESUME)
    await changes(shop, ALICE, ChangeKind.SWITCH, TierName.PREMIUM)
    await shop.pass_time(timedelta(days=32))


async def bob_pays_late_and_quarrels(shop: Till) -> None:
    """Seats, a renewal that fails and recovers, a refund of a part and a dispute that is lost."""
    drive = shop.stripe.drive
    name = await buys(shop, BOB, TierName.TEAM)
    await shop.pass_time(timedelta(days=4))
    await changes(shop, BOB, ChangeKind.SEATS, quantity=8)
    await changes(shop, BOB, ChangeKind.SEATS, quantity=6)
    drive.fail_renewal(name)
    await shop.pass_time(timedelta(days=4))
    drive.recover(name)
    await shop.settle()
    charge = drive.charge_of(name)
    drive.refund(charge["id"], 500)
    await shop.settle()
    drive.close_dispute(drive.dispute(charge["id"])["id"], "lost")
    await shop.settle()


async def carol_buys_twice(shop: Till) -> None:
    """A second subscription that is given back, a customer that is deleted, and another purchase."""
    drive = shop.stripe.drive
    await buys(shop, CAROL)
    await shop.pass_time(timedelta(days=4))
    shop.clock.advance(timedelta(minutes=1))
    drive.add_subscription(await customer(shop, CAROL), shop.stripe.prices["premium_monthly_v1"])
    await shop.settle()
    drive.delete_customer(await customer(shop, CAROL))
    await shop.settle()
    await buys(shop, CAROL, TierName.PRO, Interval.YEAR)
    drive.refund(drive.charge_of(shop.stripe.world.rows("subscription")[0]["id"])["id"])
    await shop.settle()


async def changes(
    shop: Till, person: Person, kind: ChangeKind, tier: TierName | None = None, quantity: int | None = None
) -> None:
    """Have a change shown, confirm it, and let its news arrive."""
    found = await shop.alter.propose(person, kind, tier, quantity=quantity)
    assert isinstance(found, Proposed), found
    done = await shop.alter.confirm(person, found.proposal.id)
    assert isinstance(done, Confirmed)
    assert done.result.state in {ChangeState.DONE, ChangeState.PLANNED}
    await shop.settle()


async def uses(shop: Till, person: Person, cost: int) -> None:
    """Vendor cost beyond what the tier includes, as the settlement of a turn writes it down."""
    name, now = await account(shop, person), shop.clock.now()
    event = UsageEvent(f"turn-{now.isoformat()}", name, Mode.TEST, Micros(cost), now)
    await shop.store.transact(lambda tx: tx.add_usage(event))


async def story(shop: Till) -> Story:
    """What the books hold, without the names that chance gave."""
    told: Story = {}
    for person in (ALICE, BOB, CAROL):
        name = await account(shop, person)
        told[person.user] = await shop.store.read(lambda tx, name=name: chapter(tx, name))  # type: ignore[misc]
    reports = Reports(shop.store, shop.clock, CATALOGUE, Mode.TEST, POLICY.metered_markup)
    stats = await reports.get_subscription_stats(*last_days(400, shop.clock.now()))
    compared = await shop.reconcile.compare()
    depth = await shop.store.read(lambda tx: tx.queue_depth(shop.clock.now()))
    letters = await shop.store.read(lambda tx: list(tx.dead_letters(Mode.TEST)))
    told["figures"] = [
        *(tuple(map(str, astuple(each))) for each in stats.revenues),
        *(tuple(map(str, astuple(each))) for each in stats.funnel),
        tuple(map(str, astuple(stats.churn))),
        (str(dict(stats.tiers)), str(stats.disputed), str(stats.past_due), str(stats.usage_revenue)),
    ]
    told["rest"] = [(str(depth), str(letters), str(compared.differences), str(compared.compared))]
    return told


def chapter(tx: Tx, owner: AccountId) -> list[tuple[str, ...]]:
    """What the books hold of one account."""
    lines = [
        *(("change", each.before, each.after, each.reason, str(each.at)) for each in tx.tier_changes(owner)),
        *sorted(
            ("notice", str(each.created_at), each.kind, each.tier, str(each.until))
            for each in tx.notices(owner)
        ),
        *(
            ("moved", each.kind, str(each.delta), str(each.after), str(each.voluntary), str(each.at))
            for each in tx.account_movements(owner, Mode.TEST)
        ),
        *sorted(facts(each) for each in tx.subscriptions(owner, Mode.TEST)),
    ]
    return [tuple(SECONDS.sub("", str(word)) for word in line) for line in lines]


def facts(sub: Subscription) -> tuple[str, ...]:
    """A subscription without its ids."""
    return (
        *("subscription", sub.status, str(sub.tier), str(sub.interval), str(sub.quantity), str(sub.mrr)),
        *(str(sub.created_at), str(sub.period_end), str(sub.cancel_at), str(sub.planned), str(sub.ended_at)),
    )
