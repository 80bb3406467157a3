"""Goes through Stripe's lists page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, NotRequired, TypedDict

import stripe

from billing.client import StripeCaller
from billing.snapshots import Fields, plain

LARGEST = 100


class Page(TypedDict):
    """The parameters of a page; each list call takes them among its own."""

    limit: int
    starting_after: NotRequired[str]


Listing = Awaitable[stripe.ListObject[Any]]
Ask = Callable[[Page], Listing]


async def every(caller: StripeCaller, ask: Ask) -> AsyncIterator[Fields]:
    """All objects of a list, each page a call of its own, so that one bad moment repeats one page."""
    page: Page = {"limit": LARGEST}
    more = True
    while more:
        listed = await caller.call(partial(ask, page))
        rows = [plain(row) for row in listed.data]
        for row in rows:
            yield row
        more = bool(listed.has_more and rows)
        page = {"limit": LARGEST, "starting_after": rows[-1]["id"]} if more else page
