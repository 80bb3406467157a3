"""The door of the dashboard over the real server: who gets in, and whose writes are taken."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from aiohttp import ClientSession, DummyCookieJar, FormData, web
from aiohttp.test_utils import make_mocked_request

from engine.audit import Actor, Deed
from engine.entry import Entrance, digest
from storage.store import Store, open_store
from tests.engine.conftest import ALICE, BOB
from tests.fakes.clock import FakeClock
from tests.web.admin.desk import desk
from webhooks.admin.door import REQUESTS_A_MINUTE, Door
from webhooks.admin.entering import TRIED_OF_ADDRESS
from webhooks.boundary import add_headers
from webhooks.server import build, serve
from webhooks.site import Site

APP = "https://chat.example"
OURS = {"Origin": APP, "Sec-Fetch-Site": "same-origin"}
PAGE = {"Accept": "text/html"}
FOREIGN: tuple[Mapping[str, str], ...] = (
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "https://chat.example.evil.example"},
    {"Origin": "http://chat.example"},
    {"Origin": "null"},
    {"Origin": "https://evil.example", "Host": "evil.example"},
    {"Origin": "http://evil.example", "Host": "evil.example"},
    {"Origin": "http://127.0.0.1:1", "Host": "127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": APP, "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
)


@dataclass
class Browser:
    """Somebody's browser, which keeps the one cookie."""

    client: ClientSession
    entrance: Entrance
    cookie: str = ""
    set_cookie: str = ""

    @property
    def token(self) -> str:
        return self.cookie.partition("=")[2]

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] = PAGE, *, files: bool = False, **form: str
    ) -> tuple[int, str, Mapping[str, str]]:
        """Status, text and headers; `files`: the form is sent as one that may hold some."""
        sent = {**headers, **({"Cookie": self.cookie} if self.cookie else {})}
        data = FormData(form, default_to_multipart=files) if method == "POST" else None
        asked = self.client.request(method, path, headers=sent, data=data, allow_redirects=False)
        async with asked as answer:
            if "Set-Cookie" in answer.headers:
                self.set_cookie = answer.headers["Set-Cookie"]
                self.cookie = self.set_cookie.partition(";")[0]
            return answer.status, await answer.text(), answer.headers

    async def link(self) -> str:
        """The path of a fresh link of Alice's."""
        return str(await self.entrance.link(Actor.in_chat(ALICE))).removeprefix(APP)

    async def press(self, path: str, headers: Mapping[str, str] = OURS) -> int:
        """Press the button that the page of a link shows."""
        page = (await self.ask("GET", path))[1]
        found = re.search(r'name="link" value="([^"]+)"', page)
        return (await self.ask("POST", "/admin/enter", {**headers, **PAGE}, link=found[1] if found else ""))[
            0
        ]

    async def enter(self) -> None:
        """Get in as Alice."""
        assert await self.press(await self.link()) == 303

    async def csrf(self) -> str:
        """What the forms of the dashboard hold."""
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.ask("GET", "/admin"))[1])
        assert found
        return found[1]


@pytest.fixture
def entrance(store: Store, clock: FakeClock) -> Entrance:
    """Alice operates the bot."""
    return Entrance(store, clock, (ALICE,), APP)


@pytest.fixture
async def browsers(
    entrance: Entrance, store: Store, clock: FakeClock
) -> AsyncIterator[AsyncIterator[Browser]]:
    """Browsers, each before a server of its own, all over one database."""
    async with AsyncExitStack() as stack:

        async def fresh() -> AsyncIterator[Browser]:
            for _ in count():
                port = await stack.enter_async_context(serve(site(entrance, store, clock), "127.0.0.1", 0))
                client = ClientSession(f"http://127.0.0.1:{port}", cookie_jar=DummyCookieJar())
                yield Browser(await stack.enter_async_context(client), entrance)

        yield fresh()


@pytest.fixture
async def browser(browsers: AsyncIterator[Browser]) -> Browser:
    return await anext(browsers)


def site(entrance: Entrance, store: Store, clock: FakeClock, app: str = APP) -> Site:
    return Site(app, admin=desk(entrance, store, clock))


async def noted(store: Store) -> list[Deed]:
    return [entry.deed for entry in await store.read(lambda tx: tx.deeds(None, 50))]


