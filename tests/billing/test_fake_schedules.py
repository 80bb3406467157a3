"""Subscription schedules on the fake Stripe: made, changed, obeyed by the clock, released."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakes.stripe import FakeStripe

Params = dict[str, Any]
DAY = 86_400


async def downgrade(fake: FakeStripe, sdk: stripe.StripeClient, sub: Params, price: str) -> str:
    """Schedule another price for the end of the period; the schedule's id."""
    made = await sdk.v1.subscription_schedules.create_async({"from_subscription": sub["id"]})
    phase, item = made.phases[0], sub["items"]["data"][0]
    held = {"price": item["price"]["id"], "quantity": item["quantity"]}
    now: Params = {"items": [held], "start_date": phase.start_date, "end_date": phase.end_date}
    then: Params = {"items": [{"price": fake.prices[price], "quantity": 1}], "proration_behavior": "none"}
    params: Params = {"phases": [now, then], "end_behavior": "release"}
    changed = await sdk.v1.subscription_schedules.update_async(made.id, params)  # type: ignore[arg-type]
    assert [one.start_date for one in changed.phases] == [phase.start_date, phase.end_date]
    return made.id


async def test_a_downgrade_happens_at_the_end_of_the_period_and_then_the_schedule_lets_go(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    schedule = await downgrade(fake, sdk, sub, "premium_monthly_v1")
    coming = await sdk.v1.invoices.create_preview_async({"subscription": sub["id"]})
    assert coming.amount_due == 899
    listed = await sdk.v1.subscriptions.list_async({"customer": customer, "expand": ["data.schedule"]})
    held = listed.data[0].schedule
    assert isinstance(held, stripe.SubscriptionSchedule)
    assert (held.id, held.status) == (schedule, "active")
    fake.drive.advance(32 * DAY)
    changed = await sdk.v1.subscriptions.retrieve_async(sub["id"], {"expand": ["latest_invoice"]})
    assert changed["items"].data[0].price.id == fake.prices["premium_monthly_v1"]
    assert isinstance(changed.latest_invoice, stripe.Invoice)
    assert changed.latest_invoice.amount_paid == 899
    assert changed.schedule == schedule
    fake.drive.advance(32 * DAY)
    freed = await sdk.v1.subscriptions.retrieve_async(sub["id"])
    assert (freed.schedule, freed.status) == (None, "active")
    over = await sdk.v1.subscription_schedules.retrieve_async(schedule)
    assert (over.status, over.released_subscription) == ("released", sub["id"])


async def test_a_year_becomes_a_month_where_it_ends(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_yearly_v1"])
    end = sub["items"]["data"][0]["current_period_end"]
    await downgrade(fake, sdk, sub, "premium_monthly_v1")
    fake.drive.advance(end - fake.world.now())
    changed = await sdk.v1.subscriptions.retrieve_async(sub["id"], {"expand": ["latest_invoice"]})
    item = changed["items"].data[0]
    assert (item.current_period_start, item.price.id) == (end, fake.prices["premium_monthly_v1"])
    assert 28 * DAY <= item.current_period_end - end <= 31 * DAY
    assert isinstance(changed.latest_invoice, stripe.Invoice)
    assert changed.latest_invoice.amount_paid == 899


async def test_a_managed_subscription_is_changed_by_its_schedule_alone_until_it_is_released(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    schedule = await downgrade(fake, sdk, sub, "premium_monthly_v1")
    item = sub["items"]["data"][0]["id"]
    refused: list[Params] = [
        {"cancel_at_period_end": True},
        {"cancel_at": "max_period_end"},
        {"items": [{"id": item, "quantity": 2}]},
    ]
    for params in refused:
        with pytest.raises(
            stripe.InvalidRequestError, match=f"managed by the subscription schedule `{schedule}`"
        ):
            await sdk.v1.subscriptions.update_async(sub["id"], params)  # type: ignore[arg-type]
    with pytest.raises(stripe.InvalidRequestError, match="already attached"):
        await sdk.v1.subscription_schedules.create_async({"from_subscription": sub["id"]})
    released = await sdk.v1.subscription_schedules.release_async(schedule)
    assert released.status == "released"
    ending = await sdk.v1.subscriptions.update_async(sub["id"], {"cancel_at_period_end": True})
    assert ending.cancel_at is not None
    with pytest.raises(stripe.InvalidRequestError, match="in the `released` status"):
        await sdk.v1.subscription_schedules.release_async(schedule)
    listed = await sdk.v1.subscription_schedules.list_async({"customer": customer})
    assert [one.id for one in listed.data] == [schedule]


async def test_a_canceled_schedule_and_a_canceled_subscription_end_each_other(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    first = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    canceled = await sdk.v1.subscription_schedules.cancel_async(
        await downgrade(fake, sdk, first, "premium_monthly_v1")
    )
    assert (canceled.status, first["status"]) == ("canceled", "canceled")
    second = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    schedule = await downgrade(fake, sdk, second, "premium_monthly_v1")
    await sdk.v1.subscriptions.cancel_async(second["id"])
    assert (await sdk.v1.subscription_schedules.retrieve_async(schedule)).status == "canceled"
    kinds = {event["type"] for event in fake.world.rows("event") if "schedule" in event["type"]}
    wanted = ("created", "updated", "canceled")
    assert kinds == {f"subscription_schedule.{word}" for word in wanted}
