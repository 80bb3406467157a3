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
TOKEN_OVER = 50027
OUT_OF_REACH = frozenset({10015, 40060, 50083})
"""The interaction is not known any more or was answered elsewhere, or the thread is archived."""


class TokenOverError(GoneError):
    """An interaction's token, which lives for 15 minutes; what it wrote is still there."""


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
    match error:
        case discord.HTTPException():
            return answered(error, words)
        case discord.RateLimited():
            return TryAgainError(words, retry_after=error.retry_after)
        case discord.DiscordException():
            return GiveUpError(words)
    return TryAgainError(f"Discord cannot be reached: {error!r}")


def answered(error: discord.HTTPException, words: str) -> OutsideError:
    """What Discord said to a call, by its own code first."""
    if error.code in CLOSED_DMS:
        return UnreachableError(words)
    if error.code == TOKEN_OVER:
        return TokenOverError(words)
    if isinstance(error, discord.DiscordServerError) or error.status == RATE_LIMITED:
        return TryAgainError(words)
    if isinstance(error, discord.NotFound | discord.Forbidden) or error.code in OUT_OF_REACH:
        return GoneError(words)
    return GiveUpError(words)
