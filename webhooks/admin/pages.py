"""Answers for the dashboard's pages, and for their tables as files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType

from aiohttp import web

from engine.facts import Mode
from engine.ports import Clock
from webhooks.admin import export
from webhooks.admin.asked import Asked
from webhooks.admin.assets import PATH, library
from webhooks.admin.door import Door
from webhooks.admin.leaves import Leaf, months, spans, ways
from webhooks.admin.parts import Part, of_all
from webhooks.admin.shown import ready
from webhooks.boundary import ADMIN_PATH

MARKS: Mapping[Mode, tuple[str, str] | None] = {
    Mode.LIVE: None,
    Mode.TEST: ("TEST MODE", "Stripe's test mode: no real money moves."),
    Mode.SIMULATED: ("SIMULATED", "Payments are simulated: nobody paid anything."),
}
"""What is said above figures that are no real money."""

NO_MORE: Mapping[str, str] = MappingProxyType({})
NO_TABLE = "This page has no such table."
Badges = Callable[[], Awaitable[dict[str, int]]]
"""How many things want to be looked at, by page."""
Told = Callable[[Asked], tuple[str, str] | None]
"""What is said once on top of a page, of what was done before: its mood and its words."""


class Pages:
    """Shows the pages to whom the door lets in."""

    def __init__(
        self, door: Door, clock: Clock, mode: Mode, leaves: Sequence[Leaf], badges: Badges, told: Told
    ) -> None:
        self._door = door
        self._clock = clock
        self._mark = MARKS[mode]
        self._leaves = leaves
        self._badges = badges
        self._told = told

    def routes(self) -> list[web.RouteDef]:
        """Each page, and each table of it as a file."""
        return [route for leaf in self._leaves for route in self._of(leaf)]

    def _of(self, leaf: Leaf) -> list[web.RouteDef]:
        async def show(request: web.Request) -> web.StreamResponse:
            return await self.show(request, leaf)

        async def file(request: web.Request) -> web.StreamResponse:
            return await self.file(request, leaf)

        files = f"{ADMIN_PATH}/{leaf.slug or OVERVIEW}/{{table}}.csv"
        guard = self._door.guard
        return [web.get(leaf.path, guard(show)), web.get(files, guard(file), allow_head=False)]

    async def show(self, request: web.Request, leaf: Leaf) -> web.StreamResponse:
        """A page of figures."""
        return await self.answer(request, leaf, await leaf.build(self._asked(request)))

    async def answer(
        self,
        request: web.Request,
        leaf: Leaf,
        found: Sequence[Part],
        status: int = 200,
        more: Mapping[str, str] = NO_MORE,
    ) -> web.StreamResponse:
        """The page with these parts; `more` parameters are in the addresses of its links."""
        asked = self._asked(request, more)
        tag = (await asyncio.to_thread(library)).tag
        return self._door.page(
            request,
            "admin/page.html",
            status=status,
            leaf=leaf,
            parts=[await ready(each, asked) for each in found],
            ways=ways(self._leaves, leaf, asked, await self._badges()),
            spans=spans(asked),
            months=months(asked),
            kept=asked.kept({"span"}),
            mark=self._mark,
            told=self._told(asked),
            now=asked.now,
            chart_js=f"{PATH}?v={tag}",
        )

    async def file(self, request: web.Request, leaf: Leaf) -> web.StreamResponse:
        """A table of a page as a file, in the order and of the kind of its address."""
        asked = self._asked(request)
        table = of_all(await leaf.build(asked), request.match_info["table"])
        if table is None:
            raise web.HTTPNotFound(text=NO_TABLE)
        name = f"{leaf.slug or OVERVIEW}-{table.id}-{asked.now:%Y%m%d-%H%M}"
        return await export.send(request, table, table.view(asked), name)

    def _asked(self, request: web.Request, more: Mapping[str, str] = NO_MORE) -> Asked:
        return Asked(request.path, {**request.query, **more}, self._clock.now())


OVERVIEW = "overview"
"""How the first page is called in the addresses of its files."""
