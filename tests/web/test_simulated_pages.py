"""The simulated checkout and portal, pressed as their buttons press."""

from __future__ import annotations

import re

import pytest
from aiohttp import ClientSession

from engine.domain import Micros, ModelClass, Tier, TierName
from tests.fakes.simulated_checkout import PORTAL, SESSION, MemoryCheckout
from tests.web.conftest import Start
from webhooks.simulated import dollars
from webhooks.site import Site

PAGE = {"Accept": "text/html"}
PREMIUM = Tier(
    name=TierName.PREMIUM,
    rank=1,
    price_month=Micros(8_990_000),
    price_year=Micros(89_000_000),
    conversations_per_day=None,
    turns_per_conversation=100,
    requests_per_minute=10,
    concurrent=2,
    classes=frozenset({ModelClass.EVERYDAY}),
)


@pytest.fixture
async def client(start: Start, checkout: MemoryCheckout) -> ClientSession:
    tiers = {TierName.PREMIUM: PREMIUM}
    return await start(Site("http://127.0.0.1", simulated=checkout, tiers=tiers))


async def show(client: ClientSession, path: str, status: int = 200) -> str:
    async with client.get(path, headers=PAGE) as answer:
        assert answer.status == status
        return await answer.text()


async def press(client: ClientSession, path: str) -> str:
    async with client.post(path, headers=PAGE, allow_redirects=False) as answer:
        assert answer.status == 303
        return answer.headers["Location"]


async def test_the_checkout_page_is_marked_and_says_what_is_bought_for_how_much(
    client: ClientSession,
) -> None:
    text = await show(client, f"/simulated/checkout/{SESSION}")
    assert "<strong>SIMULATED</strong>" in text
    assert "No card is asked for" in text
    assert "<h1>Premium</h1>" in text
    assert re.search(r"\$8\.99</b> a month", text)


async def test_paying_leads_to_the_success_address_and_is_done_once(
    client: ClientSession, checkout: MemoryCheckout
) -> None:
    for _ in range(2):
        assert await press(client, f"/simulated/checkout/{SESSION}/pay") == "/billing/success"
    assert checkout.payments == 1
    text = await show(client, f"/simulated/checkout/{SESSION}")
    assert "This checkout is paid" in text
    assert "<form" not in text


async def test_a_declined_card_is_told_and_can_be_tried_again(
    client: ClientSession, checkout: MemoryCheckout
) -> None:
    back = await press(client, f"/simulated/checkout/{SESSION}/decline")
    text = await show(client, back)
    assert "Your card was declined" in text
    assert f"/simulated/checkout/{SESSION}/pay" in text
    assert checkout.payments == 0


async def test_cancelling_leads_to_the_cancel_address(client: ClientSession) -> None:
    assert await press(client, f"/simulated/checkout/{SESSION}/cancel") == "/billing/cancel"


async def test_the_form_may_lead_to_the_operators_own_return_addresses(start: Start) -> None:
    away = MemoryCheckout("https://shop.example/thanks?a=b", "https://shop.example/no")
    client = await start(Site("http://127.0.0.1", simulated=away))
    async with client.get(f"/simulated/checkout/{SESSION}", headers=PAGE) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert policy.endswith("form-action 'self' https://shop.example")


async def test_an_unknown_checkout_or_portal_says_how_to_get_one(client: ClientSession) -> None:
    assert "/upgrade" in await show(client, "/simulated/checkout/cs_other", 404)
    assert "/billing" in await show(client, "/simulated/portal/other", 404)
    async with client.post("/simulated/checkout/cs_other/pay") as answer:
        assert answer.status == 404
    async with client.post("/simulated/portal/other/end") as answer:
        assert answer.status == 404


async def test_the_portal_cancels_resumes_and_ends(client: ClientSession, checkout: MemoryCheckout) -> None:
    here = f"/simulated/portal/{PORTAL}"
    assert "no subscription yet" in await show(client, here)
    await press(client, f"/simulated/checkout/{SESSION}/pay")
    text = await show(client, here)
    assert "SIMULATED" in text
    assert "renews on <b>22 December 2026</b>" in text

    assert await press(client, f"{here}/cancel") == here
    assert "ends on <b>22 December 2026</b>" in await show(client, here)
    await press(client, f"{here}/resume")
    assert "renews on" in await show(client, here)
    await press(client, f"{here}/end")
    assert "This subscription is over" in await show(client, here)
    assert checkout.subscriptions[0].status == "canceled"


async def test_what_changes_anything_is_a_post(client: ClientSession) -> None:
    for path in (f"/simulated/checkout/{SESSION}/pay", f"/simulated/portal/{PORTAL}/end"):
        async with client.get(path) as answer:
            assert answer.status == 405


async def test_where_billing_is_real_there_are_no_simulated_pages(start: Start) -> None:
    client = await start(Site("http://127.0.0.1"))
    assert "not simulated here" in await show(client, f"/simulated/checkout/{SESSION}", 404)


@pytest.mark.parametrize(
    ("micros", "words"), [(8_990_000, "$8.99"), (89_000_000, "$89"), (1_234_500_000, "$1,234.50"), (0, "$0")]
)
def test_money_reads_as_money(micros: int, words: str) -> None:
    assert dollars(Micros(micros)) == words
