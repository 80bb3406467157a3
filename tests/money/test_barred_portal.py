"""Whoever is blocked can leave in Stripe's portal, and buy nothing there."""

from __future__ import annotations

import aiohttp
import pytest

from billing.catalogue_setup import carry_out, plan
from billing.client import StripeCaller
from billing.wanted import wanted
from engine.alerts import AlertKind
from engine.audit import Actor, Origin
from engine.catalogue import Catalogue
from engine.checkout import Blocked, PortalLink
from engine.domain import Interval, TierName
from engine.facts import Mode
from engine.halting import Halting
from tests.billing.conftest import QUICK, TIERS
from tests.engine.conftest import ALICE
from tests.fakes.stripe.wire import StripeError
from tests.money.conftest import USUAL, Till
from tests.money.test_tidings import told

ADA = Actor("console:ada", Origin.CONSOLE)


def halting(till: Till) -> Halting:
    """What an operator blocks with."""
    return Halting(till.store, till.clock, Catalogue(TIERS, ()), Mode.TEST)


async def opened(till: Till) -> str:
    """The id of a fresh portal session of Alice's."""
    link = await till.checkout.portal(ALICE)
    assert isinstance(link, PortalLink)
    return link.url.rpartition("/")[2]


@pytest.fixture
async def selling(till: Till) -> str:
    """An account that is set up, in which Alice has Premium; the price of Pro."""
    caller = StripeCaller("sk_test_fake", till.stripe.base_url, QUICK)
    needed = wanted(TIERS, USUAL, "http://127.0.0.1", {}, Mode.TEST)
    outcome = await carry_out(caller, await plan(caller, needed))
    await caller.close()
    assert outcome.error is None
    await till.paid()
    return till.stripe.prices["pro_monthly_v1"]


async def test_a_member_switches_plans_in_the_portal_and_a_blocked_one_does_not(
    till: Till, selling: str
) -> None:
    await halting(till).block(ADA, ALICE)
    session = await opened(till)
    with pytest.raises(StripeError, match="configuration is disabled"):
        till.stripe.drive.switch_in_portal(session, selling)
    await halting(till).unblock(ADA, ALICE)
    till.stripe.drive.switch_in_portal(await opened(till), selling)
    await till.settle()
    assert await till.tier() is TierName.PRO


async def test_whoever_disputes_a_payment_switches_no_plan_either(till: Till, selling: str) -> None:
    charge = till.stripe.drive.charge_of(till.stripe.world.rows("subscription")[0]["id"])
    till.stripe.drive.dispute(charge["id"])
    await till.settle()
    with pytest.raises(StripeError, match="disabled"):
        till.stripe.drive.switch_in_portal(await opened(till), selling)


async def test_what_a_blocked_member_changes_on_a_page_that_was_open_gives_nothing_and_is_told(
    till: Till, selling: str
) -> None:
    session = await opened(till)
    await halting(till).block(ADA, ALICE)
    await told(till)
    till.stripe.drive.switch_in_portal(session, selling)
    await till.settle()
    ((kind, words),) = await told(till)
    assert (kind, "pays more" in words) == (AlertKind.BLOCKED_PAYS, True)
    refused = await till.checkout.upgrade(ALICE, TierName.TEAM, Interval.MONTH)
    assert isinstance(refused, Blocked)


@pytest.mark.usefixtures("selling")
async def test_a_cancellation_that_a_blocked_member_takes_back_is_told_as_what_they_go_on_paying(
    till: Till,
) -> None:
    sub = till.stripe.world.rows("subscription")[0]["id"]
    await told(till)
    found = []
    for bar in (halting(till).unblock, halting(till).block):
        await bar(ADA, ALICE)
        till.stripe.drive.cancel_subscription(sub, at_period_end=True)
        await till.settle()
        till.stripe.drive.resume_subscription(sub)
        await till.settle()
        found.append(await told(till))
    ended, (again, pays) = found
    assert [kind for kind, _ in ended] == [AlertKind.CANCEL_SCHEDULED]
    assert again[0] is AlertKind.CANCEL_SCHEDULED
    words = "TEST MODE: premium, 8.99 USD a month, took the cancellation back"
    assert pays == (AlertKind.BLOCKED_PAYS, words)


@pytest.mark.usefixtures("selling")
async def test_a_blocked_member_cancels_in_the_portal(till: Till) -> None:
    await halting(till).block(ADA, ALICE)
    session = await opened(till)
    async with aiohttp.ClientSession() as browser:
        page = f"{till.stripe.base_url}/p/session/{session}"
        async with browser.get(page) as shown:
            text = await shown.text()
        assert ("Cancel plan" in text, "Update plan" in text) == (True, False)
        async with browser.post(f"{page}/cancel", allow_redirects=False) as done:
            assert done.status == 303
    await till.settle()
    (sub,) = await till.facts()
    assert sub.cancel_at