async def test_a_link_lets_in_by_a_button_and_the_cookie_is_strict(browser: Browser) -> None:
    await browser.enter()
    name, _, attributes = browser.set_cookie.partition("=")
    assert name == "__Host-admin"
    parts = set(attributes.split("; ")[1:])
    assert parts == {"HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=43200"}
    status, text, headers = await browser.ask("GET", "/admin")
    assert status == 200
    assert "local:alice" in text
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self';"
    )
    assert "unsafe" not in headers["Content-Security-Policy"]


async def test_without_tls_the_cookie_has_a_plain_name(store: Store, clock: FakeClock) -> None:
    here = "http://127.0.0.1:8080"
    entrance = Entrance(store, clock, (ALICE,), here)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(serve(site(entrance, store, clock, here), "127.0.0.1", 0))
        client = ClientSession(f"http://127.0.0.1:{port}", cookie_jar=DummyCookieJar())
        browser = Browser(await stack.enter_async_context(client), entrance)
        path = str(await entrance.link(Actor.in_chat(ALICE))).removeprefix(here)
        assert await browser.press(path, {"Origin": f"http://localhost:{port}"}) == 403
        rebound = {"Origin": "http://evil.example", "Host": "evil.example"}
        assert await browser.press(path, rebound) == 403
        assert await browser.press(path, {"Origin": f"http://127.0.0.1:{port}"}) == 303
    assert re.match(r"admin=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=Lax$", browser.set_cookie)


async def test_whoever_only_looks_at_a_link_does_not_use_it_up(browser: Browser) -> None:
    path = await browser.link()
    for method in ("GET", "HEAD", "GET"):
        status, _, headers = await browser.ask(method, path, {"User-Agent": "Slackbot-LinkExpanding 1.0"})
        assert (status, "Set-Cookie" in headers) == (200, False)
    assert await browser.press(path) == 303


async def test_a_link_works_once_whichever_process_is_asked(browsers: AsyncIterator[Browser]) -> None:
    one, other = await anext(browsers), await anext(browsers)
    path = await one.link()
    assert await one.press(path) == 303
    assert await other.press(path) == 403
    assert not other.cookie
    other.cookie = one.cookie
    assert (await other.ask("GET", "/admin"))[0] == 200
    await one.ask("POST", "/admin/signout", OURS, csrf=await one.csrf())
    assert (await other.ask("GET", "/admin"))[0] == 401


async def test_links_that_let_nobody_in_say_what_to_do(
    browser: Browser, clock: FakeClock, store: Store
) -> None:
    path = await browser.link()
    for cut in (path[:-1], path[:-20], f"{path}A", "/admin/enter", "/admin/enter?link="):
        status, text, _ = await browser.ask("GET", cut)
        assert (status, "incomplete" in text, "/admin dashboard" in text) == (400, True, True)
    assert await browser.press(path.swapcase().replace("/ADMIN/ENTER?LINK", "/admin/enter?link")) == 403
    clock.advance(timedelta(minutes=5))
    assert await browser.press(path) == 403
    assert not browser.cookie
    assert (await noted(store))[0] == Deed.DASHBOARD_REFUSED


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_page_elsewhere_can_neither_enter_nor_write(
    browser: Browser, entrance: Entrance, headers: Mapping[str, str]
) -> None:
    path = await browser.link()
    assert await browser.press(path, headers) == 403
    assert await browser.press(path) == 303
    csrf = await browser.csrf()
    assert (await browser.ask("POST", "/admin/signout", headers, csrf=csrf))[0] == 403
    assert await entrance.session(browser.token)


async def test_what_our_page_sends_is_taken_by_either_header(browsers: AsyncIterator[Browser]) -> None:
    for headers in ({"Origin": APP}, {"Sec-Fetch-Site": "same-origin"}, OURS):
        browser = await anext(browsers)
        assert await browser.press(await browser.link(), headers) == 303
        assert (await browser.ask("POST", "/admin/signout", headers, csrf=await browser.csrf()))[0] == 303


