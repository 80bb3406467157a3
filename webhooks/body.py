"""Reads request bodies that may not be longer, slower or other than they should."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from aiohttp import web

BODY_SECONDS = 20.0
"""A body that takes longer is given up."""


async def read_body(request: web.Request, most: int) -> bytes:
    """The raw body of at most `most` bytes; reading stops at the first byte too many.

    Raises HTTPRequestEntityTooLarge, HTTPRequestTimeout, or HTTPBadRequest for one that breaks off.
    """
    if (request.content_length or 0) > most:
        raise _too_long(most)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(request, most)
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The request's body came too slowly.") from None
    except (web.RequestPayloadError, ConnectionResetError):
        raise web.HTTPBadRequest(text="The request's body is broken.") from None


async def read_json(request: web.Request, most: int) -> Mapping[str, object]:
    """The body as a JSON object; 415 for another content type, 400 for anything but an object."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send JSON, with Content-Type: application/json.")
    body = await read_body(request, most)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest(text="The body is not valid JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise web.HTTPBadRequest(text='The body must be a JSON object, such as {"person": "alice"}.')
    return value


async def _read(request: web.Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > most:
            raise _too_long(most)
    return bytes(body)


def _too_long(most: int) -> web.HTTPRequestEntityTooLarge:
    text = f"The request's body is longer than {most // 1024} KiB."
    return web.HTTPRequestEntityTooLarge(max_size=most, actual_size=most + 1, text=text)
