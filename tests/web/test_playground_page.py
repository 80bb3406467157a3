"""The playground's page as a person sees and uses it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from tests.fakes.local_surface import ANSWER, MemorySurface
from webhooks.server import serve
from webhooks.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


@pytest_asyncio.fixture(loop_scope="session")
async def port(surface: MemorySurface) -> AsyncIterator[int]:
    async with serve(Site("http://127.0.0.1", playground=surface), "127.0.0.1", 0) as bound:
        yield bound


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, port: int) -> AsyncIterator[Page]:
    """The page as alice sees it; any complaint of the browser fails the test."""
    async with await browser.new_context(viewport={"width": 1200, "height": 800}) as context:
        opened = await context.new_page()
        complaints: list[str] = []
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        await opened.goto(f"http://127.0.0.1:{port}/playground")
        await expect(opened.locator("#self")).to_contain_text("Free")
        yield opened
        assert [line for line in complaints if "ERR_FAILED" not in line] == []


async def test_everything_on_the_page_comes_from_this_server(page: Page, port: int) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.reload()
    await expect(page.locator("#self")).to_contain_text("alice")
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(f"http://127.0.0.1:{port}/")] == []


async def test_an_empty_room_teaches_what_to_try(page: Page) -> None:
    await expect(page.locator("#empty")).to_contain_text("This is the beginning of #general")
    await page.get_by_role("button", name="Try /ask").click()
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("/ask What can you do?")


async def test_enter_sends_and_shift_enter_begins_a_line(page: Page, surface: MemorySurface) -> None:
    box = page.get_by_role("textbox", name="Message")
    await box.press_sequentially("one")
    await box.press("Shift+Enter")
    await box.press_sequentially("two")
    await box.press("Enter")
    await expect(page.locator(".message .text")).to_have_text("onetwo")
    await expect(box).to_have_value("")
    assert [body["text"] for _, body in surface.said.values()] == ["one\ntwo"]


async def test_an_answer_grows_in_place_and_ends_with_its_footer(page: Page, surface: MemorySurface) -> None:
    said = surface.say("", state="thinking")
    answer = page.locator(f"#m-{said}")
    await expect(answer.get_by_label("thinking")).to_be_visible()
    await expect(page.locator("#typing")).to_have_text("Assistant is writing…")
    surface.change(said, text="Half of **it**", state="writing")
    await expect(answer.locator("strong")).to_have_text("it")
    surface.change(said, text="Half of **it** and the rest.", state="done", footer="demo · 1 of 10")
    await expect(answer.locator(".text")).to_have_text("Half of it and the rest.")
    await expect(answer.locator(".footer")).to_have_text("demo · 1 of 10")
    await expect(page.locator("#typing")).to_have_text("")
    await expect(page.locator(".message")).to_have_count(1)
    await expect(page.locator("#announcer")).to_have_text("Assistant: Half of **it** and the rest.")


async def test_markdown_becomes_elements_and_markup_stays_text(page: Page, surface: MemorySurface) -> None:
    attack = '<img src=x onerror="document.title=1"> [x](javascript:alert(1)) **a<script>b</script>**'
    answer = page.locator(f"#m-{surface.say(ANSWER)}")
    hostile = page.locator(f"#m-{surface.say(attack)} .text")
    await expect(answer.locator("table td em")).to_have_text("many")
    await expect(answer.locator("ol > li")).to_have_count(2)
    await expect(answer.locator("pre code")).to_have_text('print("hello <b>world</b>")')
    await expect(answer.locator("figcaption")).to_contain_text("python")
    link = answer.get_by_role("link", name="the RFC")
    await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    await expect(hostile).to_have_text(attack.replace("**", ""))
    await expect(hostile.locator("img, script, a")).to_have_count(0)


MARKDOWN = [
    ("a *b* _c_ `d*e*`", "<p>a <em>b</em> <em>c</em> <code>d*e*</code></p>"),
    ("snake_case_name 2*3*4", "<p>snake_case_name 2<em>3</em>4</p>"),
    ("# T\ntext", "<h3>T</h3><p>text</p>"),
    ("- a\n  - b\n- c", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"),
    ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
    ("> a\n> b", "<blockquote><p>a<br>b</p></blockquote>"),
    ("\\*a\\*", "<p>*a*</p>"),
    ("one\n\ntwo", "<p>one</p><p>two</p>"),
    ("---", "<hr>"),
]


async def test_common_markdown_is_understood(page: Page) -> None:
    made = await page.evaluate(
        """async (texts) => {
            const { markdown } = await import("/static/playground/markdown.js");
            return texts.map((text) => {
                const box = document.createElement("div");
                box.append(markdown(text));
                return box.innerHTML;
            });
        }""",
        [text for text, _ in MARKDOWN],
    )
    assert made == [html for _, html in MARKDOWN]


async def test_hostile_markdown_does_not_hold_the_page_up(page: Page) -> None:
    took = await page.evaluate(
        """async () => {
            const { markdown } = await import("/static/playground/markdown.js");
            const begun = performance.now();
            for (const part of ["*", "_", "`", "[", "**a", "> ", "- ", "|", "a](", "~~", "http://"]) {
                markdown(part.repeat(16000 / part.length));
            }
            return performance.now() - begun;
        }"""
    )
    assert took < 3000


async def test_a_private_reply_is_marked_and_gone_for_somebody_else(
    page: Page, surface: MemorySurface
) -> None:
    said = surface.say("Your limit is reached.", audience="alice", kind="private")
    await expect(page.locator(f"#m-{said}")).to_contain_text("Only you can see this")
    surface.say("Hello all")
    await page.get_by_role("button", name="bob").click()
    await expect(page.locator("#self")).to_contain_text("bob")
    await expect(page.get_by_text("Hello all", exact=True)).to_be_visible()
    await expect(page.locator(f"#m-{said}")).to_have_count(0)


async def test_a_dm_waits_with_a_badge_until_it_is_read(page: Page, surface: MemorySurface) -> None:
    surface.say("Here is your link", room="dm", kind="dm", audience="alice")
    room = page.locator("#rooms").get_by_role("button", name="Assistant")
    await expect(room.get_by_label("1 unread")).to_be_visible()
    await expect(page).to_have_title("(1) Playground")
    await room.click()
    await expect(page.get_by_text("Here is your link", exact=True)).to_be_visible()
    await expect(room.locator(".unread")).to_be_hidden()
    await expect(page).to_have_title("Playground")


async def test_buttons_are_pressed_and_links_open_elsewhere(page: Page, surface: MemorySurface) -> None:
    buttons = [
        {"label": "Compare plans", "action": "plans", "url": None, "style": "plain"},
        {"label": "Pay", "action": None, "url": "/simulated/checkout/cs_1", "style": "primary"},
        {"label": "Bad", "action": None, "url": "javascript:alert(1)", "style": "plain"},
    ]
    said = surface.say("Upgrade?", buttons=buttons)
    await page.get_by_role("button", name="Compare plans").click()
    await expect(page.get_by_role("button", name="Compare plans")).to_be_enabled()
    assert surface.pressed == [("alice", said, "plans")]
    link = page.get_by_role("link", name="Pay")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(page.get_by_text("Bad")).to_have_count(0)


async def test_a_tier_changes_on_the_page_without_reload(page: Page, surface: MemorySurface) -> None:
    surface.set_tier("alice", "premium")
    await expect(page.locator("#self .tier")).to_have_text("Premium")
    await expect(page.locator("#people [aria-current] .tier")).to_have_text("Premium")
    await expect(page.locator("#announcer")).to_have_text("alice is now on the premium tier.")


async def test_commands_complete_with_the_keyboard_alone(page: Page, surface: MemorySurface) -> None:
    box = page.get_by_role("textbox", name="Message")
    await box.press_sequentially("/")
    await expect(page.get_by_role("option")).to_have_count(3)
    await box.press("ArrowDown")
    await expect(page.get_by_role("option", selected=True)).to_contain_text("Get a checkout link")
    await expect(box).to_have_attribute("aria-activedescendant", "suggestion-1")
    await box.press("Enter")
    await expect(box).to_have_value("/upgrade ")
    await expect(page.locator("#option-hint")).to_contain_text("The tier you want.")
    await box.press("Tab")
    await expect(page.locator("#option-hint")).to_contain_text("Pay by the month or by the year.")
    await box.press_sequentially("y")
    await box.press("Tab")
    await expect(box).to_have_value("/upgrade premium year ")
    await box.press("Enter")
    await expect(page.locator(".message .text")).to_have_text("/upgrade premium year")
    assert len(surface.said) == 1


async def test_a_command_written_in_full_is_sent_by_one_enter(page: Page) -> None:
    box = page.get_by_role("textbox", name="Message")
    await box.press_sequentially("/usage")
    await box.press("Enter")
    await expect(page.locator(".message .text")).to_have_text("/usage")


async def test_escape_closes_the_suggestions_and_the_mention_completes(page: Page) -> None:
    box = page.get_by_role("textbox", name="Message")
    await box.press_sequentially("/u")
    await expect(page.get_by_role("option")).to_have_count(2)
    await box.press("Escape")
    await expect(page.get_by_role("option")).to_have_count(0)
    await box.fill("")
    await box.press_sequentially("hey @as")
    await box.press("Tab")
    await expect(box).to_have_value("hey @Assistant ")


async def test_a_reply_goes_on_with_the_message_it_answers(page: Page, surface: MemorySurface) -> None:
    said = surface.say("First answer")
    surface.say("Something between")
    await page.locator(f"#m-{said}").hover()
    await page.locator(f"#m-{said}").get_by_role("button", name="Reply").click()
    await expect(page.locator("#replying")).to_contain_text("Replying to Assistant: First answer")
    await page.keyboard.type("and then?")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message .quote")).to_have_text("Assistant: First answer")
    assert [body["reply_to"] for _, body in surface.said.values()] == [None, None, said]


async def test_a_text_that_could_not_be_sent_is_kept_and_sent_once_when_tried_again(
    page: Page, surface: MemorySurface
) -> None:
    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    box = page.get_by_role("textbox", name="Message")
    await page.route("**/playground/api/messages", lose_the_answer, times=1)
    await box.fill("important")
    await box.press("Enter")
    await expect(page.get_by_role("alert").first).to_contain_text("try again")
    await expect(box).to_have_value("important")
    await box.press("Enter")
    await expect(box).to_have_value("")
    assert len(surface.said) == 1


async def test_a_person_can_be_added(page: Page) -> None:
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_label("Name").fill("Dora")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.locator("#self")).to_contain_text("dora")
    await page.reload()
    await expect(page.locator("#people")).to_contain_text("dora")


async def test_a_lost_connection_is_told_and_mended(browser: Browser, surface: MemorySurface) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = Site("http://127.0.0.1", playground=surface)
    async with await browser.new_context() as context:
        page = await context.new_page()
        async with serve(site, "127.0.0.1", port):
            await page.goto(f"http://127.0.0.1:{port}/playground")
            await expect(page.locator("#self")).to_contain_text("Free")
        await expect(page.locator("#connection")).to_contain_text("The connection is lost")
        surface.say("said meanwhile")
        async with serve(site, "127.0.0.1", port):
            await expect(page.get_by_text("said meanwhile", exact=True)).to_be_visible()
            await expect(page.locator("#connection")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
async def test_the_page_is_readable_wide_and_narrow_in_light_and_dark(
    browser: Browser, port: int, surface: MemorySurface, scheme: Literal["light", "dark"], width: int
) -> None:
    button = {"label": "Upgrade", "action": "x", "url": None, "style": "primary"}
    surface.say(ANSWER, footer="demo-brief · conversation 3 of 10 today")
    surface.say("`" + "x" * 300 + "`", kind="private", audience="alice", buttons=[button])
    surface.set_tier("alice", "pro")
    async with await browser.new_context(viewport={"width": width, "height": 780}) as context:
        page = await context.new_page()
        await page.emulate_media(color_scheme=scheme)
        await page.goto(f"http://127.0.0.1:{port}/playground")
        await expect(page.locator(".message")).to_have_count(2)
        await expect(page.locator("#self")).to_contain_text("Pro")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.get_by_role("textbox", name="Message").press_sequentially("/")
        await expect(page.get_by_role("option").first).to_be_visible()
        assert await page.evaluate(CONTRAST) == []


async def test_on_a_phone_rooms_and_people_are_behind_one_button(browser: Browser, port: int) -> None:
    async with await browser.new_context(viewport={"width": 390, "height": 780}) as context:
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{port}/playground")
        carol = page.get_by_role("button", name="carol")
        await expect(carol).to_be_hidden()
        await page.get_by_role("button", name="Rooms and people").click()
        await carol.click()
        await expect(page.locator("#self")).to_contain_text("carol")
        await expect(carol).to_be_hidden()
