"""Many answers at once, with Discord's limits and troubles: none is lost, doubled, stale or too dear.

Discord's times and our pace are a fifth of what they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import pytest

from bot.discord.adapter import PACE
from bot.pacing import Pace
from tests.discord.conftest import Stage, front_of, serving, settled
from tests.engine.conftest import UNLIMITED, Hall
from tests.fakes.discord import FakeDiscord, Message
from tests.fakes.discord.limits import GLOBAL_PER_SECOND, WINDOW_SECONDS, WINDOW_WRITES
from tests.fakes.discord.routes import Call

QUICKER = 5
QUICK = Pace(PACE.channel / QUICKER, PACE.process, PACE.thinking / QUICKER, PACE.span / QUICKER, 0.02)
MESSAGES = r"/channels/\d+/messages"


@pytest.fixture
async def crowd(hall: Hall, fake: FakeDiscord) -> AsyncIterator[Stage]:
    """The bot under Discord's limits, with a model that says for a while what it was asked."""
    fake.faults.limit(quicker=QUICKER)
    fake.server.spec = None  # others hold each request against it, which takes longer than all else here
    hall.free(**UNLIMITED)
    hall.one.echo, hall.one.every, hall.one.words = True, 0.02, ("word ",) * 40
    front = await front_of(hall)
    async with serving(fake, front, QUICK) as bot:
        yield Stage(fake, hall, front, bot)
    assert fake.findings == []


@dataclass(slots=True)
class Crowd:
    """Those who asked, where, and what each has to be answered."""

    stage: Stage
    asked: dict[str, tuple[str, Message]]

    async def answered(self) -> None:
        """Wait until as many answers as questions are complete, on however slow a machine."""
        fake = self.stage.discord
        for channel, count in Counter(channel for channel, _ in self.asked.values()).items():
            await settled(fake, partial(fake.transcript, channel), count, "today", 60)

    def wrong(self) -> list[str]:
        """What is lost, doubled or stale: each question has one answer, whole, with its footer."""
        found: dict[str, list[Message]] = {name: [] for name in self.asked}
        for message in self.stage.discord.world.messages.values():
            if message.author is self.stage.discord.world.bot:
                asked = message.wire["message_reference"]["message_id"]
                name = next(name for name, (_, own) in self.asked.items() if own.id == asked)
                found[name].append(message)
        texts = {name: [one.text for one in shown] for name, shown in found.items()}
        whole = "word " * 40
        return [
            f"{name}: {shown}"
            for name, shown in texts.items()
            if len(shown) != 1 or f"{name} says hi {whole.strip()}" not in shown[0] or "today" not in shown[0]
        ]


def ask(stage: Stage, members: int, channels: int) -> Crowd:
    """Let so many members ask at once, in turn in so many channels."""
    asked: dict[str, tuple[str, Message]] = {}
    for number in range(members):
        channel, name = f"channel-{number % channels}", f"member-{number}"
        said = stage.discord.say(name, channel, f"{name} says hi", mention_bot=True)
        asked[name] = (channel, said)
    return Crowd(stage, asked)


def crowded(times: Sequence[float], seconds: float) -> int:
    """The most that fall into any span of so many seconds."""
    return max((sum(start <= at < start + seconds for at in times) for start in times), default=0)


def writes(stage: Stage, method: str) -> list[Call]:
    """The requests that posted or edited a message."""
    return [call for call in stage.discord.calls if call.method == method and "/messages" in call.path]


async def test_two_hundred_answers_at_once_are_whole_within_discords_limits(crowd: Stage) -> None:
    asked = ask(crowd, members=200, channels=50)
    await asked.answered()
    assert asked.wrong() == []
    assert crowd.discord.faults.limited == 0, "no request was one too many"
    posts, edits = writes(crowd, "POST"), writes(crowd, "PATCH")
    assert len(posts) == 200
    assert len(edits) / 200 <= 4, "four share a channel that takes an edit a pace"
    assert max(Counter(call.path for call in edits).values()) <= 8
    for channel in {call.names["channel_id"] for call in posts}:
        for kind in (posts, edits):
            own = [call.at for call in kind if call.names["channel_id"] == channel]
            assert crowded(own, WINDOW_SECONDS / QUICKER) <= WINDOW_WRITES, "not even across two windows"
    assert crowded([call.at for call in (*posts, *edits)], 1 / QUICKER) <= GLOBAL_PER_SECOND


async def test_troubles_on_the_way_lose_double_and_hold_up_no_answer(crowd: Stage) -> None:
    faults = crowd.discord.faults
    for passes, status in enumerate((429, 500, 502, 503, 429, 503)):
        faults.plan(MESSAGES, status, method="PATCH", passes=3 * passes, times=2)
        faults.plan(MESSAGES, status, method="POST", passes=2 * passes)
    faults.plan(MESSAGES, 429, method="PATCH", passes=20, times=2, retry_after=None)
    faults.lose(MESSAGES, method="PATCH", passes=5, times=3)
    faults.lose(MESSAGES, method="POST", passes=8)
    asked = ask(crowd, members=40, channels=20)
    await crowd.discord.world.pulse.until(lambda: len(writes(crowd, "PATCH")) > 10)
    await crowd.discord.gateway.drop()
    await asked.answered()
    assert asked.wrong() == []
    assert crowd.discord.gateway.resumes == 1
    assert len(writes(crowd, "PATCH")) / 40 <= 8


async def test_an_edit_that_discord_holds_up_is_followed_by_the_newest_text_alone(crowd: Stage) -> None:
    crowd.discord.faults.plan(MESSAGES, 429, method="PATCH", retry_after=0.6)
    crowd.model.words = ("word ",) * 40
    asked = ask(crowd, members=1, channels=1)
    await asked.answered()
    assert asked.wrong() == []
    held, *rest = writes(crowd, "PATCH")
    assert rest[0].body == held.body, "the same request, once more"
    assert len(rest) <= 4
    own = [call.at for call in rest[1:-1]]
    assert all(later - earlier > 0.9 * QUICK.channel for earlier, later in pairwise(own))


async def test_an_answer_that_is_over_soon_costs_two_writes(crowd: Stage) -> None:
    crowd.model.every = 0.003
    asked = ask(crowd, members=1, channels=1)
    await asked.answered()
    assert asked.wrong() == []
    assert len(writes(crowd, "POST")) + len(writes(crowd, "PATCH")) <= 2


async def test_a_model_that_takes_its_time_is_said_to_think(crowd: Stage) -> None:
    crowd.model.pause = 0
    asked = ask(crowd, members=1, channels=1)
    await crowd.model.waiting.wait()
    (message,) = await crowd.discord.world.pulse.until(
        lambda: [
            one for one in crowd.discord.transcript("channel-0") if one.author is crowd.discord.world.bot
        ]
    )
    assert "thinking" in message.text
    crowd.model.go.set()
    await asked.answered()


async def test_a_model_that_reasons_is_said_to_and_costs_one_write_more(crowd: Stage) -> None:
    crowd.model.pause, crowd.model.thoughts = 0, 9
    asked = ask(crowd, members=1, channels=1)
    await crowd.model.waiting.wait()
    await crowd.discord.world.pulse.until(
        lambda: [one for one in crowd.discord.transcript("channel-0") if "reasoning" in one.text]
    )
    assert len(writes(crowd, "POST")) + len(writes(crowd, "PATCH")) <= 2
    crowd.model.go.set()
    await asked.answered()
    assert asked.wrong() == []
