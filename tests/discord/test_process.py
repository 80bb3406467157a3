"""`main.py`, as it is, on a Discord: asked, sold to, paid, killed, and ended in good order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.discord import FakeDiscord, Message
from tests.program import free_port, running


@pytest.fixture
def variables() -> Mapping[str, str]:
    """What the program needs besides the fake's own variables."""
    return {"PORT": str(free_port())}


def link_in(text: str) -> str:
    """The address in a message whose link fits no button."""
    return text.partition("<")[2].partition(">")[0]


def replies(message: Message) -> bool:
    """Whether the bot wrote this below somebody's message."""
    return message.author.bot and "message_reference" in message.wire


async def test_main_serves_discord_from_the_first_question_to_the_tier_paid_for(
    tmp_path: Path, variables: Mapping[str, str]
) -> None:
    async with FakeDiscord() as fake:
        environ = {**fake.variables, **variables}
        async with running(tmp_path, environ) as program:
            await fake.connected()
            used = fake.slash("alice", "ask", {"prompt": "Thanks!"})
            await fake.world.pulse.until(lambda: any("1 of 10 today" in text for text in used.texts()))
            fake.slash("alice", "upgrade", {"tier": "premium"})
            (link,) = await fake.world.pulse.until(lambda: fake.dms("alice"))
            async with aiohttp.ClientSession() as session, session.post(f"{link_in(link.text)}/pay") as paid:
                assert paid.status == 200
            await fake.world.pulse.until(lambda: len(fake.dms("alice")) == 2)
            assert "Premium" in fake.dms("alice")[1].text
            usage = await fake.answered(fake.slash("alice", "usage"))
            assert "**Premium** tier" in usage.text
            await program.kill()
        await fake.gateway.drop(forget=True)
        async with running(tmp_path, environ) as program:
            await fake.connected()
            fake.say("alice", "general", "Bye", mention_bot=True)
            begun = await fake.world.pulse.until(lambda: [one for one in fake.transcript() if replies(one)])
            assert await program.end() == 0
    assert "conversation" in begun[0].text
    assert len(fake.dms("alice")) == 2
    assert fake.findings == []
    assert fake.pings() == []
