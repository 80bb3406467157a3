"""Bad days of the fake Stripe: lost and repeated events, storms, outages, keys of the wrong kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import stripe

from tests.billing.inbox import Inbox
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe, Plan

Params = dict[str, Any]
DAY = 86_400


@asynccontextmanager
async def client(fake: FakeStripe, key: str) -> AsyncIterator[stripe.StripeClient]:
    """The SDK with that key."""
    http = stripe.AIOHTTPClient(timeout=5.0)
    yield stripe.StripeClient(key, http_client=http, base_addresses={"api": fake.base_url})
    await http.close_async()  # type: ignore[no-untyped-call]


async def missed(sdk: stripe.StripeClient, **more: object) -> list[str]:
    params: Params = {"delivery_success": False, "limit": 100, **more}
    listed = await sdk.v1.events.list_async(params)  # type: ignore[arg-type]
    return [event.type async for event in listed.auto_paging_iter()]


def emit(fake: FakeStripe, number: int) -> list[str]:
    return [fake.drive.emit(f"test.{index}", {"object": "customer"})["id"] for index in range(number)]


async def test_what_was_dropped_is_listed_until_it_is_brought(
    fake: FakeStripe, sdk: stripe.StripeClient, inbox: Inbox
) -> None:
    fake.deliver_to(inbox.url)
    fake.courier.plan = Plan(drop_share=1.0)
    first, second = emit(fake, 2)
    await fake.courier.settled()
    assert await missed(sdk) == ["test.1", "test.0"]
    fake.courier.redeliver(second)
    await fake.courier.settled()
    assert (inbox.types(), await missed(sdk)) == (["test.1"], ["test.0"])
    assert (await sdk.v1.events.retrieve_async(first)).pending_webhooks == 1


async def test_an_event_is_delivered_once_each_of_its_endpoints_has_it(
    fake: FakeStripe, sdk: stripe.StripeClient, inbox: Inbox
) -> None:
    fake.courier.plan = Plan(tries=1)
    one, other = fake.deliver_to(inbox.url), fake.deliver_to("http://127.0.0.1:9/stripe/webhook")
    (event,) = emit(fake, 1)
    await fake.courier.settled()
    assert event in fake.courier.delivered[one]
    assert event not in fake.courier.delivered[other]
    assert await missed(sdk) == ["test.0"]


async def test_a_share_is_dropped_and_a_share_comes_twice(fake: FakeStripe, inbox: Inbox) -> None:
    fake.deliver_to(inbox.url)
    fake.courier.plan = Plan(drop_share=0.2, copy_share=0.2, jitter=0.01)
    emit(fake, 100)
    await fake.courier.settled()
    kinds = inbox.types()
    assert 5 < len(fake.courier.lost) < 40
    assert len(set(kinds)) == 100 - len(fake.courier.lost)
    assert 5 < len(kinds) - len(set(kinds)) < 40
    assert kinds != sorted(kinds, key=lambda kind: int(kind.partition(".")[2]))


async def test_a_stopped_courier_loses_what_comes_and_can_bring_it_shuffled(
    fake: FakeStripe, inbox: Inbox
) -> None:
    fake.deliver_to(inbox.url)
    fake.courier.stop()
    emit(fake, 5)
    fake.courier.resume()
    emit(fake, 1)
    await fake.courier.settled()
    assert inbox.types() == ["test.0"]
    assert fake.courier.redeliver_lost(shuffle=True, copies=2) == 5
    await fake.courier.settled()
    assert len(inbox.taken) == 11


async def test_what_is_under_way_when_the_courier_stops_is_lost_too(fake: FakeStripe, inbox: Inbox) -> None:
    fake.deliver_to(inbox.url)
    fake.courier.plan = Plan(delay=60, copies=2)
    (event,) = emit(fake, 1)
    fake.courier.stop()
    await fake.courier.settled()
    assert [lost["id"] for lost in fake.courier.lost] == [event]
    fake.courier.plan = Plan()
    fake.courier.resume()
    assert fake.courier.redeliver_lost() == 1
    await fake.courier.settled()
    assert inbox.types() == ["test.0"]


async def test_events_are_kept_for_thirty_days_and_cut_by_time(
    fake: FakeStripe, sdk: stripe.StripeClient, inbox: Inbox
) -> None:
    fake.deliver_to(inbox.url)
    fake.courier.plan = Plan(drop_share=1.0)
    (old,) = emit(fake, 1)
    fake.drive.advance(20 * DAY)
    emit(fake, 2)
    assert await missed(sdk, created={"gte": fake.world.now() - DAY}) == ["test.1", "test.0"]
    assert await missed(sdk, ending_before=old) == ["test.0", "test.1"]
    fake.drive.advance(10 * DAY)
    assert await missed(sdk) == ["test.1", "test.0"]
    with pytest.raises(stripe.InvalidRequestError):
        await sdk.v1.events.retrieve_async(old)
    with pytest.raises(stripe.InvalidRequestError, match="at most 20"):
        await missed(sdk, types=[f"test.{number}" for number in range(21)])


async def test_a_storm_lasts_until_it_is_lifted(fake: FakeStripe, sdk: stripe.StripeClient) -> None:
    storm = fake.faults.storm(429, "GET ")
    for _ in range(3):
        with pytest.raises(stripe.RateLimitError):
            await sdk.v1.prices.list_async()
    fake.faults.lift(storm)
    fake.faults.storm(503)
    with pytest.raises(stripe.APIError):
        await sdk.v1.prices.list_async()
    fake.faults.clear()
    assert (await sdk.v1.prices.list_async()).data
    assert [seen.status for seen in fake.log] == [429, 429, 429, 503, 200]


async def test_some_of_the_requests_can_be_met_and_others_be_slow(
    fake: FakeStripe, sdk: stripe.StripeClient
) -> None:
    fake.faults.storm(503, share=0.5)
    answers = await asyncio.gather(*(sdk.v1.prices.list_async() for _ in range(20)), return_exceptions=True)
    assert 2 < sum(isinstance(answer, stripe.APIError) for answer in answers) < 18
    fake.faults.clear()
    slow = fake.faults.slow(0.05, "GET /v1/prices")
    assert (await sdk.v1.prices.list_async()).data
    assert slow.reached.is_set()


async def test_the_busiest_second_is_the_most_reads_in_any_window(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    for _ in range(4):
        await sdk.v1.customers.retrieve_async(customer)
    for seen, at in zip(fake.log, (0.0, 0.1, 0.6, 1.05, 1.15), strict=True):
        seen.at = at
    assert fake.busiest("POST") == 1
    assert fake.busiest("GET") == 3
    assert fake.busiest("GET", seconds=0.2) == 2


async def test_answers_carry_the_date_of_stripes_clock(
    fake: FakeStripe, sdk: stripe.StripeClient, clock: FakeClock
) -> None:
    account = await sdk.v1.accounts.retrieve_current_async()
    assert account.id == "acct_fake"
    assert account.last_response is not None
    assert parsedate_to_datetime(account.last_response.headers["Date"]) == clock.now().replace(microsecond=0)
    fake.drive.advance(600)
    later = await sdk.v1.accounts.retrieve_current_async()
    assert later.last_response is not None
    ahead = parsedate_to_datetime(later.last_response.headers["Date"]) - clock.now()
    assert round(ahead.total_seconds()) == 600


async def test_a_restricted_key_is_told_which_right_it_lacks(fake: FakeStripe) -> None:
    fake.restrict("rk_test_fake", "POST /v1/billing/meter_events", "GET /v1/subscriptions")
    async with client(fake, "rk_test_fake") as sdk:
        await sdk.v1.customers.create_async({})
        with pytest.raises(stripe.PermissionError, match="'rak_subscription_read' permission") as caught:
            await sdk.v1.subscriptions.list_async({"status": "all"})
        assert caught.value.http_status == 403
        with pytest.raises(stripe.PermissionError, match="rak_meter_event_write"):
            await sdk.v1.billing.meter_events.create_async({"event_name": "a", "payload": {}})


async def test_a_key_of_the_other_mode_opens_nothing(fake: FakeStripe, customer: str) -> None:
    async with client(fake, "sk_live_fake") as sdk:
        with pytest.raises(stripe.AuthenticationError):
            await sdk.v1.customers.list_async()
        with pytest.raises(
            stripe.InvalidRequestError, match="a similar object exists in test mode"
        ) as caught:
            await sdk.v1.subscriptions.list_async({"customer": customer})
        assert (caught.value.http_status, caught.value.code) == (400, "resource_missing")
        with pytest.raises(stripe.InvalidRequestError, match="but a live mode key was used") as caught:
            await sdk.v1.customers.retrieve_async(customer)
        assert caught.value.http_status == 404


async def test_going_live_leaves_every_test_object_behind(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    fake.drive.go_live()
    with pytest.raises(stripe.AuthenticationError):
        await sdk.v1.customers.list_async()
    async with client(fake, "sk_live_fake") as live:
        assert (await live.v1.prices.list_async()).data == []
        with pytest.raises(stripe.InvalidRequestError, match="a similar object exists in test mode"):
            await live.v1.subscriptions.list_async({"customer": customer})
        fake.drive.stock()
        assert (await live.v1.customers.create_async({})).livemode
