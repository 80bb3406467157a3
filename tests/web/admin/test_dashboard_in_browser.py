"""The dashboard as an operator sees and uses it, in a real browser with our headers."""

from __future__ import annotations

import asyncio
import csv
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from engine.audit import Actor, Deed
from engine.domain import Person, Platform, RefusalReason, TierName
from engine.ledger import Tx
from engine.tallies import Amounts, Key, Kind, conversation, day_number, refused
from storage.store import Store, open_store
from tests.engine.conftest import ALICE
from tests.fakes.clock import FakeClock
from tests.storage.makers import conversation as talk
from tests.storage.makers import hold, settlement
from tests.web.admin.desk import MODE, Seat, give_up, seated

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PAGES = ("", "/money", "/members", "/models", "/webhooks", "/limits", "/what-if", "/backlog", "/audit")
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
FIND = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map(
    (each) => `${each.id}: ${each.nodes.map((node) => node.target).join(", ")}`)"""
SETTLED = "Promise.all(document.getAnimations().map((each) => each.finished.catch(() => null)))"
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
"""The page looks for news at once."""
LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = (
    (1200, "light"),
    (1200, "dark"),
    (390, "dark"),
    (390, "light"),
)


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser's view of the dashboard, and what it complained about and asked for."""

    page: Page
    seat: Seat
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self.seat.address}/admin{path}")
        await self.page.wait_for_load_state()


@asynccontextmanager
async def visiting(browser: Browser, seat: Seat) -> AsyncIterator[Visit]:
    """Somebody who has not entered yet; at the end nothing may have gone wrong or elsewhere."""
    async with await browser.new_context(viewport={"width": 1200, "height": 900}) as context:
        visit = Visit(await context.new_page(), seat)
        listen(context, visit)
        yield visit
        assert visit.complaints == []
        assert [url for url in visit.asked if not url.startswith(f"{seat.address}/")] == []


def listen(context: BrowserContext, visit: Visit) -> None:
    """Take note of complaints, breaches of the content policy too, and of every request."""
    context.on("weberror", lambda error: visit.complaints.append(str(error.error)))
    context.on("console", lambda line: visit.complaints.append(line.text) if line.type == "error" else None)
    context.on("request", lambda request: visit.asked.append(request.url))


@pytest_asyncio.fixture(loop_scope="session")
async def store(sqlite_url: str, clock: FakeClock) -> AsyncIterator[Store]:
    async with await open_store(sqlite_url, clock) as opened:
        await live(opened, clock)
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, store: Store, clock: FakeClock) -> AsyncIterator[Visit]:
    async with seated(store, clock) as seat, visiting(browser, seat) as visit:
        yield visit


async def enter(visit: Visit) -> None:
    """By a link, as an operator does."""
    link = str(await visit.seat.entrance.link(Actor.in_chat(ALICE)))
    await visit.page.goto(f"{visit.seat.address}/admin/{link.partition('/admin/')[2]}")
    await visit.page.get_by_role("button", name="Sign in").click()
    await expect(visit.page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    await expect(visit.page.locator("html.swift")).to_be_attached()  # its scripts have begun


async def live(store: Store, clock: FakeClock) -> None:
    """A little of everything that is counted."""
    now = clock.now()
    today = day_number(now)
    counted = [
        conversation(today - back, tier, 3 + back)
        for back in range(12)
        for tier in (TierName.FREE, TierName.PRO)
    ]
    counted += [
        refused(TierName.FREE, reason, now) for reason in (RefusalReason.CONVERSATIONS, RefusalReason.RATE)
    ]
    for back, model in enumerate(("swift", "clever")):
        key = Key(Kind.USAGE, "", today - back, TierName.PRO, "vendor", model, "answer")
        counted.append((key, Amounts(2, 2, 0, 900, 300, (back + 1) * 40_000)))
    await store.transact(lambda tx: tx.tally(*counted))
    for customer in ("cus_one", "cus_two"):
        await give_up(store, clock, customer)


def dear(tx: Tx) -> None:
    """A member with a long id, who cost something."""
    member = Person(Platform.SLACK, "T0123456789", "U0123456789")
    talk(tx, "c", member)
    tx.settle(hold(tx, "dear", "c", member), settlement(cost=4_000_000))


async def test_an_operator_enters_sorts_filters_exports_and_tries_again(
    visit: Visit, store: Store, tmp_path: Path
) -> None:
    page = visit.page
    await enter(visit)
    await page.get_by_role("link", name="Models").click()
    costs = page.locator("#costs")
    await expect(costs.locator("tbody th")).to_have_text(["clever", "swift"])
    await costs.get_by_role("link", name="Model", exact=True).click()
    await costs.get_by_role("link", name="Model", exact=True).click()
    await expect(costs.locator("tbody th")).to_have_text(["swift", "clever"])
    await expect(costs.locator("th[aria-sort=descending]")).to_have_text("Model")
    await page.get_by_label("Find a model or vendor").fill("swi")
    await expect(costs.locator("tbody th")).to_have_text(["swift"])
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="CSV of Cost by model").first.click()
    file = tmp_path / "costs.csv"
    await (await coming.value).save_as(file)
    head, *rows = csv.reader(file.read_text(encoding="utf-8").splitlines())
    assert (head[:2], head[3]) == (["Model", "Cost (USD)"], "Vendor")
    assert [(row[:2], row[3]) for row in rows] == [(["swift", "0.04"], "vendor")]
    await page.get_by_role("link", name="Backlog").click()
    await page.get_by_role("row", name="cus_one").get_by_role("button", name="Retry").click()
    await expect(page.get_by_role("status").last).to_contain_text("will be tried again")
    await expect(page.get_by_role("row", name="cus_one")).to_have_count(0)
    await expect(page.get_by_role("row", name="cus_two")).to_have_count(1)
    await page.get_by_role("link", name="Audit log").click()
    await expect(page.locator("tbody tr").first).to_contain_text("local:alice")
    (newest,) = await store.read(lambda tx: tx.deeds(None, 1))
    assert (newest.deed, newest.subject) == (Deed.RETRY, "cus_one")


