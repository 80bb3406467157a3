"""Somebody at a browser: speaks in the playground, follows its links, and takes note of every complaint."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, WebError, expect

from tests.web.browser import chromium


@dataclass(frozen=True, slots=True)
class Visit:
    """The playground in one tab; what it leads to opens in others."""

    base: str
    context: BrowserContext
    page: Page
    pictures: Path

    async def say(self, text: str) -> str:
        """Write and send by the button, which completes nothing; the message's id."""
        box = self.page.get_by_role("textbox", name="Message")
        await box.fill(text)
        async with self.page.expect_response("**/playground/api/messages") as posted:
            await self.page.get_by_role("button", name="Send").click()
        await expect(box).to_have_value("")
        told = await (await posted.value).json()
        return str(told["id"])

    async def hear(self, text: str) -> Locator:
        """Say something, and wait for the whole of what the bot says next; a notice may come between."""
        answer = ".message.bot:not([id^=m-notice-])"
        reply = self.page.locator(f"#m-{await self.say(text)} ~ {answer}").first
        await whole(reply)
        return reply

    async def reply(self, message: Locator, text: str) -> Locator:
        """Go on with a message by its Reply button."""
        await message.hover()
        await message.get_by_role("button", name="Reply").click()
        await expect(self.page.locator("#replying")).to_be_visible()
        return await self.hear(text)

    async def become(self, person: str) -> None:
        """Speak as somebody else."""
        await self.page.locator("#people").get_by_role("button", name=person).click()
        await expect(self.page.locator("#self")).to_contain_text(person)

    async def enter(self, room: str) -> None:
        """Go to another room."""
        await self.page.locator("#rooms").get_by_role("button", name=room).click()
        await expect(self.page.get_by_role("heading", level=1)).to_contain_text(room)

    async def follow(self, link: Locator) -> Page:
        """Open a link, which has to lead into a new tab."""
        async with self.context.expect_page() as opening:
            await link.click()
        page = await opening.value
        await page.wait_for_load_state()
        return page

    async def picture(self, name: str, page: Page | None = None) -> None:
        """Keep what is seen now; the mouse points at nothing."""
        seen = page or self.page
        await seen.mouse.move(0, 0)
        await seen.screenshot(path=self.pictures / f"{name}.png", animations="disabled")


async def whole(message: Locator) -> None:
    """Wait until an answer has come to its end."""
    await expect(message).to_have_attribute("data-state", "done")


@asynccontextmanager
async def visiting(base: str, folder: Path) -> AsyncIterator[Visit]:
    """The playground in a fresh browser; at the end nothing may have gone wrong or elsewhere.

    Pictures are kept in the folder that SCREENSHOTS names, else in `folder`.
    """
    pictures = Path(os.environ.get("SCREENSHOTS", folder))
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1200, "height": 800}, locale="en-GB")
        complaints, asked = watch(context)
        page = await context.new_page()
        await page.goto(f"{base}/playground")
        yield Visit(base, context, page, pictures)
        assert complaints == []
        assert {f"{part.scheme}://{part.netloc}" for part in map(urlsplit, asked)} == {base}


def watch(context: BrowserContext) -> tuple[list[str], list[str]]:
    """What browsers complain about, breaches of the content policy too, and every address they ask for."""
    complaints: list[str] = []
    asked: list[str] = []

    def heard(line: ConsoleMessage) -> None:
        if line.type in {"error", "warning"}:
            complaints.append(line.text)

    def broke(error: WebError) -> None:
        complaints.append(str(error.error))

    def requested(request: Request) -> None:
        asked.append(request.url)

    context.on("console", heard)
    context.on("weberror", broke)
    context.on("request", requested)
    return complaints, asked
