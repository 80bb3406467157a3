"""What a checkout sells: trials once, seats, promotion codes and tax as the policy says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from engine.catalogue import Catalogue
from engine.changes import Confirmed, Proposed
from engine.checkout import CheckoutLink
from engine.domain import Interval, TierName
from engine.terms import ChangeKind, Policy
from tests.bot.counter import TIERS, open_counter
from tests.engine.conftest import ALICE
from tests.money.conftest import Till
from tests.money.conftest import till as till  # noqa: PLC0414 - a fixture


@pytest.fixture
def policy() -> Policy:
    """Everything is switched on."""
    return Policy(trial_days=14, promotion_codes=True, automatic_tax=True)


def newest(till: Till, kind: str) -> Mapping[str, Any]:
    """The newest object of a kind at Stripe."""
    return till.stripe.world.rows(kind)[0]


async def test_the_switches_of_the_policy_reach_the_session(till: Till) -> None:
    link = await till.buy()
    session = newest(till, "checkout.session")
    assert session["allow_promotion_codes"] is True
    assert session["automatic_tax"]["enabled"] is True
    assert link.trial_days == 14


async def test_a_trial_is_given_once_whatever_is_bought_next(till: Till) -> None:
    await till.paid()
    assert newest(till, "subscription")["status"] == "trialing"
    till.stripe.drive.cancel_subscription(newest(till, "subscription")["id"])
    await till.settle()
    link = await till.buy(TierName.PRO)
    assert link.trial_days == 0
    till.stripe.drive.pay(till.session())
    assert newest(till, "subscription")["status"] == "active"


async def test_a_trial_that_no_news_told_of_is_no_second_one(till: Till) -> None:
    await till.buy()
    till.stripe.drive.pay(till.session())
    till.stripe.drive.cancel_subscription(newest(till, "subscription")["id"])
    assert (await till.buy()).trial_days == 0


async def test_a_trial_is_remembered_although_its_customer_was_deleted_unread(till: Till) -> None:
    await till.buy()
    till.stripe.drive.pay(till.session())
    till.stripe.drive.delete_customer(newest(till, "customer")["id"])
    assert (await till.buy()).trial_days == 0


async def test_a_team_is_sold_with_the_seats_it_includes(till: Till) -> None:
    counter = open_counter(till.store, till.clock, till.gateway, Catalogue(TIERS, ()))
    assert isinstance(await counter.checkout.upgrade(ALICE, TierName.TEAM, Interval.MONTH), CheckoutLink)
    till.stripe.drive.pay(till.session())
    assert newest(till, "subscription")["items"]["data"][0]["quantity"] == 5
    more = await counter.changes.propose(ALICE, ChangeKind.SEATS, quantity=7)
    assert isinstance(more, Proposed)
    assert more.proposal.preview.recurring == 39_990_000
    outcome = await counter.changes.confirm(ALICE, more.proposal.id)
    assert isinstance(outcome, Confirmed)
    assert outcome.shown
    assert newest(till, "subscription")["items"]["data"][0]["quantity"] == 7
