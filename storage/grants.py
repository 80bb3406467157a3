"""Tiers that are given, codes for them, and conversations beyond a day's limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from engine.domain import AccountId, ConversationId, TierName
from engine.facts import Mode
from engine.grants import Credit, Gift, Grant
from storage.people import person_from
from storage.session import Row, Session, moment, moment_or_none


class Grants:
    """GrantsTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def grants(self, account: AccountId, mode: Mode) -> Sequence[Grant]:
        return [grant_from(row) for row in self._session.all("grants", account=account, mode=mode)]

    def add_grant(self, grant: Grant) -> Grant:
        row = self._session.one(
            "add_grant",
            account=grant.account,
            mode=grant.mode,
            tier=grant.tier,
            since=grant.since,
            until=grant.until,
            made_at=grant.made_at,
            made_by=grant.made_by,
            note=grant.note,
            gift=grant.gift,
        )
        return replace(grant, number=row["number"] if row else 0)

    def revoke_grant(self, account: AccountId, mode: Mode, number: int, now: datetime) -> bool:
        return self._session.run("revoke_grant", account=account, mode=mode, number=number, now=now) == 1

    def granted_accounts(self, mode: Mode, now: datetime, after: str, limit: int) -> Sequence[AccountId]:
        rows = self._session.all("granted_accounts", mode=mode, now=now, after=after, most=limit)
        return [AccountId(row["account"]) for row in rows]

    def save_gift(self, gift: Gift) -> None:
        self._session.run(
            "save_gift",
            digest=gift.digest,
            mode=gift.mode,
            tier=gift.tier,
            days=gift.days,
            made_at=gift.made_at,
            made_by=gift.made_by,
            expires_at=gift.expires_at,
        )

    def gift(self, digest: str, mode: Mode) -> Gift | None:
        row = self._session.one("gift", digest=digest, mode=mode)
        return gift_from(row) if row else None

    def gifts(self, mode: Mode, limit: int) -> Sequence[Gift]:
        return [gift_from(row) for row in self._session.all("gifts", mode=mode, most=limit)]

    def use_gift(self, digest: str, account: AccountId, now: datetime) -> bool:
        return self._session.run("use_gift", digest=digest, account=account, now=now) == 1

    def void_gift(self, name: str, mode: Mode, now: datetime) -> Sequence[Gift]:
        return [gift_from(row) for row in self._session.all("void_gift", name=name, mode=mode, now=now)]

    def credits(self, account: AccountId, mode: Mode) -> Sequence[Credit]:
        return [credit_from(row) for row in self._session.all("credits", account=account, mode=mode)]

    def add_credit(self, credit: Credit) -> Credit:
        row = self._session.one(
            "add_credit",
            account=credit.account,
            mode=credit.mode,
            amount=credit.amount,
            until=credit.until,
            made_at=credit.made_at,
            made_by=credit.made_by,
            note=credit.note,
        )
        return replace(credit, number=row["number"] if row else 0)

    def revoke_credit(self, account: AccountId, mode: Mode, number: int, now: datetime) -> bool:
        return self._session.run("revoke_credit", account=account, mode=mode, number=number, now=now) == 1

    def begin_on(self, conversation: ConversationId, credit: Credit, now: datetime) -> None:
        self._session.run(
            "begin_on",
            conversation=conversation,
            account=credit.account,
            mode=credit.mode,
            number=credit.number,
            now=now,
        )

    def begin_within(self, conversation: ConversationId) -> None:
        self._session.run("begin_within", conversation=conversation)


def grant_from(row: Row) -> Grant:
    """A grant's row as the engine knows it."""
    return Grant(
        AccountId(row["account"]),
        Mode(row["mode"]),
        row["number"],
        TierName(row["tier"]),
        moment(row["since"]),
        moment(row["until"]),
        moment(row["made_at"]),
        row["made_by"],
        row["note"],
        row["gift"],
        moment_or_none(row["revoked_at"]),
    )


def gift_from(row: Row) -> Gift:
    """A gift's row as the engine knows it."""
    return Gift(
        digest=row["digest"],
        mode=Mode(row["mode"]),
        tier=TierName(row["tier"]),
        days=row["days"],
        made_at=moment(row["made_at"]),
        made_by=row["made_by"],
        expires_at=moment_or_none(row["expires_at"]),
        voided_at=moment_or_none(row["voided_at"]),
        account=row["account"],
        used_at=moment_or_none(row["used_at"]),
        person=person_from(row) if row["platform"] else None,
    )


def credit_from(row: Row) -> Credit:
    """A credit's row as the engine knows it."""
    return Credit(
        AccountId(row["account"]),
        Mode(row["mode"]),
        row["number"],
        row["amount"],
        moment(row["until"]),
        moment(row["made_at"]),
        row["made_by"],
        row["note"],
        moment_or_none(row["revoked_at"]),
        int(row["used"]),
    )
