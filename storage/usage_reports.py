"""Sealed metered use on its way to Stripe, under a lease."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.domain import AccountId
from engine.facts import CustomerId, Mode
from engine.terms import UsageHour, UsageReport
from storage.session import Row, Session, moment, moment_or_none


class UsageReports:
    """The parts of MeterTx and FiguresTx that are about reports, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def seal(self, hour: UsageHour, before: datetime, report: UsageReport | None) -> None:
        self._session.run("seal", account=hour.account, mode=hour.mode, hour=hour.hour, before=before)
        if report is not None:
            self._add(report)

    def _add(self, report: UsageReport) -> None:
        self._session.run(
            "add_report",
            identifier=report.identifier,
            account=report.account,
            mode=report.mode,
            customer=report.customer,
            hour=report.hour,
            units=report.units,
            sealed_at=report.sealed_at,
            attempts=report.attempts,
            tried_at=report.tried_at,
            makes_good=report.makes_good,
        )

    def next_report_number(self, account: AccountId, mode: Mode, hour: datetime) -> int:
        row = self._session.one("count_reports", account=account, mode=mode, hour=hour)
        return int(row["reports"]) if row else 0

    def claim_reports(
        self, mode: Mode, now: datetime, lease_until: datetime, limit: int, account: AccountId | None = None
    ) -> Sequence[UsageReport]:
        if account is None:
            rows = self._session.all("claim_reports", mode=mode, now=now, lease_until=lease_until, most=limit)
        else:
            rows = self._session.all(
                "claim_reports_of", mode=mode, now=now, lease_until=lease_until, most=limit, account=account
            )
        return sorted(map(report_from, rows), key=lambda report: (report.hour, report.identifier))

    def report_sent(self, identifier: str, now: datetime) -> None:
        self._session.run("report_sent", identifier=identifier, now=now)

    def report_later(self, identifier: str, due: datetime, error: str) -> None:
        self._session.run("report_later", identifier=identifier, due=due, error=error)

    def report_dead(self, identifier: str, error: str) -> None:
        self._session.run("report_dead", identifier=identifier, error=error)

    def doubt_reports(self) -> int:
        return self._session.run("doubt_reports")

    def usage_reports(
        self, account: AccountId, mode: Mode, since: datetime, until: datetime
    ) -> Sequence[UsageReport]:
        rows = self._session.all("usage_reports", account=account, mode=mode, since=since, until=until)
        return [report_from(row) for row in rows]

    def usage_revenue_units(self, mode: Mode, since: datetime, until: datetime) -> int:
        row = self._session.one("usage_revenue_units", mode=mode, since=since, until=until)
        return int(row["units"]) if row else 0


def report_from(row: Row) -> UsageReport:
    """A report's row as the engine knows it."""
    return UsageReport(
        identifier=row["identifier"],
        account=AccountId(row["account"]),
        mode=Mode(row["mode"]),
        customer=CustomerId(row["stripe_customer_id"]),
        hour=moment(row["hour"]),
        units=row["units"],
        sealed_at=moment(row["sealed_at"]),
        attempts=row["attempts"],
        tried_at=moment_or_none(row["tried_at"]),
        makes_good=moment_or_none(row["makes_good"]),
        sent_at=moment_or_none(row["sent_at"]),
        dead=row["state"] == "dead",
    )
