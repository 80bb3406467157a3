"""Everything at /admin."""

from __future__ import annotations

from aiohttp import web

from webhooks.admin.door import Door
from webhooks.admin.entering import Entering
from webhooks.site import Site


def routes(_site: Site, door: Door) -> list[web.RouteDef]:
    """The way in, and the pages behind it."""

    async def home(request: web.Request) -> web.StreamResponse:
        return door.page(request, "admin/home.html")

    return [*Entering(door).routes(), web.get("/admin", door.guard(home))]
