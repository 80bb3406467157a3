"""Anthropic's models through its messages API."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Literal, TypedDict, cast

import anthropic
import httpx2
from anthropic import AsyncStream
from anthropic.types import (
    Base64PDFSourceParam,
    CacheControlEphemeralParam,
    DocumentBlockParam,
    ImageBlockParam,
    MessageDeltaUsage,
    MessageParam,
    OutputConfigParam,
    RawContentBlockDeltaEvent,
    RawMessageStreamEvent,
    TextBlockParam,
    ThinkingConfigParam,
    Usage,
)

from engine.files import Image, Pdf
from engine.models import Chunk, Completion, Effort, Finish, Message, Role
from providers.caching import end_of_prefix
from providers.connections import CONNECTIONS
from providers.endpoint import Endpoint
from providers.failures import Fault, retry_after, worded
from providers.ladder import Ladder, budget
from providers.pages import no_page
from providers.streaming import Patience, Reading, relay, whole

ENDS: Mapping[str, Finish] = {
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "refusal": Finish.SAFETY,
}
OK = 200
LISTED = 1000
"""Models on a page of the list; the most that Anthropic gives."""
THOUGHTS = frozenset({"thinking", "redacted_thinking"})
CACHED: CacheControlEphemeralParam = {"type": "ephemeral"}
LEAST_BUDGET = 1024
"""Tokens; fewer to think are refused, and so are not fewer than `max_tokens`."""


class Way(TypedDict, total=False):
    """How to ask for an effort: what a request has beside the usual."""

    thinking: ThinkingConfigParam
    output_config: OutputConfigParam


class AnthropicReading(Reading[RawMessageStreamEvent]):
    """A message as it comes in; thinking has blocks of its own, some without a word."""

    def read(self, event: RawMessageStreamEvent) -> str:
        if event.type == "message_start":
            self._count(event.message.usage)
        elif event.type == "message_delta":
            self._count(event.usage)
            if event.delta.stop_reason:
                self.finish = ENDS.get(event.delta.stop_reason, Finish.END)
        elif event.type == "content_block_start" and event.content_block.type in THOUGHTS:
            self.thinks()
        elif event.type == "content_block_delta":
            return self._delta(event)
        return ""

    def _delta(self, event: RawContentBlockDeltaEvent) -> str:
        if event.delta.type == "text_delta":
            return event.delta.text
        if event.delta.type == "thinking_delta":
            self.thinks(event.delta.thinking)
        return ""

    def _count(self, usage: Usage | MessageDeltaUsage) -> None:
        """Anthropic counts apart what was read from its cache and written to it; both are input to us."""
        self.output_tokens = usage.output_tokens
        if usage.input_tokens is not None:
            self.cached_input_tokens = whole(usage.cache_read_input_tokens)
            self.cache_written_tokens = whole(usage.cache_creation_input_tokens)
            fresh = whole(usage.input_tokens)
            self.input_tokens = fresh + self.cached_input_tokens + self.cache_written_tokens
        if details := usage.output_tokens_details:
            self.reasoning_tokens = details.thinking_tokens or 0


class AnthropicModel:
    """Streams messages over one client."""

    failures = (anthropic.AnthropicError, httpx2.HTTPError, ValueError)
    """In a stream the SDK lets the transport's errors and the parser's ValueError through as they are."""

    def __init__(self, endpoint: Endpoint, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self.vendor = endpoint.name
        self._endpoint = endpoint
        self._client = anthropic.AsyncAnthropic(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=anthropic.Timeout(None, connect=self.patience.connect),
            http_client=anthropic.DefaultAioHttpClient(limits=CONNECTIONS),
        )
        self._ladder = Ladder(ways, (anthropic.BadRequestError,))
        _ = self._client.messages  # the SDK imports this part of itself when it is first named

    def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        return relay(self, completion)

    async def names(self) -> frozenset[str]:
        with worded(self):
            return frozenset([each.id async for each in self._client.models.list(limit=LISTED)])

    async def close(self) -> None:
        """Close the client and its connections."""
        await self._client.close()

    def reading(self, completion: Completion) -> AnthropicReading:
        """A fresh reader."""
        return AnthropicReading(completion)

    async def open(self, completion: Completion) -> AsyncStream[RawMessageStreamEvent]:
        """Send the request."""
        end = end_of_prefix(completion)

        async def ask(way: Way) -> AsyncStream[RawMessageStreamEvent]:
            return await self._client.messages.create(
                model=completion.vendor_id,
                messages=messages(completion, end),
                system=system(completion, cached=end is not None) or anthropic.omit,
                max_tokens=completion.max_output,
                stream=True,
                **way,
            )

        stream = await self._ladder.climb(completion, ask, refuses)
        return await no_page(stream, self.vendor)

    def explain(self, error: Exception) -> Fault | None:
        """What the vendor said; an error event inside a stream bears the 200 of the reply it came in."""
        if not isinstance(error, anthropic.APIStatusError):
            return None
        codes = tuple(code for code in (error.type, error.error_code) if code)
        text = self._endpoint.conceal(error.api_message or "")
        status = None if error.status_code == OK else error.status_code
        return Fault(status, codes, text, retry_after(error.response.headers))


async def connect(endpoint: Endpoint, patience: Patience | None = None) -> AnthropicModel:
    """An adapter, made in a thread: reading the system's certificates takes a while."""
    return await asyncio.to_thread(AnthropicModel, endpoint, patience)


