"""What a draft came to, as an operator sorts, saves and reads it in a real browser."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from storage.store import Store
from tests.fakes.clock import FakeClock
from tests.web.admin.test_dashboard_in_browser import AXE, FIND, LOOKS, SETTLED, Visit, enter
from tests.web.admin.test_dashboard_in_browser import store as store  # noqa: PLC0414 - a fixture
from tests.web.admin.test_dashboard_in_browser import visit as visit  # noqa: PLC0414 - a fixture
from tests.web.admin.test_drafting import NOBODY_ASKS, ask

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_what_a_draft_came_to_is_sorted_saved_and_read_by_anybody(
    visit: Visit, store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    await store.transact(lambda tx: ask(tx, clock))
    clock.advance(timedelta(minutes=1))
    page = visit.page
    await enter(visit)
    await visit.open("/what-if")
    await page.get_by_label("The draft, a whole config.toml").fill(NOBODY_ASKS)
    await page.get_by_role("button", name="Compare").click()
    answers = page.locator("#answers")
    await expect(answers.locator("tbody th").first).to_have_text("All tiers")
    await answers.get_by_role("link", name="Change", exact=True).click()
    await expect(answers.locator("th[aria-sort=descending]")).to_have_text("Change")
    await answers.get_by_role("link", name="Change", exact=True).click()
    await expect(answers.locator("th[aria-sort=ascending]")).to_have_text("Change")
    await expect(answers.locator("tbody th").first).to_have_text("All tiers")
    await expect(page.get_by_label("The draft, a whole config.toml")).to_have_value(NOBODY_ASKS)
    async with page.expect_download() as coming:
        await answers.get_by_role("link", name="CSV of Questions answered").click()
    file = tmp_path / "answers.csv"
    await (await coming.value).save_as(file)
    head, first, *_ = csv.reader(file.read_text(encoding="utf-8").splitlines())
    assert head == ["Tier", "Today", "Draft", "Change", "Members", "Subscriptions"]
    assert first == ["All tiers", "2", "0", "-2", "1", "0"]
    for width, scheme in LOOKS:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme=scheme)
        await page.evaluate(SETTLED)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.evaluate(AXE)
        assert await page.evaluate(FIND) == []
