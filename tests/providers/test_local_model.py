"""A real model on this machine, where LOCAL_MODEL_URL and LOCAL_MODEL_ID name one (docs/models.md)."""

from __future__ import annotations

import os
from contextlib import aclosing
from dataclasses import replace

import pytest

from engine.context import size
from engine.models import Completion, Effort, Finish, Finished, TextDelta
from providers.lazy import Adapter
from providers.streaming import Patience
from tests.providers.conftest import Make, Outcome, ask, question

URL, MODEL = os.environ.get("LOCAL_MODEL_URL", ""), os.environ.get("LOCAL_MODEL_ID", "")
PATIENT = Patience(first=300, between=120)
"""It may have to be loaded, and this machine may be small."""

pytestmark = [
    pytest.mark.local_model,
    pytest.mark.skipif(not (URL and MODEL), reason="LOCAL_MODEL_URL and LOCAL_MODEL_ID name no model"),
]


@pytest.fixture
async def model(make: Make) -> Adapter:
    return await make("compatible", URL, PATIENT)


def asked(*said: str, cap: int = 1000) -> Completion:
    return question(*said, system="Never be brief.", model=MODEL, cap=cap)


def counted(outcome: Outcome, completion: Completion) -> Finished:
    """Its end, once the server's own count is seen to be one."""
    usage = outcome.end.usage
    assert not usage.estimated
    assert 0 < usage.input_tokens <= size(completion) + 200, "a template adds to what is said"
    assert 0 < usage.output_tokens <= completion.max_output
    assert usage.reasoning_tokens <= usage.output_tokens
    return outcome.end


async def test_a_real_model_answers_in_pieces_and_counts(model: Adapter) -> None:
    completion = asked("Count from one to ten, in words.")
    outcome = await ask(model, completion)
    assert sum(isinstance(chunk, TextDelta) for chunk in outcome.chunks) > 1
    assert outcome.text.strip()
    assert "<think>" not in outcome.text
    assert counted(outcome, completion).finish in {Finish.END, Finish.LENGTH}


async def test_a_real_model_stops_at_our_cap(model: Adapter) -> None:
    completion = asked("Tell me a very long story.", cap=16)
    outcome = await ask(model, completion)
    assert counted(outcome, completion).finish is Finish.LENGTH


@pytest.mark.parametrize("level", [Effort.OFF, Effort.LOW])
async def test_a_real_model_takes_an_effort_or_is_asked_without(level: Effort, model: Adapter) -> None:
    completion = replace(asked("What is two and two?"), reasoning=level)
    counted(await ask(model, completion), completion)


async def test_a_real_model_that_was_stopped_answers_the_next_question(model: Adapter) -> None:
    async with aclosing(model.stream(asked("Tell me a very long story.", cap=4000))) as chunks:
        await anext(chunks)
    completion = asked("Say yes.")
    counted(await ask(model, completion), completion)
