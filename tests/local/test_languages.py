"""The playground speaks English, or the language that a member chooses; newcomers are welcomed privately."""

from __future__ import annotations

import asyncio

from tests.bot.counter import open_counter
from tests.engine.conftest import BOB, Hall
from tests.local.conftest import Talk


async def test_a_member_chooses_a_language_for_themselves(talk: Talk) -> None:
    told = await talk.say("/language deutsch")
    assert told["text"] == "Ab jetzt rede ich Deutsch mit dir."
    answers = await asyncio.gather(talk.say("/ask Hallo"), talk.say("/ask Hello", BOB))
    assert [answer["footer"].partition(" · ")[2] for answer in answers] == [
        "Unterhaltung 1 von 3 heute",
        "conversation 1 of 3 today",
    ]
    assert (await talk.say("/language auto"))["text"].startswith(
        "From now on I speak the language of your app"
    )
    assert "`/language [" in (await talk.say("/language klingon"))["text"]


async def test_a_newcomer_is_welcomed_where_only_they_see_it(hall: Hall) -> None:
    front = open_counter(hall.store, hall.clock, None, hall.catalogue).front(hall, welcomes=True)
    talk = Talk(hall, front)
    for _ in range(2):
        await talk.say("/ask Hello")
    await talk.stop()
    (welcome,) = [one for one in await talk.seen() if "Welcome" in one["text"]]
    assert (welcome["kind"], len(welcome["text"].splitlines())) == ("private", 3)
    assert not [one for one in await talk.seen(BOB) if "Welcome" in one["text"]]
