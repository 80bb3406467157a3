"""A link into the dashboard in the playground: in the DM of the operator."""

from __future__ import annotations

from bot.admin.desk import Operators
from bot.admin.entering import entering
from engine.entry import Entrance
from tests.engine.conftest import ALICE, BOB, Hall
from tests.local.conftest import Talk


async def test_the_link_is_in_the_operators_dm_and_nowhere_else(talk: Talk, hall: Hall) -> None:
    entrance = Entrance(hall.store, hall.clock, (ALICE,), "https://chat.example")
    talk.front.operators = Operators((ALICE,), entering(entrance))
    told = await talk.say("/admin dashboard")
    assert (told["text"], told["buttons"]) == ("A link to the dashboard is in your direct messages.", [])
    (link,) = [message for message in await talk.seen() if message["buttons"]]
    assert (link["room"], link["kind"]) == ("dm", "dm")
    assert link["buttons"][0]["url"].startswith("https://chat.example/admin/enter?link=")
    assert await talk.seen(BOB) == []
