"""Installing the Slack app as a browser does it: away to another site, and back with the cookie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.slack.oauth import SlackInstall
from storage.store import migrate, open_store
from tests.fakes.clock import FakeClock
from tests.program import free_port
from tests.slack.conftest import settings_for
from tests.slack.visiting import slack_app
from webhooks.server import serve
from webhooks.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_cookie_comes_back_from_slack_and_is_gone_afterwards(
    browser: Browser, tmp_path: Path
) -> None:
    clock, url, port = FakeClock(), f"sqlite:///{tmp_path}/chat.db", free_port()
    await migrate(url, clock)
    store, app_url = await open_store(url, clock), f"http://127.0.0.1:{port}"
    try:
        async with slack_app(clock) as slack, await browser.new_context() as context:
            slack.team("T0ACME", "Acme")
            settings = settings_for(slack, http=False, many=True)
            assert settings.oauth
            oauth = replace(settings.oauth, app_url=app_url)
            slack.redirect_urls = frozenset({oauth.redirect_url})
            elsewhere = replace(settings, api_url=slack.api_url.replace("127.0.0.1", "localhost"))
            install = SlackInstall(elsewhere, oauth, store, clock)
            async with serve(Site(app_url, slack_install=install), "127.0.0.1", port):
                page = await context.new_page()
                await page.goto(f"{app_url}/slack/install")
                await expect(page.get_by_role("heading", name="Installed in Acme")).to_be_visible()
                assert await context.cookies() == []
                await page.reload()
                await expect(page.get_by_role("heading", name="This installation is over")).to_be_visible()
                await page.get_by_role("link", name="Begin again").click()
                await expect(page.get_by_role("heading", name="Installed in Acme")).to_be_visible()
            assert slack.findings == []
    finally:
        await store.close()
