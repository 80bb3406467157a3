"""Teams, their seats, and the codes to join them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.domain import AccountId, Person, Scope
from engine.facts import Mode
from engine.seats import Invite, Member, Membership
from storage.people import person_from
from storage.session import Row, Session, moment, moment_or_none


class Teams:
    """TeamsTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def membership(self, account: AccountId, mode: Mode) -> Membership | None:
        row = self._session.one("membership", account=account, mode=mode)
        return Membership(AccountId(row["owner"]), row["place"]) if row else None

    def lock_team(self, owner: AccountId, mode: Mode) -> None:
        self._session.run("lock_team", owner=owner, mode=mode)

    def team_members(self, owner: AccountId, mode: Mode) -> Sequence[Member]:
        return [member_from(row) for row in self._session.all("team_members", owner=owner, mode=mode)]

    def seat(self, account: AccountId, owner: AccountId, mode: Mode, now: datetime) -> bool:
        row = self._session.one("next_number", owner=owner, mode=mode)
        if row is None:
            raise AssertionError("a locked team has a row")
        number = row["last_number"]
        return self._session.run("seat", mode=mode, account=account, owner=owner, number=number, now=now) == 1

    def unseat(self, account: AccountId, owner: AccountId, mode: Mode) -> bool:
        return self._session.run("unseat", account=account, owner=owner, mode=mode) == 1

    def seated(self, mode: Mode, after: str, limit: int) -> Sequence[AccountId]:
        rows = self._session.all("seated", mode=mode, after=after, most=limit)
        return [AccountId(row["account"]) for row in rows]

    def conversations_paid(self, account: AccountId, purse: Scope, since: datetime) -> int:
        row = self._session.one("conversations_paid", account=account, purse=purse, since=since)
        return int(row["counted"]) if row else 0

    def person_of(self, account: AccountId) -> Person | None:
        row = self._session.one("account_person", id=account)
        return person_from(row) if row else None

    def save_invite(self, invite: Invite) -> None:
        self._session.run(
            "save_invite",
            digest=invite.digest,
            owner=invite.owner,
            mode=invite.mode,
            created_at=invite.created_at,
            expires_at=invite.expires_at,
        )

    def invite(self, digest: str, mode: Mode) -> Invite | None:
        row = self._session.one("invite", digest=digest, mode=mode)
        return invite_from(row) if row else None

    def use_invite(self, digest: str, account: AccountId, now: datetime) -> bool:
        return self._session.run("use_invite", digest=digest, account=account, now=now) == 1

    def invited_since(self, owner: AccountId, mode: Mode, since: datetime) -> int:
        row = self._session.one("invited_since", owner=owner, mode=mode, since=since)
        return int(row["made"]) if row else 0

    def forget_invites(self, owner: AccountId, mode: Mode, before: datetime) -> None:
        self._session.run("forget_invites", owner=owner, mode=mode, before=before)

    def try_code(self, account: AccountId, now: datetime, since: datetime, most: int) -> bool:
        return self._session.run("try_code", account=account, now=now, since=since, most=most) == 1


def member_from(row: Row) -> Member:
    """A member's row as the engine knows it."""
    return Member(AccountId(row["account"]), person_from(row), row["number"], moment(row["joined_at"]))


def invite_from(row: Row) -> Invite:
    """An invitation's row as the engine knows it."""
    return Invite(
        row["digest"],
        AccountId(row["owner"]),
        Mode(row["mode"]),
        moment(row["created_at"]),
        moment(row["expires_at"]),
        moment_or_none(row["used_at"]),
    )
