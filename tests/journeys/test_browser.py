"""What a newcomer sees of `main.py` as it is, in a browser: from the first question to the end of a tier."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.journeys.visit import Visit, visiting, whole
from tests.program import ROOT, free_port, running

pytestmark = pytest.mark.browser

FREE = 10


@pytest.fixture
def variables(tmp_path: Path) -> Mapping[str, str]:
    """The shipped configuration, but nobody is too quick."""
    text = re.sub(r"(requests_per_minute|concurrent) = \d+", r"\1 = 99", (ROOT / "config.toml").read_text())
    config = tmp_path / "config.toml"
    config.write_text(text)
    return {"CONFIG": str(config), "PORT": str(free_port()), "PROMPT_KEY": "k" * 32}


async def test_a_newcomer_asks_reaches_the_limit_pays_and_goes_on(
    tmp_path: Path, variables: Mapping[str, str]
) -> None:
    base = f"http://127.0.0.1:{variables['PORT']}"
    async with running(tmp_path, variables), visiting(base, tmp_path) as visit:
        await visit.page.evaluate("window.visit = 'the first'")
        await watch_an_answer_grow(visit)
        told = await talk(visit)
        await see_that_bob_is_somebody_else(visit, told)
        await meet_a_lock(visit)
        await use_up_what_is_free(visit)
        checkout = await ask_for_the_link(visit)
        await pay(visit, checkout)
        await enjoy_premium(visit)
        await cancel(visit)
        await show_bob_what_he_misses(visit)
        assert await visit.page.evaluate("window.visit") == "the first"


async def watch_an_answer_grow(visit: Visit) -> None:
    """Find /ask by completion, and see the answer come word by word."""
    await expect(visit.page.locator("#self")).to_contain_text("aliceFree")
    await visit.picture("1-empty")
    box = visit.page.get_by_role("textbox", name="Message")
    await box.press_sequentially("/a")
    await expect(visit.page.get_by_role("option", selected=True)).to_contain_text("Ask a model")
    await visit.picture("2-completion")
    await box.press("Tab")
    await box.press_sequentially("What can you do?")
    await box.press("Enter")
    answer = visit.page.locator(".message.bot.public")
    await expect(answer.locator("li").first).to_contain_text("/ask")
    await expect(answer.get_by_role("button", name="Stop")).to_be_visible()
    early = await answer.locator(".text").inner_text()
    await visit.picture("3-streaming")
    await whole(answer)
    await expect(visit.page.locator(".message.bot.private")).to_contain_text("Welcome! Free costs nothing")
    assert (await answer.locator(".text").inner_text()).startswith(early)
    await expect(answer.locator("li")).to_have_count(6)
    await expect(answer.locator(".footer")).to_have_text(f"demo-guide · conversation 1 of {FREE} today")


async def talk(visit: Visit) -> Locator:
    """Tell a model something and ask for it in a reply; the first answer."""
    told = await visit.hear("/ask My favourite tea is oolong.")
    remembered = await visit.reply(told, "What is my favourite tea?")
    await expect(remembered).to_contain_text("Your favourite tea is oolong")
    await expect(remembered.locator(".footer")).to_contain_text(f"2 of {FREE} today · turn 2 of 20")
    return told


async def see_that_bob_is_somebody_else(visit: Visit, told: Locator) -> None:
    """Bob reads the room, but neither private replies nor DMs, and no model tells him of alice's tea."""
    usage = await visit.hear("/usage")
    await expect(usage).to_contain_text("Only you can see this")
    await expect(usage).to_contain_text(f"Conversations today: 2 of {FREE}")
    await visit.enter("Assistant")
    await visit.hear("/plans")
    await visit.become("bob")
    await expect(visit.page.locator("#empty")).to_be_visible()
    await visit.enter("general")
    await expect(told).to_contain_text("oolong")
    await expect(visit.page.get_by_text("Only you can see this")).to_have_count(0)
    asked = await visit.reply(told, "What is my favourite tea?")
    await expect(asked).to_contain_text("You have not told me")
    await visit.picture("4-bob")
    await visit.become("alice")


async def meet_a_lock(visit: Visit) -> None:
    """A model above the tier is refused, with the tier that has it."""
    refused = await visit.hear("/ask model:demo-sage What is time?")
    await expect(refused).to_contain_text("demo-sage is not part of the Free tier.")
    await expect(refused.get_by_role("button", name="Upgrade: $8.99 a month")).to_be_visible()
    await expect(refused).to_contain_text("Only you can see this")
    models = await visit.hear("/model")
    await expect(models).to_contain_text("🔒 demo-sage")
    await visit.picture("5-models")


async def use_up_what_is_free(visit: Visit) -> None:
    """Begin all the conversations that are left, several at once."""
    done = visit.page.locator(".message.bot[data-state=done]", has_text=f"of {FREE} today")
    before = await done.count()
    for _ in range(FREE - 2):
        await visit.say("/ask Thanks!")
    await expect(done).to_have_count(before + FREE - 2)


