"""Every dialect and fault of llmock, a simulator that its own authors check against the vendors' SDKs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from llmock.pytest_plugin import LLMock

from engine.errors import (
    ContextTooLongError,
    GiveUpError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.files import Image, Pdf
from engine.models import Finish
from tests.fakes import files
from tests.providers.conftest import HURRIED, USUAL, Make, ask, question

OWN = ("openai", "anthropic", "gemini")
COMPATIBLE = ("ai21", "groq", "mistral", "perplexity", "together", "xai")
IDS = {"anthropic": "claude-haiku-5-5", "gemini": "gemini-3.5-flash-lite"}

LONG = "On and on. " * 200
"""Longer than whoever leaves at the first sign of trouble could wait for."""
FAULTS: dict[str, tuple[Callable[[LLMock], LLMock], type[OutsideError]]] = {
    "rate limit": (lambda mock: mock.rate_limit(retry_after=0.2), TryAgainError),
    "broken": (lambda mock: mock.fail(500), TryAgainError),
    "down": (lambda mock: mock.fail(503), TryAgainError),
    "overload": (lambda mock: mock.fail(529), TryAgainError),
    "bad request": (lambda mock: mock.fail(400), GiveUpError),
    "bad key": (lambda mock: mock.fail(401), TellOperatorError),
    "no rights": (lambda mock: mock.fail(403), TellOperatorError),
    "unknown model": (lambda mock: mock.fail(404), TellOperatorError),
    "unreadable": (lambda mock: mock.fail(422), GiveUpError),
    "long prompt": (lambda mock: mock.context_overflow(), ContextTooLongError),
    "disconnect": (lambda mock: mock.disconnect(after_chunks=3), StreamCutError),
    "truncation": (lambda mock: mock.truncate(after_chunks=3), StreamCutError),
    "corruption": (lambda mock: mock.reply(LONG).corrupt(after_chunks=3).pace(10), StreamCutError),
    "stall": (lambda mock: mock.stall(after_chunks=3, seconds=1), LateError),
    "slow first word": (lambda mock: mock.slow_first_token(1), LateError),
    "delay": (lambda mock: mock.delay(1), LateError),
}


@pytest.mark.parametrize("dialect", [*OWN, *COMPATIBLE])
async def test_every_dialect_answers_and_counts(dialect: str, llmock: LLMock, make: Make) -> None:
    llmock.reply("The whole answer, word by word.")
    kind = dialect if dialect in OWN else "compatible"
    model = await make(kind, llmock.base_url(dialect))
    outcome = await ask(model, question(model=IDS.get(dialect, "gpt-6-luna")))
    assert outcome.text == "The whole answer, word by word."
    assert outcome.end.finish is Finish.END
    assert not outcome.end.usage.estimated
    assert outcome.end.usage.output_tokens > 0


@pytest.mark.parametrize("dialect", [*OWN, "groq"])
async def test_every_dialect_takes_images(dialect: str, llmock: LLMock, make: Make) -> None:
    llmock.reply("A cat.")
    model = await make(dialect if dialect in OWN else "compatible", llmock.base_url(dialect))
    asked = question("What is this?", model=IDS.get(dialect, "gpt-6-luna"))
    image = Image("cat.png", "image/png", files.image("PNG"), 64, 48)
    shown = replace(asked.messages[-1], images=(image,))
    assert (await ask(model, replace(asked, messages=(shown,)))).text == "A cat."


@pytest.mark.parametrize("dialect", [*OWN, "groq"])
async def test_every_dialect_takes_pdfs(dialect: str, llmock: LLMock, make: Make) -> None:
    llmock.reply("A letter.")
    model = await make(dialect if dialect in OWN else "compatible", llmock.base_url(dialect))
    asked = question("What is this?", model=IDS.get(dialect, "gpt-6-luna"))
    brought = replace(asked.messages[-1], pdfs=(Pdf("a.pdf", files.scan(), 1, 0, 0),))
    assert (await ask(model, replace(asked, messages=(brought,)))).text == "A letter."


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dialect", [*OWN, "groq"])
async def test_whoever_follows_the_error_of_a_fault_has_llmocks_approval(
    dialect: str, fault: str, llmock: LLMock, make: Make
) -> None:
    inject, kind = FAULTS[fault]
    inject(llmock)
    patience = HURRIED if kind is LateError else USUAL
    model = await make(dialect if dialect in OWN else "compatible", llmock.base_url(dialect), patience)
    asked = question(model=IDS.get(dialect, "gpt-6-luna"))
    failure = (await ask(model, asked)).failure
    assert type(failure) is kind
    if fault == "rate limit":
        assert isinstance(failure, TryAgainError)
        assert failure.retry_after == pytest.approx(0.2)
    if again := isinstance(failure, TryAgainError):
        await asyncio.to_thread(lambda: llmock.requests)  # which waits until it has seen us go
        await asyncio.sleep(failure.retry_after or 0)
        assert (await ask(model, asked)).end.finish is Finish.END
    verdict = llmock.verdict()
    verdict.assert_ok(strict=True)
    assert verdict.attempts == 1 + again
