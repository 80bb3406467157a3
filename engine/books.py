"""What a unit of work may do with money beyond subscriptions: claims, duties, metered use, figures, jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Protocol

from engine.domain import AccountId, Micros
from engine.facts import Claims, CustomerId, CustomerRecord, Dispute, Mode, Refund, Subscription
from engine.figures import FunnelStep, Movement, Reached
from engine.terms import (
    DeadLetter,
    Duty,
    DutyId,
    Metering,
    Proposal,
    ProposalId,
    UsageEvent,
    UsageHour,
    UsageReport,
)


class ClaimsTx(Protocol):
    """Disputes and refunds, and former customers."""

    def claims(self, account: AccountId, mode: Mode) -> Claims:
        """What stands against the account: its unforgiven disputes and the invoices of revoking refunds."""
        ...

    def save_dispute(self, account: AccountId, dispute: Dispute, read_at: datetime) -> Dispute | None:
        """Insert or replace by (mode, id), keeping its forgiveness; what was known before.

        `read_at` is when its reading began: what was read later stays, and `dispute` itself comes back.
        """
        ...

    def save_refund(
        self, account: AccountId, refund: Refund, read_at: datetime, *, revokes: bool
    ) -> Refund | None:
        """Insert or replace by (mode, charge), keeping the first `revokes`; otherwise as `save_dispute`."""
        ...

    def forgive(self, account: AccountId, mode: Mode, now: datetime) -> int:
        """Let the account's open and lost disputes count no more; how many."""
        ...

    def retire_customer(self, record: CustomerRecord, now: datetime) -> None:
        """Its customer was deleted at Stripe: remember it as former, null the id and raise the epoch."""
        ...

    def add_former_customer(self, record: CustomerRecord, now: datetime) -> None:
        """Remember a customer of the account that is not its current one."""
        ...

    def former_customer(self, mode: Mode, customer: CustomerId) -> AccountId | None:
        """Whose deleted customer it was."""
        ...

    def save_proposal(self, proposal: Proposal) -> None:
        """Insert, or update the state by id."""
        ...

    def proposal(self, proposal: ProposalId) -> Proposal | None:
        """One by id; in a transact unit the row stays locked until it ends."""
        ...


class DutiesTx(Protocol):
    """Calls owed to Stripe, done once each, under a lease."""

    def owe_duty(self, duty: Duty, due: datetime) -> bool:
        """Store it; False if one with that id exists, whatever became of it."""
        ...

    def claim_duties(self, mode: Mode, now: datetime, lease_until: datetime, limit: int) -> Sequence[Duty]:
        """Take due ones; `attempts` of each result counts earlier claims."""
        ...

    def duty_done(self, duty: DutyId, now: datetime) -> None:
        """It was done."""
        ...

    def duty_later(self, duty: DutyId, due: datetime, error: str) -> None:
        """Try again then."""
        ...

    def duty_dead(self, duty: DutyId, error: str) -> None:
        """Given up: a dead letter."""
        ...

    def drop_duty(self, duty: DutyId) -> None:
        """It is owed no more, and may come to be owed again."""
        ...


class JobsTx(Protocol):
    """What is due by the clock, and what was given up."""

    def take_turn(self, mode: Mode, now: datetime, spacing: timedelta) -> datetime:
        """Reserve the next free moment to read Stripe: `now`, or `spacing` after the last one reserved."""
        ...

    def begin_job(self, name: str, now: datetime, lease_until: datetime) -> str | None:
        """Take a named job: the note that its last run left ('' at first); None if it is not due."""
        ...

    def end_job(self, name: str, note: str, due: datetime) -> None:
        """Leave a note for the next run, which is due then."""
        ...

    def look_again(self, account: AccountId, mode: Mode, at: datetime | None) -> None:
        """When time alone changes something about the account next; None: never."""
        ...

    def due_to_look(self, mode: Mode, now: datetime, limit: int) -> Sequence[AccountId]:
        """Accounts whose moment has come, longest due first."""
        ...

    def overdue_customers(self, mode: Mode, now: datetime, limit: int) -> Sequence[CustomerId]:
        """Customers to read: a period or trial has ended since they were read, or a payment is overdue.

        Not those read less than 10 minutes before `now`, nor those that wait to be read already.
        """
        ...

    def customers_with_stale_events(self, mode: Mode, received_before: datetime) -> Sequence[CustomerId]:
        """Customers with a pending event received before then that do not wait to be read."""
        ...

    def dead_letters(self, mode: Mode) -> Sequence[DeadLetter]:
        """All that was given up."""
        ...

    def count_dead(self, mode: Mode) -> int:
        """How much that is, without reading it."""
        ...

    def retry_dead(self, mode: Mode, now: datetime, letter: str | None = None) -> int:
        """Make all of it, or what has that id, due now with its tries forgotten; how many."""
        ...

    def known_subscriptions(
        self, mode: Mode, after: str, limit: int
    ) -> Sequence[tuple[AccountId, Subscription]]:
        """Stored facts of all accounts by id, those behind `after` ('' for the first page)."""
        ...

    def customer_of(self, mode: Mode, subscription: str) -> CustomerId | None:
        """Whose stored subscription it is."""
        ...

    def known_customers(self, mode: Mode, customers: Sequence[CustomerId]) -> Mapping[CustomerId, bool]:
        """Those of these that belong (True) or belonged to an account."""
        ...


