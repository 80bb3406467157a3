"""Usage as the fake Stripe takes it: once by identifier, of the last 35 days, and not always billed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe

from tests.billing.inbox import Inbox
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe, FaultKind

Params = dict[str, Any]
NAME = "multi_llm_chat_usage"
HOUR, DAY = 3600, 86_400


@pytest.fixture
async def fake(clock: FakeClock) -> AsyncIterator[FakeStripe]:
    """A Stripe that has the meter and its price."""
    async with FakeStripe(wall=lambda: clock.now().timestamp(), usage_cents="0.125") as running:
        yield running
        assert running.rejections == []


def use(customer: str, value: str = "7", **more: object) -> Params:
    return {"event_name": NAME, "payload": {"stripe_customer_id": customer, "value": value}, **more}


async def send(sdk: stripe.StripeClient, params: Params) -> stripe.billing.MeterEvent:
    return await sdk.v1.billing.meter_events.create_async(params)  # type: ignore[arg-type]


async def summaries(sdk: stripe.StripeClient, fake: FakeStripe, params: Params) -> list[tuple[int, float]]:
    meter = fake.world.rows("billing.meter")[0]["id"]
    found = await sdk.v1.billing.meters.event_summaries.list_async(meter, params)  # type: ignore[arg-type]
    return [(row.start_time, row.aggregated_value) async for row in found.auto_paging_iter()]


async def test_one_identifier_counts_once_for_a_day(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    await send(sdk, use(customer, identifier="test:si_1:1:0"))
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await send(sdk, use(customer, identifier="test:si_1:1:0"))
    assert caught.value.user_message == "An event already exists with identifier test:si_1:1:0."
    assert fake.drive.metered(customer) == 7
    fake.drive.advance(DAY + 1)
    await send(sdk, use(customer, identifier="test:si_1:1:0"))
    assert fake.drive.metered(customer) == 14


async def test_a_report_whose_answer_is_lost_was_taken(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    fake.faults.add(FaultKind.LOSE, "POST /v1/billing/meter_events")
    with pytest.raises(stripe.APIConnectionError):
        await send(sdk, use(customer, identifier="a"))
    with pytest.raises(stripe.InvalidRequestError, match="already exists with identifier a"):
        await send(sdk, use(customer, identifier="a"))
    assert fake.drive.metered(customer) == 7


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"event_name": "other"}, "event_name"),
        ({"ago": 36 * DAY}, "timestamp"),
        ({"ago": -301}, "timestamp"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": "1.5"}}, "payload[value]"),
        ({"payload": {"value": "1"}}, "payload[stripe_customer_id]"),
    ],
)
async def test_usage_that_cannot_be_counted_is_refused(
    fake: FakeStripe, sdk: stripe.StripeClient, change: Params, param: str
) -> None:
    params = use("cus_1") | {name: value for name, value in change.items() if name != "ago"}
    params["timestamp"] = fake.world.now() - change.get("ago", 0)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await send(sdk, params)
    assert caught.value.param == param


async def test_sums_are_of_whole_windows(fake: FakeStripe, sdk: stripe.StripeClient, customer: str) -> None:
    start = fake.world.now() // DAY * DAY - DAY
    for hour, value in ((0, "1"), (1, "2"), (23, "4")):
        await send(sdk, use(customer, value, timestamp=start + hour * HOUR))
    whole: Params = {"customer": customer, "start_time": start, "end_time": start + DAY}
    assert await summaries(sdk, fake, whole) == [(start, 7)]
    hours = await summaries(sdk, fake, whole | {"value_grouping_window": "hour"})
    assert len(hours) == 24
    assert [row for row in hours if row[1]] == [(start + 23 * HOUR, 4), (start + HOUR, 2), (start, 1)]
    with pytest.raises(stripe.InvalidRequestError, match="must be aligned"):
        await summaries(sdk, fake, whole | {"end_time": start + DAY + 60, "value_grouping_window": "hour"})
    with pytest.raises(stripe.InvalidRequestError, match="must be aligned"):
        await summaries(sdk, fake, whole | {"start_time": start + 1})


async def test_an_event_can_be_taken_back_for_a_day(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    await send(sdk, use(customer, identifier="a"))
    await send(sdk, use(customer, identifier="b"))
    undo = {"event_name": NAME, "type": "cancel", "cancel": {"identifier": "a"}}
    made = await sdk.v1.billing.meter_event_adjustments.create_async(undo)  # type: ignore[arg-type]
    assert made.status == "pending"
    assert fake.drive.metered(customer) == 7
    fake.drive.advance(DAY + 1)
    late = undo | {"cancel": {"identifier": "b"}}
    with pytest.raises(stripe.InvalidRequestError, match="last 24 hours"):
        await sdk.v1.billing.meter_event_adjustments.create_async(late)  # type: ignore[arg-type]


async def test_meters_are_made_listed_renamed_and_switched_off(sdk: stripe.StripeClient) -> None:
    meters = sdk.v1.billing.meters
    params: Params = {"display_name": "Use", "event_name": NAME, "default_aggregation": {"formula": "sum"}}
    with pytest.raises(stripe.InvalidRequestError, match="already has the event name"):
        await meters.create_async(params)  # type: ignore[arg-type]
    made = await meters.create_async(params | {"event_name": "other"})  # type: ignore[arg-type]
    assert made.customer_mapping.event_payload_key == "stripe_customer_id"
    await meters.update_async(made.id, {"display_name": "Other"})
    off = await meters.deactivate_async(made.id)
    assert (off.status, off.display_name) == ("inactive", "Other")
    active = await meters.list_async({"status": "active"})
    assert [meter.event_name for meter in active.data] == [NAME]
    with pytest.raises(stripe.InvalidRequestError, match="No active meter"):
        await send(sdk, use("cus_1") | {"event_name": "other"})
    assert (await meters.reactivate_async(made.id)).status == "active"
    assert (await meters.retrieve_async(made.id)).status_transitions.deactivated_at is None


async def test_usage_of_an_unknown_customer_is_taken_and_reported_by_a_thin_event(
    fake: FakeStripe, sdk: stripe.StripeClient, inbox: Inbox, customer: str
) -> None:
    fake.deliver_thin_to(inbox.url, "whsec_thin", "v1.billing.meter.error_report_triggered")
    await send(sdk, use("cus_gone", identifier="a"))
    await send(sdk, use(customer, identifier="b"))
    fake.drive.report_meter_errors()
    await fake.courier.settled()
    ((body, header),) = inbox.taken
    assert stripe.WebhookSignature.verify_header(body, header, "whsec_thin", None)
    assert "data" not in json.loads(body)
    heard = stripe.v2.core.EventNotification.from_json(body.decode(), sdk)
    assert isinstance(heard, stripe.events.V1BillingMeterErrorReportTriggeredEventNotification)
    assert (await sdk.v1.billing.meters.retrieve_async(heard.related_object.id)).event_name == NAME
    event = await sdk.v2.core.events.retrieve_async(heard.id)
    assert isinstance(event, stripe.events.V1BillingMeterErrorReportTriggeredEvent)
    reason = event.data.reason
    assert reason.error_types[0].code == "meter_event_customer_not_found"
    assert reason.error_types[0].sample_errors[0].request.identifier == "a"


async def test_usage_that_no_meter_counts_is_reported_too(
    fake: FakeStripe, sdk: stripe.StripeClient, inbox: Inbox
) -> None:
    fake.deliver_thin_to(inbox.url)
    fake.drive.report_no_meter(["a"])
    await fake.courier.settled()
    heard = stripe.v2.core.EventNotification.from_json(inbox.taken[0][0].decode(), sdk)
    assert isinstance(heard, stripe.events.V1BillingMeterNoMeterFoundEventNotification)
    event = await sdk.v2.core.events.retrieve_async(heard.id)
    assert isinstance(event, stripe.events.V1BillingMeterNoMeterFoundEvent)
    assert event.data.reason.error_count == 1
