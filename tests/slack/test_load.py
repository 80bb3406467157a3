"""Many answers at once, within Slack's limits and with its troubles: none is lost, doubled or stale."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.engine.conftest import UNLIMITED, Hall
from tests.fakes.clock import FakeClock
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.state import BOT_USER, Kind
from tests.slack.conftest import Stage, front_of, serving, workspace

WORDS = ("word ",) * 30
WHOLE = "".join(WORDS).strip()


@pytest.fixture
async def crowd(hall: Hall, clock: FakeClock) -> AsyncIterator[Stage]:
    """The bot over Socket Mode, with a model that repeats what it was asked; a minute that never ends."""
    hall.free(**UNLIMITED)
    hall.one.echo, hall.one.every, hall.one.words = True, 0.01, WORDS
    async with workspace(clock, http=False) as slack:
        front = front_of(hall)
        async with serving(slack, front, clock, http=False) as bot:
            yield Stage(slack, hall, front, bot)
        assert slack.findings == []


async def ask(slack: FakeSlack, members: int, channels: int) -> dict[str, tuple[str, str]]:
    """Let so many members ask at once, in turn in so many channels; what was asked, by channel and ts."""
    users = [f"U0MEMBER{number}" for number in range(members)]
    for user in users:
        slack.workspace.add_user(user, user.lower())
    for number in range(channels):
        slack.workspace.add_channel(f"C0CROWD{number}", f"crowd-{number}", Kind.PUBLIC, {*users, BOT_USER})
    places = [f"C0CROWD{number % channels}" for number in range(members)]
    said = await asyncio.gather(*map(slack.mention, users, places, [f"{user} says hi" for user in users]))
    return {user: (place, one.ts) for user, place, one in zip(users, places, said, strict=True)}


async def wrong(slack: FakeSlack, asked: dict[str, tuple[str, str]]) -> list[str]:
    """What is lost, doubled or stale once every thread has come to an end."""

    def shown(user: str) -> list[str]:
        return [message.shown for message in slack.thread(*asked[user])]

    def ended() -> bool:
        return all("today" in "".join(shown(user)) for user in asked)

    await slack.wait_for(ended)
    whole = {user: f"{user} says hi {WHOLE}" for user in asked}
    return [user for user in asked if len(shown(user)) != 1 or whole[user] not in shown(user)[0]]


async def test_two_hundred_answers_at_once_are_whole_within_slacks_limits(crowd: Stage) -> None:
    crowd.slack.faults.enforce_tiers = True
    asked = await ask(crowd.slack, members=200, channels=50)
    assert await wrong(crowd.slack, asked) == []
    writes = [call for call in crowd.slack.log.calls if call.method.startswith("chat.")]
    assert [call.method for call in writes if call.status == 429] == []
    assert len(writes) / 200 <= 2, "what Slack takes in a minute is shared"


async def test_troubles_on_the_way_lose_and_double_no_answer(crowd: Stage) -> None:
    for method in ("chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update"):
        crowd.slack.faults.rate_limit(method)
        for status in (500, 503):
            crowd.slack.faults.fail(method, "internal_error", status=status)
    asked = await ask(crowd.slack, members=20, channels=10)
    assert await wrong(crowd.slack, asked) == []
