"""Questions that are looked at before a model sees them, on Discord."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from engine.moderating import Moderating
from engine.screening import Screen, Screening
from engine.settings import ProviderRow
from engine.tables import ProviderKind
from providers.moderation import OpenAIModerator
from providers.registry import build_models
from tests.discord.conftest import Stage
from tests.engine.conftest import Hall
from tests.fakes.moderation import FakeModeration
from tests.fakes.shelf import File

RULES = "This breaks the rules of this bot"
MODEL = "omni-moderation-latest"


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeModeration]:
    """OpenAI's endpoint."""
    async with FakeModeration() as fake:
        yield fake


@pytest.fixture
async def hall(hall: Hall, endpoint: FakeModeration) -> AsyncIterator[Hall]:
    """One where it is asked."""
    hall.free(compare=2, requests_per_minute=None, concurrent=None)
    key = SecretStr("sk-fake")
    models = build_models([ProviderRow("openai", ProviderKind.OPENAI, endpoint.base_url, key)])
    hall.moderating = Moderating(hall.clock, Screening(Screen.OPENAI), OpenAIModerator(models, MODEL))
    yield hall
    await models.close()


async def test_what_breaks_the_rules_is_told_in_one_message_and_goes_to_no_model(stage: Stage) -> None:
    fake = stage.discord
    fake.say("alice", "general", "Something bad.", mention_bot=True)
    (told,) = await stage.shown(words=RULES)
    assert "quick · not counted" in told.text
    assert told.buttons() == []
    notes = File("notes.txt", "text/plain; charset=utf-8", b"All bad.")
    fake.dm("alice", "Is it?", files=[notes])
    (told,) = await stage.told("alice", words=RULES)
    used = fake.slash("alice", "ask", {"prompt": "bad", "private": "on"})
    await fake.world.pulse.until(lambda: any(RULES in text for text in used.texts()))
    assert used.private()
    fake.slash("alice", "compare", {"prompt": "bad", "first": "quick", "second": "spare"})
    await fake.world.pulse.until(
        lambda: [one for one in fake.transcript("general") if one.text.count(RULES) == 2]
    )
    assert stage.model.seen == []
    assert stage.hall.two.seen == []
    assert sum(RULES in one.text for one in fake.transcript("general")) == 3


async def test_what_is_fine_is_answered_and_what_is_asked_again_is_looked_at_again(
    stage: Stage, endpoint: FakeModeration
) -> None:
    stage.discord.slash("alice", "ask", {"prompt": "All fine."})
    (first,) = await stage.shown()
    endpoint.word = "fine"
    stage.discord.press("alice", first, first.button("Regenerate")["custom_id"])
    await stage.shown(words=RULES)
    assert len(stage.model.seen) == 1


async def test_an_endpoint_that_is_away_is_told_with_a_button_to_ask_again(
    stage: Stage, endpoint: FakeModeration
) -> None:
    endpoint.reply = (503, {"error": {"message": "Down.", "type": "server_error", "code": None}}, {})
    stage.discord.slash("alice", "ask", {"prompt": "All fine."})
    (told,) = await stage.shown(words="cannot be done just now")
    endpoint.reply = None
    stage.discord.press("alice", told, told.button("Ask again")["custom_id"])
    await stage.shown(words="Hello there.")


async def test_instructions_and_personas_that_break_the_rules_are_not_kept(stage: Stage) -> None:
    fake = stage.discord
    used = fake.slash("alice", "instructions", {"text": "Be bad."})
    assert "so it was not kept" in (await fake.answered(used)).text
    used = fake.slash("alice", "server persona", {"text": "Be bad."})
    assert "so it was not kept" in (await fake.answered(used)).text
    used = fake.slash("alice", "server show", {})
    assert "Persona: none" in (await fake.answered(used)).text
