"""OpenAI's moderation endpoint as far as its documentation describes it: flags what holds certain words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from aiohttp import web

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
MOST_BYTES = 32_768
"""Of one text: what goes beyond so many tokens may not be read, and each has a byte at least."""
Json = dict[str, Any]


class FakeModeration:
    """Flags texts with `word`, as harassment, and images whose data begin with `picture`, as violence."""

    def __init__(self, word: str = "bad", picture: str = "data:image/jpeg") -> None:
        self.word = word
        self.picture = picture
        self.asked: list[Json] = []
        self.keys: set[str] = set()
        self.ports: set[int] = set()
        self.reply: tuple[int, Json | str, Mapping[str, str]] | None = None
        """A status, a body and headers instead of a verdict."""
        self.silent = False
        self._stack = AsyncExitStack()
        self.base_url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=50_000_000)
        app.router.add_post("/v1/moderations", self._answer)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _answer(self, request: web.Request) -> web.Response:
        assert request.transport
        self.ports.add(request.transport.get_extra_info("peername")[1])
        self.keys.add(request.headers.get("authorization", ""))
        body = await request.json()
        self.asked.append(body)
        if self.silent:
            await asyncio.Event().wait()
        if self.reply:
            status, told, headers = self.reply
            text = told if isinstance(told, str) else json.dumps(told)
            return web.Response(text=text, status=status, headers=headers, content_type="application/json")
        images = [each for each in body["input"] if isinstance(each, dict) and each["type"] == "image_url"]
        if len(images) > 1:
            return error(400, "too_many_images", f"Number of images ({len(images)}) exceeds maximum of 1")
        results = [self._result(each) for each in body["input"]]
        return web.json_response({"id": "modr-1", "model": body["model"], "results": results})

    def _result(self, each: str | Json) -> Json:
        if isinstance(each, str):
            flagged = (
                {"harassment"} if self.word in each.encode()[:MOST_BYTES].decode("utf-8", "ignore") else set()
            )
        else:
            flagged = {"violence"} if each["image_url"]["url"].startswith(self.picture) else set()
        return {
            "flagged": bool(flagged),
            "categories": {name: name in flagged for name in CATEGORIES},
            "category_scores": {name: 0.9 if name in flagged else 0.01 for name in CATEGORIES},
            "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
        }


def error(status: int, code: str, text: str) -> web.Response:
    """A refusal as the vendor writes it."""
    body = {"error": {"message": text, "type": "invalid_request_error", "param": "input", "code": code}}
    return web.json_response(body, status=status)
