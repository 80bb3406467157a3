"""Notices owed to people: owed once, claimed under a lease, sent or kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from engine.domain import AccountId, Kept, KeptId, TierName
from engine.facts import Mode
from engine.notices import Notice, NoticeId, NoticeKind
from storage.people import person_from
from storage.session import Row, Session, moment, moment_or_none


class Notices:
    """NoticesTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def owe(self, notice: Notice) -> bool:
        owed = self._session.run(
            "owe",
            id=notice.id,
            key=notice.key,
            account=notice.account,
            mode=notice.mode,
            platform=notice.person.platform,
            workspace=notice.person.workspace,
            member=notice.person.user,
            kind=notice.kind,
            tier=notice.tier,
            until=notice.until,
            attempts=notice.attempts,
            created_at=notice.created_at,
        )
        return owed == 1

    def claim_notices(
        self, mode: Mode, now: datetime, lease_until: datetime, platforms: Sequence[str], limit: int
    ) -> Sequence[Notice]:
        rows = self._session.all(
            "claim_notices",
            mode=mode,
            now=now,
            lease_until=lease_until,
            platforms=f",{','.join(platforms)},",
            most=limit,
        )
        return notices_from(rows)

    def notice_sent(self, notice: NoticeId, now: datetime) -> None:
        self._session.run("notice_sent", id=notice, now=now)

    def notice_later(self, notice: NoticeId, due: datetime) -> None:
        self._session.run("notice_later", id=notice, due=due)

    def keep_notice(self, notice: NoticeId) -> None:
        self._session.run("keep_notice", id=notice)

    def has_kept(self, account: AccountId, mode: Mode) -> bool:
        row = self._session.one("has_kept", account=account, mode=mode)
        return bool(row and row["kept"])

    def take_kept(self, account: AccountId, mode: Mode, now: datetime) -> Sequence[Notice]:
        return notices_from(self._session.all("take_kept", account=account, mode=mode, now=now))

    def notices(self, account: AccountId) -> Sequence[Notice]:
        return notices_from(self._session.all("notices", account=account))


def notices_from(rows: Iterable[Row]) -> list[Notice]:
    """Rows as the engine knows them, oldest first, which RETURNING does not promise."""
    return sorted((notice_from(row) for row in rows), key=lambda notice: (notice.created_at, notice.key))


def notice_from(row: Row) -> Notice:
    """A notice's row as the engine knows it."""
    return Notice(
        id=NoticeId(row["id"]),
        key=row["key"],
        account=AccountId(row["account"]),
        mode=Mode(row["mode"]),
        person=person_from(row),
        kind=NoticeKind(row["kind"]),
        tier=TierName(row["tier"]),
        created_at=moment(row["created_at"]),
        until=moment_or_none(row["valid_until"]),
        attempts=row["attempts"],
        locale=row["locale"],
        kept=kept_from(row),
    )


def kept_from(row: Row) -> Kept | None:
    """The question that waits, of `notice_kept` in the statement that made the row."""
    found = row["kept"]
    if found is None:
        return None
    until, _, name = found.partition("/")
    return Kept(KeptId(name), moment(int(until)))
