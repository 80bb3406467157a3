"""Whether the bot can tell that Discord hears it and is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.surfaces import Surfaces
from tests.discord.conftest import front_of, serving
from tests.engine.conftest import Hall
from tests.fakes.discord import FakeDiscord
from tests.fakes.pulse import PATIENCE


async def until(holds: Callable[[], bool]) -> None:
    """Look in every turn of the loop."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - a state that lasts for a few turns only
            await asyncio.sleep(0)


@pytest.mark.parametrize("shards", [{}, {"shard_count": 2, "shard_ids": (0, 1)}])
async def test_a_dropped_gateway_is_away_until_it_is_resumed(
    hall: Hall, fake: FakeDiscord, shards: dict[str, object]
) -> None:
    async with serving(fake, await front_of(hall), **shards) as bot:  # type: ignore[arg-type]
        up = Surfaces(discord=bot).gateways["discord"]
        await until(up)
        await fake.gateway.drop()
        await until(lambda: not up())
        await until(up)
    assert not up()
