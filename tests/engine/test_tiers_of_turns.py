"""Turns and charges remember the tier that they were asked in, whatever the member buys afterwards."""

from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta

from engine.domain import TierName
from tests.engine.club import SELLING, TEAM_SUB, Club
from tests.engine.conftest import ALICE, BOB, Hall, last

ALWAYS = timedelta(days=1)


async def tiers(club: Club) -> list[TierName | None]:
    """Those of all charges, in order."""
    now = club.hall.clock.now()
    entries = await club.store.read(lambda tx: tx.entries(now - ALWAYS, now + ALWAYS))
    return [entry.tier for entry in entries]


async def test_a_charge_keeps_the_tier_of_its_question_and_a_seat_has_its_teams(hall: Hall) -> None:
    club = Club(hall, SELLING)
    for person in (ALICE, BOB):
        await last(club.chat(), hall.ask(person=person))
    await club.has(ALICE, TEAM_SUB)
    await club.joins(BOB)
    for person in (ALICE, BOB):
        await last(club.chat(), hall.ask(person=person))
    assert await tiers(club) == [TierName.FREE, TierName.FREE, TierName.TEAM, TierName.TEAM]


async def test_so_does_each_answer_of_a_comparison(hall: Hall) -> None:
    async with aclosing(hall.chat().compare(hall.ask(), ("quick", "spare"))) as events:
        assert [event async for event in events]
    assert await tiers(Club(hall)) == [TierName.FREE, TierName.FREE]
