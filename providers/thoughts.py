"""Keeps reasoning out of answers where a server sends both as one text."""

from __future__ import annotations

THINK, THOUGHT = "<think>", "</think>"


class ThoughtFilter:
    """Drops what stands between the two tags at the very beginning of a text that comes in pieces."""

    def __init__(self) -> None:
        self._held = ""
        self._step = self._begin

    def feed(self, piece: str) -> str:
        """What can be shown now that this piece came."""
        self._held += piece
        return self._step()

    @property
    def thinking(self) -> bool:
        """Whether the last piece ended inside the reasoning."""
        return self._step == self._think

    def rest(self) -> str:
        """What was held back and turned out to be no reasoning, once there is no more."""
        return self._held if self._step == self._begin else ""

    def _begin(self) -> str:
        lead = self._held.lstrip()
        if lead.startswith(THINK):
            self._step = self._think
            return self._think()
        return "" if THINK.startswith(lead) else self._answer()

    def _think(self) -> str:
        _, end, answer = self._held.partition(THOUGHT)
        if not end:
            self._held = self._held[-len(THOUGHT) :]
            return ""
        self._held, self._step = answer, self._space
        return self._space()

    def _space(self) -> str:
        self._held = self._held.lstrip()
        return self._answer() if self._held else ""

    def _answer(self) -> str:
        self._step = self._answer
        shown, self._held = self._held, ""
        return shown
