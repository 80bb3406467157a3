"""Disputes and refunds, whether their events arrive, come with the hourly look, or are lost for good.

Shown elsewhere: nothing is sold or changed while a payment is disputed and an inquiry is in nobody's way
(tests/engine/test_changes.py), the stages of a dispute (tests/engine/test_catalogue.py), and how the gateway
reads and ends (tests/billing/test_gateway_money_back.py).
"""

from __future__ import annotations

import logging
from datetime import timedelta
from enum import StrEnum

import pytest

from engine.audit import Actor, Origin
from engine.checkout import Blocked, CheckoutLink
from engine.domain import Interval, TierName
from engine.facts import AccessReason
from engine.figures import MovementKind
from engine.notices import NoticeKind
from engine.terms import FullRefund, Policy
from tests.engine.conftest import ALICE
from tests.fakes.stripe.wire import Json
from tests.money.conftest import Till
from tests.money.scenarios.people import an_hour_passes, buys, movements, night_falls, notices, subscription

SHELL = Actor("console:root", Origin.CONSOLE)


class News(StrEnum):
    """How we come to know."""

    TOLD = "told"
    HOURLY = "hourly"
    """No event arrived, and Stripe still has them."""
    NIGHTLY = "nightly"
    """No event arrived, and Stripe has forgotten them all."""


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Policy:
    """Refunds end what they paid for, unless a test is about keeping it."""
    keeps = "keep" in request.node.name
    return Policy(full_refund=FullRefund.KEEP if keeps else FullRefund.END)


async def comes(till: Till, news: News) -> None:
    """What happened becomes known."""
    if news is News.NIGHTLY:
        till.stripe.world.tables["event"].clear()
        await night_falls(till)
    if news is News.HOURLY:
        await an_hour_passes(till)
    await till.settle()


async def paid(till: Till, news: News = News.TOLD) -> tuple[str, Json]:
    """Alice's subscription and the charge that paid it."""
    name = await buys(till, ALICE)
    if news is not News.TOLD:
        await till.regular_looks()
        till.stripe.courier.stop()
    return name, till.stripe.drive.charge_of(name)


async def kinds(till: Till) -> list[NoticeKind]:
    """What Alice was told since her tier was activated."""
    return [each.kind for each in await notices(till, ALICE)][1:]


@pytest.mark.parametrize("news", list(News))
async def test_a_dispute_suspends_and_winning_it_restores(till: Till, news: News) -> None:
    name, charge = await paid(till, news)
    dispute = till.stripe.drive.dispute(charge["id"])
    await comes(till, news)
    assert (await till.subscriptions.access(ALICE)).reason is AccessReason.DISPUTED
    assert isinstance(await till.checkout.upgrade(ALICE, TierName.PRO, Interval.MONTH), Blocked)
    till.stripe.drive.close_dispute(dispute["id"], "won")
    await comes(till, news)
    assert await till.tier() is TierName.PREMIUM
    assert await kinds(till) == [NoticeKind.DISPUTED, NoticeKind.ACTIVATED]
    moved = await movements(till, ALICE)
    assert [each.kind for each in moved][1:] == [MovementKind.CHURN, MovementKind.REACTIVATION]
    assert not moved[1].voluntary
    assert subscription(till, name)["status"] == "active"


@pytest.mark.parametrize("news", [News.TOLD, News.NIGHTLY])
async def test_a_lost_dispute_ends_the_subscription_and_sells_nothing_until_it_is_forgiven(
    till: Till, news: News
) -> None:
    name, charge = await paid(till, news)
    dispute = till.stripe.drive.dispute(charge["id"])
    till.stripe.drive.close_dispute(dispute["id"], "lost")
    await comes(till, news)
    assert await till.tier() is TierName.FREE
    assert subscription(till, name)["status"] == "canceled"
    assert till.stripe.world.rows("refund") == []
    assert isinstance(await till.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH), Blocked)
    await till.subscriptions.forgive(ALICE, SHELL)
    assert isinstance(await till.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH), CheckoutLink)


async def test_an_inquiry_is_told_to_the_operator_alone_until_it_becomes_a_dispute(
    till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    _, charge = await paid(till)
    inquiry = till.stripe.drive.inquiry(charge["id"])
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    told = [each for each in caplog.records if each.levelno == logging.ERROR and each.message == "dispute"]
    assert len(told) == 1
    assert await kinds(till) == []
    till.stripe.drive.change_dispute(inquiry["id"], "needs_response")
    await till.settle()
    assert (await till.subscriptions.access(ALICE)).reason is AccessReason.DISPUTED


@pytest.mark.parametrize("news", list(News))
async def test_a_full_refund_ends_what_it_had_paid_for(till: Till, news: News) -> None:
    name, charge = await paid(till)
    till.stripe.drive.refund(charge["id"])
    await comes(till, news)
    assert await till.tier() is TierName.FREE
    assert subscription(till, name)["status"] == "canceled"
    assert await kinds(till) == [NoticeKind.REFUNDED]
    assert isinstance(await till.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH), CheckoutLink)


@pytest.mark.parametrize("news", [News.TOLD, News.NIGHTLY])
async def test_where_members_keep_what_was_refunded_they_are_told_and_go_on(till: Till, news: News) -> None:
    name, charge = await paid(till, news)
    till.stripe.drive.refund(charge["id"])
    await comes(till, news)
    assert await till.tier() is TierName.PREMIUM
    assert subscription(till, name)["status"] == "active"
    assert await kinds(till) == [NoticeKind.REFUNDED]
    assert len(await movements(till, ALICE)) == 1


async def test_what_is_refunded_in_parts_ends_with_the_last_part(till: Till) -> None:
    _, charge = await paid(till)
    till.stripe.drive.refund(charge["id"], 400)
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    till.stripe.drive.refund(charge["id"], 499)
    await till.settle()
    assert await till.tier() is TierName.FREE
    assert await kinds(till) == [NoticeKind.REFUNDED, NoticeKind.REFUNDED]


async def test_refunding_an_earlier_period_leaves_the_present_one(till: Till) -> None:
    name, charge = await paid(till)
    await till.pass_time(timedelta(days=32))
    assert till.stripe.drive.charge_of(name)["id"] != charge["id"]
    till.stripe.drive.refund(charge["id"])
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    assert subscription(till, name)["status"] == "active"


async def test_a_warning_of_fraud_is_told_to_the_operator_and_changes_nothing(
    till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    _, charge = await paid(till)
    till.stripe.drive.warn_of_fraud(charge["id"])
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    assert [each.message for each in caplog.records if each.levelno == logging.ERROR] == ["Stripe complains"]


async def test_a_dispute_told_many_times_in_any_order_is_one_dispute(till: Till) -> None:
    _, charge = await paid(till)
    till.stripe.courier.hold()
    dispute = till.stripe.drive.dispute(charge["id"])
    till.stripe.drive.change_dispute(dispute["id"], "under_review")
    till.stripe.drive.close_dispute(dispute["id"], "won")
    till.stripe.courier.release(shuffle=True, copies=3)
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    assert await kinds(till) == []
