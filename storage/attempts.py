"""Checkout attempts of accounts."""

from __future__ import annotations

from engine.domain import AccountId, Interval, TierName
from engine.facts import AttemptStatus, CheckoutAttempt, Mode, SessionId
from storage.people import person_from
from storage.session import Row, Session, moment


class Attempts:
    """The part of MoneyTx that is about checkout, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open_attempt(self, account: AccountId, mode: Mode) -> CheckoutAttempt | None:
        return attempt_or_none(self._session.one("open_attempt", account=account, mode=mode))

    def attempt_of(self, session: SessionId) -> CheckoutAttempt | None:
        return attempt_or_none(self._session.one("attempt_of", session=session))

    def latest_attempt(self, account: AccountId, mode: Mode) -> CheckoutAttempt | None:
        return attempt_or_none(self._session.one("latest_attempt", account=account, mode=mode))

    def save_attempt(self, attempt: CheckoutAttempt) -> None:
        self._session.run(
            "save_attempt",
            id=attempt.id,
            account=attempt.account,
            mode=attempt.mode,
            platform=attempt.person.platform,
            workspace=attempt.person.workspace,
            member=attempt.person.user,
            tier=attempt.tier,
            pay_interval=attempt.interval,
            status=attempt.status,
            created_at=attempt.created_at,
            expires_at=attempt.expires_at,
            session=attempt.session,
            url=attempt.url,
            trial_days=attempt.trial_days,
            quantity=attempt.quantity,
        )

    def close_attempts(self, account: AccountId, mode: Mode, status: AttemptStatus) -> None:
        self._session.run("close_attempts", account=account, mode=mode, status=status)


def attempt_or_none(row: Row | None) -> CheckoutAttempt | None:
    """A checkout attempt's row as the engine knows it."""
    if row is None:
        return None
    return CheckoutAttempt(
        id=row["id"],
        account=AccountId(row["account"]),
        mode=Mode(row["mode"]),
        person=person_from(row),
        tier=TierName(row["tier"]),
        interval=Interval(row["pay_interval"]),
        status=AttemptStatus(row["status"]),
        created_at=moment(row["created_at"]),
        expires_at=moment(row["expires_at"]),
        session=SessionId(row["session"]) if row["session"] else None,
        url=row["url"],
        trial_days=row["trial_days"],
        quantity=row["quantity"],
    )