async def test_a_write_needs_the_proof_of_its_own_session(
    browsers: AsyncIterator[Browser], entrance: Entrance
) -> None:
    mine, other = await anext(browsers), await anext(browsers)
    await mine.enter()
    await other.enter()
    proof = await mine.csrf()
    for csrf in ("", proof[:-1], proof.upper(), await other.csrf(), mine.token):
        assert (await mine.ask("POST", "/admin/signout", OURS, csrf=csrf))[0] == 403
        assert (await mine.ask("POST", "/admin/signout", {**OURS, "X-CSRF-Token": csrf}))[0] == 403
    assert (await mine.ask("POST", "/admin/signout", OURS))[0] == 403
    assert await entrance.session(mine.token)
    assert (await mine.ask("POST", "/admin/signout", {**OURS, "X-CSRF-Token": proof}))[0] == 303


async def test_a_write_is_a_post_and_nothing_else(browser: Browser, entrance: Entrance) -> None:
    await browser.enter()
    csrf, token = await browser.csrf(), browser.token
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert (await browser.ask(method, f"/admin/signout?csrf={csrf}", OURS))[0] == 405
    assert await entrance.session(token)


async def test_signing_out_ends_the_session_in_the_database(browser: Browser, store: Store) -> None:
    await browser.enter()
    cookie = browser.cookie
    status, _, headers = await browser.ask("POST", "/admin/signout", OURS, csrf=await browser.csrf())
    assert (status, headers["Location"]) == (303, "/admin")
    assert "Max-Age=0" in browser.set_cookie
    browser.cookie = cookie
    assert (await browser.ask("GET", "/admin"))[0] == 401
    assert (await noted(store))[0] == Deed.DASHBOARD_LEFT


async def test_all_browsers_of_a_person_can_be_signed_out(browsers: AsyncIterator[Browser]) -> None:
    here, there = await anext(browsers), await anext(browsers)
    await here.enter()
    await there.enter()
    await here.ask("POST", "/admin/signout", OURS, csrf=await here.csrf(), all="yes")
    assert (await there.ask("GET", "/admin"))[0] == 401


async def test_a_session_is_over_with_its_time_and_with_its_persons_office(
    browser: Browser, entrance: Entrance, clock: FakeClock
) -> None:
    await browser.enter()
    entrance.people = (BOB,)
    assert (await browser.ask("GET", "/admin"))[0] == 401
    entrance.people = (ALICE, BOB)
    assert (await browser.ask("GET", "/admin"))[0] == 200
    clock.advance(timedelta(hours=12))
    assert (await browser.ask("GET", "/admin"))[0] == 401


async def test_without_a_session_people_are_told_how_and_machines_get_json(browser: Browser) -> None:
    for cookie in ("", "__Host-admin=", f"__Host-admin={'A' * 43}", "__Host-admin=' OR 1=1; --", "admin=x"):
        browser.cookie = cookie
        status, text, _ = await browser.ask("GET", "/admin")
        assert (status, "main.py dashboard" in text) == (401, True)
        for accepted in ("application/json", "text/event-stream"):
            status, text, headers = await browser.ask("GET", "/admin", {"Accept": accepted})
            assert (status, headers["Content-Type"]) == (401, "application/json; charset=utf-8")
            assert '"error"' in text
        assert (await browser.ask("POST", "/admin/signout", OURS))[0] == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path", ["/admin", "/admin/enter?link=" + "A" * 43, "/admin/signout", "/admin/other"]
)
async def test_without_admin_ids_there_is_no_dashboard(
    browser: Browser, entrance: Entrance, method: str, path: str
) -> None:
    await browser.enter()
    entrance.people = ()
    status, text, _ = await browser.ask(method, path, {**OURS, **PAGE})
    assert (status, "ADMIN_IDS" in text) == (404, True)


async def test_a_site_that_was_given_no_dashboard_has_none() -> None:
    async with serve(Site(APP), "127.0.0.1", 0) as port, ClientSession(f"http://127.0.0.1:{port}") as client:
        async with client.get("/admin") as answer:
            assert answer.status == 404
            assert "ADMIN_IDS" in await answer.text()
        async with client.get("/administrators") as answer:
            assert "ADMIN_IDS" not in await answer.text()


async def try_one(browser: Browser, link: str) -> tuple[int, str]:
    status, _, headers = await browser.ask("POST", "/admin/enter", OURS, link=link)
    return status, headers.get("Retry-After", "")


