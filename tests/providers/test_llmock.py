"""Every dialect and fault of llmock, a simulator that its own authors check against the vendors' SDKs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from llmock.pytest_plugin import LLMock

from engine.errors import (
    ContextTooLongError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.files import Image
from engine.models import Finish
from tests.fakes import files
from tests.providers.conftest import HURRIED, USUAL, Make, ask, question

OWN = ("openai", "anthropic", "gemini")
COMPATIBLE = ("ai21", "groq", "mistral", "perplexity", "together", "xai")
IDS = {"anthropic": "claude-haiku-5-5", "gemini": "gemini-3.5-flash-lite"}

FAULTS: dict[str, tuple[Callable[[LLMock], LLMock], type[OutsideError]]] = {
    "rate limit": (lambda mock: mock.rate_limit(retry_after=2), TryAgainError),
    "overload": (lambda mock: mock.fail(529), TryAgainError),
    "bad key": (lambda mock: mock.fail(401), TellOperatorError),
    "unknown model": (lambda mock: mock.fail(404), TellOperatorError),
    "long prompt": (lambda mock: mock.context_overflow(), ContextTooLongError),
    "disconnect": (lambda mock: mock.disconnect(after_chunks=3), StreamCutError),
    "truncation": (lambda mock: mock.truncate(after_chunks=3), StreamCutError),
    "corruption": (lambda mock: mock.corrupt(after_chunks=3), StreamCutError),
    "stall": (lambda mock: mock.stall(after_chunks=3, seconds=1), LateError),
    "slow first word": (lambda mock: mock.slow_first_token(1), LateError),
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


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dialect", [*OWN, "groq"])
async def test_every_fault_has_its_error(dialect: str, fault: str, llmock: LLMock, make: Make) -> None:
    inject, kind = FAULTS[fault]
    inject(llmock)
    patience = HURRIED if kind is LateError else USUAL
    model = await make(dialect if dialect in OWN else "compatible", llmock.base_url(dialect), patience)
    outcome = await ask(model, question(model=IDS.get(dialect, "gpt-6-luna")))
    assert type(outcome.failure) is kind
    if fault == "rate limit":
        assert isinstance(outcome.failure, TryAgainError)
        assert outcome.failure.retry_after == 2
