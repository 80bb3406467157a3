"""Answers that wait for their asker to open a new place for them, since the one they had takes no more."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Protocol

from bot.discord.spots import Spot
from bot.reply import Button
from bot.words import say
from engine.errors import OutsideError

PREFIX = "rest:"
MOST_KEPT = 256
KEY_BYTES = 8


class Waiting(Protocol):
    """An answer that waits."""

    @property
    def private(self) -> bool:
        """Whether only its asker sees it."""
        ...

    async def go_on(self, spot: Spot) -> None:
        """Go on at a new place."""
        ...


class Rests:
    """The waiting answers, each by the key on its button; forgotten with the connection."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Waiting] = OrderedDict()

    def keep(self, answer: Waiting) -> Button:
        """Let an answer wait; returns the button that goes on with it."""
        known = (action for action, kept in self._waiting.items() if kept is answer)
        action = next(known, None) or f"{PREFIX}{secrets.token_hex(KEY_BYTES)}"
        self._waiting[action] = answer
        if len(self._waiting) > MOST_KEPT:
            self._waiting.popitem(last=False)
        return Button(say("button-rest"), action=action)

    def find(self, action: str) -> Waiting | None:
        """The answer behind a button; None if it is forgotten or went on already."""
        return self._waiting.get(action)

    async def go_on(self, action: str, spot: Spot) -> None:
        """Go on with the answer behind a button, which works again should that fail."""
        answer = self._waiting.pop(action, None)
        if answer is None:  # pressed twice
            return
        try:
            await answer.go_on(spot)
        except OutsideError:
            self._waiting[action] = answer
            raise
