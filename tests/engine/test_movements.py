"""Movements of revenue sum to it, in every currency."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

from engine.applying import reconsider
from engine.facts import CustomerRecord, Mode, PaymentStatus, Subscription, SubscriptionId
from engine.figures import Movement, MovementKind
from engine.ledger import Tx
from engine.terms import Policy
from storage.store import Store
from tests.engine.conftest import ALICE
from tests.engine.test_catalogue import NOW, PREMIUM_SUB

DOLLARS = replace(PREMIUM_SUB, mrr=Fraction(9))
EUROS = replace(PREMIUM_SUB, id=SubscriptionId("sub_eur"), mrr=Fraction(8), currency="eur")
ENDED = replace(EUROS, status=PaymentStatus.CANCELED, mrr=Fraction(8))


async def moved(store: Store, *states: Subscription) -> list[Movement]:
    """The movements of an account whose only subscription is each of these in turn."""

    def work(tx: Tx) -> list[Movement]:
        account, mode = tx.lock_account(ALICE, NOW), Mode(DOLLARS.mode)
        tx.save_customer(CustomerRecord(account.id, mode, DOLLARS.customer, 0))
        for state in states:
            tx.replace_subscriptions(account.id, mode, [state], NOW)
            reconsider(tx, account, mode, NOW, Policy())
        return list(tx.account_movements(account.id, mode))

    return await store.transact(work)


def sums(movements: list[Movement]) -> dict[str, Fraction]:
    """What each currency comes to."""
    found: defaultdict[str, Fraction] = defaultdict(Fraction)
    for each in movements:
        found[each.currency] += each.delta
    return dict(found)


async def test_another_currency_takes_the_whole_revenue_out_of_the_first(store: Store) -> None:
    movements = await moved(store, DOLLARS, EUROS)
    assert sums(movements) == {"usd": 0, "eur": 8}
    assert [each.kind for each in movements] == [
        MovementKind.NEW,
        MovementKind.CHURN,
        MovementKind.REACTIVATION,
    ]
    assert movements[1].voluntary


async def test_revenue_ends_in_the_currency_that_it_was_in(store: Store) -> None:
    assert sums(await moved(store, DOLLARS, ENDED)) == {"usd": 0}
