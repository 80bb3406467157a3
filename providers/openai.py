"""OpenAI's models through its chat completions API."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import cast

import openai
from openai import AsyncStream, omit
from openai.types import CompletionUsage
from openai.types.chat import (
    ChatCompletionChunk,
    ChatCompletionContentPartImageParam,
    ChatCompletionContentPartTextParam,
    ChatCompletionMessageParam,
)
from openai.types.chat.chat_completion_chunk import ChoiceDelta
from openai.types.chat.chat_completion_content_part_param import File
from openai.types.shared import ReasoningEffort

from engine.errors import GiveUpError
from engine.files import Image, Pdf
from engine.models import Chunk, Completion, Effort, Finish, Message, Role
from providers.caching import cache_key
from providers.connections import CONNECTIONS
from providers.endpoint import Endpoint
from providers.failures import Fault, retry_after, worded
from providers.ladder import Ladder
from providers.pages import no_page
from providers.streaming import Patience, Reading, relay, whole

ENDS: Mapping[str, Finish] = {"length": Finish.LENGTH, "content_filter": Finish.SAFETY}
BROKEN = frozenset({"abort", "error", "insufficient_system_resource"})
"""Reasons by which servers of this protocol say that they stopped midway; any other unknown one is an end."""
NO_KEY = "none"
"""Sent to servers that want none; without it the SDK would give OPENAI_API_KEY to whoever is asked."""
HTTP_ERRORS = range(400, 600)
THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details")
"""Where servers of this protocol put what a model thinks; OpenAI itself sends nothing of it."""
REFUSALS = (openai.BadRequestError, openai.UnprocessableEntityError)


class OpenAIReading(Reading[ChatCompletionChunk]):
    """A chat completion as it comes in."""

    def __init__(self, completion: Completion) -> None:
        super().__init__(completion)
        self._refused = False

    def read(self, event: ChatCompletionChunk) -> str:
        if event.usage:
            self._count(event.usage)
        text = ""
        for choice in event.choices or ():  # null beside the usage on some servers of this protocol
            text += self.text(choice.delta)
            if choice.finish_reason and choice.finish_reason not in BROKEN:
                self.finish = Finish.SAFETY if self._refused else ENDS.get(choice.finish_reason, Finish.END)
        return text

    def text(self, delta: ChoiceDelta | None) -> str:
        """The words in a delta, or those by which the model refuses."""
        if delta is None:
            return ""
        self.ponder(delta)
        self._refused = self._refused or bool(delta.refusal)
        return (delta.content or "") + (delta.refusal or "")

    def ponder(self, delta: ChoiceDelta) -> None:
        """Note the reasoning in a delta."""
        if more := delta.model_extra:
            for thought in filter(None, map(more.get, THOUGHTS)):
                self.thinks(thought if isinstance(thought, str) else "")

    def _count(self, usage: CompletionUsage) -> None:
        self.input_tokens, self.output_tokens = usage.prompt_tokens, usage.completion_tokens
        if read := usage.prompt_tokens_details:
            self.cached_input_tokens = read.cached_tokens or 0
            self.cache_written_tokens = read.cache_write_tokens or 0
        if written := usage.completion_tokens_details:
            self.reasoning_tokens = written.reasoning_tokens or 0
        apart = whole(self.reasoning_tokens)  # some servers count it beside the answer, not in it
        if apart and usage.total_tokens == whole(usage.prompt_tokens) + whole(self.output_tokens) + apart:
            self.output_tokens = whole(self.output_tokens) + apart


class OpenAIModel:
    """Streams chat completions over one client."""

    refusals: tuple[type[openai.APIStatusError], ...] = REFUSALS
    failures = (openai.OpenAIError, ValueError)
    """A chunk that is no JSON comes out as the bare ValueError of the parser."""

    def __init__(self, endpoint: Endpoint, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self.vendor = endpoint.name
        self._endpoint = endpoint
        self.client = self._connect(endpoint)
        self.ladder = Ladder(self.efforts, self.refusals)
        _ = self.client.chat.completions  # the SDK imports this part of itself when it is first named

    def _connect(self, endpoint: Endpoint) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            api_key=endpoint.api_key or NO_KEY,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=openai.Timeout(None, connect=self.patience.connect),
            http_client=openai.DefaultAioHttpClient(limits=CONNECTIONS),
        )

    def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        return relay(self, completion)

    async def names(self) -> frozenset[str]:
        try:
            with worded(self):
                return frozenset([each.id async for each in self.client.models.list()])
        except AttributeError as error:  # the SDK takes whatever comes for a list
            raise GiveUpError(f"{self.vendor} gave no list of models") from error

    async def close(self) -> None:
        """Close the client and its connections."""
        await self.client.close()

    def reading(self, completion: Completion) -> OpenAIReading:
        """A fresh reader."""
        return OpenAIReading(completion)

    async def open(self, completion: Completion) -> AsyncStream[ChatCompletionChunk]:
        """Send the request."""

        async def ask(effort: ReasoningEffort) -> AsyncStream[ChatCompletionChunk]:
            return await self.client.chat.completions.create(
                model=completion.vendor_id,
                messages=messages(completion),
                max_completion_tokens=completion.max_output,
                prompt_cache_key=cache_key(completion),
                reasoning_effort=effort or omit,
                stream=True,
                stream_options={"include_usage": True},
            )

        return await no_page(await self.ladder.climb(completion, ask, refuses), self.vendor)

    def efforts(self, completion: Completion) -> Sequence[ReasoningEffort]:
        """How to ask for the effort; models that cannot be kept from reasoning are asked for their least."""
        if completion.reasoning is Effort.OFF:
            return ["none", "minimal", "low"]
        return [cast("ReasoningEffort", completion.reasoning and completion.reasoning.value)]

    def explain(self, error: Exception) -> Fault | None:
        """What the vendor said, in the reply's status or as an event of the stream."""
        if not isinstance(error, openai.APIError) or isinstance(error, openai.APIConnectionError):
            return None
        codes = tuple(str(code) for code in (error.type, error.code) if code)
        text = self._endpoint.conceal(error.message)
        if isinstance(error, openai.APIStatusError):
            return Fault(error.status_code, codes, text, retry_after(error.response.headers))
        return Fault(_status_in(codes), codes, text)


