"""Simulated paying and the page after it, as a browser with our headers takes them."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from engine.domain import Platform, TierName
from engine.facts import SessionId
from engine.subscriptions import Activation, PurchaseStatus
from tests.fakes.simulated_checkout import SESSION, MemoryCheckout
from webhooks import checkouts
from webhooks.server import serve
from webhooks.site import Site

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
