"""What falls due by the clock, done one thing after the other, each at its own moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.fakes.stripe import bills, checkout, lifecycle, schedules
from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import World

_DAY = 86_400
_INCOMPLETE_SECONDS = 23 * 3600
_RESTING = lifecycle.ENDED | {"paused", "incomplete"}

Due = tuple[int, int, Callable[[], object]]
"""The moment in Unix seconds, the order among things of one moment, and what to do."""


def catch_up(world: World) -> None:
    """Do all that became due, with the fake's clock standing at the moment of each."""
    goal, held = world.now(), world.offset
    try:
        while True:
            nearest = min(_all(world), key=lambda due: due[:2], default=None)
            if nearest is None or nearest[0] > goal:
                return
            world.offset = held - (goal - nearest[0])
            nearest[2]()
    finally:
        world.offset = held


def _all(world: World) -> Iterator[Due]:
    for session in world.tables["checkout.session"].values():
        if session["status"] == "open":
            yield session["expires_at"], 9, _expiry(world, session)
    for invoice in world.tables["invoice"].values():
        yield from _of_invoice(world, invoice)
    for subscription in world.tables["subscription"].values():
        if subscription["status"] not in lifecycle.ENDED:
            yield from _of_subscription(world, subscription)


def _expiry(world: World, session: Json) -> Callable[[], object]:
    return lambda: checkout.expire(world, session)


def _of_invoice(world: World, invoice: Json) -> Iterator[Due]:
    finalizes = invoice["automatically_finalizes_at"]
    if invoice["status"] == "draft" and finalizes is not None:
        yield finalizes, 5, lambda: lifecycle.collect(world, invoice)
    tries = invoice["next_payment_attempt"]
    if invoice["status"] == "open" and tries is not None:
        yield tries, 6, lambda: lifecycle.retry(world, invoice)


def _of_subscription(world: World, subscription: Json) -> Iterator[Due]:
    yield from _of_trial(world, subscription)
    if subscription["cancel_at"] is not None:
        yield subscription["cancel_at"], 1, lambda: _cancel(world, subscription)
    phase_end = schedules.phase_end(world, subscription)
    if phase_end is not None:
        yield phase_end, 2, lambda: schedules.advance(world, subscription)
    if subscription["status"] == "incomplete":
        expiry = subscription["created"] + _INCOMPLETE_SECONDS
        yield expiry, 3, lambda: _expire_incomplete(world, subscription)
    if subscription["pending_update"]:
        expiry = subscription["pending_update"]["expires_at"]
        yield expiry, 3, lambda: _expire_update(world, subscription)
    resumes = (subscription["pause_collection"] or {}).get("resumes_at")
    if resumes is not None:
        yield resumes, 3, lambda: _resume_collection(world, subscription)
    if subscription["status"] not in _RESTING:
        yield lifecycle.renews_at(subscription), 4, lambda: lifecycle.renew(world, subscription)


def _of_trial(world: World, subscription: Json) -> Iterator[Due]:
    end = subscription["trial_end"]
    key = (subscription["id"], end or 0)
    if subscription["status"] == "trialing" and end is not None and key not in world.reminded:
        moment = max(subscription["trial_start"], end - 3 * _DAY)
        yield moment, 0, lambda: _remind(world, subscription, key)


def _remind(world: World, subscription: Json, key: tuple[str, int]) -> None:
    world.reminded.add(key)
    world.emit("customer.subscription.trial_will_end", subscription)


def _cancel(world: World, subscription: Json) -> None:
    """End at the moment that was asked for; what was used until then is billed."""
    lifecycle.bill_usage(world, subscription)
    lifecycle.cancel(world, subscription)


def _expire_incomplete(world: World, subscription: Json) -> None:
    for invoice in bills.open_ones(world, subscription):
        bills.void(world, invoice)
    subscription |= {"status": "incomplete_expired", "ended_at": world.now()}
    lifecycle.updated(world, subscription)


def _expire_update(world: World, subscription: Json) -> None:
    invoice = lifecycle.drop_proposal(world, subscription)
    if invoice is not None:
        bills.void(world, invoice)
    world.emit("customer.subscription.pending_update_expired", subscription)
    lifecycle.updated(world, subscription)


def _resume_collection(world: World, subscription: Json) -> None:
    subscription["pause_collection"] = None
    lifecycle.updated(world, subscription)
