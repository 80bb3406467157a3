"""Where a platform's app is installed, and how that is brought about over the web."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.domain import Platform


@dataclass(frozen=True, slots=True)
class Installation:
    """The app in one workspace or, `org_wide`, in every workspace of an organisation.

    `place` is the workspace's id, org-wide the organisation's; `organisation` is that of either, empty where
    there is none; `token` is as it is kept, which may be sealed.
    """

    platform: Platform
    place: str
    name: str
    organisation: str
    bot_user: str
    bot: str
    token: str = field(repr=False)
    scopes: str
    installed_by: str
    installed_at: datetime
    org_wide: bool = False


class InstallationsTx(Protocol):
    """Installations, and those that somebody has begun."""

    def installation(self, platform: Platform, place: str) -> Installation | None:
        """The one of that workspace or, by an organisation's id, its org-wide one."""
        ...

    def installations(self, platform: Platform) -> Sequence[Installation]:
        """All of a platform, oldest first."""
        ...

    def save_installation(self, installation: Installation) -> None:
        """Insert or replace by (platform, place)."""
        ...

    def drop_installation(self, platform: Platform, place: str, made_before: datetime) -> bool:
        """Delete it, unless it was made at that time or later; whether one was deleted."""
        ...

    def begin_install(self, state: str, expires_at: datetime) -> None:
        """Remember a state that is good for one installation until then."""
        ...

    def end_install(self, state: str, now: datetime) -> bool:
        """Use a state up; False if it was never given out, is used or is past its time."""
        ...

    def forget_installs(self, now: datetime) -> int:
        """Drop states that are past their time; how many."""
        ...


@dataclass(frozen=True, slots=True)
class InstallStart:
    """Where to send the browser, and what it has to bring back as a cookie within so many seconds."""

    address: str
    cookie: str = field(repr=False)
    seconds: int


class InstallEnd(StrEnum):
    """How an installation ended."""

    DONE = "done"
    CANCELLED = "cancelled"
    """The person did not allow it."""
    STALE = "stale"
    """It was not begun in this browser, is too old, or was ended before."""
    REFUSED = "refused"
    """The platform did not accept what it had been asked for itself."""
    AWAY = "away"
    """The platform or the database does not answer."""


@dataclass(frozen=True, slots=True)
class InstallOutcome:
    """An ending; of a good one the name of what it was installed in, and the address that opens it."""

    end: InstallEnd
    name: str = ""
    link: str | None = None
    org_wide: bool = False


class PlatformInstall(Protocol):
    """Installs the app by OAuth."""

    async def begin(self) -> InstallStart:
        """Begin one. TryAgainError: the database is away."""
        ...

    async def finish(self, query: Mapping[str, str], cookie: str) -> InstallOutcome:
        """End one with what the platform sent the browser back with, and the browser's cookie."""
        ...
