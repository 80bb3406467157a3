"""Simulated paying and the page after it, as a browser with our headers takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, expect

from engine.domain import Platform, TierName
from engine.facts import SessionId
from engine.subscriptions import Activation, PurchaseStatus
from storage.store import open_store
from tests.billing.inbox import Inbox
from tests.billing.simulated_till import PRICED, SimulatedTill
from tests.fakes.clock import FakeClock
from tests.fakes.simulated_checkout import SESSION, MemoryCheckout
from webhooks import checkouts
from webhooks.server import serve
from webhooks.site import Site

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_member_is_declined_pays_and_sees_the_tier_arrive_without_reload(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkouts, "FRESH_SECONDS", 0.0)
    checkout = MemoryCheckout(f"/billing/success?session_id={SESSION}")
    state = Activation.PENDING

    async def status(_: SessionId) -> PurchaseStatus:
        return PurchaseStatus(state, TierName.PREMIUM, Platform.LOCAL)

    site = Site("http://127.0.0.1", simulated=checkout, checkout_status=status)
    async with serve(site, "127.0.0.1", 0) as port, await browser.new_context() as context:
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{port}/simulated/checkout/{SESSION}")
        await expect(page.get_by_text("SIMULATED", exact=True)).to_be_visible()
        await page.get_by_role("button", name="declined").click()
        await expect(page.get_by_role("alert")).to_contain_text("Your card was declined")
        await page.get_by_role("button", name="Pay").click()
        await expect(page.get_by_role("heading", name="Pending activation")).to_be_visible()
        state = Activation.ACTIVE
        await expect(page.get_by_role("heading", name="Premium is yours")).to_be_visible()
        await expect(page.get_by_role("link", name="the playground")).to_be_visible()
    assert checkout.payments == 1


async def test_without_scripts_the_success_page_has_a_link_to_refresh(browser: Browser) -> None:
    async def status(_: SessionId) -> PurchaseStatus:
        return PurchaseStatus(Activation.PENDING, TierName.PREMIUM, Platform.DISCORD)

    site = Site("http://127.0.0.1", checkout_status=status)
    blind = browser.new_context(java_script_enabled=False)
    async with serve(site, "127.0.0.1", 0) as port, await blind as context:
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{port}/billing/success?session_id=cs_1")
        await expect(page.get_by_text("Go back to Discord")).to_be_visible()
        async with page.expect_navigation():
            await page.get_by_role("link", name="Refresh").click()


async def test_the_key_form_opens_the_page_it_stands_before(browser: Browser) -> None:
    site = Site("http://127.0.0.1", simulated=MemoryCheckout(), playground_key="fake-key")
    async with serve(site, "127.0.0.1", 0) as port, await browser.new_context() as context:
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{port}/simulated/checkout/{SESSION}")
        await page.get_by_label("Key").fill("wrong")
        await page.get_by_role("button", name="Open").click()
        await expect(page.get_by_role("alert")).to_contain_text("not the playground's key")
        await page.get_by_label("Key").fill("fake-key")
        await page.get_by_role("button", name="Open").click()
        await expect(page.get_by_role("heading", name="Premium")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 360)])
async def test_a_newcomer_plays_a_failed_payment_and_its_recovery(
    browser: Browser, tmp_path: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    wall = FakeClock()
    async with await open_store(f"sqlite:///{tmp_path}/chat.db", wall) as store:
        till = SimulatedTill(store, wall, Inbox())
        await till.meet()
        await till.buy_unheard(TierName.TEAM, quantity=7)
        site = Site("http://127.0.0.1", simulated=till.billing, simulation=till.simulation, tiers=PRICED)
        look = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
        async with serve(site, "127.0.0.1", 0) as port, await look as context:
            page, portal = await context.new_page(), await till.portal()
            await page.goto(f"http://127.0.0.1:{port}/simulated/portal/{portal}")
            await page.get_by_role("button", name="+1 week").click()
            await expect(page.get_by_role("status")).to_contain_text("the clock says 2026-12-01")
            await page.get_by_role("button", name="Fail a payment").click()
            await expect(page.get_by_text("past due")).to_be_visible()
            await well_made(page, width)
            await page.get_by_role("link", name="Pay the open invoice").click()
            await page.get_by_role("button", name="Try the card that is declined").click()
            await expect(page.get_by_role("alert")).to_contain_text("Your card was declined")
            await well_made(page, width)
            await page.get_by_role("button", name="Pay $40 with a new card").click()
            await expect(page.get_by_role("status")).to_contain_text("This invoice is paid")
            await page.goto(f"http://127.0.0.1:{port}/simulated/portal/{portal}")
            await expect(page.get_by_text("active")).to_be_visible()
            await page.get_by_role("button", name="Dispute", exact=True).click()
            await expect(page.get_by_role("status")).to_contain_text("is disputed")
            await page.get_by_role("button", name="Delete customer").click()
            await expect(page.get_by_text("This subscription is over")).to_be_visible()


async def well_made(page: Page, width: int) -> None:
    """Everything can be read, and nothing is wider than the screen."""
    await page.wait_for_load_state()  # words come before their colours
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert await page.evaluate(CONTRAST) == []
