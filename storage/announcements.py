"""What operators announce, and to whom it is owed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.announcements import Announcement, Audience, Fate, Letter, Progress, Receiver, Stage
from engine.domain import AccountId, Platform, TierName
from storage.people import person_from
from storage.session import Row, Session, moment


class Announcements:
    """AnnouncementsTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def set_announcements(self, account: AccountId, *, wanted: bool) -> None:
        self._session.run("set_announcements", id=account, wanted=wanted)

    def receivers(self, audience: Audience, after: AccountId | None, limit: int) -> Sequence[Receiver]:
        rows = self._session.all(
            "receivers",
            after=after or "",
            platforms=f",{','.join(audience.platforms or tuple(Platform))},",
            seen_since=audience.seen_since,
            most=limit,
        )
        return [Receiver(AccountId(row["id"]), person_from(row), bool(row["announcements"])) for row in rows]

    def draft(self, announcement: Announcement) -> None:
        audience = announcement.audience
        self._session.run(
            "draft",
            id=announcement.id,
            text=announcement.text,
            actor=announcement.by,
            tiers=",".join(audience.tiers),
            platforms=",".join(audience.platforms),
            seen_since=audience.seen_since,
            receivers=announcement.receivers,
            made_at=announcement.made_at,
        )

    def announcement(self, name: str) -> Announcement | None:
        row = self._session.one("announcement", id=name)
        return announcement_from(row) if row else None

    def confirm_announcement(self, name: str, now: datetime) -> bool:
        return self._session.run("confirm_announcement", id=name, now=now) == 1

    def stop_announcement(self, name: str) -> bool:
        stopped = self._session.run("stop_announcement", id=name) == 1
        if stopped:
            self._session.run("stop_letters", id=name)
        return stopped

    def lock_gathering(self) -> Announcement | None:
        row = self._session.one("lock_gathering")
        return announcement_from(row) if row else None

    def owe_announcement(self, name: str, receiver: Receiver, now: datetime) -> None:
        self._session.run(
            "owe_announcement",
            id=f"{name}:{receiver.account}",
            announcement=name,
            account=receiver.account,
            platform=receiver.person.platform,
            workspace=receiver.person.workspace,
            member=receiver.person.user,
            state=Fate.OWED if receiver.listens else Fate.OPTED_OUT,
            now=now,
        )

    def gathered(self, name: str, last: AccountId | None) -> None:
        self._session.run("gathered", id=name, last=last or "", gathering=last is not None)

    def announcing(self) -> bool:
        row = self._session.one("announcing")
        return bool(row and row["sending"])

    def claim_letter(self, platform: Platform, now: datetime, lease_until: datetime) -> Letter | None:
        row = self._session.one("claim_letter", platform=platform, now=now, lease_until=lease_until)
        return letter_from(row) if row else None

    def letter_ended(self, key: str, fate: Fate, now: datetime) -> None:
        self._session.run("letter_ended", id=key, fate=fate, now=now)

    def letter_later(self, key: str, due: datetime) -> None:
        self._session.run("letter_later", id=key, due=due)

    def end_announcements(self, old: datetime) -> None:
        self._session.run("end_announcements")
        self._session.run("forget_drafts", old=old)

    def announcements(self, limit: int) -> Sequence[Progress]:
        found = [announcement_from(row) for row in self._session.all("announcements", most=limit)]
        return [self._progress(each) for each in found]

    def _progress(self, announcement: Announcement) -> Progress:
        rows = self._session.all("fates", id=announcement.id)
        return Progress(announcement, {Fate(row["state"]): int(row["members"]) for row in rows})


def announcement_from(row: Row) -> Announcement:
    """An announcement's row as the engine knows it."""
    tiers, platforms = (tuple(filter(None, row[name].split(","))) for name in ("tiers", "platforms"))
    audience = Audience(
        tuple(map(TierName, tiers)), tuple(map(Platform, platforms)), moment(row["seen_since"])
    )
    last = AccountId(row["gathered_to"]) if row["gathered_to"] else None
    made, stage = moment(row["made_at"]), Stage(row["state"])
    return Announcement(row["id"], row["text"], row["actor"], audience, made, row["receivers"], stage, last)


def letter_from(row: Row) -> Letter:
    """A claimed row as the engine knows it."""
    return Letter(
        key=row["id"],
        person=person_from(row),
        text=row["text"],
        since=moment(row["created_at"]),
        attempts=row["attempts"],
        locale=row["locale"],
        listens=bool(row["listens"]),
    )