def ways(completion: Completion) -> Sequence[Way]:
    """How to ask for the effort, newest models first; what they think is summarised, lest they be silent.

    Of today's models some cannot be kept from thinking: they are asked for their least effort.
    """
    effort = completion.reasoning
    if effort is None:
        return [{}]
    if effort is Effort.OFF:
        off: Sequence[ThinkingConfigParam] = ({"type": "disabled"}, {"type": "between_tools"})
        return [*(Way(thinking=each) for each in off), {"output_config": {"effort": "low"}}]
    level = cast("Literal['low', 'medium', 'high']", effort.value)
    adaptive: Way = {
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": level},
    }
    limit = budget(completion, LEAST_BUDGET)
    older: Way = {"thinking": {"type": "enabled", "budget_tokens": limit}}
    return [adaptive, older if limit < completion.max_output else {}]


def refuses(error: Exception) -> bool:
    """Whether a request was refused for the way in which it asked for an effort."""
    return any(word in str(error) for word in ("thinking", "effort", "output_config"))


def system(completion: Completion, *, cached: bool) -> str | list[TextBlockParam]:
    """The instructions; where the conversation goes into the cache, they are an entry of their own in it."""
    if not cached or not completion.system:
        return completion.system
    return _cached(completion.system)


def messages(completion: Completion, end: int | None = None) -> list[MessageParam]:
    """The messages in Anthropic's shape; all up to the one at `end` go into the cache."""
    return [_message(each, cached=place == end) for place, each in enumerate(completion.messages)]


def _message(message: Message, *, cached: bool) -> MessageParam:
    words: str | list[TextBlockParam] = _cached(message.said) if cached else message.said
    if message.role is Role.ASSISTANT:
        return {"role": "assistant", "content": words}
    if not (message.images or message.pdfs):
        return {"role": "user", "content": words}
    text: list[TextBlockParam] = [{"type": "text", "text": words}] if isinstance(words, str) else words
    return {"role": "user", "content": [*map(_image, message.images), *map(_pdf, message.pdfs), *text]}


def _cached(text: str) -> list[TextBlockParam]:
    return [{"type": "text", "text": text, "cache_control": CACHED}]


def _image(image: Image) -> ImageBlockParam:
    media_type: Literal["image/png", "image/jpeg"] = (
        "image/png" if image.media_type == "image/png" else "image/jpeg"
    )
    data = b64encode(image.data).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def _pdf(pdf: Pdf) -> DocumentBlockParam:
    data = b64encode(pdf.data).decode()
    source: Base64PDFSourceParam = {"type": "base64", "media_type": "application/pdf", "data": data}
    return {"type": "document", "title": pdf.name, "source": source}
