"""How long a failing payment leaves the tier, when Stripe names no invoice for it."""

from __future__ import annotations

from datetime import timedelta

from engine.domain import TierName
from engine.notices import NoticeKind
from tests.fakes.stripe import bills
from tests.money.conftest import Till


async def test_a_grace_is_over_although_stripe_expects_the_money_no_more(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.fail_renewal(subscription)
    await till.settle()
    await till.pass_time(timedelta(days=10))
    for invoice in till.stripe.world.rows("invoice"):
        if invoice["status"] == "open":
            bills.give_up(till.stripe.world, invoice)
    await till.settle()
    (facts,) = await till.facts()
    await till.pass_time(timedelta(days=5))
    assert facts.status == "past_due"
    assert await till.tier() is TierName.FREE
    assert (await till.reconcile.compare()).differences == ()


async def test_a_grace_without_an_invoice_begins_once(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.set_status(subscription, "past_due")
    await till.settle()
    await till.pass_time(timedelta(days=10))
    till.stripe.drive.set_status(subscription, "past_due")
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    await till.pass_time(timedelta(days=4))
    assert await till.tier() is TierName.FREE
    assert [each.kind for each in await till.notices()] == [NoticeKind.ACTIVATED, NoticeKind.ENDED]
