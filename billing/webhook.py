"""Verifies the raw body of a webhook and reads from it who has to be looked at again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import cast

from engine.errors import BadPayloadError, BadSignatureError
from engine.facts import BillingEvent, CustomerId, EventId, Mode

TOLERANCE_SECONDS = 300
"""The age that Stripe's libraries accept (docs.stripe.com/webhooks, "Preventing replay attacks").

We refuse times as far in the future too, which they let pass.
"""

RELEVANT = frozenset(
    {
        *(f"checkout.session.{what}" for what in ("completed", "expired")),
        *(f"checkout.session.async_payment_{what}" for what in ("succeeded", "failed")),
        *(f"customer.subscription.{what}" for what in ("created", "updated", "deleted", "paused", "resumed")),
        *(f"customer.subscription.pending_update_{what}" for what in ("applied", "expired")),
        "customer.subscription.trial_will_end",
        *(f"customer.{what}" for what in ("deleted", "updated")),
        *(f"invoice.{what}" for what in ("paid", "payment_failed", "payment_action_required")),
        *(f"invoice.{what}" for what in ("finalization_failed", "marked_uncollectible", "voided")),
        *(f"subscription_schedule.{what}" for what in ("updated", "released", "canceled")),
        "payment_method.automatically_updated",
    }
)
"""Types after which a customer's subscriptions are read again."""

FRAUD_WARNING = "radar.early_fraud_warning.created"

LOOKED_INTO = frozenset(
    {
        *(f"charge.dispute.{what}" for what in ("created", "updated", "closed")),
        *(f"charge.dispute.funds_{what}" for what in ("withdrawn", "reinstated")),
        "charge.refunded",
        *(f"refund.{what}" for what in ("created", "updated", "failed")),
        FRAUD_WARNING,
    }
)
"""Types that name a dispute, charge or refund and not its customer, so that it has to be looked into."""

SNAPSHOT_EVENTS = RELEVANT | LOOKED_INTO
"""What the webhook endpoint subscribes to; other types are kept and change nothing."""

METER_ERRORS, NO_METER = "v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"

THIN_EVENTS = frozenset({METER_ERRORS, NO_METER})
"""What the thin event destination subscribes to: meters complain in no other way."""

_ID = re.compile(r"[A-Za-z0-9_.\-]{1,255}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")

Fields = Mapping[str, object]


def parse_webhook_event(
    body: bytes, signature: str | None, secrets: Iterable[str], now: datetime, *, simulated: bool = False
) -> BillingEvent:
    """Verify a raw body against every secret and read the event.

    Signatures are made as docs.stripe.com/webhooks/signature says. Thin events (`v2.core.event`) name no
    customer and come out as irrelevant. BadSignatureError: not signed with one of the secrets, or not within
    300 s of `now`, before or after. BadPayloadError: signed, but no event.
    """
    event = _read_json(_verified(body, signature, secrets, now))
    return read_event(event, body, Mode.SIMULATED if simulated else None)


def read_event(event: Fields, body: bytes, mode: Mode | None = None) -> BillingEvent:
    """An event from its fields; `mode` if it is not Stripe's to say. BadPayloadError: it is none."""
    kind = _word(event, "type")
    customer = _customer(event)
    real = Mode.LIVE if event.get("livemode") is True else Mode.TEST
    return BillingEvent(
        id=EventId(_word(event, "id")),
        type=kind,
        created_at=_created(event.get("created")),
        mode=mode or real,
        customer=customer,
        relevant=customer is not None and kind in RELEVANT,
        payload=body,
        subject=_subject(event) if kind in LOOKED_INTO else None,
        trouble=_trouble(kind, event),
    )


def _verified(body: bytes, signature: str | None, secrets: Iterable[str], now: datetime) -> str:
    # The SDK decodes the body and compares as text, so neither may hold what its functions choke on.
    if signature is None or not signature.isascii():
        raise BadSignatureError("there is no Stripe-Signature header of Stripe's form")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadSignatureError("the body is not UTF-8, so Stripe did not sign it") from None
    signed_at = _signed_at(signature)
    if signed_at is None or abs(now.timestamp() - signed_at) > TOLERANCE_SECONDS:
        raise BadSignatureError(f"the signature is not of the last or next {TOLERANCE_SECONDS} s")
    if not any(_signed_with(secret, text, signature) for secret in secrets):
        raise BadSignatureError("none of the webhook secrets made this signature")
    return text


def _signed_at(signature: str) -> int | None:
    """The time in the header: its first `t`, as the SDK reads it, so that both look at the same one."""
    times = (part.removeprefix("t=") for part in signature.split(",") if part.startswith("t="))
    first = next(times, "")
    return int(first) if _TIMESTAMP.fullmatch(first) else None


def _signed_with(secret: str, text: str, signature: str) -> bool:
    from stripe import SignatureVerificationError, WebhookSignature  # noqa: PLC0415 - 0.2 s for those who are sent none

    try:
        # Without its tolerance the SDK does not read the clock; the time was checked above.
        return bool(WebhookSignature.verify_header(text, signature, secret))
    except SignatureVerificationError:
        return False


def _read_json(text: str) -> Fields:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        raise BadPayloadError("the body is no JSON") from None
    if not isinstance(event, dict):
        raise BadPayloadError("the body is no JSON object")
    return event


def _word(event: Fields, name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise BadPayloadError(f"the event has no usable {name}")
    return value


def _created(value: object) -> datetime:
    """Unix seconds in snapshots, ISO 8601 in thin events."""
    try:
        if isinstance(value, str):
            written = datetime.fromisoformat(value)
            return written.astimezone(UTC) if written.tzinfo else written.replace(tzinfo=UTC)
        if isinstance(value, int):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise BadPayloadError("the event has no usable time of creation")


def _customer(event: Fields) -> CustomerId | None:
    """The customer that a snapshot is about: its object's id or its object's `customer`, expanded or not."""
    subject = _inside(_inside(event, "data"), "object")
    named = _id_in(subject if subject.get("object") == "customer" else subject.get("customer"))
    return CustomerId(named) if named else None


def _subject(event: Fields) -> str | None:
    """The dispute, charge or fraud warning; of a refund its charge, so that one look does for all of them."""
    about = _inside(_inside(event, "data"), "object")
    charge = _id_in(about.get("charge")) if about.get("object") == "refund" else None
    return charge or _id_in(about)


def _trouble(kind: str, event: Fields) -> str | None:
    """Thin events carry no more than their type and meter; the rest is shown in Stripe's Workbench."""
    if kind == METER_ERRORS:
        meter = _id_in(event.get("related_object")) or "of an unknown name"
        return f"The meter {meter} refused some of the usage that was reported to it"
    if kind == NO_METER:
        return "Usage was reported for which Stripe has no meter"
    if kind == FRAUD_WARNING:
        charge = _id_in(_inside(_inside(event, "data"), "object").get("charge")) or "unknown"
        return f"The bank of the card warns that charge {charge} is fraud; expect a dispute"
    return None


def _id_in(value: object) -> str | None:
    """A usable id, of an object that may be expanded."""
    wanted = value.get("id") if isinstance(value, dict) else value
    return wanted if isinstance(wanted, str) and _ID.fullmatch(wanted) else None


def _inside(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    return cast("Fields", value) if isinstance(value, dict) else {}
