"""The front page for people and the health check for machines."""

from __future__ import annotations

import logging

from aiohttp import web

from engine.errors import OutsideError
from webhooks.site import Site
from webhooks.words import answer, page

logger = logging.getLogger("webhooks")
_RETURNS = frozenset({"success", "cancel"})


def routes(site: Site) -> list[web.RouteDef]:
    """`GET /` and `GET /health`."""
    return [web.get("/", FrontPage(site).show), web.get("/health", health)]


class FrontPage:
    """What this server is, what is on, and where to go."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The page; `?billing=success|cancel`, the older return address, leads to its page."""
        returned = request.query.get("billing", "")
        if returned in _RETURNS:
            goal = request.rel_url.with_path(f"/billing/{returned}", keep_query=True)
            raise web.HTTPFound(goal.without_query_params("billing"))
        return page("home.html", parts=self._site.parts, paused=await self._paused())

    async def _paused(self) -> list[str]:
        """What members have to wait for; nothing while the database cannot say."""
        try:
            return [pause.told for pause in await self._site.pauses()] if self._site.pauses else []
        except OutsideError as error:
            logger.warning("the database is away", extra={"why": str(error)})
            return []


async def health(_request: web.Request) -> web.StreamResponse:
    """Alive: this process takes requests."""
    return answer({"status": "ok"})
