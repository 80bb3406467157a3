"""Anthropic's models through its messages API."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping
from typing import Literal

import anthropic
import httpx2
from anthropic import AsyncStream
from anthropic.types import (
    ImageBlockParam,
    MessageDeltaUsage,
    MessageParam,
    RawMessageStreamEvent,
    TextBlockParam,
    Usage,
)

from engine.files import Image
from engine.models import Chunk, Completion, Finish, Message, Role
from providers.endpoint import Endpoint
from providers.failures import Fault, retry_after
from providers.pages import no_page
from providers.streaming import Patience, Reading, relay

ENDS: Mapping[str, Finish] = {
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "refusal": Finish.SAFETY,
}
OK = 200


class AnthropicReading(Reading[RawMessageStreamEvent]):
    """A message as it comes in; thinking blocks have deltas of their own, which nobody reads."""

    def read(self, event: RawMessageStreamEvent) -> str:
        if event.type == "message_start":
            self._count(event.message.usage)
        elif event.type == "message_delta":
            self._count(event.usage)
            if event.delta.stop_reason:
                self.finish = ENDS.get(event.delta.stop_reason, Finish.END)
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            return event.delta.text
        return ""

    def _count(self, usage: Usage | MessageDeltaUsage) -> None:
        """Anthropic counts apart what was read from its cache and written to it; both are input to us."""
        self.output_tokens = usage.output_tokens
        if usage.input_tokens is not None:
            self.cached_input_tokens = usage.cache_read_input_tokens or 0
            written = usage.cache_creation_input_tokens or 0
            self.input_tokens = usage.input_tokens + self.cached_input_tokens + written


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
            timeout=anthropic.Timeout(self.patience.silence, connect=self.patience.connect),
            http_client=anthropic.DefaultAioHttpClient(),
        )
        _ = self._client.messages  # the SDK imports this part of itself when it is first named

    def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        return relay(self, completion)

    async def close(self) -> None:
        """Close the client and its connections."""
        await self._client.close()

    def reading(self, completion: Completion) -> AnthropicReading:
        """A fresh reader."""
        return AnthropicReading(completion)

    async def open(self, completion: Completion) -> AsyncStream[RawMessageStreamEvent]:
        """Send the request."""
        stream = await self._client.messages.create(
            model=completion.vendor_id,
            messages=messages(completion),
            system=completion.system or anthropic.omit,
            max_tokens=completion.max_output,
            stream=True,
        )
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


def messages(completion: Completion) -> list[MessageParam]:
    """The messages in Anthropic's shape."""
    return [_message(message) for message in completion.messages]


def _message(message: Message) -> MessageParam:
    if message.role is Role.ASSISTANT:
        return {"role": "assistant", "content": message.text}
    if not message.images:
        return {"role": "user", "content": message.text}
    text: TextBlockParam = {"type": "text", "text": message.text}
    return {"role": "user", "content": [*(_image(image) for image in message.images), text]}


def _image(image: Image) -> ImageBlockParam:
    media_type: Literal["image/png", "image/jpeg"] = (
        "image/png" if image.media_type == "image/png" else "image/jpeg"
    )
    data = b64encode(image.data).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}
