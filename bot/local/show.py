"""Shows replies where they were asked for, and what is for one person's eyes in their DM."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from bot.local.posts import Post, Room, Spot, Wall
from bot.reply import Button, Reply

FILES = "/playground/api/files"
"""Where `webhooks.playground` hands files out."""


async def show(wall: Wall, spot: Spot, replies: Sequence[Reply], stem: str) -> None:
    """Show the replies as messages whose ids begin with `stem`; shown again they take the same places."""
    for number, reply in enumerate(replies):
        said = f"{stem}.{number}"
        if reply.direct:
            place = spot if spot.room is Room.DM else Spot(spot.person, Room.DM)
            await wall.put(post(f"{said}.dm", place, reply.direct))
        if not reply.direct or spot.room is not Room.DM:
            await wall.put(post(said, spot, reply), reply.file)


def post(message: str, spot: Spot, reply: Reply) -> Post:
    """A reply as a message."""
    buttons = reply.buttons
    if reply.file:
        address = f"{FILES}/{quote(message)}?person={quote(spot.person)}"
        buttons = (*buttons, Button(reply.file[0], url=address))
    return Post(message, spot, spot.kind(private=reply.private), reply.text, buttons=buttons)
