"""Where a platform's app is installed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.domain import Platform
from engine.installations import Installation
from storage.session import Row, Session, moment


class Installations:
    """InstallationsTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def installation(self, platform: Platform, place: str) -> Installation | None:
        row = self._session.one("installation", platform=platform, place=place)
        return installation_from(row) if row else None

    def installations(self, platform: Platform) -> Sequence[Installation]:
        return [installation_from(row) for row in self._session.all("installations", platform=platform)]

    def save_installation(self, installation: Installation) -> None:
        self._session.run(
            "save_installation",
            platform=installation.platform,
            place=installation.place,
            name=installation.name,
            organisation=installation.organisation,
            bot_user=installation.bot_user,
            bot=installation.bot,
            token=installation.token,
            scopes=installation.scopes,
            installed_by=installation.installed_by,
            installed_at=installation.installed_at,
            org_wide=installation.org_wide,
        )

    def drop_installation(self, platform: Platform, place: str, made_before: datetime) -> bool:
        dropped = self._session.run(
            "drop_installation", platform=platform, place=place, made_before=made_before
        )
        return dropped == 1

    def begin_install(self, state: str, expires_at: datetime) -> None:
        self._session.run("begin_install", state=state, expires_at=expires_at)

    def end_install(self, state: str, now: datetime) -> bool:
        return self._session.run("end_install", state=state, now=now) == 1

    def forget_installs(self, now: datetime) -> int:
        return self._session.run("forget_installs", now=now)


def installation_from(row: Row) -> Installation:
    """An installation's row as the engine knows it."""
    return Installation(
        Platform(row["platform"]),
        row["place"],
        row["name"],
        row["organisation"],
        row["bot_user"],
        row["bot"],
        row["token"],
        row["scopes"],
        row["installed_by"],
        moment(row["installed_at"]),
        bool(row["org_wide"]),
    )