async def test_figures_charts_and_tables_change_in_place(
    visit: Visit, store: Store, clock: FakeClock
) -> None:
    page = visit.page
    await enter(visit)
    card = page.locator(".figure", has_text="Conversations")
    before = await card.locator(".value").inner_text()
    await page.evaluate("window.stayed = true; scrollTo(0, 300)")
    numbers = page.locator("#conversations details")
    await numbers.locator("summary").click()
    await numbers.locator("summary").focus()
    more = conversation(day_number(clock.now()), TierName.FREE, 1_000)
    await store.transact(lambda tx: tx.tally(more))
    await give_up(store, clock, "cus_three")
    await page.evaluate(LOOK)
    await expect(card.locator(".value")).to_have_text(f"{int(before) + 1_000:,}")
    await expect(page.get_by_role("link", name="Backlog")).to_contain_text("3")
    await expect(numbers.locator("tbody tr").last).to_contain_text("1,003")
    drawn = "Chart.getChart(document.querySelector('#conversations canvas')).data.datasets[0].data.at(-1)"
    assert await page.evaluate(drawn) == 1_003
    assert await page.evaluate("[stayed, scrollY > 0, document.activeElement.tagName]") == [
        True,
        True,
        "SUMMARY",
    ]
    await expect(numbers).to_have_attribute("open", "")


async def test_a_session_that_ends_is_said_with_what_to_do(visit: Visit, clock: FakeClock) -> None:
    await enter(visit)
    clock.advance(timedelta(hours=13))
    await visit.page.evaluate(LOOK)
    await expect(visit.page.locator("#state")).to_contain_text(
        "Ask the bot for a new link with /admin dashboard"
    )
    visit.complaints.clear()  # the browser notes the 401
    asked = len(visit.asked)
    await visit.page.evaluate(LOOK)
    assert len(visit.asked) == asked


async def test_nothing_keeps_anybody_out_of_any_page(visit: Visit) -> None:
    page, found = visit.page, []
    await enter(visit)
    for path in PAGES:
        await page.set_viewport_size({"width": 1200, "height": 900})
        await visit.open(path)
        await page.evaluate(AXE)
        for width, scheme in LOOKS:
            await page.set_viewport_size({"width": width, "height": 900})
            await page.emulate_media(color_scheme=scheme)
            await page.evaluate(SETTLED)
            found += [(path, width, scheme, each) for each in await page.evaluate(FIND)]
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.set_viewport_size({"width": 320, "height": 640})  # as at four times the size
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320, path
    assert found == []


@pytest.mark.parametrize(
    ("path", "table", "head"),
    [
        ("", "worst", "Margin"),
        ("/members", "members", "Margin"),
        ("/money", "days", "Margin"),
        ("/money", "tiers", "Margin"),
        ("/models", "costs", "Cost"),
    ],
)
async def test_a_phone_shows_beside_a_name_what_its_table_is_about(
    visit: Visit, store: Store, path: str, table: str, head: str
) -> None:
    page = visit.page
    await store.transact(dear)
    await enter(visit)
    await page.set_viewport_size({"width": 390, "height": 900})
    await visit.open(path)
    shown = page.locator(f"#{table} thead").get_by_text(head, exact=True)
    await expect(page.locator(f"#{table} tbody tr").first).to_be_visible()
    box = await shown.bounding_box()
    assert box
    assert box["x"] + box["width"] <= 390 - 14  # the panel's edge


async def test_without_scripts_everything_can_be_read_and_sorted(
    browser: Browser, store: Store, clock: FakeClock
) -> None:
    async with seated(store, clock) as seat, await browser.new_context(java_script_enabled=False) as context:
        await context.add_cookies([{"name": "admin", "value": seat.token, "url": seat.address}])
        page = await context.new_page()
        await page.goto(f"{seat.address}/admin/models")
        costs = page.locator("#costs")
        await costs.get_by_role("link", name="Model", exact=True).click()
        await expect(costs.locator("tbody th")).to_have_text(["clever", "swift"])
        await page.goto(f"{seat.address}/admin/models")
        await page.get_by_label("Find a model or vendor").fill("swi")
        await page.locator("#costs").get_by_role("button", name="Show").click()
        await expect(costs.locator("tbody th")).to_have_text(["swift"])
        await page.goto(f"{seat.address}/admin")
        await page.locator("#conversations summary").click()
        await expect(page.locator("#conversations tbody tr")).to_have_count(30)


