"""Calls to Discord that are tried again where that helps, and whose failures say what to do about them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
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
ANSWERED_ELSEWHERE = 40060


class TokenOverError(GoneError):
    """An interaction's token, which lives for 15 minutes, or 3 s unless it is acknowledged.

    What it wrote is still there.
    """


class FullError(GoneError):
    """An interaction takes no more messages: five follow-ups where the bot itself is not."""


class PostLostError(GoneError):
    """A message was deleted; its place is still there."""


class ShutError(GoneError):
    """A thread is archived or locked."""


class NotAllowedError(GoneError):
    """The bot lacks a permission for this, though perhaps not for less."""


PLACES: Mapping[int, type[GoneError]] = {
    50027: TokenOverError,
    10062: TokenOverError,
    10015: TokenOverError,
    40094: FullError,
    10008: PostLostError,
    50083: ShutError,
    160005: ShutError,
    50013: NotAllowedError,
    ANSWERED_ELSEWHERE: GoneError,
}
"""What a code of Discord's says of the place that was written to
(https://discord.com/developers/docs/topics/opcodes-and-status-codes)."""


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
    if gone := PLACES.get(error.code):
        return gone(words)
    if isinstance(error, discord.DiscordServerError) or error.status == RATE_LIMITED:
        return TryAgainError(words)
    if isinstance(error, discord.NotFound | discord.Forbidden):
        return GoneError(words)
    return GiveUpError(words)
