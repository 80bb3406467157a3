"""Calls to Discord that are tried again where that helps, and whose failures say what to do about them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import discord
from aiohttp import ClientError

from engine.errors import GiveUpError, GoneError, OutsideError, TryAgainError, UnreachableError

T = TypeVar("T")

WAITS = (0.5, 1.0, 2.0)
"""Seconds before each new try."""
UNAVAILABLE = 503
"""The one server error after which discord.py does not try again by itself."""
RATE_LIMITED = 429
CLOSED_DMS = frozenset({50007, 50278})
"""Direct messages are closed; no server is shared."""
OUT_OF_REACH = frozenset({10015, 40060, 50027, 50083})
"""The interaction is over (unknown, answered elsewhere, expired), or the thread is archived."""


async def sure(call: Callable[[], Awaitable[T]]) -> T:
    """Await a call, again after 503 or a broken connection; raises the OutsideError for what Discord said.

    The call may reach Discord twice: give a message to be sent its nonce outside of it.
    """
    for wait in WAITS:
        try:
            return await call()
        except discord.DiscordServerError as error:
            if error.status != UNAVAILABLE:
                raise translated(error) from error
        except (ClientError, OSError, TimeoutError):
            pass
        except discord.DiscordException as error:
            raise translated(error) from error
        await asyncio.sleep(wait)
    try:
        return await call()
    except (discord.DiscordException, ClientError, OSError, TimeoutError) as error:
        raise translated(error) from error


def translated(error: Exception) -> OutsideError:
    """A failed call as one of ours."""
    words = f"Discord: {error}"
    if isinstance(error, discord.RateLimited):
        return TryAgainError(words, retry_after=error.retry_after)
    if not isinstance(error, discord.HTTPException):
        unreachable = not isinstance(error, discord.DiscordException)
        return TryAgainError(f"Discord cannot be reached: {error!r}") if unreachable else GiveUpError(words)
    if isinstance(error, discord.DiscordServerError) or error.status == RATE_LIMITED:
        return TryAgainError(words)
    if error.code in CLOSED_DMS:
        return UnreachableError(words)
    if isinstance(error, discord.NotFound | discord.Forbidden) or error.code in OUT_OF_REACH:
        return GoneError(words)
    return GiveUpError(words)
