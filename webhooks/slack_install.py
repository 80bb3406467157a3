"""Installation of the Slack app by whoever manages a workspace: off to Slack, and back to a page."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from engine.installations import InstallEnd, InstallStart, PlatformInstall
from webhooks.site import Site
from webhooks.words import page

BEGIN, BACK = "/slack/install", "/slack/oauth_redirect"
COOKIE, COOKIE_PATH = "slack_install", "/slack"

OFF = "This bot is not open to other workspaces: SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are not set."

STATUS: Mapping[InstallEnd, int] = {
    InstallEnd.DONE: 200,
    InstallEnd.CANCELLED: 200,
    InstallEnd.STALE: 400,
    InstallEnd.REFUSED: 502,
    InstallEnd.AWAY: 503,
}


def routes(site: Site) -> list[web.RouteDef]:
    """The two addresses, or the words that say why there is nothing."""
    if site.slack_install is None:
        return [web.get(BEGIN, _off), web.get(BACK, _off)]
    pages = InstallPages(site.slack_install, secure=site.app_url.startswith("https:"))
    return [
        web.get(BEGIN, pages.begin, allow_head=False),
        web.get(BACK, pages.finish, allow_head=False),
    ]


class InstallPages:
    """Keeps the state of an installation in the visitor's browser, and says how it ended."""

    def __init__(self, install: PlatformInstall, *, secure: bool) -> None:
        self._install = install
        self._secure = secure

    async def begin(self, _request: web.Request) -> web.StreamResponse:
        """Send the browser to Slack, where the person sees what the app may do."""
        start = await self._install.begin()
        response = web.Response(status=302, headers={"Location": start.address, "Cache-Control": "no-store"})
        self._set_cookie(response, start)
        return response

    async def finish(self, request: web.Request) -> web.StreamResponse:
        """The page at the end, whatever the end is."""
        query = dict(request.query)
        outcome = await self._install.finish(query, request.cookies.get(COOKIE, ""))
        response = page(
            "installed.html",
            status=STATUS[outcome.end],
            end=outcome.end.value,
            where=outcome.name,
            link=outcome.link if (outcome.link or "").startswith("https://") else None,
            org_wide=outcome.org_wide,
            again=BEGIN,
        )
        response.del_cookie(COOKIE, path=COOKIE_PATH)
        return response

    def _set_cookie(self, response: web.Response, start: InstallStart) -> None:
        """Lax, since Slack's redirect comes from another site; a page there could not send it otherwise."""
        response.set_cookie(
            COOKIE,
            start.cookie,
            max_age=start.seconds,
            path=COOKIE_PATH,
            httponly=True,
            samesite="Lax",
            secure=self._secure,
        )


async def _off(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound(text=OFF)
