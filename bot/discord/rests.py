"""Answers that wait for their asker to open a new place for them, since the one they had takes no more."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.discord.canvas import DiscordCanvas

PREFIX = "rest:"
MOST_KEPT = 256
KEY_BYTES = 8


class Rests:
    """The waiting answers, each by the key on its button; forgotten with the connection."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, DiscordCanvas] = OrderedDict()

    def keep(self, canvas: DiscordCanvas) -> str:
        """Let an answer wait; returns the action of the button that goes on with it."""
        key = secrets.token_hex(KEY_BYTES)
        self._waiting[key] = canvas
        if len(self._waiting) > MOST_KEPT:
            self._waiting.popitem(last=False)
        return f"{PREFIX}{key}"

    def take(self, action: str) -> DiscordCanvas | None:
        """The answer behind a button; None if it is forgotten or went on already."""
        return self._waiting.pop(action.removeprefix(PREFIX), None)