AT_LETTER = "document.activeElement.textContent"


async def mend(store: Store, clock: FakeClock, customer: str) -> None:
    """What was given up is tried again, by somebody else."""
    await store.transact(lambda tx: tx.retry_dead(MODE, clock.now(), customer))


async def test_whoever_stands_at_a_row_stays_there_while_rows_come_and_go(
    visit: Visit, store: Store, clock: FakeClock
) -> None:
    page = visit.page
    await enter(visit)
    await visit.open("/backlog")
    await page.get_by_label("Find an id or an error").fill("cus")
    await page.get_by_role("row", name="cus_two").get_by_role("button").focus()
    await mend(store, clock, "cus_one")
    await page.evaluate(LOOK)
    await expect(page.get_by_role("row", name="cus_one")).to_have_count(0)
    assert "cus_two" in await page.evaluate(AT_LETTER)
    assert await page.get_by_label("Find an id or an error").input_value() == "cus"
    await mend(store, clock, "cus_two")
    await page.evaluate(LOOK)
    await expect(page.locator("#letters-rows")).to_be_focused()


async def test_a_page_that_nobody_sees_asks_nothing(visit: Visit, store: Store, clock: FakeClock) -> None:
    page = visit.page
    await enter(visit)
    hide = "(away) => Object.defineProperty(document, 'hidden', { configurable: true, get: () => away })"
    await page.evaluate(hide, True)  # noqa: FBT003 - an argument of the script
    more = conversation(day_number(clock.now()), TierName.FREE, 1_000)
    await store.transact(lambda tx: tx.tally(more))
    asked = len(visit.asked)
    await page.evaluate(LOOK)
    assert len(visit.asked) == asked
    await page.evaluate(hide, False)  # noqa: FBT003 - as above
    await page.evaluate(LOOK)
    await expect(page.locator(".figure", has_text="Conversations").locator(".note")).to_contain_text("1,0")


async def test_while_the_server_is_away_the_page_stays_and_catches_up(visit: Visit) -> None:
    page = visit.page
    await enter(visit)
    await visit.open("/models")
    await page.route("**/admin/models?*", lambda route: route.abort())
    await page.locator("#costs").get_by_role("link", name="Model", exact=True).click()
    await expect(page.locator("#state")).to_contain_text("cannot be reached")
    await expect(page.locator("#costs tbody tr")).to_have_count(2)
    await page.unroute("**/admin/models?*")
    await page.evaluate(LOOK)
    await expect(page.locator("#costs th[aria-sort=ascending]")).to_have_text("Model")
    await expect(page.locator("#state")).to_be_empty()
    visit.complaints.clear()  # the browser notes what it could not load


async def test_an_answer_that_comes_late_takes_nothing_back(visit: Visit) -> None:
    page, held = visit.page, asyncio.Event()
    await enter(visit)
    await visit.open("/models")

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/admin/models?costs-sort=model", hold)
    await page.locator("#costs").get_by_role("link", name="Model", exact=True).click()
    await page.locator("#costs").get_by_role("link", name="Requests").click()
    await expect(page.locator("#costs th[aria-sort=descending]")).to_have_text("Requests")
    async with page.expect_request_finished(lambda request: request.url.endswith("sort=model")):
        held.set()
    await page.evaluate("new Promise(requestAnimationFrame)")
    await expect(page.locator("#costs th[aria-sort=descending]")).to_have_text("Requests")


async def test_what_a_search_finds_is_heard_and_kept_for_another_span(visit: Visit) -> None:
    page = visit.page
    await enter(visit)
    await visit.open("/models")
    await page.get_by_label("Find a model or vendor").fill("swi")
    await expect(page.locator("#heard")).to_have_text(
        "Cost by model in the last 30 days: 1 row, by Cost, descending"
    )
    await page.get_by_role("link", name="7 days").click()
    await expect(page.locator("#costs")).to_contain_text("in the last 7 days")
    await expect(page.get_by_label("Find a model or vendor")).to_have_value("swi")
    await page.get_by_label("A month").select_option(index=1)
    await page.locator(".month").get_by_role("button", name="Show").click()
    await expect(page).to_have_url(re.compile(r"costs-search=swi.*span=20|span=20.*costs-search=swi"))


async def test_on_a_phone_the_page_that_one_is_at_is_seen_in_the_row_of_pages(visit: Visit) -> None:
    await enter(visit)
    await visit.page.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        await visit.open(path)
        await expect(visit.page.locator("#pages [aria-current]")).to_be_in_viewport(ratio=1)
