"""Accounts and the people they belong to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from engine.domain import Account, AccountId, Person, Platform
from storage.carrying import carry
from storage.session import Row, Session, moment, moment_or_none


class People:
    """PeopleTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lock_account(self, person: Person, now: datetime) -> Account:
        fresh = uuid4().hex
        row = self._session.one(
            "lock_account",
            id=fresh,
            platform=person.platform,
            workspace=person.workspace,
            member=person.user,
            now=now,
        )
        if row is None:
            raise AssertionError("an upsert returns its row")
        account = account_from(row)
        if account.id == fresh:
            return replace(account, blocked_at=carry(self._session, person, fresh, now))
        return account

    def lock_account_id(self, account: AccountId) -> Account | None:
        row = self._session.one("lock_account_id", id=account)
        return account_from(row) if row else None

    def find_account(self, person: Person) -> Account | None:
        row = self._session.one(
            "find_account", platform=person.platform, workspace=person.workspace, member=person.user
        )
        return account_from(row) if row else None

    def set_model(self, account: AccountId, model: str | None) -> None:
        self._session.run("set_model", id=account, model=model)

    def set_instructions(self, account: AccountId, instructions: str) -> None:
        self._session.run("set_instructions", id=account, instructions=instructions or None)

    def set_private(self, account: AccountId, *, private: bool) -> None:
        self._session.run("set_private", id=account, private=private)


def person_from(row: Row) -> Person:
    """The person that a row names."""
    return Person(Platform(row["platform"]), row["workspace"], row["member"])


def account_from(row: Row) -> Account:
    """An account's row as the engine knows it."""
    return Account(
        AccountId(row["id"]),
        person_from(row),
        row["model"],
        moment(row["created_at"]),
        row["instructions"] or "",
        bool(row["private"]),
        moment_or_none(row["blocked_at"]),
        announcements=bool(row["announcements"]),
        erased_at=moment_or_none(row["erased_at"]),
        house_pauses=bool(row["pauses"]),
    )
