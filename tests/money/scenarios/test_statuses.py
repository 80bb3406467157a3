"""What each word of Stripe's for a subscription gives, over the whole way from the event to the record.

The rule alone, for every word: tests/engine/test_catalogue.py; how the words are read:
tests/billing/test_gateway_reading.py.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.checkout import AlreadySubscribed, CheckoutLink
from engine.domain import Interval, TierName
from engine.facts import AccessReason
from engine.figures import MovementKind
from engine.notices import NoticeKind
from tests.engine.conftest import ALICE
from tests.fakes.stripe.driver import Driver
from tests.money.conftest import Till
from tests.money.scenarios.book import book_of

Deed = Callable[[Driver, str], object]
FREE: dict[str, tuple[Deed, AccessReason]] = {
    "paused": (lambda drive, sub: drive.pause(sub), AccessReason.PAUSED),
    "unpaid": (lambda drive, sub: drive.set_status(sub, "unpaid"), AccessReason.NOT_PAID),
    "incomplete": (lambda drive, sub: drive.set_status(sub, "incomplete"), AccessReason.NOT_PAID),
    "invented": (lambda drive, sub: drive.set_status(sub, "dreaming"), AccessReason.UNKNOWN_STATUS),
    "void": (lambda drive, sub: drive.pause_collection(sub), AccessReason.PAUSED),
}


@pytest.fixture
def till(till: Till, monkeypatch: pytest.MonkeyPatch) -> Till:
    """A till on a Stripe that knows one status more than its document does."""
    schemas = till.stripe.world.shapes._schemas  # noqa: SLF001 - the document is what Stripe gave us
    known = schemas["subscription"]["properties"]["status"]
    monkeypatch.setitem(known, "enum", [*known["enum"], "dreaming"])
    return till


@pytest.mark.parametrize("word", FREE)
async def test_it_gives_free_while_it_lasts_and_nothing_else_is_sold(
    till: Till, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    subscription = await till.paid()
    deed, reason = FREE[word]
    deed(till.stripe.drive, subscription)
    await till.settle()
    assert (await till.subscriptions.access(ALICE)).reason is reason
    assert ("Stripe has a status that is not known here" in caplog.messages) is (word == "invented")
    sold = await till.checkout.upgrade(ALICE, TierName.PRO, Interval.MONTH)
    assert isinstance(sold, CheckoutLink if word == "incomplete" else AlreadySubscribed)
    till.stripe.drive.pause_collection(subscription, "")
    till.stripe.drive.set_status(subscription, "active")
    await till.settle()
    book = await book_of(till.store)
    assert book.agrees(till.stripe.world)
    assert book.tiers == [TierName.PREMIUM, TierName.FREE, TierName.PREMIUM]
    assert book.moved == [MovementKind.NEW, MovementKind.CHURN, MovementKind.REACTIVATION]
    assert book.told == [NoticeKind.ACTIVATED, NoticeKind.ENDED, NoticeKind.ACTIVATED]


async def test_one_that_was_never_paid_gives_free_and_another_is_sold(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.set_status(subscription, "incomplete_expired")
    await till.settle()
    assert await till.tier() is TierName.FREE
    assert (await book_of(till.store)).agrees(till.stripe.world)
    assert isinstance(await till.checkout.upgrade(ALICE, TierName.PRO, Interval.MONTH), CheckoutLink)


@pytest.mark.parametrize("behavior", ["keep_as_draft", "mark_uncollectible"])
async def test_a_pause_of_collecting_that_forgives_nothing_leaves_the_tier(till: Till, behavior: str) -> None:
    subscription = await till.paid()
    till.stripe.drive.pause_collection(subscription, behavior)
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    assert (await book_of(till.store)).tiers == [TierName.PREMIUM]
