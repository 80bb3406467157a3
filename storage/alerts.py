"""Alerts owed to the operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from engine.alerts import Alert, AlertKind, Bulletin, receivers
from engine.channels import Channel
from engine.domain import Person, Platform
from engine.facts import Mode
from storage.people import person_from
from storage.session import Row, Session, moment, moment_or_none


class Alerts:
    """AlertsTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def raise_alert(self, alert: Alert) -> bool:
        noted = self._session.run(
            "raise_alert",
            key=alert.key,
            kind=alert.kind,
            subject=alert.subject,
            detail=alert.detail,
            link=alert.link,
            at=alert.at,
        )
        return noted == 1

    def address_alerts(
        self, people: Sequence[Person], channels: Sequence[Channel], now: datetime, limit: int
    ) -> Sequence[Alert]:
        rows = self._session.all("take_alerts", now=now, most=limit)
        taken = sorted(map(alert_from, rows), key=lambda alert: (alert.at, alert.key))
        for alert in taken:
            for each in receivers(alert, people, channels):
                self._session.run(
                    "owe_alert",
                    alert=alert.key,
                    platform=each.platform,
                    workspace=each.workspace,
                    member=member_of(each),
                    channel=isinstance(each, Channel),
                    now=now,
                )
        return taken

    def claim_bulletin(
        self,
        now: datetime,
        lease_until: datetime,
        to: Sequence[Person | Channel],
        flood: int,
        lately: datetime,
    ) -> Bulletin | None:
        here = f",{','.join(f'{each.platform}/{each.workspace}/{member_of(each)}' for each in to)},"
        row = self._claim(now, lease_until, here)
        if row is None and self._begin(now, here, flood, lately):
            row = self._claim(now, lease_until, here)
        return self._bulletin(row) if row else None

    def bulletin_told(self, bulletin: str, now: datetime) -> None:
        self._session.run("bulletin_told", bulletin=bulletin, now=now)

    def bulletin_later(self, bulletin: str, due: datetime) -> None:
        self._session.run("bulletin_later", bulletin=bulletin, due=due)

    def drop_bulletin(self, bulletin: str) -> None:
        self._session.run("drop_bulletin", bulletin=bulletin)

    def backlog(self, mode: Mode, now: datetime) -> tuple[int, datetime | None]:
        row = self._session.one("backlog", mode=mode, now=now)
        return (row["waiting"], moment_or_none(row["oldest"])) if row else (0, None)

    def open_alerts(self, since: datetime) -> Sequence[tuple[AlertKind, int]]:
        rows = self._session.all("open_alerts", since=since)
        return [(AlertKind(row["kind"]), row["times"]) for row in rows]

    def forget_alerts(self, stale: datetime, old: datetime) -> None:
        self._session.run("drop_stale_alerts", stale=stale)
        self._session.run("forget_owed_alerts", old=old)
        self._session.run("forget_alerts", old=old)

    def _claim(self, now: datetime, lease_until: datetime, receivers: str) -> Row | None:
        rows = self._session.all("claim_bulletin", now=now, lease_until=lease_until, receivers=receivers)
        return rows[0] if rows else None

    def _begin(self, now: datetime, receivers: str, flood: int, lately: datetime) -> bool:
        """Put a new bulletin together; False if nobody is owed anything."""
        found = self._session.one("next_to_tell", now=now, receivers=receivers, flood=flood, lately=lately)
        if found is None:
            return False
        person = {name: found[name] for name in ("platform", "workspace", "member")}
        return self._session.run("begin_bulletin", bulletin=uuid4().hex, **person) > 0

    def _bulletin(self, row: Row) -> Bulletin:
        said = self._session.all("bulletin_alerts", bulletin=row["bulletin"])
        alerts = tuple(map(alert_from, said))
        return Bulletin(row["bulletin"], receiver_from(row), alerts, row["attempts"], said[0]["locale"])


def member_of(receiver: Person | Channel) -> str:
    """The id within its workspace."""
    return receiver.user if isinstance(receiver, Person) else receiver.id


def receiver_from(row: Row) -> Person | Channel:
    """Whom a bulletin is for."""
    if row["channel"]:
        return Channel(Platform(row["platform"]), row["workspace"], row["member"])
    return person_from(row)


def alert_from(row: Row) -> Alert:
    """An alert's row as the engine knows it."""
    at = moment(row["at"])
    return Alert(row["key"], AlertKind(row["kind"]), row["subject"], at, row["detail"], row["link"])
