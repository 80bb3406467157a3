"""Who is told of events: endpoints of /v1 and destinations of /v2, each with its types and its secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from tests.billing.inbox import Inbox
from tests.fakes.stripe import FakeStripe

Params = dict[str, Any]
ERRORS = "v1.billing.meter.error_report_triggered"
NO_METER = "v1.billing.meter.no_meter_found"


def thin(url: str) -> Params:
    return {
        "name": "chat",
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": [ERRORS],
        "webhook_endpoint": {"url": url},
        "metadata": {"made_by": "chat"},
        "include": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
    }


async def test_the_secret_of_an_endpoint_is_shown_once(sdk: stripe.StripeClient, inbox: Inbox) -> None:
    params: Params = {"url": inbox.url, "enabled_events": ["invoice.paid"], "metadata": {"made_by": "chat"}}
    made = await sdk.v1.webhook_endpoints.create_async(params | {"description": "Chat"})  # type: ignore[arg-type]
    assert made.secret
    found = (await sdk.v1.webhook_endpoints.list_async({"limit": 100})).data
    assert [(row.id, row.metadata["made_by"], "secret" in row) for row in found] == [(made.id, "chat", False)]
    changed = await sdk.v1.webhook_endpoints.update_async(
        made.id, {"enabled_events": ["invoice.paid", "customer.deleted"], "disabled": True}
    )
    assert (changed.status, len(changed.enabled_events)) == ("disabled", 2)
    await sdk.v1.webhook_endpoints.delete_async(made.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook_endpoint"):
        await sdk.v1.webhook_endpoints.retrieve_async(made.id)


async def test_an_endpoint_cannot_ask_for_thin_events_nor_move_to_another_version(
    fake: FakeStripe, sdk: stripe.StripeClient, inbox: Inbox
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="must be one of"):
        await sdk.v1.webhook_endpoints.create_async({"url": inbox.url, "enabled_events": [ERRORS]})  # type: ignore[list-item]
    made = await sdk.v1.webhook_endpoints.create_async(
        {"url": inbox.url, "enabled_events": ["customer.created"], "api_version": "2026-09-30.endive"}
    )
    wrong: Params = {"api_version": "2026-10-28.endive"}
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: api_version"):
        await sdk.v1.webhook_endpoints.update_async(made.id, wrong)  # type: ignore[arg-type]
    fake.rejections.clear()
    await sdk.v1.customers.create_async({})
    await fake.courier.settled()
    assert json.loads(inbox.taken[0][0])["api_version"] == "2026-09-30.endive"


async def test_sixteen_endpoints_are_the_most(sdk: stripe.StripeClient, inbox: Inbox) -> None:
    params: Params = {"url": inbox.url, "enabled_events": ["invoice.paid"]}
    for _ in range(16):
        await sdk.v1.webhook_endpoints.create_async(params)  # type: ignore[arg-type]
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        await sdk.v1.webhook_endpoints.create_async(params)  # type: ignore[arg-type]


async def test_a_destination_shows_its_secret_when_it_is_made_and_its_address_when_asked(
    sdk: stripe.StripeClient, inbox: Inbox
) -> None:
    destinations = sdk.v2.core.event_destinations
    made = await destinations.create_async(thin(inbox.url))  # type: ignore[arg-type]
    assert made.webhook_endpoint is not None
    assert made.webhook_endpoint.signing_secret
    assert made.webhook_endpoint.url == inbox.url
    listed = await destinations.list_async({"include": ["webhook_endpoint.url"], "limit": 1})
    (row,) = [row async for row in listed.auto_paging_iter()]
    assert row.webhook_endpoint is not None
    assert (row.id, row.webhook_endpoint.url) == (made.id, inbox.url)
    bare = await destinations.retrieve_async(made.id)
    assert bare.webhook_endpoint is not None
    assert "url" not in bare.webhook_endpoint
    assert "signing_secret" not in bare.webhook_endpoint
    await destinations.delete_async(made.id)
    assert (await destinations.list_async()).data == []


async def test_lists_of_destinations_go_on_by_address(sdk: stripe.StripeClient, inbox: Inbox) -> None:
    made = {(await sdk.v2.core.event_destinations.create_async(thin(inbox.url))).id for _ in range(3)}  # type: ignore[arg-type]
    listed = await sdk.v2.core.event_destinations.list_async({"limit": 2})
    assert {row.id async for row in listed.auto_paging_iter()} == made


async def test_a_destination_gets_only_thin_events_it_asked_for_signed_with_its_own_secret(
    fake: FakeStripe, sdk: stripe.StripeClient, inbox: Inbox, customer: str
) -> None:
    destinations = sdk.v2.core.event_destinations
    made = await destinations.create_async(thin(inbox.url))  # type: ignore[arg-type]
    fake.drive.emit("customer.updated", {"id": customer, "object": "customer"})
    fake.drive.report_no_meter(["a"])
    await fake.courier.settled()
    assert inbox.taken == []
    await destinations.update_async(made.id, {"enabled_events": [ERRORS, NO_METER]})
    fake.drive.report_no_meter(["b"])
    await fake.courier.settled()
    await destinations.disable_async(made.id)
    fake.drive.report_no_meter(["c"])
    assert (await destinations.enable_async(made.id)).status == "enabled"
    await fake.courier.settled()
    ((body, header),) = inbox.taken
    assert made.webhook_endpoint is not None
    secret = made.webhook_endpoint.signing_secret
    assert secret is not None
    assert stripe.WebhookSignature.verify_header(body, header, secret, None)
    assert json.loads(body)["object"] == "v2.core.event"


async def test_what_is_no_part_of_a_destination_is_refused(
    fake: FakeStripe, sdk: stripe.StripeClient, inbox: Inbox
) -> None:
    for wrong in ({"bogus": "1"}, {"enabled_events": "all"}, {"event_payload": "thick"}):
        with pytest.raises(stripe.InvalidRequestError):
            await sdk.v2.core.event_destinations.create_async(thin(inbox.url) | wrong)  # type: ignore[arg-type]
    assert len(fake.rejections) == 3
    fake.rejections.clear()
    with pytest.raises(stripe.InvalidRequestError, match="snapshot_api_version"):
        await sdk.v2.core.event_destinations.create_async(
            thin(inbox.url) | {"snapshot_api_version": "2026-10-28.endive"}  # type: ignore[arg-type]
        )