async def test_links_cannot_be_tried_quickly_nor_all_at_once(browser: Browser) -> None:
    found = await asyncio.gather(*(try_one(browser, f"{number:043}") for number in range(15)))
    assert [status for status, _ in found].count(403) == TRIED_OF_ADDRESS
    assert all(status == 403 or (status == 429 and 0 < int(wait) <= 60) for status, wait in found)


async def test_nobody_keeps_an_operator_out_by_trying_links(
    browser: Browser, store: Store, entrance: Entrance
) -> None:
    used, newer = await browser.link(), await browser.link()
    for _ in range(TRIED_OF_ADDRESS):
        await try_one(browser, used.partition("=")[2])
    assert (await try_one(browser, used.partition("=")[2]))[0] == 429
    assert (await noted(store)).count(Deed.DASHBOARD_REFUSED) == TRIED_OF_ADDRESS
    entrance.people = (BOB,)
    assert (await browser.press(newer), len(await noted(store))) == (429, TRIED_OF_ADDRESS + 2)
    entrance.people = (ALICE,)
    assert [await browser.press(newer), await browser.press(newer)] == [303, 429]


async def test_a_session_cannot_ask_without_end(browser: Browser) -> None:
    await browser.enter()
    for _ in range(REQUESTS_A_MINUTE):
        await browser.ask("GET", "/admin/audit", {"Accept": "application/json"})
    status, _, headers = await browser.ask("GET", "/admin/audit")
    assert (status, 0 < int(headers["Retry-After"]) <= 60) == (429, True)


async def test_no_token_is_in_the_log_or_the_database(
    sqlite_url: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    async with await open_store(sqlite_url, clock) as store:
        entrance = Entrance(store, clock, (ALICE,), APP)
        async with serve(site(entrance, store, clock), "127.0.0.1", 0) as port:
            address = f"http://127.0.0.1:{port}"
            async with ClientSession(address, cookie_jar=DummyCookieJar()) as client:
                there = Browser(client, entrance)
                path = await there.link()
                await there.press(path)
                csrf, token = await there.csrf(), there.token
                await there.press(path)
                await there.ask("GET", f"{path}&more=1")
                await there.ask("GET", f"/admin/other{path.removeprefix('/admin/enter')}")
        unused = await there.link()
        kept = b"".join(file.read_bytes() for file in folder.iterdir())
    tokens = {unused.partition("=")[2], path.partition("=")[2], token, csrf}
    records = [record for record in caplog.records if record.name.startswith("webhooks")]
    assert len(records) >= 5
    told = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in records)
    assert digest(token).encode() in kept
    assert not [each for each in tokens if each in told or each.encode() in kept]


async def test_nothing_at_admin_is_kept_by_browsers_and_proxies() -> None:
    for path, kept in (("/admin/export.csv", "no-store"), ("/static/site.css", "no-cache")):
        response = web.Response()
        await add_headers(make_mocked_request("GET", path), response)
        assert response.headers["Cache-Control"] == kept


def canonical(route: web.AbstractRoute) -> str:
    return route.resource.canonical if route.resource else ""


async def test_everything_behind_the_door_is_guarded(
    entrance: Entrance, store: Store, clock: FakeClock
) -> None:
    open_to_all, guarded = {"Entering.show", "Entering.enter"}, f"{Door.guard.__qualname__}.<locals>.guarded"
    inner = [
        route
        for route in build(site(entrance, store, clock)).router.routes()
        if canonical(route).startswith("/admin")
    ]
    assert {"/admin/audit", "/admin/backlog/retry"} <= {canonical(route) for route in inner}
    assert {route.handler.__qualname__ for route in inner} - open_to_all == {guarded}


async def test_whatever_changes_something_takes_proof(
    browser: Browser, entrance: Entrance, store: Store, clock: FakeClock
) -> None:
    await browser.enter()
    for route in build(site(entrance, store, clock)).router.routes():
        path = canonical(route)
        if path.startswith("/admin/") and path != "/admin/enter" and route.method not in {"GET", "HEAD"}:
            ways = [await browser.ask(route.method, path, OURS, files=files) for files in (False, True)]
            assert {each[0] for each in ways} == {403, 415}, path  # each takes forms in one way
