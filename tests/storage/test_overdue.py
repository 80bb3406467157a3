"""Which customers have to be read again because of the time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.facts import CustomerId, Mode, PaymentStatus, Subscription
from engine.ledger import Tx
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account, subscription

CUSTOMER = CustomerId("cus_1")
HOUR = 60 * MINUTE
QUIET = replace(
    subscription(), status=PaymentStatus.ACTIVE, trial_end=NOON - MINUTE, period_end=NOON + 99 * HOUR
)
"""Read at noon, it has nothing to come for days."""
LATE = replace(QUIET, status=PaymentStatus.PAST_DUE)


def keep(tx: Tx, *subscriptions: Subscription) -> None:
    """Store what was read of Ann at noon."""
    tx.replace_subscriptions(account(tx), Mode.TEST, subscriptions, NOON)


@pytest.mark.parametrize(
    ("sub", "minutes", "overdue"),
    [
        (QUIET, 60, []),
        (replace(QUIET, period_end=None, trial_end=None), 60, []),
        (replace(QUIET, period_end=NOON + HOUR), 59, []),
        (replace(QUIET, period_end=NOON + HOUR), 60, [CUSTOMER]),
        (replace(QUIET, period_end=NOON), 10, [CUSTOMER]),
        (replace(QUIET, period_end=NOON - MINUTE), 60, []),
        (replace(QUIET, trial_end=NOON + HOUR), 60, [CUSTOMER]),
        (LATE, 9, []),
        (LATE, 10, [CUSTOMER]),
    ],
)
async def test_a_customer_is_overdue_by_an_end_since_the_reading_or_a_late_payment(
    store: Store, sub: Subscription, minutes: int, overdue: list[CustomerId]
) -> None:
    def work(tx: Tx) -> list[CustomerId]:
        keep(tx, sub)
        return list(tx.overdue_customers(Mode.TEST, NOON + minutes * MINUTE, 9))

    assert await store.transact(work) == overdue


async def test_an_overdue_customer_that_waits_to_be_read_or_was_given_up_is_left_alone(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        keep(tx, LATE)
        later, seen = NOON + HOUR, []
        seen.append(len(tx.overdue_customers(Mode.TEST, later, 9)))
        tx.mark_dirty(Mode.TEST, CUSTOMER, later + HOUR)
        seen.append(len(tx.overdue_customers(Mode.TEST, later, 9)))
        (dirty,) = tx.claim_dirty(Mode.TEST, later, later + MINUTE, "token", 1, CUSTOMER)
        tx.give_up_sync(dirty, "no use")
        seen.append(len(tx.overdue_customers(Mode.TEST, later, 9)))
        (dirty,) = tx.claim_dirty(Mode.TEST, later, later + MINUTE, "token", 1, CUSTOMER)
        tx.finish_sync(dirty)
        return [*seen, len(tx.overdue_customers(Mode.TEST, later, 9))]

    assert await store.transact(work) == [1, 0, 0, 1]


async def test_overdue_customers_come_once_each_longest_unread_first_and_only_of_the_mode(
    store: Store,
) -> None:
    def work(tx: Tx) -> list[list[CustomerId]]:
        keep(tx, LATE, replace(LATE, id=subscription("sub_2").id))
        other = replace(LATE, id=subscription("sub_3").id, customer=CustomerId("cus_0"))
        tx.replace_subscriptions(account(tx, BEN), Mode.TEST, [other], NOON + MINUTE)
        live = replace(LATE, mode=Mode.LIVE, customer=CustomerId("cus_live"))
        tx.replace_subscriptions(account(tx, ANN), Mode.LIVE, [live], NOON)
        return [list(tx.overdue_customers(Mode.TEST, NOON + HOUR, limit)) for limit in (9, 1)]

    assert await store.transact(work) == [[CUSTOMER, CustomerId("cus_0")], [CUSTOMER]]
