"""Who may use the playground and the simulated pages: nobody from outside, unless they have the key."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession

from tests.fakes.local_surface import MemorySurface
from tests.fakes.simulated_checkout import MemoryCheckout
from tests.web.conftest import Start
from webhooks.access import Gate, is_loopback_visit
from webhooks.server import build
from webhooks.site import Site

KEY = "fake-playground-key"
PAGE = {"Accept": "text/html"}
HELLO = {"person": "alice", "room": "general", "text": "hello"}


def everything(surface: MemorySurface, checkout: MemoryCheckout, key: str | None = None) -> Site:
    address = "https://chat.example" if key else "http://127.0.0.1:8080"
    return Site(address, playground=surface, simulated=checkout, playground_key=key)


@pytest.mark.parametrize(
    ("address", "headers", "open_"),
    [
        ("127.0.0.1", {"Host": "127.0.0.1:8080"}, True),
        ("127.9.9.9", {"Host": "localhost"}, True),
        ("::1", {"Host": "[::1]:8080"}, True),
        ("::ffff:127.0.0.1", {"Host": "chat.localhost:8080"}, True),
        ("10.0.0.5", {"Host": "localhost"}, False),
        ("172.17.0.1", {"Host": "127.0.0.1"}, False),
        (None, {"Host": "localhost"}, False),
        ("127.0.0.1", {}, False),
        ("127.0.0.1", {"Host": "chat.example"}, False),
        ("127.0.0.1", {"Host": "localhost.evil.example"}, False),
        ("127.0.0.1", {"Host": "127.0.0.1.nip.io:8080"}, False),
        ("127.0.0.1", {"Host": "evil.example@localhost"}, False),
        ("127.0.0.1", {"Host": "0.0.0.0"}, False),  # noqa: S104 - a visitor's header
        ("127.0.0.1", {"Host": "localhost", "X-Forwarded-For": "127.0.0.1"}, False),
        ("127.0.0.1", {"Host": "localhost", "x-forwarded-proto": "https"}, False),
        ("127.0.0.1", {"Host": "localhost", "Forwarded": "for=127.0.0.1"}, False),
        ("127.0.0.1", {"Host": "localhost", "X-Real-IP": "127.0.0.1"}, False),
    ],
)
def test_only_this_machine_asking_for_itself_is_local(
    address: str | None,
    headers: dict[str, str],
    open_: bool,  # noqa: FBT001 - a row of the table
) -> None:
    assert is_loopback_visit(address, headers) is open_


def test_no_route_of_the_playground_or_of_simulated_billing_is_without_the_gate(
    surface: MemorySurface, checkout: MemoryCheckout
) -> None:
    guarded = Gate.guard.__qualname__ + ".<locals>.guarded"
    for site in (everything(surface, checkout), Site("http://127.0.0.1")):
        inner = [
            route
            for route in build(site).router.routes()
            if route.resource and route.resource.canonical.startswith(("/playground", "/simulated"))
        ]
        assert len(inner) >= 3
        assert {route.handler.__qualname__ for route in inner} == {guarded}


OUTSIDERS = [
    {"Host": "chat.example"},
    {"X-Forwarded-For": "203.0.113.9"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]
ROUTES = [
    ("GET", "/playground"),
    ("GET", "/playground/api"),
    ("GET", "/playground/api/messages?person=alice"),
    ("GET", "/playground/api/events?person=alice"),
    ("POST", "/playground/api/messages"),
    ("POST", "/playground/api/press"),
    ("GET", "/simulated/checkout/cs_sim_1"),
    ("POST", "/simulated/checkout/cs_sim_1/pay"),
    ("GET", "/simulated/portal/portal_1"),
    ("POST", "/simulated/portal/portal_1/end"),
]


@pytest.mark.parametrize("headers", OUTSIDERS)
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_outsiders_are_refused_in_words_and_nothing_happens(
    start: Start,
    surface: MemorySurface,
    checkout: MemoryCheckout,
    headers: dict[str, str],
    method: str,
    path: str,
) -> None:
    client = await start(everything(surface, checkout))
    async with client.request(method, path, headers=headers, json=HELLO) as answer:
        assert answer.status == 403
        assert len((await answer.json())["error"]) > 40
    assert not surface.said
    assert checkout.payments == 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_form_on_another_site_cannot_pay(
    start: Start, surface: MemorySurface, checkout: MemoryCheckout, site: str
) -> None:
    client = await start(everything(surface, checkout))
    headers = {"Sec-Fetch-Site": site}
    async with client.post("/simulated/checkout/cs_sim_1/pay", headers=headers) as answer:
        assert answer.status == 403
    assert checkout.payments == 0


async def test_our_own_page_on_this_machine_is_let_in(
    start: Start, surface: MemorySurface, checkout: MemoryCheckout
) -> None:
    client = await start(everything(surface, checkout))
    async with client.get("/playground", headers=PAGE) as answer:
        assert answer.status == 200
        ours = f"http://127.0.0.1:{answer.url.port}"
    async with client.post("/playground/api/messages", json=HELLO, headers={"Origin": ours}) as answer:
        assert answer.status == 202


@pytest.mark.parametrize("address", ["https://chat.example", "http://0.0.0.0:8080", "http://10.0.0.5:8080"])
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_with_a_public_address_nobody_is_let_in_without_a_key(
    start: Start, surface: MemorySurface, checkout: MemoryCheckout, address: str, method: str, path: str
) -> None:
    client = await start(Site(address, playground=surface, simulated=checkout))
    async with client.request(method, path, json=HELLO) as answer:  # as a proxy on this machine asks
        assert answer.status == 403
        assert "PLAYGROUND_KEY" in (await answer.json())["error"]
    assert checkout.payments == 0


async def enter(client: ClientSession, key: str, goal: str = "/playground") -> int:
    form = {"key": key, "goal": goal}
    async with client.post("/key", data=form, headers=PAGE, allow_redirects=False) as answer:
        return answer.status


async def test_with_a_key_configured_visitors_of_this_machine_need_it_too(
    start: Start, surface: MemorySurface, checkout: MemoryCheckout
) -> None:
    client = await start(everything(surface, checkout, KEY))
    async with client.get("/playground", headers=PAGE) as answer:
        assert answer.status == 403
        assert "PLAYGROUND_KEY" in await answer.text()
    async with client.get("/playground/api") as answer:
        assert answer.status == 403
        assert "Bearer" in (await answer.json())["error"]


async def test_the_right_key_gives_a_strict_cookie_that_does_not_hold_it(
    start: Start, surface: MemorySurface, checkout: MemoryCheckout
) -> None:
    client = await start(everything(surface, checkout, KEY))
    form = {"key": KEY, "goal": "/simulated/checkout/cs_sim_1"}
    async with client.post("/key", data=form, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/simulated/checkout/cs_sim_1"
        cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Secure"))
    assert KEY not in cookie
    headers = {"Cookie": cookie.partition(";")[0], "Host": "chat.example", "X-Forwarded-For": "203.0.113.9"}
    async with client.get("/playground/api", headers=headers) as answer:
        assert answer.status == 200


async def test_scripts_send_the_key_as_a_bearer_token(
    start: Start, surface: MemorySurface, checkout: MemoryCheckout
) -> None:
    client = await start(everything(surface, checkout, KEY))
    async with client.get("/playground/api", headers={"Authorization": f"Bearer {KEY}"}) as answer:
        assert answer.status == 200
    async with client.get("/playground/api", headers={"Authorization": "Bearer wrong"}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    "goal", ["https://evil.example", "//evil.example", "/playground//evil", "/health", ""]
)
async def test_the_key_form_leads_nowhere_else(
    start: Start, surface: MemorySurface, checkout: MemoryCheckout, goal: str
) -> None:
    client = await start(everything(surface, checkout, KEY))
    form = {"key": KEY, "goal": goal}
    async with client.post("/key", data=form, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/playground"


async def test_the_key_form_is_refused_to_other_sites_and_where_there_is_no_key(
    start: Start, surface: MemorySurface, checkout: MemoryCheckout
) -> None:
    client = await start(everything(surface, checkout, KEY))
    async with client.post("/key", data={"key": KEY}, headers={"Origin": "https://evil.example"}) as answer:
        assert answer.status == 403
    assert await enter(await start(everything(surface, checkout)), KEY) == 404


async def test_keys_cannot_be_guessed_quickly(
    start: Start, surface: MemorySurface, checkout: MemoryCheckout
) -> None:
    client = await start(everything(surface, checkout, KEY))
    assert [await enter(client, f"wrong-{number}") for number in range(11)] == [403] * 10 + [429]
    assert await enter(client, KEY) == 429
    async with client.get("/playground/api", headers={"Authorization": f"Bearer {KEY}"}) as answer:
        assert answer.status == 429
