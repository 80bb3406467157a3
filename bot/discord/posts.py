"""Messages of ours on Discord, written and edited by whatever way is open."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import discord

from bot.discord.views import Page
from bot.discord.wire import NotAllowedError, sure

T = TypeVar("T")

NONCE_BYTES = 12
"""As hexadecimal digits just below the 25 characters that Discord takes."""


class Post(Protocol):
    """A message that is shown."""

    @property
    def id(self) -> int:
        """Discord's id."""
        ...

    async def edit(self, page: Page) -> None:
        """Make it this page. GoneError: it, its place or the way to it is gone."""
        ...

    async def delete(self) -> None:
        """Take it away."""
        ...


class ChannelPost:
    """A message in a channel, thread or DM, written by the bot itself."""

    def __init__(
        self, message: discord.Message | discord.PartialMessage, owner: int, *, plain: bool = False
    ) -> None:
        """`plain` says that it was written without components, which its first edit brings."""
        self._message = message
        self._owner = owner
        self._plain = plain

    @property
    def id(self) -> int:
        return self._message.id

    async def edit(self, page: Page) -> None:
        emptied: dict[str, Any] = {"content": None} if self._plain else {}
        await permitted(
            page, lambda page: sure(lambda: self._message.edit(**components_of(page, self._owner), **emptied))
        )
        self._plain = False

    async def delete(self) -> None:
        await sure(self._message.delete)


async def send(
    channel: discord.abc.Messageable,
    page: Page,
    owner: int,
    reference: discord.MessageReference | None = None,
) -> ChannelPost:
    """Write into a channel; a call that Discord gets twice makes one message."""
    named = secrets.token_hex(NONCE_BYTES)
    message = await permitted(
        page,
        lambda page: sure(
            lambda: channel.send(
                view=page.view(owner),
                files=page.uploads(),
                nonce=named,
                reference=reference,  # type: ignore[arg-type]  # None is its default
            )
        ),
    )
    return ChannelPost(message, owner)


async def send_plain(
    channel: discord.abc.Messageable,
    page: Page,
    owner: int,
    *,
    reference: discord.MessageReference | None = None,
    nonce: str | None = None,
    silent: bool = False,
) -> ChannelPost:
    """Write words and buttons alone, which a notification shows; `silent` rings no bell.

    The nonce makes a repeated call the same message. An edit may make it the whole page, never the reverse.
    """
    named = nonce or secrets.token_hex(NONCE_BYTES)
    view = page.plain_view(owner)
    message = await sure(
        lambda: channel.send(
            page.words,
            view=view,  # type: ignore[arg-type]  # None is its default
            nonce=named,
            reference=reference,  # type: ignore[arg-type]  # None is its default
            suppress_embeds=True,
            silent=silent,
        )
    )
    return ChannelPost(message, owner, plain=True)


async def permitted(page: Page, write: Callable[[Page], Awaitable[T]]) -> T:
    """Write a page, without its files where those are not allowed."""
    try:
        return await write(page)
    except NotAllowedError:
        if not page.files:
            raise
    return await write(replace(page, files=()))


def components_of(page: Page, owner: int) -> dict[str, Any]:
    """A page as an edit takes it; where no content changes, discord.py forgets what the client allows."""
    files = {"attachments": page.uploads()} if page.files else {}
    return {"view": page.view(owner), "allowed_mentions": discord.AllowedMentions.none(), **files}


def place_of(channel: int, message: int, owner: int, turns: Sequence[str] = ()) -> str:
    """Where the mender finds a message, and whose answer it is; `turns` are those of a comparison."""
    return "/".join((str(channel), str(message), str(owner), *turns))
