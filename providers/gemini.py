"""Google's Gemini models through its own SDK."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from contextvars import ContextVar
from typing import cast

import aiohttp
from google import genai
from google.genai import errors, types

from engine.errors import ContentRefusedError
from engine.files import Image, Pdf
from engine.models import Chunk, Completion, Effort, Finish, Role
from providers.endpoint import Endpoint
from providers.failures import Fault, retry_after, worded
from providers.ladder import Ladder, budget
from providers.streaming import Patience, Reading, relay

Reply = types.GenerateContentResponse
Reason = types.FinishReason
Level = types.ThinkingLevel

SAFETY = (
    Reason.SAFETY,
    Reason.RECITATION,
    Reason.BLOCKLIST,
    Reason.PROHIBITED_CONTENT,
    Reason.SPII,
    Reason.MODEL_ARMOR,
)
ENDS: Mapping[types.FinishReason, Finish] = {
    **dict.fromkeys((Reason.MAX_TOKENS, Reason.CONTINUATION), Finish.LENGTH),
    **dict.fromkeys(SAFETY, Finish.SAFETY),
}
BROKEN = frozenset({Reason.FINISH_REASON_UNSPECIFIED, Reason.OTHER, Reason.MALFORMED_RESPONSE})
DEFAULT_VERSION = "v1beta"
"""The SDK's own default, v1, lacks the `-latest` names and the previews."""

LEVELS: Mapping[Effort, Sequence[types.ThinkingLevel]] = {
    Effort.OFF: (Level.MINIMAL, Level.LOW),
    Effort.LOW: (Level.LOW,),
    Effort.MEDIUM: (Level.MEDIUM, Level.LOW),
    Effort.HIGH: (Level.HIGH,),
}
"""Not every model has every level; a missing one is replaced by one below it."""
LEAST_BUDGET, MOST_BUDGET = 512, 24_576
"""Tokens to think that every model with a budget takes."""
BAD_REQUEST = 400
LISTED = 1000
"""Models on a page of the list; the most that Gemini gives."""

RECEIVED: ContextVar[list[aiohttp.ClientResponse]] = ContextVar("RECEIVED")
"""Where the reply to a task's request is left: closing the SDK's stream does not close the reply under it."""


class GeminiReading(Reading[Reply]):
    """A reply as it comes in; some parts are marked as thought."""

    def read(self, event: Reply) -> str:
        if event.usage_metadata:
            self._count(event.usage_metadata)
        feedback = event.prompt_feedback
        if feedback and feedback.block_reason:
            raise ContentRefusedError(
                f"gemini refused the prompt: {feedback.block_reason}", usage=self.usage()
            )
        return "".join(self._text_of(candidate) for candidate in event.candidates or ())

    def _text_of(self, candidate: types.Candidate) -> str:
        reason = candidate.finish_reason
        if reason and reason not in BROKEN:
            self.finish = ENDS.get(reason, Finish.END)
        parts = (candidate.content and candidate.content.parts) or ()
        return "".join(self._words(part) for part in parts)

    def _words(self, part: types.Part) -> str:
        if part.thought:
            self.thinks(part.text or "")
            return ""
        return part.text or ""

    def _count(self, usage: types.GenerateContentResponseUsageMetadata) -> None:
        """Gemini counts thoughts apart from the candidates' words, and charges both as output."""
        self.input_tokens = usage.prompt_token_count
        self.cached_input_tokens = usage.cached_content_token_count or 0
        self.reasoning_tokens = usage.thoughts_token_count or 0
        self.output_tokens = (usage.candidates_token_count or 0) + self.reasoning_tokens


