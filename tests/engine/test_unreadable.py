"""What cannot be understood is given up in the end, by name, instead of being tried for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.duties import Duties
from engine.facts import CustomerFacts, CustomerId, Mode, MoneyBack
from engine.subscriptions import TRIES, Subscriptions
from engine.terms import DeadLetter, Duty, DutyId, DutyKind, LetterKind, Policy
from storage.store import Store
from tests.fakes.clock import FakeClock


class Garbled:
    """A Stripe whose answers are of a shape that nobody foresaw."""

    mode = Mode.TEST

    async def get_stripe_subscription_status(self, customer: CustomerId) -> CustomerFacts:
        """Stumble."""
        raise KeyError(customer)

    async def look_into(self, subject: str) -> MoneyBack | None:
        """Stumble."""
        raise KeyError(subject)


async def letters(store: Store) -> list[DeadLetter]:
    """All that was given up."""
    return list(await store.read(lambda tx: tx.dead_letters(Mode.TEST)))


async def test_a_customer_that_cannot_be_understood_becomes_a_dead_letter(
    store: Store, clock: FakeClock
) -> None:
    subscriptions = Subscriptions(store, clock, Garbled())  # type: ignore[arg-type]
    now = clock.now()
    await store.transact(lambda tx: tx.mark_dirty(Mode.TEST, CustomerId("cus_odd"), now))
    for _ in range(TRIES):
        with pytest.raises(KeyError):
            await subscriptions.work()
        clock.advance(timedelta(minutes=11))
    assert await subscriptions.work() == 0
    (letter,) = await letters(store)
    assert (letter.kind, letter.id) == (LetterKind.CUSTOMER, "cus_odd")
    assert "KeyError" in letter.error


async def test_a_duty_that_cannot_be_understood_becomes_a_dead_letter(store: Store, clock: FakeClock) -> None:
    duties = Duties(store, clock, Garbled(), Policy(), lambda: None)  # type: ignore[arg-type]
    now = clock.now()
    odd = Duty(DutyId("look:odd"), DutyKind.LOOK_INTO, Mode.TEST, "dp_odd")
    await store.transact(lambda tx: tx.owe_duty(odd, now))
    for _ in range(TRIES):
        with pytest.raises(KeyError):
            await duties.work()
        clock.advance(timedelta(minutes=11))
    assert await duties.work() == 0
    (letter,) = await letters(store)
    assert (letter.kind, letter.id) == (LetterKind.DUTY, "look:odd")
    assert "KeyError" in letter.error
