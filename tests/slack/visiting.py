"""Somebody with a browser who installs the app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from aiohttp import ClientSession

from bot.slack.manifest import manifest
from bot.slack.oauth import SlackInstall
from engine.settings import SlackSettings
from storage.store import Store
from storage.vault import vault_of
from tests.fakes.clock import FakeClock
from tests.fakes.slack.teams import SlackApp, Team
from tests.slack.conftest import APP_URL
from webhooks.server import serve
from webhooks.site import Site


def slack_app(clock: FakeClock, *, http: bool = False) -> SlackApp:
    """Slack, with the generated manifest for an app that many workspaces install."""
    url = APP_URL if http else None
    described = manifest(url, redirect_url=f"{APP_URL}/slack/oauth_redirect")
    return SlackApp(described, now=lambda: clock.now().timestamp())


@dataclass(frozen=True, slots=True)
class Seen:
    """A page, or a redirect to `goal`."""

    status: int
    text: str
    goal: str = ""
    cookie: str = ""


@dataclass(slots=True)
class Visitor:
    """A browser: it goes to `APP_URL` at `address` and keeps the one cookie that there is."""

    session: ClientSession
    address: str
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, url: str) -> Seen:
        """Open an address of ours, following nothing."""
        parts = urlsplit(url)
        goal = f"{self.address}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        headers = {"Accept": "text/html", "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        async with self.session.get(goal, headers=headers, allow_redirects=False) as answer:
            cookie = answer.headers.get("Set-Cookie", "")
            for name, morsel in SimpleCookie(cookie).items():
                self.cookies[name] = morsel.value
            return Seen(answer.status, await answer.text(), answer.headers.get("Location", ""), cookie)

    async def begin(self) -> str:
        """Go to the first address; the one of Slack's page that follows."""
        seen = await self.get("/slack/install")
        assert seen.status == 302
        return seen.goal

    async def install(self, slack: SlackApp, team: Team, *, org_wide: bool = False) -> Seen:
        """Do it all; the last page."""
        return await self.get(slack.allow(await self.begin(), team, org_wide=org_wide))


@asynccontextmanager
async def visiting(settings: SlackSettings, store: Store, clock: FakeClock) -> AsyncIterator[Visitor]:
    """A visitor of the real web server."""
    assert settings.oauth is not None
    keys = [key.get_secret_value() for key in settings.oauth.token_keys]
    install = SlackInstall(settings, settings.oauth, store, clock, vault_of(keys))
    site = Site(APP_URL, slack_install=install)
    async with serve(site, "127.0.0.1", 0) as port, ClientSession() as session:
        yield Visitor(session, f"http://127.0.0.1:{port}")
