"""The page of members: what each brought in, cost and left in a month, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date

from aiohttp import web

from engine.charts import MemberRow, MembersPage
from engine.domain import TierName
from engine.panels import FOUND, Panels
from engine.tallies import MemberOrder
from webhooks.admin.asked import Asked, View
from webhooks.admin.parts import Part
from webhooks.admin.tables import Cells, Choice, Column, Row, Slice, Table
from webhooks.admin.units import Unit

AT_ONCE = 500
LOOKED_AT = 2_000
"""Members among which those of one tier are looked for on a page; a file looks at all."""
COLUMNS = (
    Column("person", "Member"),
    Column("margin", "Margin", Unit.MONEY),
    Column("revenue", "Revenue", Unit.MONEY, about="Recurring and metered, of this month"),
    Column("cost", "Vendor cost", Unit.MONEY),
    Column("requests", "Requests", Unit.COUNT),
    Column("tier", "Tier now"),
    Column("seen", "Last seen", Unit.MOMENT, sortable=False),
)
"""What a phone shows beside the name comes first."""
TIERS = Choice("tier", "Tier", [(each.value, each.title()) for each in TierName])
ERASED = "erased"
FROM_BELOW = frozenset({MemberOrder.MARGIN, MemberOrder.PERSON})
"""Orders that begin with the least or with A if nothing else is said."""


class Members:
    """Builds the page."""

    def __init__(self, panels: Panels) -> None:
        self._panels = panels

    async def build(self, asked: Asked) -> Sequence[Part]:
        """One table of one month."""
        month = asked.month
        return [
            Table(
                "members",
                f"Margin by member, {month:%B %Y}",
                COLUMNS,
                Ranked(self._panels, month),
                sort="margin",
                about=(
                    "What a seat in a team costs is its owner's. "
                    f"A tier is looked for among the first {LOOKED_AT:,}; the file has all. "
                    f"A search finds {FOUND} at most."
                ),
                search="Find a member by id",
                choices=(TIERS,),
                empty="Nobody has cost or brought in anything in this month.",
            )
        ]


class Ranked:
    """The members of a month, read a page at a time."""

    def __init__(self, panels: Panels, month: date) -> None:
        self._panels = panels
        self._month = month

    async def some(self, view: View, offset: int, limit: int) -> Slice:
        tier = tier_in(view)
        if tier is None:
            page = await self._page(view, offset, limit)
            return Slice([row_of(each) for each in page.rows], page.total)
        found: list[Row] = []
        for skip in range(0, LOOKED_AT, AT_ONCE):
            page = await self._page(view, skip, AT_ONCE)
            found += [row_of(each) for each in page.rows if each.tier is tier]
            if len(page.rows) < AT_ONCE:
                break
        return Slice(found[offset : offset + limit], len(found))

    async def through(self, view: View, take: Callable[[Iterable[Row]], None]) -> None:
        tier = tier_in(view)

        def kept(members: Iterator[MemberRow]) -> None:
            take(row_of(each) for each in members if tier is None or each.tier is tier)

        order, backwards = order_in(view)
        await self._panels.every_member(self._month, order, view.search, kept, backwards=backwards)

    async def _page(self, view: View, skip: int, limit: int) -> MembersPage:
        order, backwards = order_in(view)
        return await self._panels.members(
            self._month, order, skip=skip, limit=limit, text=view.search, backwards=backwards
        )


def order_in(view: View) -> tuple[MemberOrder, bool]:
    """By what it is sorted, and whether that is the other way round than usual."""
    order = MemberOrder(view.sort)
    return order, view.descending is (order in FROM_BELOW)


def tier_in(view: View) -> TierName | None:
    """The tier that is chosen. HTTPBadRequest for one that there is not."""
    chosen = view.chosen.get("tier")
    if chosen and chosen not in set(TierName):
        raise web.HTTPBadRequest(text="There is no such tier.")
    return TierName(chosen) if chosen else None


def row_of(member: MemberRow) -> Row:
    """A member as a row; losses want to be seen."""
    margin = member.margin
    cells: Cells = {
        "person": str(member.person) if member.person else ERASED,
        "tier": member.tier.title(),
        "revenue": member.revenue,
        "cost": member.cost,
        "margin": margin,
        "requests": member.requests,
        "seen": member.seen_at,
    }
    return Row(str(member.account), cells, "bad" if margin < 0 else "")