class GeminiModel:
    """Streams generated content over one client."""

    failures = (errors.APIError, aiohttp.ClientError, OSError, ValueError)
    """The SDK wraps neither the transport's errors nor, as a ValueError, a chunk that it cannot read."""

    def __init__(
        self, endpoint: Endpoint, session: aiohttp.ClientSession, patience: Patience | None = None
    ) -> None:
        self.patience = patience or Patience()
        self.vendor = endpoint.name
        self._endpoint = endpoint
        self._session = session
        options = types.HttpOptions(
            base_url=endpoint.base_url,
            api_version=endpoint.api_version or DEFAULT_VERSION,
            aiohttp_client=session,
            # Without this the SDK sleeps up to ten seconds and then repeats a request that could not connect.
            retry_options=types.HttpRetryOptions(attempts=1),
        )
        self._client = genai.Client(api_key=endpoint.api_key, vertexai=False, http_options=options)
        self._ladder = Ladder(ways, (errors.ClientError,))

    def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        return relay(self, completion)

    async def names(self) -> frozenset[str]:
        with worded(self):
            pages = await self._client.aio.models.list(config={"page_size": LISTED})
            return frozenset([(each.name or "").removeprefix("models/") async for each in pages])

    async def close(self) -> None:
        """Close the client and its connections."""
        await self._client.aio.aclose()
        self._client.close()
        await self._session.close()

    def reading(self, completion: Completion) -> GeminiReading:
        """A fresh reader."""
        return GeminiReading(completion)

    async def open(self, completion: Completion) -> AbstractAsyncContextManager[AsyncIterator[Reply]]:
        """Send the request."""

        async def ask(
            way: types.ThinkingConfig | None,
        ) -> AbstractAsyncContextManager[AsyncIterator[Reply]]:
            return await self._ask(completion, way)

        return await self._ladder.climb(completion, ask, refuses)

    async def _ask(
        self, completion: Completion, way: types.ThinkingConfig | None
    ) -> AbstractAsyncContextManager[AsyncIterator[Reply]]:
        """The SDK sends only when it is asked for the first event."""
        stream = await self._client.aio.models.generate_content_stream(
            model=completion.vendor_id,
            contents=contents(completion),
            config=types.GenerateContentConfig(
                system_instruction=completion.system or None,
                max_output_tokens=completion.max_output,
                thinking_config=way,
                # Else the SDK sends a request again, and it is charged again, until the model has finished.
                automatic_continuation=False,
            ),
        )
        replies = cast("AsyncGenerator[Reply, None]", stream)
        received: list[aiohttp.ClientResponse] = []
        token = RECEIVED.set(received)
        try:
            return _resumed(await anext(replies, None), replies, received)
        finally:
            RECEIVED.reset(token)

    def explain(self, error: Exception) -> Fault | None:
        """What the vendor said, in the reply's status or as an event of the stream."""
        if not isinstance(error, errors.APIError):
            return None
        details = _details(error.details)
        codes = tuple(code for code in (error.status, *_strings(details, "reason")) if code)
        text = self._endpoint.conceal(error.message or "")
        headers = getattr(error.response, "headers", None) or {}
        return Fault(error.code, codes, text, retry_after(headers) or _delay(details))


async def connect(endpoint: Endpoint, patience: Patience | None = None) -> GeminiModel:
    """An adapter for the running loop, to which its connections belong; its client is made in a thread."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), trust_env=True, middlewares=(_remember,)
    )
    try:
        return await asyncio.to_thread(GeminiModel, endpoint, session, patience)
    except BaseException:
        await session.close()
        raise


async def _remember(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    response = await handler(request)
    RECEIVED.get([]).append(response)
    return response


@asynccontextmanager
async def _resumed(
    first: Reply | None, rest: AsyncGenerator[Reply, None], received: list[aiohttp.ClientResponse]
) -> AsyncGenerator[AsyncGenerator[Reply, None], None]:
    """A stream whose first event was taken already."""

    async def replies() -> AsyncGenerator[Reply, None]:
        if first is not None:
            yield first
        async for reply in rest:
            yield reply

    try:
        async with aclosing(rest), aclosing(replies()) as whole:
            yield whole
    finally:
        for response in received:
            response.close()


def ways(completion: Completion) -> Sequence[types.ThinkingConfig | None]:
    """How to ask for the effort: levels since Gemini 3, a budget before; thoughts are a sign that it works.

    Of today's models some cannot be kept from thinking: they are asked for their lowest level.
    """
    effort = completion.reasoning
    if effort is None:
        return [types.ThinkingConfig(include_thoughts=True), None]
    levels = [types.ThinkingConfig(thinking_level=level, include_thoughts=True) for level in LEVELS[effort]]
    tokens = min(budget(completion, LEAST_BUDGET), MOST_BUDGET) if effort is not Effort.OFF else 0
    return [*levels, types.ThinkingConfig(thinking_budget=tokens, include_thoughts=bool(tokens))]


def refuses(error: Exception) -> bool:
    """Whether a request was refused for the way in which it asked for an effort."""
    told = str(error).casefold()
    return isinstance(error, errors.APIError) and error.code == BAD_REQUEST and "think" in told


def contents(completion: Completion) -> list[types.ContentUnionDict]:
    """The messages in Gemini's shape."""
    roles = {Role.USER: "user", Role.ASSISTANT: "model"}
    return [
        types.Content(
            role=roles[message.role],
            parts=[*map(_image, message.images), *map(_pdf, message.pdfs), types.Part(text=message.said)],
        )
        for message in completion.messages
    ]


def _image(image: Image) -> types.Part:
    return types.Part(inline_data=types.Blob(mime_type=image.media_type, data=image.data))


def _pdf(pdf: Pdf) -> types.Part:
    return types.Part(inline_data=types.Blob(mime_type="application/pdf", data=pdf.data))


def _details(body: object) -> list[Mapping[str, object]]:
    """The typed details of a Google API error (google.rpc.Status)."""
    error = body.get("error", body) if isinstance(body, Mapping) else {}
    details = error.get("details") if isinstance(error, Mapping) else None
    return [each for each in details or () if isinstance(each, Mapping)]


def _strings(details: list[Mapping[str, object]], key: str) -> list[str]:
    return [str(each[key]) for each in details if key in each]


def _delay(details: list[Mapping[str, object]]) -> float | None:
    """Seconds of a RetryInfo, which writes them as `37s`."""
    found = (re.fullmatch(r"(\d+(?:\.\d+)?)s", each) for each in _strings(details, "retryDelay"))
    return next((float(each[1]) for each in found if each), None)
