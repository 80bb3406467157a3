"""Which tier a subscription gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.catalogue import GRACE, RENEWAL_SLACK, access, more, still_running
from engine.domain import Interval, Micros, RefusalReason, Tier, TierName
from engine.facts import (
    AccessReason,
    Claims,
    CustomerId,
    Dispute,
    DisputeStage,
    Mode,
    PaymentStatus,
    Subscription,
    SubscriptionId,
)
from tests.engine.conftest import CATALOGUE, DEEP, FREE, PREMIUM, QUICK

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PREMIUM_SUB = Subscription(
    id=SubscriptionId("sub_1"),
    customer=CustomerId("cus_1"),
    mode=Mode.TEST,
    status=PaymentStatus.ACTIVE,
    tier=TierName.PREMIUM,
    price="price_1",
    interval=Interval.MONTH,
    quantity=1,
    created_at=NOW - timedelta(days=10),
    started_at=NOW - timedelta(days=10),
    period_end=NOW + timedelta(days=20),
    cancel_at=None,
)


def test_nobody_without_a_subscription_has_more_than_free() -> None:
    assert access([], NOW).tier is TierName.FREE
    assert access([], NOW).reason is AccessReason.NO_SUBSCRIPTION


def test_an_active_subscription_gives_its_tier() -> None:
    found = access([PREMIUM_SUB], NOW)
    assert (found.tier, found.reason) == (TierName.PREMIUM, AccessReason.ACTIVE)


def test_an_active_subscription_ends_a_while_after_a_renewal_nobody_heard_of() -> None:
    end = PREMIUM_SUB.period_end or NOW
    assert access([PREMIUM_SUB], end + RENEWAL_SLACK - timedelta(seconds=1)).tier is TierName.PREMIUM
    over = access([PREMIUM_SUB], end + RENEWAL_SLACK)
    assert (over.tier, over.reason) == (TierName.FREE, AccessReason.PERIOD_OVER)


def test_a_pending_cancellation_keeps_the_tier_until_its_date_and_no_longer() -> None:
    sub = replace(PREMIUM_SUB, cancel_at=NOW + timedelta(days=1))
    assert access([sub], NOW).until == sub.cancel_at
    assert access([sub], NOW + timedelta(days=1)).tier is TierName.FREE


def test_failed_payments_keep_the_tier_for_the_grace_and_no_longer() -> None:
    sub = replace(PREMIUM_SUB, status=PaymentStatus.PAST_DUE, past_due_since=NOW)
    assert access([sub], NOW + GRACE - timedelta(seconds=1)).reason is AccessReason.GRACE
    over = access([sub], NOW + GRACE)
    assert (over.tier, over.reason) == (TierName.FREE, AccessReason.GRACE_OVER)


def test_a_trial_gives_the_tier_until_it_ends() -> None:
    sub = replace(PREMIUM_SUB, status=PaymentStatus.TRIALING, trial_end=NOW + timedelta(days=7))
    assert access([sub], NOW).reason is AccessReason.TRIAL
    assert access([sub], NOW + timedelta(days=8)).tier is TierName.FREE


@pytest.mark.parametrize(
    "status",
    [
        PaymentStatus.UNPAID,
        PaymentStatus.PAUSED,
        PaymentStatus.CANCELED,
        PaymentStatus.INCOMPLETE,
        PaymentStatus.INCOMPLETE_EXPIRED,
        PaymentStatus.UNKNOWN,
    ],
)
def test_every_other_status_gives_free(status: PaymentStatus) -> None:
    assert access([replace(PREMIUM_SUB, status=status)], NOW).tier is TierName.FREE


def test_a_word_that_stripe_invents_is_unknown_and_gives_free() -> None:
    status = PaymentStatus.read("hibernating")
    assert access([replace(PREMIUM_SUB, status=status)], NOW).reason is AccessReason.UNKNOWN_STATUS


def test_collection_paused_as_void_gives_free_and_as_draft_keeps_the_tier() -> None:
    assert access([replace(PREMIUM_SUB, collection_paused="void")], NOW).tier is TierName.FREE
    assert access([replace(PREMIUM_SUB, collection_paused="keep_as_draft")], NOW).tier is TierName.PREMIUM


def test_a_product_that_is_not_ours_gives_free() -> None:
    assert access([replace(PREMIUM_SUB, tier=None)], NOW).reason is AccessReason.UNKNOWN_PRODUCT


def test_the_end_of_an_old_subscription_does_not_touch_a_newer_one() -> None:
    old = replace(PREMIUM_SUB, id=SubscriptionId("sub_0"), status=PaymentStatus.CANCELED)
    assert access([old, PREMIUM_SUB], NOW).tier is TierName.PREMIUM
    assert access([PREMIUM_SUB, old], NOW).tier is TierName.PREMIUM


def disputed(stage: DisputeStage) -> Claims:
    dispute = Dispute("dp_1", Mode.TEST, CustomerId("cus_1"), "ch_1", stage, Micros(8_990_000), NOW)
    return Claims((dispute,))


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        (DisputeStage.INQUIRY, AccessReason.ACTIVE),
        (DisputeStage.OPEN, AccessReason.DISPUTED),
        (DisputeStage.WON, AccessReason.ACTIVE),
        (DisputeStage.LOST, AccessReason.DISPUTE_LOST),
    ],
)
def test_an_open_or_lost_dispute_suspends_and_an_inquiry_does_not(
    stage: DisputeStage, reason: AccessReason
) -> None:
    found = access([PREMIUM_SUB], NOW, disputed(stage))
    assert found.reason is reason
    assert (found.tier is TierName.PREMIUM) == (reason is AccessReason.ACTIVE)
    assert disputed(stage).blocking == (reason is not AccessReason.ACTIVE)


def test_a_lost_dispute_beats_one_that_was_won() -> None:
    claims = Claims((*disputed(DisputeStage.WON).disputes, *disputed(DisputeStage.LOST).disputes))
    assert access([PREMIUM_SUB], NOW, claims).reason is AccessReason.DISPUTE_LOST


def test_a_revoked_invoice_ends_the_tier_that_it_paid_for_and_no_later_one() -> None:
    paid = replace(PREMIUM_SUB, latest_invoice="in_1")
    claims = Claims(revoked=frozenset({"in_1"}))
    assert access([paid], NOW, claims).reason is AccessReason.REFUNDED
    assert access([replace(paid, latest_invoice="in_2")], NOW, claims).tier is TierName.PREMIUM


def test_what_may_still_charge_counts_as_running() -> None:
    states = {status: bool(still_running([replace(PREMIUM_SUB, status=status)])) for status in PaymentStatus}
    assert {status for status, running in states.items() if not running} == {
        PaymentStatus.NONE,
        PaymentStatus.CANCELED,
        PaymentStatus.INCOMPLETE,
        PaymentStatus.INCOMPLETE_EXPIRED,
    }


subscriptions = st.builds(
    replace,
    st.just(PREMIUM_SUB),
    status=st.sampled_from(list(PaymentStatus)),
    tier=st.sampled_from([None, TierName.PREMIUM, TierName.TEAM, TierName.PRO]),
    created_at=st.integers(0, 100).map(lambda days: NOW - timedelta(days=days)),
    period_end=st.none() | st.integers(-30, 30).map(lambda days: NOW + timedelta(days=days)),
    cancel_at=st.none() | st.integers(-30, 30).map(lambda days: NOW + timedelta(days=days)),
    collection_paused=st.none() | st.sampled_from(["void", "keep_as_draft", "mark_uncollectible"]),
)


@given(st.lists(subscriptions, max_size=5, unique_by=lambda sub: sub.created_at), st.randoms())
def test_access_does_not_depend_on_the_order_of_the_list(subs: list[Subscription], random: object) -> None:
    shuffled = list(subs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert access(subs, NOW) == access(shuffled, NOW)


@given(st.lists(subscriptions, max_size=5))
def test_a_tier_always_has_a_subscription_behind_it_that_pays(subs: list[Subscription]) -> None:
    found = access(subs, NOW)
    if found.tier is not TierName.FREE:
        assert found.subscription is not None
        assert found.subscription.tier is found.tier
        assert found.payment_status in {PaymentStatus.ACTIVE, PaymentStatus.TRIALING, PaymentStatus.PAST_DUE}
        assert found.until is None or found.until > NOW


def test_the_offer_is_the_cheapest_tier_that_lifts_the_limit() -> None:
    offer = CATALOGUE.offer(FREE, RefusalReason.CONVERSATIONS)
    assert offer is not None
    assert offer.tier is TierName.PREMIUM
    assert CATALOGUE.offer(PREMIUM, RefusalReason.CONVERSATIONS) is None
    locked = CATALOGUE.offer(FREE, RefusalReason.MODEL_LOCKED, DEEP)
    assert locked is not None
    assert locked.tier is TierName.PREMIUM


UNCOUNTED = replace(PREMIUM, cost_ceiling_month=None)


@pytest.mark.parametrize(
    "tier",
    [
        FREE,
        replace(FREE, cost_ceiling_month=None),
        replace(FREE, cost_ceiling_month=None, price_month=Micros(1)),
        PREMIUM,
        replace(UNCOUNTED, price_month=Micros(0), price_year=Micros(0)),
        replace(UNCOUNTED, cost_stop_month=Micros(9_000_000)),
    ],
)
def test_a_model_without_a_price_is_not_for_who_pays_nothing_nor_where_a_ceiling_would_count_it(
    tier: Tier,
) -> None:
    assert not CATALOGUE.allows(tier, replace(QUICK, price=None))
    assert CATALOGUE.allows(tier, QUICK)


def test_a_model_without_a_price_is_for_those_who_pay_where_nothing_has_to_count_its_cost() -> None:
    for tier in (UNCOUNTED, replace(UNCOUNTED, price_month=Micros(0))):
        assert CATALOGUE.allows(tier, replace(QUICK, price=None))


def test_no_limit_is_more_than_any_limit() -> None:
    assert more(None, 3)
    assert more(4, 3)
    assert not more(3, 3)
    assert not more(3, None)
