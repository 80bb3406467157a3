"""The page, the webhook and a second process meet over one payment: everything happens once.

Shown elsewhere: the page is up to date before any webhook, and clicks at the same instant in two processes
share one customer and one session (tests/money/test_payment.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from engine.domain import TierName
from engine.notices import NoticeKind
from engine.subscriptions import Activation
from tests.money.conftest import Till, open_till
from tests.money.scenarios.book import book_of


@pytest.fixture
async def other(till: Till) -> AsyncIterator[Till]:
    """A second process on the same database."""
    opened = open_till(till.store, till.clock, till.stripe)
    yield opened
    await opened.gateway.aclose()


async def test_a_page_that_is_ahead_of_the_webhook_by_half_a_minute_leaves_it_nothing_to_tell(
    till: Till,
) -> None:
    till.stripe.courier.stop()
    await till.buy()
    till.stripe.drive.pay(till.session())
    shown = await till.subscriptions.purchase(till.session())
    assert (shown.state, shown.tier) == (Activation.ACTIVE, TierName.PREMIUM)
    before = await book_of(till.store)
    assert before.told == [NoticeKind.ACTIVATED]
    till.clock.advance(timedelta(seconds=30))
    till.stripe.courier.redeliver_lost(shuffle=True)
    await till.settle()
    assert await book_of(till.store) == before


async def test_pages_and_workers_of_two_processes_at_once_tell_a_payment_once(
    till: Till, other: Till
) -> None:
    await till.buy()
    session = till.session()
    till.stripe.drive.pay(session)
    await till.stripe.courier.settled()
    till.clock.advance(timedelta(seconds=2))
    await asyncio.gather(
        *(each.subscriptions.purchase(session) for each in (till, other) * 3),
        *(each.work() for each in (till, other) * 3),
    )
    await till.settle()
    book = await book_of(till.store)
    assert (book.tiers, book.told) == ([TierName.PREMIUM], [NoticeKind.ACTIVATED])
    assert len(book.movements) == 1
