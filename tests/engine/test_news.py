"""What the payer is told because of facts and time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.catalogue import GRACE, access
from engine.domain import Interval, TierName
from engine.facts import Access, AccessReason, PaymentStatus, Planned, Subscription
from engine.news import Word, changes, next_moment, standing_words, tier_kind
from engine.notices import NoticeKind
from tests.engine.test_catalogue import NOW, PREMIUM_SUB

DAY = timedelta(days=1)
FAILING = replace(
    PREMIUM_SUB,
    status=PaymentStatus.PAST_DUE,
    past_due_since=NOW,
    open_invoice="in_1",
    created_at=NOW - 40 * DAY,
)
TRYING = replace(PREMIUM_SUB, status=PaymentStatus.TRIALING, trial_end=NOW + 10 * DAY)


def kinds(words: Iterable[Word]) -> list[NoticeKind]:
    return [word.kind for word in words]


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        (0, NoticeKind.PAYMENT_FAILED),
        (2, NoticeKind.PAYMENT_FAILED),
        (3, NoticeKind.PAYMENT_REMINDER),
        (7, NoticeKind.PAYMENT_REMINDER),
        (13, NoticeKind.PAYMENT_LAST_CALL),
    ],
)
def test_a_failed_payment_is_told_at_once_after_three_and_seven_days_and_on_the_last(
    days: int, kind: NoticeKind
) -> None:
    [word] = standing_words(FAILING, NOW + days * DAY)
    assert (word.kind, word.until) == (kind, NOW + GRACE)


def test_the_reminders_of_one_invoice_are_four_different_ones() -> None:
    told = {word.key for days in range(15) for word in standing_words(FAILING, NOW + days * DAY)}
    assert len(told) == 4


def test_the_next_invoice_that_fails_is_told_anew() -> None:
    [first] = standing_words(FAILING, NOW)
    [second] = standing_words(replace(FAILING, open_invoice="in_2"), NOW)
    assert first.key != second.key


def test_nothing_is_said_of_a_payment_once_grace_is_over() -> None:
    assert standing_words(FAILING, NOW + GRACE) == ()


def test_a_trial_is_told_in_its_last_three_days() -> None:
    assert standing_words(TRYING, NOW + 6 * DAY) == []
    assert kinds(standing_words(TRYING, NOW + 7 * DAY)) == [NoticeKind.TRIAL_ENDING]


def test_a_card_is_told_when_the_next_payment_would_meet_it_expired() -> None:
    fine = replace(PREMIUM_SUB, card_expires=NOW + 21 * DAY)
    bad = replace(PREMIUM_SUB, card_expires=NOW + 19 * DAY)
    assert standing_words(fine, NOW) == []
    assert kinds(standing_words(bad, NOW)) == [NoticeKind.CARD_EXPIRING]
    assert standing_words(replace(bad, cancel_at=bad.period_end), NOW) == []


def test_a_yearly_payer_is_not_told_of_the_card_months_before() -> None:
    yearly = replace(PREMIUM_SUB, period_end=NOW + 300 * DAY, card_expires=NOW + 100 * DAY)
    assert standing_words(yearly, NOW + 69 * DAY) == []
    assert kinds(standing_words(yearly, NOW + 70 * DAY)) == [NoticeKind.CARD_EXPIRING]


def test_a_renewal_is_told_and_so_is_a_payment_that_came_after_all() -> None:
    on = replace(PREMIUM_SUB, period_end=NOW + 50 * DAY)
    assert kinds(changes(PREMIUM_SUB, on, NOW)) == [NoticeKind.RENEWED]
    assert kinds(changes(FAILING, replace(FAILING, status=PaymentStatus.ACTIVE), NOW)) == [NoticeKind.RENEWED]


def test_a_renewal_is_told_once_its_invoice_is_paid_and_not_before() -> None:
    begun = replace(PREMIUM_SUB, period_end=NOW + 50 * DAY, invoice_paid=False)
    paid = replace(begun, invoice_paid=True)
    assert kinds(changes(PREMIUM_SUB, begun, NOW)) == []
    assert kinds(changes(begun, paid, NOW)) == [NoticeKind.RENEWED]
    assert kinds(changes(paid, paid, NOW)) == []


def test_nothing_is_said_of_a_card_whose_payment_was_given_back() -> None:
    refunded = replace(PREMIUM_SUB, card_expires=NOW + 19 * DAY, latest_invoice="in_1")
    assert standing_words(refunded, NOW, frozenset({"in_1"})) == ()


def test_a_new_price_and_the_end_of_a_trial_are_no_renewal() -> None:
    on = replace(PREMIUM_SUB, period_end=NOW + 365 * DAY, interval=Interval.YEAR, price="price_2")
    assert kinds(changes(PREMIUM_SUB, on, NOW)) == []
    assert kinds(changes(TRYING, replace(PREMIUM_SUB, period_end=NOW + 50 * DAY), NOW)) == []


def test_a_cancellation_its_taking_back_and_a_planned_change_are_told() -> None:
    ending = replace(PREMIUM_SUB, cancel_at=NOW + 20 * DAY)
    planned = replace(PREMIUM_SUB, planned=Planned(TierName.PREMIUM, Interval.MONTH, 1, NOW + 20 * DAY))
    assert kinds(changes(PREMIUM_SUB, ending, NOW)) == [NoticeKind.CANCEL_PENDING]
    assert kinds(changes(ending, PREMIUM_SUB, NOW)) == [NoticeKind.RESUMED]
    assert kinds(changes(PREMIUM_SUB, planned, NOW)) == [NoticeKind.CHANGE_PLANNED]
    assert kinds(changes(planned, PREMIUM_SUB, NOW)) == [NoticeKind.RESUMED]


@pytest.mark.parametrize(
    ("before", "after", "reason", "kind"),
    [
        (TierName.FREE, TierName.PREMIUM, AccessReason.ACTIVE, NoticeKind.ACTIVATED),
        (TierName.PREMIUM, TierName.PRO, AccessReason.ACTIVE, NoticeKind.CHANGED),
        (TierName.PREMIUM, TierName.FREE, AccessReason.ENDED, NoticeKind.ENDED),
        (TierName.PREMIUM, TierName.FREE, AccessReason.REFUNDED, NoticeKind.REFUNDED),
        (TierName.PREMIUM, TierName.FREE, AccessReason.DISPUTED, NoticeKind.DISPUTED),
    ],
)
def test_the_end_of_a_tier_is_told_by_its_cause(
    before: TierName, after: TierName, reason: AccessReason, kind: NoticeKind
) -> None:
    assert tier_kind(before, Access(after, reason)) is kind


def days(low: int, high: int) -> st.SearchStrategy[datetime]:
    return st.integers(low * 24, high * 24).map(lambda hours: NOW + timedelta(hours=hours))


lives = st.builds(
    replace,
    st.just(replace(PREMIUM_SUB, created_at=NOW - 100 * DAY, open_invoice="in_1")),
    status=st.sampled_from([PaymentStatus.ACTIVE, PaymentStatus.TRIALING, PaymentStatus.PAST_DUE]),
    period_end=st.none() | days(-5, 40),
    cancel_at=st.none() | days(-5, 40),
    trial_end=st.none() | days(-5, 40),
    past_due_since=st.none() | days(-20, 5),
    card_expires=st.none() | days(-5, 80),
)


@given(lives, st.integers(0, 60 * 24))
def test_nothing_changes_before_the_next_moment(sub: Subscription, hours: int) -> None:
    now = NOW + timedelta(hours=hours)
    ahead = next_moment([sub], now)
    last = ahead - timedelta(microseconds=1) if ahead else now + 1000 * DAY
    assert access([sub], now).reason is access([sub], last).reason
    assert standing_words(sub, now) == standing_words(sub, last)
