"""What is worth telling the operator about money: amounts, tiers and ids, nobody's name or address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction

from engine.alerts import DASHBOARD, Alert, AlertKind
from engine.catalogue import still_running
from engine.domain import Micros, Person
from engine.facts import CustomerId, Dispute, DisputeStage, Mode, PaymentStatus, Refund, Subscription
from engine.figures import Movement, MovementKind

STRIPE = "https://dashboard.stripe.com"
MICROS = 1_000_000
MARKS = {Mode.LIVE: "", Mode.TEST: "TEST MODE: ", Mode.SIMULATED: "SIMULATED: "}
PAYS = {
    MovementKind.NEW: "begins to pay",
    MovementKind.EXPANSION: "pays more",
    MovementKind.REACTIVATION: "pays again",
}


def stripe_page(mode: Mode, things: str, name: str) -> str:
    """Stripe's page about one of its things (`customers`, `disputes`); our own where nothing is at Stripe."""
    if mode is Mode.SIMULATED:
        return DASHBOARD
    return f"{STRIPE}{'/test' if mode is Mode.TEST else ''}/{things}/{name}"


def moved(
    movement: Movement, person: Person, customer: CustomerId | None, *, blocked: bool = False
) -> Iterator[Alert]:
    """A payment that began or grew, or an end; a downgrade is in the daily report alone.

    Whoever is blocked pays for what they cannot use, on a page that was open still: the operator decides.
    """
    link = stripe_page(movement.mode, "customers", customer) if customer else DASHBOARD
    key = f"{movement.mode}:{movement.account}:{movement.number}"
    mark, tier, at = MARKS[movement.mode], movement.tier.value, movement.at
    if movement.kind in PAYS:
        words = f"{mark}{tier}, {amount(movement.after, movement.currency)} a month, {PAYS[movement.kind]}"
        kind = AlertKind.BLOCKED_PAYS if blocked else AlertKind.PAYMENT
        yield Alert(f"payment:{key}", kind, str(person), at, words, link)
    elif movement.kind is MovementKind.CHURN:
        why = "by choice" if movement.voluntary else "payment failed, or was disputed"
        words = f"{mark}{tier}, {amount(-movement.delta, movement.currency)} a month, {why}"
        yield Alert(f"ended:{key}", AlertKind.SUBSCRIPTION_ENDED, str(person), at, words, link)


def turned(
    old: Sequence[Subscription],
    new: Sequence[Subscription],
    person: Person,
    now: datetime,
    *,
    blocked: bool = False,
) -> Iterator[Alert]:
    """Payments that began to fail, and ends that were scheduled, between two readings of a customer.

    Whoever is blocked and takes such an end back goes on paying for what they cannot use.
    """
    known = {sub.id: sub for sub in old}
    for sub in still_running(new):
        before = known.get(sub.id)
        if sub.tier is None:
            continue
        link = stripe_page(sub.mode, "subscriptions", sub.id)
        cost = f"{MARKS[sub.mode]}{sub.tier.value}, {amount(sub.mrr, sub.currency)} a month"
        if sub.status is PaymentStatus.PAST_DUE and (before is None or before.status is not sub.status):
            since = sub.past_due_since or now
            key = f"payment_failed:{sub.mode}:{sub.id}:{since.isoformat()}"
            yield Alert(key, AlertKind.PAYMENT_FAILED, str(person), now, cost, link)
        if sub.cancel_at and not (before and before.cancel_at):
            words = f"{cost}, until {sub.cancel_at:%Y-%m-%d}"
            key = f"cancel:{sub.mode}:{sub.id}:{now.isoformat()}"
            yield Alert(key, AlertKind.CANCEL_SCHEDULED, str(person), now, words, link)
        if blocked and before and before.cancel_at and not sub.cancel_at:
            words = f"{cost}, took the cancellation back"
            key = f"resumed:{sub.mode}:{sub.id}:{now.isoformat()}"
            yield Alert(key, AlertKind.BLOCKED_PAYS, str(person), now, words, link)


def disputed(dispute: Dispute, person: Person, now: datetime) -> Alert:
    """A dispute at a stage that it was not at before."""
    over = dispute.stage in {DisputeStage.WON, DisputeStage.LOST}
    words = f"{MARKS[dispute.mode]}{amount(dispute.amount)}, {dispute.stage.value}"
    return Alert(
        f"dispute:{dispute.mode}:{dispute.id}:{dispute.stage}",
        AlertKind.DISPUTE_CLOSED if over else AlertKind.DISPUTE_OPENED,
        str(person),
        now,
        words,
        stripe_page(dispute.mode, "disputes", dispute.id),
    )


def refunded(refund: Refund, more: int, person: Person, now: datetime) -> Alert:
    """So much more of a charge was given back."""
    whole = "all of it" if refund.full else "a part"
    words = f"{MARKS[refund.mode]}{amount(Micros(more))}, {whole}"
    key = f"refund:{refund.mode}:{refund.charge}:{refund.amount}"
    link = stripe_page(refund.mode, "payments", refund.charge)
    return Alert(key, AlertKind.REFUNDED, str(person), now, words, link)


def given_up(mode: Mode, subject: str, why: str, now: datetime, link: str = DASHBOARD) -> Alert:
    """A dead letter; one that is tried again and dies again is told again."""
    key = f"dead:{mode}:{subject}:{now.isoformat()}"
    return Alert(key, AlertKind.DEAD_LETTER, subject, now, why, link)


def needs_operator(subject: str, why: str, now: datetime) -> Alert:
    """Only the operator can mend it; told once an hour for as long as it lasts."""
    return Alert(f"operator:{subject}:{now:%Y-%m-%dT%H}", AlertKind.NEEDS_OPERATOR, subject, now, why)


def amount(micros: Fraction | int, currency: str = "usd") -> str:
    """With two places, halves away from zero: `8.99 USD`."""
    cents = int(abs(Fraction(micros)) * 100 / MICROS + Fraction(1, 2))
    return f"{'-' if micros < 0 else ''}{cents // 100}.{cents % 100:02d} {currency.upper()}"
