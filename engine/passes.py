"""What lets an operator into the dashboard: a link that works once, and the session that it begins.

Tokens are nowhere but with their holder; here and in the database they are digests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class LinkState(StrEnum):
    """What has become of a link, beside its time."""

    OPEN = "open"
    USED = "used"
    VOID = "void"
    """A newer one was asked for, or all sessions were ended."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link; `person` is the name of an `engine.audit.Actor`, as everywhere below."""

    person: str
    until: datetime
    state: LinkState


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has entered, until then at the latest."""

    person: str
    until: datetime


class PassesTx(Protocol):
    """Links and sessions; `digest` is the SHA-256 of a token."""

    def ask_for_link(self, person: str, now: datetime, span_before: datetime, most: int) -> bool:
        """Count one more link of a person; False if it would be more than `most` since `span_before`.

        Spans follow one another: one begins with the first link after the last has ended.
        """
        ...

    def add_link(self, digest: str, person: str, now: datetime, until: datetime) -> None:
        """Add a link, and void those of the person that were not used."""
        ...

    def link(self, digest: str) -> Link | None:
        """The link with that token, whatever has become of it."""
        ...

    def use_link(self, digest: str, now: datetime) -> bool:
        """Use it up; False for all but the first, and for one that is void or whose time is over."""
        ...

    def begin_session(self, digest: str, person: str, now: datetime, until: datetime) -> None:
        """Add a session."""
        ...

    def admin_session(self, digest: str, now: datetime) -> Session | None:
        """The session with that token, if its time is not over."""
        ...

    def end_session(self, digest: str) -> bool:
        """End a session; False if there is none of that token."""
        ...

    def end_sessions(self, person: str | None) -> int:
        """End all sessions of a person, or of everybody, and void their links; how many sessions that was."""
        ...

    def forget_passes(self, asked_before: datetime, now: datetime) -> None:
        """Drop links asked for by then, and sessions whose time is over."""
        ...