async def connect(endpoint: Endpoint, patience: Patience | None = None) -> OpenAIModel:
    """An adapter, made in a thread: reading the system's certificates takes a while."""
    return await asyncio.to_thread(OpenAIModel, endpoint, patience)


def refuses(error: Exception) -> bool:
    """Whether a request was refused for the effort that it asked for."""
    return any(word in str(error).casefold() for word in ("reasoning", "think"))


def messages(completion: Completion) -> list[ChatCompletionMessageParam]:
    """The messages in OpenAI's shape, instructions first."""
    asked = [_message(message) for message in completion.messages]
    return [{"role": "system", "content": completion.system}, *asked] if completion.system else asked


def _message(message: Message) -> ChatCompletionMessageParam:
    if message.role is Role.ASSISTANT:
        return {"role": "assistant", "content": message.text}
    if not (message.images or message.pdfs):  # servers that know no images may know no parts either
        return {"role": "user", "content": message.text}
    text: ChatCompletionContentPartTextParam = {"type": "text", "text": message.said}
    return {"role": "user", "content": [*map(_image, message.images), *map(_pdf, message.pdfs), text]}


def _image(image: Image) -> ChatCompletionContentPartImageParam:
    url = f"data:{image.media_type};base64,{b64encode(image.data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _pdf(pdf: Pdf) -> File:
    data = f"data:application/pdf;base64,{b64encode(pdf.data).decode()}"
    return {"type": "file", "file": {"filename": pdf.name, "file_data": data}}


def _status_in(codes: tuple[str, ...]) -> int | None:
    """The HTTP status that gateways put into an error event as its code."""
    numbers = (int(code) for code in codes if code.isdecimal())
    return next((number for number in numbers if number in HTTP_ERRORS), None)