async def ask_for_the_link(visit: Visit) -> Page:
    """Be refused, press the button of the refusal, and find the link in a DM."""
    refused = await visit.hear("/ask Once more!")
    await expect(refused).to_contain_text(f"the Free tier has {FREE} conversations a day")
    await expect(refused).to_contain_text("Your question is kept until")
    await expect(refused.get_by_role("button", name="Ask again")).to_be_visible()
    await visit.picture("6-refused")
    await refused.get_by_role("button", name="Upgrade").click()
    await expect(visit.page.locator(".message.bot").last).to_contain_text(
        "sent you the link in a direct message"
    )
    dm = visit.page.locator("#rooms").get_by_role("button", name="Assistant")
    await expect(dm.get_by_label("1 unread")).to_be_visible()
    await visit.enter("Assistant")
    await expect(dm.locator(".unread")).to_be_hidden()
    await expect(visit.page.locator(".message.bot").last).to_contain_text("SIMULATED: no real money moves.")
    await visit.picture("7-link")
    return await visit.follow(visit.page.get_by_role("link", name="Pay $8.99 a month"))


async def pay(visit: Visit, checkout: Page) -> None:
    """Be declined, pay, and see a page that waited become active by itself, and the playground too."""
    await expect(checkout.get_by_text("SIMULATED", exact=True)).to_be_visible()
    await visit.picture("8-checkout", checkout)
    session = checkout.url.rpartition("/")[2]
    waiting = await visit.context.new_page()
    await waiting.goto(f"{visit.base}/billing/success?session_id={session}")
    await expect(waiting.get_by_role("heading", name="Pending activation")).to_be_visible()
    await visit.picture("9-pending", waiting)
    await checkout.get_by_role("button", name="declined").click()
    await expect(checkout.get_by_role("alert")).to_contain_text("Your card was declined")
    await visit.picture("10-declined", checkout)
    await expect(visit.page.locator("#self .tier")).to_have_text("Free")
    await checkout.get_by_role("button", name="Pay $8.99").click()
    for page in (checkout, waiting):
        await expect(page.get_by_role("heading", name="Premium is yours")).to_be_visible()
    await visit.picture("11-active", checkout)
    await waiting.close()
    await checkout.close()


async def enjoy_premium(visit: Visit) -> None:
    """The tier and its notice have arrived; what was refused is answered now."""
    await expect(visit.page.locator("#self .tier")).to_have_text("Premium")
    await expect(visit.page.locator("#people [aria-current] .tier")).to_have_text("Premium")
    notice = visit.page.locator(".message.bot").last
    await expect(notice).to_contain_text("The Premium tier is yours")
    await expect(notice).to_contain_text("Your question is still waiting")
    await visit.picture("12-notice")
    await notice.get_by_role("button", name="Answer it now").click()
    there = visit.page.locator(".message.bot").last
    await expect(there).to_contain_text("I answer it where you asked it: general")
    await visit.enter("general")
    waited = visit.page.locator(".message.bot.public").last
    await expect(waited.locator(".footer")).to_contain_text(f"conversation {FREE + 1} today")
    again = await visit.hear("/ask model:demo-sage What is time?")
    await expect(again.locator(".footer")).to_have_text(f"demo-sage · conversation {FREE + 2} today")


async def cancel(visit: Visit) -> None:
    """Cancel in the portal, and see until when the tier stays."""
    await visit.enter("Assistant")
    billing = await visit.hear("/billing")
    portal = await visit.follow(billing.get_by_role("link", name="Open billing portal"))
    await visit.picture("13-portal", portal)
    await portal.get_by_role("button", name="Cancel at the end of the period").click()
    await expect(portal.get_by_text("It is cancelled and ends on")).to_be_visible()
    await visit.picture("14-cancelled", portal)
    await portal.close()
    notice = visit.page.locator(".message.bot", has_text="subscription is cancelled. You keep it until")
    await expect(notice).to_be_visible()
    await expect(await visit.hear("/usage")).to_contain_text("Premium tier, ends on")
    await visit.picture("15-usage")


async def show_bob_what_he_misses(visit: Visit) -> None:
    """Code, a refusal with its buttons, and tiers beside the names: the picture in README.md."""
    await visit.enter("general")
    await visit.become("bob")
    code = await visit.hear("/ask model:demo-coder Fibonacci in Python, please")
    await expect(code.locator("pre code")).to_contain_text("def fibonacci")
    refused = await visit.hear("/ask model:demo-sage What is time?")
    await expect(refused.get_by_role("button", name="Upgrade")).to_be_visible()
    await expect(visit.page.locator("#people")).to_contain_text("alicePremium")
    await visit.picture("playground")
