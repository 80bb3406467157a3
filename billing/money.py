"""What keeps facts about money true, put together over a till."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from billing.till import Till
from engine.dispatch import Dispatch
from engine.duties import Duties
from engine.ports import Clock, Store
from engine.reconcile import Reconcile
from engine.subscriptions import Subscriptions
from engine.terms import Policy


@dataclass(frozen=True, slots=True)
class Money:
    """Subscriptions and all that keeps them true."""

    subscriptions: Subscriptions
    duties: Duties
    dispatch: Dispatch
    reconcile: Reconcile


def open_money(policy: Policy, store: Store, clock: Clock, till: Till, ring: Callable[[], None]) -> Money:
    """All of it; `ring` is called when there is work to do at once."""
    billing = till.billing
    subscriptions = Subscriptions(store, clock, billing, ring, policy=policy)
    duties = Duties(store, clock, billing, policy, ring)
    dispatch = Dispatch(store, clock, billing)
    reconcile = Reconcile(
        store, clock, till.records, subscriptions, duties, (dispatch.differences,), (dispatch.mend,)
    )
    return Money(subscriptions, duties, dispatch, reconcile)
