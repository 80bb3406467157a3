"""How often something may be done: for each of many, and for all of them together."""

from __future__ import annotations

from aiohttp import ClientSession, TCPConnector

from engine.entry import Entrance
from storage.store import Store
from tests.engine.conftest import ALICE
from tests.fakes.clock import FakeClock
from tests.web.admin.desk import HERE, OURS, desk
from webhooks.admin.entering import TRIED_OF_ADDRESS, TRIED_OF_ALL
from webhooks.admin.pace import KEYS_MOST, Pace
from webhooks.server import serve
from webhooks.site import Site


def test_what_was_done_too_often_may_be_done_again_in_time() -> None:
    now = 0.0
    pace = Pace(2, 60.0, lambda: now)
    assert [pace.take("a"), pace.take("a"), pace.take("a"), pace.take("b")] == [None, None, 60, None]
    now = 59.5
    assert pace.take("a") == 1
    now = 60.0
    assert [pace.take("a"), pace.take("a"), pace.take("a")] == [None, None, 60]


def test_however_many_come_those_who_were_not_seen_for_longest_are_forgotten() -> None:
    pace = Pace(1, 60.0, lambda: 0.0)
    for number in range(KEYS_MOST):
        pace.take(str(number))
    assert pace.take("0") == 60
    for number in range(KEYS_MOST, 2 * KEYS_MOST - 1):
        pace.take(str(number))
    assert [pace.take("0"), pace.take("1")] == [60, None]


async def test_many_addresses_together_cannot_try_more_links(store: Store, clock: FakeClock) -> None:
    entrance, found = Entrance(store, clock, (ALICE,), HERE), []
    async with serve(Site(HERE, admin=desk(entrance, store, clock)), "127.0.0.1", 0) as port:
        for number in range(1, TRIED_OF_ALL // TRIED_OF_ADDRESS + 2):
            way = TCPConnector(local_addr=(f"127.0.0.{number}", 0))
            async with ClientSession(f"http://127.0.0.1:{port}", connector=way, headers=OURS) as client:
                for _ in range(TRIED_OF_ADDRESS):
                    async with client.post("/admin/enter", data={"link": "x"}) as answer:
                        found.append(answer.status)
    assert found == [403] * TRIED_OF_ALL + [429] * TRIED_OF_ADDRESS
