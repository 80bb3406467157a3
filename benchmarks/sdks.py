"""Each vendor's SDK with nothing of ours: the words of one answer, as its own documentation reads them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anthropic
import openai
from google import genai
from google.genai import types

from tests.fakes.vendor_wire import Vendor

KEY, MODEL, QUESTION, CAP = "sk-fake", "fake", "Hello?", 500
Words = Callable[[], AsyncGenerator[str, None]]


@asynccontextmanager
async def openai_sdk(url: str) -> AsyncIterator[Words]:
    """OpenAI's, over aiohttp as ours is."""
    transport = openai.DefaultAioHttpClient()
    client = openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0, http_client=transport)

    async def words() -> AsyncGenerator[str, None]:
        async with await client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": QUESTION}],
            max_completion_tokens=CAP,
            stream=True,
            stream_options={"include_usage": True},
        ) as stream:
            async for chunk in stream:
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    yield text

    async with client:
        yield words


@asynccontextmanager
async def anthropic_sdk(url: str) -> AsyncIterator[Words]:
    """Anthropic's, over aiohttp as ours is."""
    transport = anthropic.DefaultAioHttpClient()
    client = anthropic.AsyncAnthropic(api_key=KEY, base_url=url, max_retries=0, http_client=transport)

    async def words() -> AsyncGenerator[str, None]:
        async with await client.messages.create(
            model=MODEL, messages=[{"role": "user", "content": QUESTION}], max_tokens=CAP, stream=True
        ) as stream:
            async for event in stream:
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    yield event.delta.text

    async with client:
        yield words


@asynccontextmanager
async def gemini_sdk(url: str) -> AsyncIterator[Words]:
    """Google's, which takes aiohttp by itself."""
    options = types.HttpOptions(base_url=url, api_version="v1beta")
    client = genai.Client(api_key=KEY, vertexai=False, http_options=options)

    async def words() -> AsyncGenerator[str, None]:
        config = types.GenerateContentConfig(max_output_tokens=CAP)
        async for reply in await client.aio.models.generate_content_stream(
            model=MODEL, contents=QUESTION, config=config
        ):
            if text := reply.text:
                yield text

    try:
        yield words
    finally:
        await client.aio.aclose()
        client.close()


SDKS: dict[Vendor, Callable[[str], AbstractAsyncContextManager[Words]]] = {
    Vendor.OPENAI: openai_sdk,
    Vendor.ANTHROPIC: anthropic_sdk,
    Vendor.GEMINI: gemini_sdk,
}