class MeterTx(Protocol):
    """Metered use: agreed, written down with its turn, sealed by the hour, reported once."""

    def metering(self, account: AccountId, mode: Mode) -> Metering | None:
        """What the member said last."""
        ...

    def save_metering(self, metering: Metering) -> None:
        """Insert or replace by (account, mode)."""
        ...

    def metered_accounts(self, mode: Mode) -> Sequence[AccountId]:
        """Accounts with any use written down, or with metered use switched on."""
        ...

    def add_usage(self, event: UsageEvent) -> bool:
        """Write it down; False if the turn's use is known."""
        ...

    def usage_cost(self, account: AccountId, mode: Mode, since: datetime) -> Micros:
        """Vendor cost of all metered use from then on."""
        ...

    def unsealed(
        self, mode: Mode, before: datetime, limit: int, account: AccountId | None = None
    ) -> Sequence[UsageHour]:
        """Use not sealed yet and older than that, by account and hour, oldest first."""
        ...

    def sealed_totals(self, account: AccountId, mode: Mode) -> tuple[Micros, int]:
        """Cost of all sealed use, and units of all its reports but those that make something good."""
        ...

    def seal(self, hour: UsageHour, before: datetime, report: UsageReport | None) -> None:
        """Seal the account's use of that hour older than `before`, with its report if it makes a unit."""
        ...

    def next_report_number(self, account: AccountId, mode: Mode, hour: datetime) -> int:
        """How many reports of that hour there are, late use having reports of its own."""
        ...

    def claim_reports(
        self, mode: Mode, now: datetime, lease_until: datetime, limit: int, account: AccountId | None = None
    ) -> Sequence[UsageReport]:
        """Take due ones (of one account, due or not); `attempts` and `tried_at` tell of earlier claims."""
        ...

    def report_sent(self, identifier: str, now: datetime) -> None:
        """Stripe has it."""
        ...

    def report_later(self, identifier: str, due: datetime, error: str) -> None:
        """Try again then."""
        ...

    def report_dead(self, identifier: str, error: str) -> None:
        """Stripe refuses it: a dead letter."""
        ...

    def doubt_reports(self) -> int:
        """Take all that are not sent as tried since the hour that they are of; how many, of every mode."""
        ...

    def usage_reports(
        self, account: AccountId, mode: Mode, since: datetime, until: datetime
    ) -> Sequence[UsageReport]:
        """All reports whose hour, or the hour they make good, lies in that span, whatever became of them."""
        ...


class FiguresTx(Protocol):
    """What moved the revenue, and how far accounts came."""

    def mrr(self, account: AccountId, mode: Mode) -> Fraction:
        """`after` of the account's last movement, 0 without one."""
        ...

    def add_movement(self, movement: Movement) -> Movement:
        """Append it with the account's next number (the given number is ignored)."""
        ...

    def account_movements(self, account: AccountId, mode: Mode) -> Sequence[Movement]:
        """All movements of an account, oldest first."""
        ...

    def movements(
        self, mode: Mode, after: tuple[datetime, AccountId, int] | None, limit: int
    ) -> Sequence[Movement]:
        """A page of all movements by (at, account, number), those behind `after`."""
        ...

    def reach(self, reached: Reached) -> bool:
        """Note a step; False if the account was there before."""
        ...

    def reached(self, mode: Mode, since: datetime, until: datetime) -> Sequence[tuple[FunnelStep, int]]:
        """How many accounts came to each step for the first time in that span."""
        ...

    def journeys(
        self, mode: Mode, first: FunnelStep, last: FunnelStep, since: datetime, until: datetime
    ) -> Sequence[timedelta]:
        """How long the accounts that came to `last` in that span took from `first`, shortest first."""
        ...

    def count_accounts(self) -> int:
        """All accounts ever seen."""
        ...

    def usage_revenue_units(self, mode: Mode, since: datetime, until: datetime) -> int:
        """Meter units of all reports sealed in that span, without those that make something good."""
        ...


class BooksTx(ClaimsTx, DutiesTx, JobsTx, MeterTx, FiguresTx, Protocol):
    """All of these."""
