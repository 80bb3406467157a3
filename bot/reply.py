"""What adapters show: replies with buttons, and the frames of an answer being written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from engine.domain import TurnId


class Style(StrEnum):
    """How a button looks."""

    PRIMARY = "primary"
    PLAIN = "plain"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Button:
    """A button that sends `action` back to us (`Front.press`), or a link to `url`; never both."""

    label: str
    action: str | None = None
    url: str | None = None
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete reply in common Markdown.

    `direct` is what belongs into a DM (links that are keys): the adapter tries to send it there and then
    shows `text`; if the DM cannot be sent, it shows `direct` as a private reply instead. `file` is a name and
    content that go with the text.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    private: bool = True
    direct: Reply | None = None
    file: tuple[str, bytes] | None = None
    people: bool = False
    """Whether mentions in it are to be read as people's names; a private one pings nobody."""


class State(StrEnum):
    """How far an answer is."""

    THINKING = "thinking"
    WRITING = "writing"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Frame:
    """An answer at one moment: its pages (none while thinking), each within the canvas's limit.

    The last page of one that was stopped or failed is what became of it, in our own words. `title` is the
    model's name above an answer of a comparison, empty else.
    """

    pages: tuple[str, ...]
    state: State
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    text: str = ""
    """The whole answer, once it is complete."""
    title: str = ""
    rated: TurnId | None = None
    """The turn whose answer the asker may rate, where the platform has buttons for that (Slack)."""
    reasons: bool = False
    """Whether the model said that it is reasoning; shown as words while there is no text, never as text."""


RUNNING = frozenset({State.THINKING, State.WRITING})
ENDS = frozenset(State) - RUNNING
"""The states of a frame that stays."""


class Canvas(Protocol):
    """Where one answer is painted: each page is a message, edited as it grows.

    Nothing may be posted before the first call. A canvas serves one answer and never two tasks at once.
    GoneError: the place was deleted. TryAgainError: the platform is away although it was tried again.
    """

    @property
    def channel(self) -> str:
        """What the pacing clock is shared by: all messages of a channel."""
        ...

    @property
    def page_limit(self) -> int:
        """Characters that a page may have, the footer's room already taken off."""
        ...

    async def paint(self, frame: Frame) -> None:
        """Make the shown messages this frame: post new pages, edit changed ones, leave the rest."""
        ...

    async def reply(self, reply: Reply) -> None:
        """Show a reply in place of an answer, privately where the platform can."""
        ...

    def anchors(self) -> Sequence[str]:
        """Anchors (`engine.domain.Ask`) of the messages painted: a reply to one goes on from this answer."""
        ...

    def places(self) -> Sequence[str]:
        """Anchors of where it is painted, if a conversation goes on there without a reply: a DM, a thread."""
        ...

    def place(self) -> str | None:
        """What `engine.mending.Mender` needs to find what was painted again; None if that is hopeless."""
        ...
