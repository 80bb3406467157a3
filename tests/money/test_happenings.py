"""What members come to, from the checkout to the end of what they bought."""

from __future__ import annotations

from datetime import timedelta

from engine.domain import TierName
from engine.facts import AccessReason, Mode
from engine.happenings import Happening, HappeningKind
from tests.fakes.clock import NOON
from tests.money.conftest import Till

YEAR = timedelta(days=365)


async def happenings(till: Till) -> list[Happening]:
    return list(await till.store.read(lambda tx: tx.happenings(NOON - YEAR, NOON + YEAR, 0, 100)))


async def kinds(till: Till) -> list[HappeningKind]:
    """What has happened since this was asked before."""
    found = [each.kind for each in await happenings(till)]
    later = till.clock.now() + timedelta(seconds=1)
    await till.store.transact(lambda tx: tx.forget_events(later, 999))
    return found


async def test_a_subscription_is_followed_from_its_checkout_to_its_end(till: Till) -> None:
    sub = await till.paid()
    bought = [HappeningKind.CHECKOUT_OPENED, HappeningKind.CHECKOUT_COMPLETED, HappeningKind.ACTIVATED]
    assert {each.tier for each in await happenings(till)} == {TierName.PREMIUM}
    assert {each.mode for each in await happenings(till)} == {Mode.TEST}
    assert await kinds(till) == bought
    for _ in range(2):
        await till.pass_time(timedelta(days=32))
    assert await kinds(till) == [HappeningKind.RENEWED] * 2
    till.stripe.drive.cancel_subscription(sub, at_period_end=True)
    await till.settle()
    till.stripe.drive.resume_subscription(sub)
    await till.settle()
    assert await kinds(till) == [HappeningKind.CANCELLED, HappeningKind.RESUMED]
    till.stripe.drive.cancel_subscription(sub)
    await till.settle()
    (end,) = await happenings(till)
    assert (end.kind, end.tier, end.reason) == (HappeningKind.ENDED, TierName.PREMIUM, AccessReason.ENDED)


async def test_a_checkout_that_is_asked_for_twice_was_opened_once(till: Till) -> None:
    await till.buy()
    await till.buy()
    assert await kinds(till) == [HappeningKind.CHECKOUT_OPENED]


async def test_events_that_come_again_make_nothing_happen_again(till: Till) -> None:
    await till.paid()
    await kinds(till)
    for customer in till.stripe.world.rows("customer"):
        await till.subscriptions.sync(customer["id"])
    assert await kinds(till) == []
