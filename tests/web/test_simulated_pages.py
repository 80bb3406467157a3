"""The simulated checkout and portal, pressed as their buttons press."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from aiohttp import ClientSession

from engine.domain import Interval, Micros, Tier, TierName
from engine.facts import PaymentStatus, Planned
from engine.models import ModelClass
from engine.simulated import SimulatedDeed, SimulatedStep
from tests.fakes.simulated_checkout import INVOICE, NOON, PORTAL, SESSION, MemoryCheckout, MemoryPlay
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


TEAM = replace(
    PREMIUM,
    name=TierName.TEAM,
    price_month=Micros(29_990_000),
    seats=5,
    extra_seat_month=Micros(5_000_000),
)


@pytest.fixture
def play() -> MemoryPlay:
    return MemoryPlay()


@pytest.fixture
async def client(start: Start, checkout: MemoryCheckout, play: MemoryPlay) -> ClientSession:
    tiers = {TierName.PREMIUM: PREMIUM, TierName.TEAM: TEAM}
    return await start(Site("http://127.0.0.1", simulated=checkout, simulation=play, tiers=tiers))


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


async def test_the_portal_says_what_stands_out_about_a_subscription(
    client: ClientSession, checkout: MemoryCheckout
) -> None:
    here = f"/simulated/portal/{PORTAL}"
    await press(client, f"/simulated/checkout/{SESSION}/pay")
    [sub] = checkout.subscriptions
    planned = Planned(TierName.TEAM, Interval.YEAR, 6, NOON)
    for facts, words in (
        (replace(sub, tier=TierName.TEAM, quantity=7), r"\$39\.99 a month, 7 seats"),
        (replace(sub, metered_item="si_2"), "with metered use"),
        (
            replace(sub, planned=planned),
            "22 December 2026</b> it becomes Team by the year with 6 seats",
        ),
        (replace(sub, status=PaymentStatus.TRIALING), "The trial ends on <b>22 December 2026</b>"),
        (
            replace(
                sub, status=PaymentStatus.PAST_DUE, pay_url=f"http://here.test/simulated/invoice/{INVOICE}"
            ),
            f'<a href="/simulated/invoice/{INVOICE}">Pay the open invoice</a>',
        ),
    ):
        checkout.subscriptions = [facts]
        assert re.search(words, await show(client, here))


async def test_the_portal_plays_what_its_buttons_say_and_tells_what_became_of_it(
    client: ClientSession, play: MemoryPlay
) -> None:
    here = f"/simulated/portal/{PORTAL}"
    text = await show(client, here)
    assert "22 November 2026, 12:00 UTC" in text
    assert 'role="status"' not in text
    buttons = re.findall(rf'action="{here}/play/([a-z-]+)"', text)
    assert set(buttons) == {*SimulatedDeed, *SimulatedStep} - {SimulatedDeed.EXPIRE}
    for deed in buttons:
        assert await press(client, f"{here}/play/{deed}") == here
    assert play.played == buttons
    assert f'role="status">You played {buttons[-1]}.' in await show(client, here)
    for nothing in (
        f"{here}/play/nonsense",
        "/simulated/portal/other/play/refund",
        "/simulated/portal/other/play/day",
    ):
        async with client.post(nothing) as answer:
            assert answer.status == 404


async def test_without_a_simulation_the_portal_has_nothing_to_play(
    start: Start, checkout: MemoryCheckout
) -> None:
    client = await start(Site("http://127.0.0.1", simulated=checkout))
    assert "Play with it" not in await show(client, f"/simulated/portal/{PORTAL}")
    async with client.post(f"/simulated/portal/{PORTAL}/play/refund") as answer:
        assert answer.status == 404


async def test_only_those_at_the_gate_may_play(
    start: Start, checkout: MemoryCheckout, play: MemoryPlay
) -> None:
    site = Site("http://127.0.0.1", simulated=checkout, simulation=play, playground_key="fake-key")
    client = await start(site)
    for path in (f"/simulated/portal/{PORTAL}/play/day", f"/simulated/invoice/{INVOICE}/pay"):
        async with client.post(path) as answer:
            assert answer.status == 403
    async with client.post(
        f"/simulated/portal/{PORTAL}/play/day", headers={"Origin": "http://elsewhere.test"}
    ) as answer:
        assert answer.status == 403
    assert (play.played, checkout.bill.paid) == ([], False)


async def test_an_open_invoice_is_declined_and_then_paid(
    client: ClientSession, checkout: MemoryCheckout
) -> None:
    here = f"/simulated/invoice/{INVOICE}"
    text = await show(client, here)
    assert "<strong>SIMULATED</strong>" in text
    assert "Pay $8.99 with a new card (simulated)" in text
    text = await show(client, await press(client, f"{here}/decline"))
    assert "Your card was declined" in text
    assert not checkout.bill.paid
    for _ in range(2):
        assert await press(client, f"{here}/pay") == here
    text = await show(client, here)
    assert "This invoice is paid" in text
    assert "<form" not in text
    checkout.bill = replace(checkout.bill, paid=False)
    assert "This invoice is void" in await show(client, here)
    assert "/billing" in await show(client, "/simulated/invoice/other", 404)


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
