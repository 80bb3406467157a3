"""A team in the playground: each sees only what is theirs to see."""

from __future__ import annotations

import re

import pytest

from engine.domain import TierName
from tests.engine.club import SELLING
from tests.engine.conftest import ALICE, BOB, Hall
from tests.local.conftest import Talk
from tests.money.conftest import Till


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """All four tiers are for sale."""
    hall.catalogue = SELLING
    return hall


async def test_a_code_is_seen_by_its_owner_alone_and_lets_somebody_in(talk: Talk, till: Till) -> None:
    await till.paid(TierName.TEAM)
    told = await talk.say("/team invite")
    assert told["kind"] == "private"
    code = re.search(r"/team join \S+(?=`)", told["text"])
    assert code
    assert await talk.seen(BOB) == []
    joined = await talk.say(code[0], BOB)
    assert joined["text"].startswith("Welcome: you have a seat now.")
    assert code[0] not in [message["text"] for message in await talk.seen()]
    assert "2. @bob" in (await talk.say("/team", ALICE, room="dm"))["text"]
