"""The operator's figures of what a fake Stripe really sold."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from bot.console.report import plain
from engine.catalogue import Catalogue
from engine.checkout import CheckoutLink
from engine.domain import Interval, Person, Platform, TierName
from engine.facts import Mode
from engine.figures import FunnelStep, MovementKind
from engine.reports import Reports, Revenue, SubscriptionStats, last_days
from engine.terms import Policy
from tests.billing.conftest import TIERS
from tests.money.conftest import Till

CATALOGUE = Catalogue(TIERS, ())


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Policy:
    """With promotion codes, and trials where a test asks for them."""
    days = 7 if "trial" in request.node.name else 0
    return Policy(promotion_codes=True, trial_days=days)


async def figures(till: Till) -> SubscriptionStats:
    """Those of the last 40 days, in test mode."""
    reports = Reports(till.store, till.clock, CATALOGUE, Mode.TEST)
    return await reports.get_subscription_stats(*last_days(40, till.clock.now()))


async def revenue(till: Till) -> Revenue:
    """In US dollars."""
    stats = await figures(till)
    return next(each for each in stats.revenues if each.currency == "usd")


async def buys(
    till: Till, name: str, tier: TierName, interval: Interval = Interval.MONTH, code: str | None = None
) -> None:
    """Have a member of that name buy a tier."""
    person = Person(Platform.LOCAL, "", name)
    link = await till.checkout.upgrade(person, tier, interval)
    assert isinstance(link, CheckoutLink)
    till.stripe.drive.pay(till.session(), code)
    await till.settle()


async def test_yearly_prices_bring_a_twelfth_a_month_rounded_once(till: Till) -> None:
    await buys(till, "alice", TierName.PREMIUM, Interval.YEAR)
    assert plain((await revenue(till)).mrr) == "7.42"
    await buys(till, "bob", TierName.PRO, Interval.YEAR)
    await buys(till, "carol", TierName.TEAM, Interval.YEAR)
    found = await revenue(till)
    assert found.mrr == Fraction((89 + 499 + 299) * 1_000_000, 12)
    assert plain(found.mrr) == "73.92"
    assert found.unrecorded == 0


async def test_a_coupon_for_one_payment_takes_nothing_off_and_a_lasting_one_does(till: Till) -> None:
    drive = till.stripe.drive
    drive.promotion_code(drive.coupon("once", percent_off=50)["id"], "ONCE")
    drive.promotion_code(drive.coupon("forever", percent_off=50)["id"], "HALF")
    await buys(till, "alice", TierName.PREMIUM, code="ONCE")
    assert (await revenue(till)).mrr == 8_990_000
    await buys(till, "bob", TierName.PREMIUM, code="HALF")
    assert (await revenue(till)).mrr == 8_990_000 + 4_495_000


async def test_a_trial_is_pipeline_until_its_first_payment(till: Till) -> None:
    await buys(till, "alice", TierName.PREMIUM)
    before = await revenue(till)
    assert [int(each) for each in (before.mrr, before.pipeline)] == [0, 8_990_000]
    await till.pass_time(timedelta(days=7, minutes=1))
    after = await revenue(till)
    assert [int(each) for each in (after.mrr, after.pipeline)] == [8_990_000, 0]
    assert next(each.count for each in after.movements if each.kind is MovementKind.NEW) == 1


async def test_a_purchase_is_seen_in_the_funnel_up_to_its_renewal(till: Till) -> None:
    await buys(till, "alice", TierName.PREMIUM)
    await till.pass_time(timedelta(days=32))
    steps = {row.step: row.accounts for row in (await figures(till)).funnel}
    bought = (FunnelStep.CHECKOUT_OPENED, FunnelStep.CHECKOUT_COMPLETED, FunnelStep.ACTIVATED)
    assert [steps[each] for each in (*bought, FunnelStep.RENEWED)] == [1, 1, 1, 1]


async def test_a_cancelled_subscription_is_churn_by_choice_and_a_failed_one_is_not(till: Till) -> None:
    for name in ("alice", "bob"):
        await buys(till, name, TierName.PREMIUM)
    bobs, alices = (row["id"] for row in till.stripe.world.rows("subscription"))
    since = till.clock.now()
    till.stripe.drive.cancel_subscription(alices)
    await till.settle()
    till.stripe.drive.fail_renewal(bobs)
    await till.settle()
    assert (await revenue(till)).at_risk == 8_990_000
    till.stripe.drive.give_up(bobs)
    await till.settle()
    reports = Reports(till.store, till.clock, CATALOGUE, Mode.TEST)
    churn = (await reports.get_subscription_stats(since, till.clock.now())).churn
    assert (churn.opening, churn.voluntary, churn.involuntary) == (2, 1, 1)
