"""Any server that speaks OpenAI's protocol, as loosely as such servers do."""

from __future__ import annotations

import asyncio

import openai
from openai import AsyncStream, omit
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDelta

from engine.models import Completion
from providers.endpoint import Endpoint
from providers.openai import OpenAIModel, OpenAIReading, messages
from providers.pages import no_page
from providers.streaming import Patience
from providers.thoughts import ThoughtFilter


class CompatibleReading(OpenAIReading):
    """As OpenAI's, without the reasoning that local servers put into the answer."""

    def __init__(self, completion: Completion) -> None:
        super().__init__(completion)
        self._filter = ThoughtFilter()

    def text(self, delta: ChoiceDelta | None) -> str:
        return self._filter.feed(_words(delta.content)) if delta else ""

    def rest(self) -> str:
        return self._filter.rest()


class CompatibleModel(OpenAIModel):
    """Streams chat completions from a server named in config.toml."""

    def __init__(self, endpoint: Endpoint, patience: Patience | None = None) -> None:
        super().__init__(endpoint, patience)
        self._counts = True

    def reading(self, completion: Completion) -> CompatibleReading:
        return CompatibleReading(completion)

    async def open(self, completion: Completion) -> AsyncStream[ChatCompletionChunk]:
        """Send the request; a server that refuses to be asked for usage is not asked for it again."""
        try:
            return await self._ask(completion)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if not self._counts or "stream_options" not in error.message:
                raise
        self._counts = False
        return await self._ask(completion)

    def _connect(self, endpoint: Endpoint) -> openai.AsyncOpenAI:
        client = super()._connect(endpoint)
        client.organization = client.project = None  # taken from OPENAI_ORG_ID and OPENAI_PROJECT_ID
        return client

    async def _ask(self, completion: Completion) -> AsyncStream[ChatCompletionChunk]:
        stream = await self.client.chat.completions.create(
            model=completion.vendor_id,
            messages=messages(completion),
            max_tokens=completion.max_output,
            stream=True,
            stream_options={"include_usage": True} if self._counts else omit,
        )
        return await no_page(stream, self.vendor)


async def connect(endpoint: Endpoint, patience: Patience | None = None) -> CompatibleModel:
    """An adapter, made in a thread: reading the system's certificates takes a while."""
    return await asyncio.to_thread(CompatibleModel, endpoint, patience)


def _words(content: object) -> str:
    """The text of a delta's content, which is a list of typed parts where a server also sends reasoning."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    return content if isinstance(content, str) else ""
