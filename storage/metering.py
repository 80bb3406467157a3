"""Metered use: agreed, written down with its turn, sealed by the hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.domain import AccountId, Micros
from engine.facts import Mode
from engine.tallies import metered
from engine.terms import Metering, UsageEvent, UsageHour
from storage.people import person_from
from storage.session import Row, Session, moment


class Meter:
    """The part of MeterTx that is about members' words and use, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def metering(self, account: AccountId, mode: Mode) -> Metering | None:
        row = self._session.one("metering", account=account, mode=mode)
        return metering_from(row) if row else None

    def save_metering(self, metering: Metering) -> None:
        self._session.run(
            "save_metering",
            account=metering.account,
            mode=metering.mode,
            switched_on=metering.on,
            cap=metering.cap,
            agreed_at=metering.agreed_at,
            platform=metering.person.platform,
            workspace=metering.person.workspace,
            member=metering.person.user,
        )

    def metered_accounts(self, mode: Mode) -> Sequence[AccountId]:
        return [AccountId(row["account"]) for row in self._session.all("metered_accounts", mode=mode)]

    def add_usage(self, event: UsageEvent) -> bool:
        added = self._session.run(
            "add_usage",
            turn=event.turn,
            account=event.account,
            mode=event.mode,
            cost=event.cost,
            at=event.at,
            hour=hour_of(event.at),
        )
        if added:
            self._session.tally(metered(event.mode, event.cost, event.at))
        return added == 1

    def usage_cost(self, account: AccountId, mode: Mode, since: datetime) -> Micros:
        row = self._session.one("usage_cost", account=account, mode=mode, since=since)
        return Micros(int(row["cost"]) if row else 0)

    def unsealed(
        self, mode: Mode, before: datetime, limit: int, account: AccountId | None = None
    ) -> Sequence[UsageHour]:
        rows = self._session.all("unsealed", mode=mode, before=before, most=limit, account=account)
        return [usage_hour_from(row) for row in rows]

    def sealed_totals(self, account: AccountId, mode: Mode) -> tuple[Micros, int]:
        row = self._session.one("sealed_totals", account=account, mode=mode)
        return (Micros(int(row["cost"])), int(row["units"])) if row else (Micros(0), 0)


def hour_of(at: datetime) -> datetime:
    """The beginning of the hour of a UTC moment."""
    return at.replace(minute=0, second=0, microsecond=0)


def metering_from(row: Row) -> Metering:
    """A row of what a member said, as the engine knows it."""
    return Metering(
        AccountId(row["account"]),
        Mode(row["mode"]),
        bool(row["switched_on"]),
        Micros(row["cap"]),
        moment(row["agreed_at"]),
        person_from(row),
    )


def usage_hour_from(row: Row) -> UsageHour:
    """The use of an hour as the engine knows it; PostgreSQL sums to a Decimal."""
    return UsageHour(
        AccountId(row["account"]), Mode(row["mode"]), moment(row["hour"]), Micros(int(row["cost"]))
    )
