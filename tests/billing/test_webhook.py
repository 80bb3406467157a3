"""Webhook bodies: who signed them, when, and what they say; nothing a stranger sends can surprise us."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from billing.webhook import (
    FRAUD_WARNING,
    METER_ERRORS,
    NO_METER,
    SNAPSHOT_EVENTS,
    THIN_EVENTS,
    parse_webhook_event,
)
from engine.errors import BadPayloadError, BadSignatureError
from engine.facts import BillingEvent, Mode
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.stripe import FakeStripe, sign

SECRETS = ("whsec_new", "whsec_old")
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "customer.subscription.updated",
    "created": int(NOON.timestamp()),
    "livemode": False,
    "data": {"object": {"id": "sub_1", "object": "subscription", "customer": "cus_1"}},
}


def parse(body: bytes, *, age: float = 0, secret: str = "whsec_new") -> BillingEvent:
    """Parse a body that was signed `age` seconds ago."""
    header = sign(body, [secret], int(NOON.timestamp() - age))
    return parse_webhook_event(body, header, SECRETS, NOON)


def parse_event(**changes: object) -> BillingEvent:
    """Parse the usual event with some fields replaced."""
    return parse(json.dumps(EVENT | changes).encode())


def test_a_signed_event_names_its_customer_and_is_kept_byte_for_byte() -> None:
    body = json.dumps(EVENT, indent=3).encode()
    event = parse(body)
    assert (event.id, event.type, event.customer) == ("evt_1", "customer.subscription.updated", "cus_1")
    assert (event.created_at, event.mode, event.relevant, event.payload) == (NOON, Mode.TEST, True, body)


@pytest.mark.parametrize("secret", SECRETS)
def test_every_configured_secret_is_good(secret: str) -> None:
    assert parse(json.dumps(EVENT).encode(), secret=secret).id == "evt_1"


def test_a_header_with_several_signatures_needs_one_of_ours() -> None:
    body, now = json.dumps(EVENT).encode(), int(NOON.timestamp())
    header = sign(body, ["whsec_theirs", "whsec_old"], now)
    assert parse_webhook_event(body, header, SECRETS, NOON).id == "evt_1"
    with pytest.raises(BadSignatureError):
        parse_webhook_event(body, header, ["whsec_retired"], NOON)
    with pytest.raises(BadSignatureError):
        parse_webhook_event(body, header, [], NOON)


@pytest.mark.parametrize("age", [-300, 0, 300])
def test_five_minutes_of_drift_are_allowed_either_way(age: int) -> None:
    assert parse(json.dumps(EVENT).encode(), age=age).id == "evt_1"


@pytest.mark.parametrize("age", [301, -301, 86_400, -86_400])
def test_an_older_or_later_signature_is_refused(age: int) -> None:
    with pytest.raises(BadSignatureError, match="300 s"):
        parse(json.dumps(EVENT).encode(), age=age)


def test_an_old_event_is_not_revived_by_a_second_time_in_its_header() -> None:
    body, now = json.dumps(EVENT).encode(), int(NOON.timestamp())
    old = sign(body, ["whsec_new"], now - 1000)
    for header in (
        f"xt={now},{old}",
        f" t={now},{old}",
        f"t={now},{old}",
        f"{old},t={now}",
        f"v1t={now},{old}",
    ):
        with pytest.raises(BadSignatureError):
            parse_webhook_event(body, header, SECRETS, NOON)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=",
        "t=now,v1=00",
        "v1=00",
        "t=1,v1",
        "nonsense",
        "t=1,v1=\xe9",
        "t=1,v1=\udce9",
        "t=9" * 5000,
    ],
)
def test_a_header_that_is_none_is_refused(header: str | None) -> None:
    with pytest.raises(BadSignatureError):
        parse_webhook_event(json.dumps(EVENT).encode(), header, SECRETS, NOON)


def test_a_changed_body_is_refused() -> None:
    body, now = json.dumps(EVENT).encode(), int(NOON.timestamp())
    header = sign(body, ["whsec_new"], now)
    with pytest.raises(BadSignatureError):
        parse_webhook_event(body.replace(b"cus_1", b"cus_2"), header, SECRETS, NOON)


def test_a_body_that_is_not_utf8_is_refused_though_it_is_signed() -> None:
    with pytest.raises(BadSignatureError, match="UTF-8"):
        parse(b'{"id": "\xff"}')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b"null",
        b"7",
        b'"evt"',
        b"[" * 100_000,
        b'{"id": ' + b"9" * 5000 + b"}",
    ],
    ids=range(9),
)
def test_a_signed_body_that_is_no_event_is_refused_as_that(body: bytes) -> None:
    with pytest.raises(BadPayloadError):
        parse(body)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": ""},
        {"id": "evt\ud800"},
        {"id": "evt\x00"},
        {"id": "e" * 300},
        {"type": 7},
        {"created": None},
        {"created": 10**30},
        {"created": "yesterday"},
        {"created": [1]},
    ],
)
def test_an_event_with_an_unusable_field_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadPayloadError):
        parse_event(**changes)


@pytest.mark.parametrize("customer", [None, 7, "", "cus\x00", "cus\ud800", {"id": None}, ["cus_1"]])
def test_an_event_that_names_no_customer_changes_nothing(customer: object) -> None:
    event = parse_event(data={"object": {"object": "subscription", "customer": customer}})
    assert (event.customer, event.relevant) == (None, False)


@pytest.mark.parametrize("data", [None, [], "x", {}, {"object": None}, {"object": "sub_1"}])
def test_an_event_about_nothing_changes_nothing(data: object) -> None:
    assert parse_event(data=data).relevant is False


def test_an_expanded_customer_and_an_event_about_a_customer_are_understood() -> None:
    expanded = parse_event(data={"object": {"object": "invoice", "customer": {"id": "cus_2"}}})
    deleted = parse_event(type="customer.deleted", data={"object": {"object": "customer", "id": "cus_3"}})
    assert (expanded.customer, deleted.customer, deleted.relevant) == ("cus_2", "cus_3", True)


def test_a_type_that_does_not_concern_subscriptions_changes_nothing() -> None:
    event = parse_event(type="charge.succeeded")
    assert (event.customer, event.relevant, event.subject) == ("cus_1", False, None)


def test_live_events_are_told_from_test_events() -> None:
    assert parse_event(livemode=True).mode is Mode.LIVE


def thin(kind: str, related: object = None) -> BillingEvent:
    """Parse a thin event, which has neither an object nor whole seconds."""
    created = "2026-11-24T12:00:00.000Z"
    return parse_event(object="v2.core.event", type=kind, created=created, data=None, related_object=related)


def test_a_thin_event_changes_nothing() -> None:
    related = {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"}
    event = thin("v1.customer.subscription.past_due", related)
    assert (event.relevant, event.customer, event.created_at) == (False, None, NOON)
    assert (event.subject, event.trouble) == (None, None)


def test_a_meter_that_complains_is_trouble_for_the_operator() -> None:
    refused = thin(METER_ERRORS, {"id": "mtr_1", "type": "billing.meter", "url": "/v1/billing/meters/mtr_1"})
    assert "mtr_1 refused some of the usage" in (refused.trouble or "")
    assert "no meter" in (thin(NO_METER).trouble or "")
    assert "of an unknown name" in (thin(METER_ERRORS, {"id": 7}).trouble or "")
    assert "of an unknown name" in (thin(METER_ERRORS).trouble or "")


@pytest.mark.parametrize(
    ("kind", "about", "subject"),
    [
        ("charge.dispute.created", {"object": "dispute", "id": "du_1", "charge": "ch_1"}, "du_1"),
        ("charge.dispute.closed", {"object": "dispute", "id": "dp_1", "charge": "ch_1"}, "dp_1"),
        ("charge.refunded", {"object": "charge", "id": "py_1", "customer": "cus_1"}, "py_1"),
        ("refund.failed", {"object": "refund", "id": "re_1", "charge": "ch_1"}, "ch_1"),
        ("refund.updated", {"object": "refund", "id": "re_1", "charge": {"id": "ch_2"}}, "ch_2"),
        ("refund.created", {"object": "refund", "id": "re_1", "charge": None}, "re_1"),
        ("refund.created", {"object": "refund", "id": 7}, None),
    ],
)
def test_money_that_goes_back_is_to_be_looked_into_and_not_read_again(
    kind: str, about: dict[str, object], subject: str | None
) -> None:
    event = parse_event(type=kind, data={"object": about})
    assert (event.subject, event.relevant, event.trouble) == (subject, False, None)


def test_an_early_fraud_warning_is_told_to_the_operator() -> None:
    about = {"object": "radar.early_fraud_warning", "id": "issfr_1", "charge": "ch_1"}
    event = parse_event(type=FRAUD_WARNING, data={"object": about})
    assert (event.subject, event.relevant) == ("issfr_1", False)
    assert "charge ch_1 is fraud" in (event.trouble or "")


def test_an_endpoint_may_have_every_event_that_is_subscribed_and_no_thin_one() -> None:
    typed = str(stripe.params.WebhookEndpointCreateParams.__annotations__["enabled_events"])
    allowed = set(re.findall(r"[\w.]+", typed))
    assert allowed >= SNAPSHOT_EVENTS
    assert allowed.isdisjoint(THIN_EVENTS)


async def test_what_the_fake_stripe_emits_is_read(fake: FakeStripe, clock: FakeClock, customer: str) -> None:
    fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    kinds = {}
    for row in fake.world.rows("event"):
        body = json.dumps(row).encode()
        header = sign(body, ["whsec_new"], int(clock.now().timestamp()))
        event = parse_webhook_event(body, header, SECRETS, clock.now())
        kinds[event.type] = (event.customer, event.relevant)
    assert kinds["customer.subscription.created"] == (customer, True)
    assert kinds["invoice.paid"] == (customer, True)
    assert kinds["price.created"] == (None, False)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["id", "type", "created", "data", "object", "livemode", "customer"])


@given(body=st.binary(max_size=200), header=st.none() | st.text(max_size=100))
def test_no_unsigned_bytes_can_surprise_us(body: bytes, header: str | None) -> None:
    with pytest.raises(BadSignatureError):
        parse_webhook_event(body, header, SECRETS, NOON)


@given(junk=st.dictionaries(names, json_values, max_size=7) | json_values | st.binary(max_size=50))
def test_no_signed_junk_can_surprise_us(junk: object) -> None:
    body = junk if isinstance(junk, bytes) else json.dumps(junk).encode()
    try:
        event = parse(body)
    except (BadPayloadError, BadSignatureError):
        return
    assert event.id
    assert event.created_at.tzinfo is UTC


@given(changes=st.dictionaries(names, json_values, max_size=2))
def test_no_half_broken_event_can_surprise_us(changes: dict[str, object]) -> None:
    try:
        event = parse_event(**changes)
    except (BadPayloadError, BadSignatureError):
        return
    event.id.encode()
    event.type.encode()
    (event.customer or "").encode()


def test_the_check_does_not_read_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    body = json.dumps(EVENT).encode()
    later = NOON + timedelta(days=9)
    header = sign(body, ["whsec_new"], int(later.timestamp()))
    assert parse_webhook_event(body, header, SECRETS, later).created_at == datetime(
        2026, 11, 24, 12, tzinfo=UTC
    )
