"""When a change takes effect: at once for more, when the paid period ends for less."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.orders import is_as_wished, swap
from billing.snapshots import Findings, at, subscription
from billing.timing import timing_of
from engine.domain import Interval, TierName
from engine.facts import CustomerId, Mode, PaymentStatus, Subscription, SubscriptionId
from engine.terms import ChangeKind, Timing, Wish
from tests.billing.conftest import TIERS
from tests.fakes.clock import NOON

MONTH, YEAR = Interval.MONTH, Interval.YEAR
PREMIUM, TEAM, PRO = TierName.PREMIUM, TierName.TEAM, TierName.PRO


def held(tier: TierName, interval: Interval = MONTH, quantity: int = 1) -> Subscription:
    return Subscription(
        id=SubscriptionId("sub_1"),
        customer=CustomerId("cus_1"),
        mode=Mode.TEST,
        status=PaymentStatus.ACTIVE,
        tier=tier,
        price="price_1",
        interval=interval,
        quantity=quantity,
        created_at=NOON,
        started_at=NOON,
        period_end=NOON,
        cancel_at=None,
    )


@pytest.mark.parametrize(
    ("before", "after", "timing"),
    [
        ((PREMIUM, MONTH, 1), (PRO, MONTH, 1), Timing.NOW),
        ((PREMIUM, YEAR, 1), (PRO, MONTH, 1), Timing.NOW),
        ((PREMIUM, MONTH, 1), (PREMIUM, YEAR, 1), Timing.NOW),
        ((TEAM, MONTH, 7), (TEAM, YEAR, 5), Timing.NOW),
        ((TEAM, MONTH, 5), (TEAM, MONTH, 6), Timing.NOW),
        ((PRO, MONTH, 1), (PREMIUM, MONTH, 1), Timing.PERIOD_END),
        ((PRO, MONTH, 1), (PREMIUM, YEAR, 1), Timing.PERIOD_END),
        ((PREMIUM, YEAR, 1), (PREMIUM, MONTH, 1), Timing.PERIOD_END),
        ((TEAM, YEAR, 5), (TEAM, MONTH, 9), Timing.PERIOD_END),
        ((TEAM, MONTH, 6), (TEAM, MONTH, 5), Timing.PERIOD_END),
    ],
)
def test_a_switch_is_timed_by_what_it_gives(
    before: tuple[TierName, Interval, int], after: tuple[TierName, Interval, int], timing: Timing
) -> None:
    assert timing_of(held(*before), Wish(ChangeKind.SWITCH, *after), TIERS) is timing


purchases = st.tuples(
    st.sampled_from([PREMIUM, TEAM, PRO]), st.sampled_from(list(Interval)), st.integers(1, 9)
)


@given(before=purchases, after=purchases)
def test_of_a_change_and_its_reverse_at_most_one_is_at_once(
    before: tuple[TierName, Interval, int], after: tuple[TierName, Interval, int]
) -> None:
    there = timing_of(held(*before), Wish(ChangeKind.SWITCH, *after), TIERS)
    back = timing_of(held(*after), Wish(ChangeKind.SWITCH, *before), TIERS)
    assert [there, back].count(Timing.NOW) <= 1
    assert before == after or Timing.NOW in {there, back}


@pytest.mark.parametrize(
    ("kind", "quantity", "timing"),
    [
        (ChangeKind.SEATS, 6, Timing.NOW),
        (ChangeKind.SEATS, 5, Timing.PERIOD_END),
        (ChangeKind.SEATS, 4, Timing.PERIOD_END),
        (ChangeKind.CANCEL, 5, Timing.PERIOD_END),
        (ChangeKind.RESUME, 5, Timing.NOW),
        (ChangeKind.METER, 1, Timing.NOW),
        (ChangeKind.METER, 0, Timing.NOW),
    ],
)
def test_other_changes_are_timed_by_their_kind(kind: ChangeKind, quantity: int, timing: Timing) -> None:
    assert timing_of(held(TEAM, MONTH, 5), Wish(kind, TEAM, MONTH, quantity), TIERS) is timing


def test_a_tier_that_is_no_longer_described_ranks_below_all_others() -> None:
    known = {name: tier for name, tier in TIERS.items() if name is not PRO}
    assert timing_of(held(PRO), Wish(ChangeKind.SWITCH, PREMIUM, MONTH, 1), known) is Timing.NOW
    foreign = replace(held(PRO), tier=None)
    assert timing_of(foreign, Wish(ChangeKind.SWITCH, PREMIUM, MONTH, 1), known) is Timing.NOW


def test_a_wish_is_fulfilled_by_what_it_is_about() -> None:
    plain = held(PRO)
    metered = replace(plain, metered_item="si_2")
    assert is_as_wished(metered, Wish(ChangeKind.METER, PRO, MONTH, 1), 1)
    assert not is_as_wished(metered, Wish(ChangeKind.METER, PRO, MONTH, 0), 1)
    assert is_as_wished(replace(plain, cancel_at=NOON), Wish(ChangeKind.CANCEL, PRO, MONTH, 1), 1)
    assert not is_as_wished(replace(plain, schedule="sub_sched_1"), Wish(ChangeKind.RESUME, PRO, MONTH, 1), 1)
    assert not is_as_wished(held(TEAM, MONTH, 5), Wish(ChangeKind.SEATS, TEAM, MONTH, 6), 6)


def test_a_swap_sends_the_quantity_and_leaves_metered_use_with_its_tier() -> None:
    metered = replace(held(PRO), item="si_1", metered_item="si_2")
    swapped = {"id": "si_1", "price": "price_2", "quantity": 5}
    assert swap(metered, "price_2", 5, keeps_meter=True) == [swapped]
    assert swap(metered, "price_2", 5, keeps_meter=False) == [swapped, {"id": "si_2", "deleted": True}]
    assert swap(replace(metered, metered_item=None), "price_2", 5, keeps_meter=False) == [swapped]


def test_the_early_end_of_mixed_intervals_is_what_cancelling_at_period_end_means() -> None:
    recurring = {"interval": "month", "interval_count": 1}
    price = {"id": "price_1", "recurring": recurring}
    items = [{"id": f"si_{end}", "price": price, "current_period_end": end} for end in (2_000, 1_000)]
    fields = {"id": "sub_1", "customer": "cus_1", "status": "active", "created": 1, "start_date": 1}
    pending = fields | {"items": {"data": items}, "cancel_at_period_end": True, "cancel_at": None}
    seen = subscription(pending, Mode.TEST, Findings(tiers=[PRO, PRO], mrr=Fraction(0)))
    assert (seen.cancel_at, seen.period_end) == (at(1_000), at(2_000))
