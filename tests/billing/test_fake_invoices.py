"""Invoices on the fake Stripe: how they are paid, fail, are tried again, and what trials and pauses do."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakes.stripe import FakeStripe

Params = dict[str, Any]
DAY = 86_400


def kinds(fake: FakeStripe) -> list[str]:
    """The types of all events, oldest first."""
    return [event["type"] for event in reversed(fake.world.rows("event"))]


async def owed(sdk: stripe.StripeClient, sub: str) -> list[stripe.Invoice]:
    return (await sdk.v1.invoices.list_async({"subscription": sub, "status": "open"})).data


async def test_a_paid_invoice_leads_to_its_charge_and_back(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["team_monthly_v1"], quantity=6)
    charge = await sdk.v1.charges.retrieve_async(fake.drive.charge_of(sub["id"])["id"])
    assert (charge.amount, charge.paid, charge.refunded) == (3499, True, False)
    intent = await sdk.v1.payment_intents.retrieve_async(str(charge.payment_intent))
    assert (intent.status, intent.latest_charge) == ("succeeded", charge.id)
    by: Params = {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    by |= {"expand": ["data.invoice"]}
    links = await sdk.v1.invoice_payments.list_async(by)  # type: ignore[arg-type]
    invoice = links.data[0].invoice
    assert isinstance(invoice, stripe.Invoice)
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.subscription == sub["id"]
    assert [one.id for one in (await sdk.v1.charges.list_async({"customer": customer})).data] == [charge.id]


async def test_a_renewal_that_fails_is_tried_for_two_weeks_and_then_the_subscription_ends(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    end = sub["items"]["data"][0]["current_period_end"]
    fake.drive.refuse_cards(customer)
    fake.drive.advance(end - fake.world.now())
    (invoice,) = await owed(sdk, sub["id"])
    assert (invoice.status_transitions.finalized_at, invoice.attempt_count) == (end, 1)
    assert invoice.next_payment_attempt == end + 2 * DAY
    assert fake.drive.retry_fails(sub["id"])["attempt_count"] == 2
    fake.drive.advance(10 * DAY)
    (invoice,) = await owed(sdk, sub["id"])
    assert invoice.status_transitions.finalized_at == end
    assert (await sdk.v1.subscriptions.retrieve_async(sub["id"])).status == "past_due"
    fake.drive.advance(5 * DAY)
    over = await sdk.v1.subscriptions.retrieve_async(sub["id"])
    assert over.status == "canceled"
    assert over.cancellation_details is not None
    assert over.cancellation_details.reason == "payment_failed"
    assert kinds(fake).count("invoice.payment_failed") == 8


async def test_dunning_ends_as_the_account_wants_and_a_payment_still_heals(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    fake.drive.dunning_ends_with("paused")
    sub = fake.drive.add_subscription(customer, fake.prices["premium_yearly_v1"])
    fake.drive.fail_renewal(sub["id"])
    fake.drive.advance(15 * DAY)
    paused = await sdk.v1.subscriptions.retrieve_async(sub["id"])
    assert (paused.status, paused.status_details is not None) == ("paused", True)
    assert paused.status_details is not None
    assert paused.status_details.paused.subscription.type == "final_payment_failure"
    fake.drive.pay_invoice(str((await owed(sdk, sub["id"]))[0].id))
    healed = await sdk.v1.subscriptions.retrieve_async(sub["id"])
    assert (healed.status, healed.status_details) == ("active", None)
    fake.drive.fail_renewal(sub["id"])
    assert fake.drive.mark_unpaid(sub["id"])["status"] == "unpaid"
    assert fake.drive.recover(sub["id"])["status"] == "active"


async def test_an_open_invoice_is_paid_voided_or_written_off_through_the_api(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    for _ in range(3):
        fake.drive.fail_renewal(sub["id"])
    first, second, third = [str(one.id) for one in await owed(sdk, sub["id"])]
    with pytest.raises(stripe.CardError):
        await sdk.v1.invoices.pay_async(first)
    fake.drive.replace_card(customer)
    assert (await sdk.v1.invoices.pay_async(first)).status == "paid"
    assert (await sdk.v1.subscriptions.retrieve_async(sub["id"])).status == "active"
    assert (await sdk.v1.invoices.void_invoice_async(second)).status == "void"
    assert (await sdk.v1.invoices.mark_uncollectible_async(third)).status == "uncollectible"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        await sdk.v1.invoices.pay_async(first)


async def test_a_bank_that_wants_to_be_asked_is_told_apart_from_one_that_declines(
    fake: FakeStripe, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    fake.drive.authenticate_needed(customer)
    fake.drive.advance(31 * DAY)
    assert sub["status"] == "past_due"
    assert "invoice.payment_action_required" in kinds(fake)
    assert fake.world.rows("payment_intent")[0]["status"] == "requires_action"


async def test_a_trial_is_announced_and_turns_into_a_paid_period(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"], trial_days=7)
    assert sub["items"]["data"][0]["current_period_end"] == sub["trial_end"]
    assert fake.world.rows("charge") == []
    assert (await sdk.v1.invoices.create_preview_async({"subscription": sub["id"]})).amount_due == 899
    fake.drive.advance(5 * DAY)
    assert "customer.subscription.trial_will_end" in kinds(fake)
    fake.drive.advance(2 * DAY)
    begun = await sdk.v1.subscriptions.retrieve_async(sub["id"], {"expand": ["latest_invoice"]})
    assert begun.status == "active"
    assert isinstance(begun.latest_invoice, stripe.Invoice)
    assert begun.latest_invoice.amount_paid == 899
    assert kinds(fake).count("customer.subscription.trial_will_end") == 1


async def test_a_trial_ends_early_when_it_is_told_to(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"], trial_days=7)
    fake.drive.advance(DAY)
    begun = await sdk.v1.subscriptions.update_async(sub["id"], {"trial_end": "now"})
    assert (begun.status, begun.trial_end) == ("active", fake.world.now())
    assert fake.drive.charge_of(sub["id"])["amount"] == 899


async def test_a_trial_without_a_card_pauses_and_is_resumed(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    settings: Params = {"end_behavior": {"missing_payment_method": "pause"}}
    params: Params = {"customer": customer, "items": [{"price": fake.prices["pro_monthly_v1"]}]}
    params |= {"trial_period_days": 7, "trial_settings": settings}
    sub = await sdk.v1.subscriptions.create_async(params)  # type: ignore[arg-type]
    fake.drive.advance(8 * DAY)
    paused = await sdk.v1.subscriptions.retrieve_async(sub.id)
    assert paused.status == "paused"
    assert paused.status_details is not None
    assert paused.status_details.paused.subscription.type == "trial_end_without_payment_method"
    fake.drive.replace_card(customer)
    resumed = await sdk.v1.subscriptions.resume_async(sub.id, {"billing_cycle_anchor": {"type": "now"}})
    assert (resumed.status, resumed.status_details) == ("active", None)
    assert fake.drive.charge_of(sub.id)["amount"] == 4999
    stopped = await sdk.v1.subscriptions.pause_async(sub.id, {"type": "subscription"})
    assert stopped.status == "paused"


async def test_collection_that_is_paused_voids_invoices_until_it_goes_on(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    resumes = fake.world.now() + 40 * DAY
    paused = await sdk.v1.subscriptions.update_async(
        sub["id"], {"pause_collection": {"behavior": "void", "resumes_at": resumes}}
    )
    assert paused.pause_collection is not None
    fake.drive.advance(32 * DAY)
    newest = fake.world.rows("invoice")[0]
    assert (newest["status"], sub["status"]) == ("void", "active")
    fake.drive.advance(10 * DAY)
    assert sub["pause_collection"] is None


async def test_a_renewal_can_stay_a_draft_for_its_hour(fake: FakeStripe, customer: str) -> None:
    fake.drive.drafts_last(3600)
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    end = sub["items"]["data"][0]["current_period_end"]
    fake.drive.advance(end - fake.world.now() + 60)
    invoice = fake.world.rows("invoice")[0]
    assert (invoice["status"], sub["status"]) == ("draft", "active")
    fake.drive.advance(3600)
    assert (invoice["status"], invoice["status_transitions"]["finalized_at"]) == ("paid", end + 3600)


async def test_a_card_runs_out_and_is_replaced(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    fake.drive.expire_card(customer, 11, 2026)
    expand = ["default_payment_method"]
    held = (await sdk.v1.subscriptions.retrieve_async(sub["id"], {"expand": expand})).default_payment_method
    assert isinstance(held, stripe.PaymentMethod)
    assert held.card is not None
    assert (held.card.exp_month, held.card.exp_year) == (11, 2026)
    new = fake.drive.replace_card(customer)
    assert sub["default_payment_method"] == new["id"]
    fake.drive.remove_card(customer)
    assert (await sdk.v1.customers.retrieve_async(customer)).invoice_settings.default_payment_method is None  # type: ignore[union-attr]
