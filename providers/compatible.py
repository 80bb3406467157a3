"""Any server that speaks OpenAI's protocol, as loosely as such servers do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import openai
from openai import AsyncStream, omit
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDelta
from openai.types.shared import ReasoningEffort

from engine.models import Completion, Effort
from providers.endpoint import Endpoint
from providers.openai import REFUSALS, OpenAIModel, OpenAIReading, messages, refuses
from providers.pages import no_page
from providers.streaming import Patience
from providers.thoughts import ThoughtFilter


class CompatibleReading(OpenAIReading):
    """As OpenAI's, without the reasoning that local servers put into the answer."""

    def __init__(self, completion: Completion) -> None:
        super().__init__(completion)
        self._filter = ThoughtFilter()

    def text(self, delta: ChoiceDelta | None) -> str:
        if delta is None:
            return ""
        self.ponder(delta)
        piece = self._words(delta.content)
        words = self._filter.feed(piece)
        if piece and self._filter.thinking:
            self.thinks(piece)
        return words

    def rest(self) -> str:
        return self._filter.rest()

    def _words(self, content: object) -> str:
        """The text of a delta's content, a list of typed parts where a server also sends reasoning."""
        if not isinstance(content, list):
            return content if isinstance(content, str) else ""
        if any(part.get("type") == "thinking" for part in content):
            self.thinks()
        return "".join(part.get("text") for part in content if part.get("type") == "text")


class CompatibleModel(OpenAIModel):
    """Streams chat completions from a server named in config.toml."""

    refusals = (*REFUSALS, openai.InternalServerError)
    """Ollama takes it for an error of its own that a model does not know an effort."""

    def __init__(self, endpoint: Endpoint, patience: Patience | None = None) -> None:
        super().__init__(endpoint, patience)
        self._counts = True

    def reading(self, completion: Completion) -> CompatibleReading:
        return CompatibleReading(completion)

    async def open(self, completion: Completion) -> AsyncStream[ChatCompletionChunk]:
        """Send the request; a server that refuses to be asked for usage is not asked for it again."""
        try:
            return await self._climb(completion, counts=self._counts)
        except REFUSALS as error:
            if not self._counts or "stream_options" not in error.message:
                raise
        stream = await self._climb(completion, counts=False)
        self._counts = False
        return stream

    def efforts(self, completion: Completion) -> Sequence[ReasoningEffort]:
        """As OpenAI's, and at last without a word of it: who does not know it stays usable."""
        if completion.reasoning is Effort.OFF:
            return ["none", None]
        asked = super().efforts(completion)
        return asked if completion.reasoning is None else [*asked, None]

    def _connect(self, endpoint: Endpoint) -> openai.AsyncOpenAI:
        client = super()._connect(endpoint)
        client.organization = client.project = None  # taken from OPENAI_ORG_ID and OPENAI_PROJECT_ID
        return client

    async def _climb(self, completion: Completion, *, counts: bool) -> AsyncStream[ChatCompletionChunk]:
        async def ask(effort: ReasoningEffort) -> AsyncStream[ChatCompletionChunk]:
            return await self.client.chat.completions.create(
                model=completion.vendor_id,
                messages=messages(completion),
                max_tokens=completion.max_output,
                reasoning_effort=effort or omit,
                stream=True,
                stream_options={"include_usage": True} if counts else omit,
            )

        return await no_page(await self.ladder.climb(completion, ask, refuses), self.vendor)


async def connect(endpoint: Endpoint, patience: Patience | None = None) -> CompatibleModel:
    """An adapter, made in a thread: reading the system's certificates takes a while."""
    return await asyncio.to_thread(CompatibleModel, endpoint, patience)
