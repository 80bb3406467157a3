"""What operators do with tables in a real browser: sort and narrow them, retry all, and read their heads."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Route, expect

from engine.audit import Deed
from storage.store import Store
from tests.fakes.clock import FakeClock
from tests.web.admin.desk import MODE, give_up
from tests.web.admin.test_dashboard_in_browser import AXE, FIND, LOOK, LOOKS, Visit, enter
from tests.web.admin.test_dashboard_in_browser import store as store  # noqa: PLC0414 - a fixture
from tests.web.admin.test_dashboard_in_browser import visit as visit  # noqa: PLC0414 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_all_that_was_given_up_is_tried_again_once_it_was_said_how_much_that_is(
    visit: Visit, store: Store, clock: FakeClock
) -> None:
    page = visit.page
    await enter(visit)
    await visit.open("/backlog")
    sure = page.get_by_role("button", name="Yes, retry all")
    await expect(sure).to_be_hidden()
    await page.locator("summary", has_text="Retry all").focus()
    await page.keyboard.press("Enter")
    await expect(sure).to_have_text("Yes, retry all 2")
    await give_up(store, clock, "cus_three")
    await page.evaluate(LOOK)
    await expect(sure).to_have_text("Yes, retry all 3")  # and it stays open
    await page.keyboard.press("Tab")
    await expect(sure).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".told")).to_contain_text("3 dead letters are due now")
    await expect(page.locator("#letters tbody tr")).to_have_count(0)
    newest, before = await store.read(lambda tx: tx.deeds(None, 2))
    assert (newest.deed, newest.subject, newest.detail) == (Deed.RETRY, "", "3 tried again")
    assert before.deed is not Deed.RETRY
    assert await store.read(lambda tx: tx.count_dead(MODE)) == 0


async def test_on_the_smallest_screen_the_button_of_a_row_stands_beside_what_it_is_about(
    visit: Visit, store: Store, clock: FakeClock
) -> None:
    page, name = visit.page, "cus_NffrFeUfNV2HibAbc"
    await give_up(store, clock, name, "No such customer: it was deleted in the Dashboard of Stripe")
    await enter(visit)
    for width in (320, 390):
        await page.set_viewport_size({"width": width, "height": 640})
        await visit.open("/backlog")
        row = page.get_by_role("row", name=name)
        about = await row.get_by_role("rowheader").bounding_box()
        button = await row.get_by_role("button").bounding_box()
        assert about
        assert button
        assert about["x"] + about["width"] <= button["x"]
        assert button["x"] + button["width"] <= width


async def test_what_heads_mean_is_read_without_a_mouse(visit: Visit) -> None:
    page = visit.page
    await enter(visit)
    await visit.open("/models")
    legend = page.locator("#costs .legend")
    meaning = legend.get_by_text("Requests without a price")
    await expect(meaning).to_be_hidden()
    await legend.locator("summary").focus()
    await page.keyboard.press("Enter")
    await expect(meaning).to_be_visible()
    await page.evaluate(LOOK)
    await expect(meaning).to_be_visible()
    await page.evaluate(AXE)
    for width, scheme in LOOKS:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert await page.evaluate(FIND) == []


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (429, {"Retry-After": "17"}, "Too many requests .* in 17 seconds"),
        (500, {}, "server had an error.*500"),
        (503, {}, "server had an error.*503"),
    ],
)
async def test_a_page_that_is_refused_says_why_and_catches_up(
    visit: Visit, status: int, headers: dict[str, str], words: str
) -> None:
    page = visit.page
    await enter(visit)
    await visit.open("/models")

    async def refuse(route: Route) -> None:
        await route.fulfill(status=status, headers=headers, body="No.")

    await page.route("**/admin/models?*", refuse)
    await page.locator("#costs").get_by_role("link", name="Model", exact=True).click()
    await expect(page.locator("#state")).to_have_text(re.compile(words))
    await expect(page.locator("#costs tbody tr")).to_have_count(2)
    await page.unroute("**/admin/models?*")
    await page.evaluate(LOOK)
    await expect(page.locator("#costs th[aria-sort=ascending]")).to_have_text("Model")
    await expect(page.locator("#state")).to_be_empty()
    visit.complaints.clear()  # the browser notes what it could not load


async def test_a_sorted_and_narrowed_table_stays_so_while_its_rows_change(
    visit: Visit, store: Store, clock: FakeClock
) -> None:
    page = visit.page
    await enter(visit)
    await visit.open("/backlog")
    waiting = page.locator("#waiting")
    await waiting.get_by_role("link", name="Work", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(waiting.locator("th[aria-sort=ascending]")).to_have_text("Work")
    await expect(page.locator("#heard")).to_have_text("What waits: 7 rows, by Work, ascending")
    await expect(waiting.get_by_role("link", name="Work", exact=True)).to_be_focused()
    await page.get_by_label("Find a kind of work").fill("owed")
    await expect(waiting.locator("tbody tr")).to_have_count(3)
    await store.transact(lambda tx: tx.retry_dead(MODE, clock.now()))
    await page.evaluate(LOOK)
    await expect(page.locator("#letters tbody tr")).to_have_count(0)
    await expect(waiting.locator("tbody th")).to_have_text(
        ["Alerts owed to operators", "Calls owed to Stripe", "Notices owed to members"]
    )
    await expect(page.get_by_label("Find a kind of work")).to_be_focused()
