"""Makes the things that storage tests store, and looks at them past the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from fractions import Fraction

import psycopg

from engine.domain import (
    AccountId,
    Conversation,
    ConversationId,
    Interval,
    Micros,
    Person,
    Platform,
    TierName,
    TurnId,
)
from engine.facts import (
    AttemptStatus,
    CheckoutAttempt,
    CustomerId,
    Mode,
    PaymentStatus,
    Planned,
    Subscription,
    SubscriptionId,
)
from engine.ledger import Tx
from engine.models import Usage
from engine.notices import Notice, NoticeId, NoticeKind
from engine.terms import Duty, DutyId, DutyKind, UsageHour, UsageReport
from engine.turns import Charge, Hold, Settlement
from storage.address import SqliteAddress, parse_address
from tests.fakes.clock import NOON

ANN = Person(Platform.LOCAL, "", "ann")
BEN = Person(Platform.SLACK, "T1", "U1")
MINUTE = timedelta(minutes=1)


def account(tx: Tx, person: Person = ANN) -> AccountId:
    """The id of a person's account, locked."""
    return tx.lock_account(person, NOON).id


def conversation(tx: Tx, name: str = "c", person: Person = ANN, at: datetime = NOON) -> ConversationId:
    """A stored conversation without turns."""
    made = Conversation(ConversationId(name), account(tx, person), at, at, 0)
    tx.open_conversation(made)
    return made.id


def hold(
    tx: Tx,
    turn: str,
    where: str = "c",
    person: Person = ANN,
    at: datetime = NOON,
    estimate: int = 100,
    parent: str | None = None,
    batch: str | None = None,
    **more: object,
) -> TurnId:
    """A stored hold of one minute."""
    tx.hold(
        Hold(
            turn=TurnId(turn),
            account=account(tx, person),
            conversation=ConversationId(where),
            key=f"key of {turn}",
            model="demo",
            prompt=f"prompt of {turn}",
            estimate=Micros(estimate),
            owner="process",
            started_at=at,
            lease_until=at + MINUTE,
            parent=TurnId(parent) if parent else None,
            batch=batch,
            **more,  # type: ignore[arg-type]
        )
    )
    return TurnId(turn)


def settlement(answer: str = "answer", cost: int | None = 40, at: datetime = NOON) -> Settlement:
    """What a turn really was."""
    micros = None if cost is None else Micros(cost)
    charge = Charge("demo", "demo", Usage(30, 10, 5), micros)
    return Settlement("demo", answer, charge.usage, micros, "end", at, (charge,))


def subscription(name: str = "sub_1", created_at: datetime = NOON) -> Subscription:
    """A subscription with every field set."""
    return Subscription(
        id=SubscriptionId(name),
        customer=CustomerId("cus_1"),
        mode=Mode.TEST,
        status=PaymentStatus.PAST_DUE,
        tier=TierName.PREMIUM,
        price="price_1",
        interval=Interval.YEAR,
        quantity=2,
        created_at=created_at,
        started_at=NOON,
        period_end=NOON + 30 * 24 * 60 * MINUTE,
        cancel_at=NOON + 60 * 24 * 60 * MINUTE,
        trial_end=NOON - MINUTE,
        collection_paused="void",
        latest_invoice="in_1",
        past_due_since=NOON - 2 * MINUTE,
        open_invoice="in_0",
        pay_url="https://pay.example/in_0",
        item="si_1",
        metered_item="si_2",
        schedule="sub_sched_1",
        planned=Planned(TierName.TEAM, Interval.MONTH, 5, NOON + 30 * 24 * 60 * MINUTE),
        change_pending=True,
        trialed=True,
        card_expires=NOON + 7 * 24 * 60 * MINUTE,
        mrr=Fraction(100_000_000, 12),
        currency="eur",
        ended_at=NOON + MINUTE,
        end_reason="payment_failed",
    )


def attempt(owner: AccountId, name: str = "attempt", created_at: datetime = NOON) -> CheckoutAttempt:
    """An open checkout attempt without a session."""
    return CheckoutAttempt(
        id=name,
        account=owner,
        mode=Mode.TEST,
        person=BEN,
        tier=TierName.PRO,
        interval=Interval.MONTH,
        status=AttemptStatus.OPEN,
        created_at=created_at,
        expires_at=created_at + 30 * MINUTE,
        trial_days=14,
        quantity=7,
    )


def notice(owner: AccountId, key: str = "key", person: Person = ANN, at: datetime = NOON) -> Notice:
    """A notice that nobody has tried to show."""
    return Notice(
        id=NoticeId(f"notice of {key}"),
        key=key,
        account=owner,
        mode=Mode.TEST,
        person=person,
        kind=NoticeKind.ACTIVATED,
        tier=TierName.TEAM,
        created_at=at,
        until=NOON + MINUTE,
    )


def duty(name: str = "duty", mode: Mode = Mode.TEST) -> Duty:
    """One that nobody has tried."""
    return Duty(DutyId(name), DutyKind.LOOK_INTO, mode, f"dp_{name}")


def report(owner: AccountId, name: str = "report", hour: datetime = NOON) -> UsageReport:
    """A sealed report that nobody has tried to send."""
    return UsageReport(name, owner, Mode.TEST, CustomerId("cus_1"), hour, 7, NOON)


def seal(tx: Tx, *reports: UsageReport) -> None:
    """Store reports of use that was sealed."""
    for each in reports:
        tx.seal(UsageHour(each.account, each.mode, each.hour, Micros(0)), NOON, each)


def rows(url: str, sql: str) -> Sequence[tuple[object, ...]]:
    """What a plain connection to the database reads."""
    address = parse_address(url)
    if isinstance(address, SqliteAddress):
        with closing(sqlite3.connect(address.path)) as connection:
            return connection.execute(sql).fetchall()
    with psycopg.connect(address.uri) as server:
        return server.execute(sql.encode()).fetchall()


def change(url: str, *statements: str) -> None:
    """Change the database by a plain connection."""
    address = parse_address(url)
    if isinstance(address, SqliteAddress):
        with closing(sqlite3.connect(address.path)) as connection, connection:
            for each in statements:
                connection.execute(each)
        return
    with psycopg.connect(address.uri) as server:
        for each in statements:
            server.execute(each.encode())
