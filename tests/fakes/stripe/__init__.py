"""A Stripe of our own on loopback, which the real SDK drives; it checks every request against Stripe's spec.

In a test:

    async with FakeStripe() as stripe:               # catalogue stocked: stripe.prices["premium_monthly_v1"]
        stripe.deliver_to(f"{app}/stripe/webhook")   # signed with SECRET ("whsec_fake")
        ... start the app with STRIPE_API_BASE=stripe.base_url, STRIPE_SECRET_KEY=sk_test_fake,
            STRIPE_WEBHOOK_SECRET=whsec_fake ...
        stripe.drive.pay(session_id)                 # or POST to the session's url, or press its #pay button
        await stripe.courier.settled()               # every event was acknowledged
        assert stripe.rejections == []               # nothing that Stripe would have refused
        assert stripe.count("POST /v1/customers") == 1

`stripe.drive` does what people and time do: pay, decline, expire_session, cancel_subscription, fail_renewal,
recover, give_up, change_price, add_subscription, delete_customer, advance, roll_secret and more.
Money moves too: refuse_cards and authenticate_needed (then changes wait as pending updates, and renewals
are dunned on the clock), pay_invoice, retry_fails, mark_unpaid, pause, pause_collection, replace_card,
expire_card, refund, dispute, inquiry, close_dispute, warn_of_fraud, coupon, promotion_code;
charge_of(subscription) finds the charge. `advance` does what falls due, each at its own moment.
`stripe.courier.plan` says how events travel (delay, jitter, copies, drop, retries); `hold()` and
`release(shuffle=True, copies=2, drop=[...])` gather and scatter them. An event that is not acknowledged comes
again, so an app that was killed gets it after its restart. `Plan(drop_share=0.3, copy_share=0.2)` loses and
repeats a share, `stop()` and `resume()` lose all for a while; `courier.lost` has what was lost, and
`redeliver(event_id)` or `redeliver_lost(shuffle=True, copies=2)` brings it after all.
`FakeStripe(usage_cents="0.125")` has the meter and its price too; `stripe.drive.metered(customer)` is what
Stripe would bill. `deliver_thin_to(url, secret)` gets the thin events of `drive.report_meter_errors()`.
`stripe.faults.add(FaultKind.STATUS, "POST /v1/customers", status=503, times=2)` spoils requests;
`storm(429, "GET ", share=0.5)` and `slow(2.0)` last until `lift(fault)` or `clear()`.
`stripe.restrict("rk_test_fake", "POST /v1/billing")` takes rights from a key, `drive.go_live()` changes the
mode, and `stripe.busiest("GET")` is the most reads in any second.
`stripe.log` has each request with its route, form, idempotency key and Stripe-Version, and
`stripe.world.rows("subscription")` the objects.

As a process: `python -m tests.fakes.stripe --port N --webhook-url URL --secret whsec_fake` prints its address
when it is up. GET /_control/log, /_control/objects/subscription; POST /_control/pay {"session": "cs_..."} and
the other driver methods with their arguments as JSON (cancel, fail-renewal, recover, advance ...),
/_control/deliver and /_control/fault. The hosted Checkout page pays on POST to the session's url and then
redirects to success_url.
"""

from tests.fakes.stripe.courier import Plan, sign
from tests.fakes.stripe.fake import SECRET, FakeStripe
from tests.fakes.stripe.faults import Fault, FaultKind

__all__ = ["SECRET", "FakeStripe", "Fault", "FaultKind", "Plan", "sign"]
