"""The pages after a checkout, and what they ask of the engine."""

from __future__ import annotations

import asyncio

from engine.domain import Platform, TierName
from engine.errors import GiveUpError, TellOperatorError, TryAgainError
from engine.facts import SessionId
from engine.subscriptions import Activation, PurchaseStatus
from tests.web.conftest import Start
from webhooks.checkouts import LOOKS_A_SECOND, Checkouts
from webhooks.site import Site

PAGE = {"Accept": "text/html"}


class Purchases:
    """Knows one purchase and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = PurchaseStatus(Activation.PENDING, TierName.PREMIUM, Platform.LOCAL)
        self.trouble: Exception | None = None

    async def status(self, session: SessionId) -> PurchaseStatus:
        """Say how it stands, after giving others their turn."""
        self.asked.append(session)
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble
        return self.now


async def test_the_success_page_waits_and_says_how_to_refresh_by_hand(start: Start) -> None:
    purchases = Purchases()
    client = await start(Site("http://127.0.0.1", checkout_status=purchases.status))
    async with client.get("/billing/success?session_id=cs_1", headers=PAGE) as answer:
        text = await answer.text()
    assert "Pending activation" in text
    assert 'href="/billing/success?session_id=cs_1"' in text
    assert '<noscript><meta http-equiv="refresh"' in text
    assert "/playground" in text


async def test_the_success_page_of_an_active_tier_names_it(start: Start) -> None:
    purchases = Purchases()
    purchases.now = PurchaseStatus(Activation.ACTIVE, TierName.PRO, Platform.DISCORD)
    client = await start(Site("http://127.0.0.1", checkout_status=purchases.status))
    async with client.get("/billing/success?session_id=cs_1", headers=PAGE) as answer:
        text = await answer.text()
    assert "Pro" in text
    assert "Go back to Discord" in text
    assert "noscript" not in text


async def test_the_cancel_page_says_that_nothing_was_bought(start: Start) -> None:
    client = await start(Site("http://127.0.0.1"))
    async with client.get("/billing/cancel", headers=PAGE) as answer:
        assert answer.status == 200
        assert "Nothing was bought" in await answer.text()


async def test_the_status_route_tells_state_and_tier(start: Start) -> None:
    purchases = Purchases()
    client = await start(Site("http://127.0.0.1", checkout_status=purchases.status))
    async with client.get("/billing/status?session_id=cs_1") as answer:
        assert await answer.json() == {"state": "pending", "tier": "premium"}
    async with client.get("/billing/status") as answer:
        assert answer.status == 400


async def test_what_is_no_session_id_is_unknown_without_asking_the_engine(start: Start) -> None:
    purchases = Purchases()
    client = await start(Site("http://127.0.0.1", checkout_status=purchases.status))
    for session in ("a%20b", "x" * 256, "%22"):
        async with client.get(f"/billing/status?session_id={session}") as answer:
            assert await answer.json() == {"state": "unknown", "tier": None}
    assert purchases.asked == []


async def test_many_pages_of_one_session_ask_the_engine_once_in_two_seconds() -> None:
    now, purchases = 0.0, Purchases()
    checkouts = Checkouts(purchases.status, pace=lambda: now)
    await asyncio.gather(*(checkouts.status("cs_1") for _ in range(10)))
    assert len(purchases.asked) == 1
    now = 2.0
    await checkouts.status("cs_1")
    assert len(purchases.asked) == 2


async def test_many_sessions_together_ask_the_engine_only_so_often_and_stay_pending() -> None:
    now, purchases = 0.0, Purchases()
    purchases.now = PurchaseStatus(Activation.ACTIVE, TierName.PRO)
    checkouts = Checkouts(purchases.status, pace=lambda: now)
    found = [await checkouts.status(f"cs_{number}") for number in range(LOOKS_A_SECOND + 5)]
    assert len(purchases.asked) == LOOKS_A_SECOND
    assert found[-1].state is Activation.PENDING
    now = 1.0
    assert (await checkouts.status(f"cs_{LOOKS_A_SECOND}")).state is Activation.ACTIVE


async def test_while_the_engine_cannot_say_the_purchase_stays_pending() -> None:
    purchases = Purchases()
    purchases.trouble = TryAgainError("Stripe is away")
    assert (await Checkouts(purchases.status).status("cs_1")).state is Activation.PENDING
    purchases.trouble = GiveUpError("no such session")
    assert (await Checkouts(purchases.status).status("cs_1")).state is Activation.UNKNOWN


async def test_a_member_who_paid_is_told_to_wait_when_only_the_operator_can_mend_stripe(start: Start) -> None:
    purchases = Purchases()
    purchases.trouble = TellOperatorError("Stripe: the key is wrong")
    client = await start(Site("http://127.0.0.1", checkout_status=purchases.status))
    async with client.get("/billing/success?session_id=cs_1", headers=PAGE) as answer:
        assert answer.status == 200
        assert "Pending activation" in await answer.text()
