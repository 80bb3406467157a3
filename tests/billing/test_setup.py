"""Setting a Stripe account up, with the real SDK, again and again and through crashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
import stripe

from billing.catalogue_setup import Outcome, Plan, carry_out, plan
from billing.client import StripeCaller
from billing.setup_portal import Portal, find_portal
from billing.wanted import Wanted, wanted
from billing.webhook import SNAPSHOT_EVENTS, THIN_EVENTS
from engine.domain import Interval, Micros, Tier, TierName
from engine.facts import Mode
from engine.terms import Policy
from tests.billing.conftest import QUICK, TIERS
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe, FaultKind
from tests.fakes.stripe.wire import Json

APP_URL = "https://chat.example.com"
ADDRESS = f"{APP_URL}/stripe/webhook"
TEAM = replace(
    TIERS[TierName.TEAM], seats=5, extra_seat_month=Micros(5_000_000), extra_seat_year=Micros(50_000_000)
)
SHOP = {**TIERS, TierName.TEAM: TEAM}
METERED = Policy(metered_markup=Decimal("1.25"))
NEEDED = wanted(SHOP, METERED, APP_URL, {}, Mode.TEST)
MADE = ("product", "price", "billing.meter", "webhook_endpoint", "v2.core.event_destination")


async def set_all_up(caller: StripeCaller, needed: Wanted = NEEDED) -> Outcome:
    outcome = await carry_out(caller, await plan(caller, needed))
    assert outcome.error is None
    return outcome


def sentences(planned: Plan) -> list[str]:
    return [step.sentence for step in planned.steps]


def by_key(bare: FakeStripe) -> Mapping[str, Json]:
    return {row["lookup_key"]: row for row in bare.world.rows("price") if row["lookup_key"]}


def holdings(bare: FakeStripe) -> Mapping[str, int]:
    """How many of each kind there are; the portal's default configuration is not ours."""
    made = {name: len(bare.world.rows(name)) for name in MADE}
    portals = [row for row in bare.world.rows("billing_portal.configuration") if not row["is_default"]]
    return made | {"portal": len(portals)}


COMPLETE = dict.fromkeys(MADE, 1) | {"product": 3, "price": 7, "portal": 2}


async def test_a_first_run_makes_everything_that_is_sold(bare: FakeStripe, caller: StripeCaller) -> None:
    assert "create price premium_monthly_v1: 8.99 USD a month" in sentences(await plan(caller, NEEDED))
    outcome = await set_all_up(caller)
    assert holdings(bare) == COMPLETE
    tiers = {row["id"]: row["metadata"]["tier"] for row in bare.world.rows("product")}
    assert tiers == {"bot_premium": "premium", "bot_team": "team", "bot_pro": "pro"}
    prices = by_key(bare)
    assert (prices["pro_yearly_v1"]["unit_amount"], prices["pro_yearly_v1"]["product"]) == (49_900, "bot_pro")
    assert [(t["up_to"], t["flat_amount"], t["unit_amount"]) for t in prices["team_monthly_v1"]["tiers"]] == [
        (5, 2999, None),
        (None, None, 500),
    ]
    assert prices["pro_usage_v1"]["unit_amount_decimal"] == "0.125"
    assert prices["pro_usage_v1"]["recurring"]["meter"] == bare.world.rows("billing.meter")[0]["id"]
    [endpoint] = bare.world.rows("webhook_endpoint")
    assert (endpoint["url"], endpoint["api_version"]) == (ADDRESS, stripe.api_version)
    assert set(endpoint["enabled_events"]) == SNAPSHOT_EVENTS
    [thin] = bare.world.rows("v2.core.event_destination")
    assert set(thin["enabled_events"]) == THIN_EVENTS
    held = [secret for secrets in bare.world.endpoint_secrets.values() for secret in secrets]
    assert sorted(outcome.secrets) == sorted(held)


async def test_the_portal_lets_members_switch_between_all_that_is_sold(caller: StripeCaller) -> None:
    await set_all_up(caller)
    portal = await find_portal(caller)
    assert portal is not None
    features = portal["features"]
    assert features["subscription_cancel"]["mode"] == "at_period_end"
    assert features["payment_method_update"]["enabled"]
    assert features["invoice_history"]["enabled"]
    update = features["subscription_update"]
    when = {each["type"] for each in update["schedule_at_period_end"]["conditions"]}
    assert when == {"decreasing_item_amount", "shortening_interval"}
    offered = {each["product"]: each for each in update["products"]}
    assert len(offered["bot_pro"]["prices"]) == 2
    assert offered["bot_team"]["adjustable_quantity"]["minimum"] == 5
    assert not offered["bot_premium"]["adjustable_quantity"]["enabled"]


async def test_the_portal_is_told_that_trials_go_on_and_of_what_there_is_only_one(
    bare: FakeStripe, caller: StripeCaller
) -> None:
    await set_all_up(caller)
    made, _ = [seen for seen in bare.log if seen.route == "POST /v1/billing_portal/configurations"]
    form: Json = dict(made.form)
    sent = form["features"]["subscription_update"]
    assert sent["trial_update_behavior"] == "continue_trial"
    quantities = {each["product"]: each["adjustable_quantity"] for each in sent["products"].values()}
    assert quantities == {
        "bot_premium": {"enabled": "false"},
        "bot_team": {"enabled": "true", "minimum": "5"},
        "bot_pro": {"enabled": "false"},
    }


async def test_whoever_is_blocked_has_a_portal_in_which_nothing_can_be_bought(caller: StripeCaller) -> None:
    await set_all_up(caller)
    usual, barred = await find_portal(caller), await find_portal(caller, Portal.BARRED)
    assert usual
    assert barred
    assert usual["id"] != barred["id"]
    features = barred["features"]
    assert not features["subscription_update"]["enabled"]
    assert features["subscription_cancel"] == usual["features"]["subscription_cancel"]
    assert features["payment_method_update"]["enabled"]
    assert features["invoice_history"]["enabled"]


async def test_a_second_run_has_nothing_to_do(bare: FakeStripe, caller: StripeCaller) -> None:
    await set_all_up(caller)
    asked = len([seen for seen in bare.log if seen.method == "POST"])
    assert await plan(caller, NEEDED) == Plan((), ())
    assert len([seen for seen in bare.log if seen.method == "POST"]) == asked


async def test_planning_changes_nothing(bare: FakeStripe, caller: StripeCaller) -> None:
    before = holdings(bare)
    assert (await plan(caller, NEEDED)).steps
    assert holdings(bare) == before
    assert {seen.method for seen in bare.log} == {"GET"}


@pytest.mark.parametrize("kind", [FaultKind.HANG_UP, FaultKind.LOSE])
async def test_a_crash_at_any_step_and_another_run_leave_exactly_one_of_each(
    clock: FakeClock, kind: FaultKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.001)
    step = 0
    while True:
        async with FakeStripe(stocked=False, wall=lambda: clock.now().timestamp()) as running:
            caller = StripeCaller("sk_test_fake", running.base_url, QUICK)
            planned = await plan(caller, NEEDED)
            if step == len(planned.steps):
                await caller.close()
                break
            await carry_out(caller, Plan(planned.steps[:step], ()))
            running.faults.add(kind, "POST ", times=None)
            stopped = await carry_out(caller, Plan(planned.steps[step:], ()))
            assert (stopped.done, stopped.error is not None) == (0, True)
            running.faults.clear()
            await set_all_up(caller)
            assert await plan(caller, NEEDED) == Plan((), ())
            assert holdings(running) == COMPLETE
            await caller.close()
        step += 1
    assert step == 15


async def test_two_runs_at_once_make_one_of_each(bare: FakeStripe, caller: StripeCaller) -> None:
    first, second = await plan(caller, NEEDED), await plan(caller, NEEDED)
    await carry_out(caller, first)
    again = Plan(tuple(step for step in second.steps if "create product" not in step.sentence), ())
    await carry_out(caller, Plan(again.steps[1:], ()))
    assert holdings(bare) == COMPLETE


async def test_a_changed_amount_is_a_new_price_that_takes_the_key_over(
    bare: FakeStripe, caller: StripeCaller
) -> None:
    await set_all_up(caller)
    old = by_key(bare)["premium_monthly_v1"]
    dearer = replace(SHOP[TierName.PREMIUM], price_month=Micros(9_990_000))
    needed = wanted({**SHOP, TierName.PREMIUM: dearer}, METERED, APP_URL, {}, Mode.TEST)
    planned = await plan(caller, needed)
    assert sentences(planned)[0] == "create price premium_monthly_v1: 9.99 USD a month"
    assert planned.steps[0].fault == (
        f"The price {old['id']} (premium_monthly_v1) is 8.99 USD a month; config.toml says 9.99 USD a month."
    )
    await carry_out(caller, planned)
    new = by_key(bare)["premium_monthly_v1"]
    assert (new["unit_amount"], new["active"], new["product"]) == (999, True, "bot_premium")
    assert (old["active"], old["lookup_key"]) == (False, None)
    portal = await find_portal(caller)
    assert portal is not None
    offered = [each["prices"] for each in portal["features"]["subscription_update"]["products"]]
    assert new["id"] in [price for prices in offered for price in prices]
    assert (await plan(caller, needed)).steps == ()


async def test_a_crash_before_the_old_price_is_archived_is_made_good(
    bare: FakeStripe, caller: StripeCaller
) -> None:
    await set_all_up(caller)
    old = by_key(bare)["premium_monthly_v1"]
    dearer = replace(SHOP[TierName.PREMIUM], price_month=Micros(9_990_000))
    needed = wanted({**SHOP, TierName.PREMIUM: dearer}, METERED, APP_URL, {}, Mode.TEST)
    await carry_out(caller, Plan((await plan(caller, needed)).steps[:1], ()))
    assert old["active"]
    await set_all_up(caller, needed)
    assert not old["active"]
    assert (await plan(caller, needed)).steps == ()


async def test_there_and_back_within_a_day_ends_with_the_first_amount_on_sale(
    bare: FakeStripe, caller: StripeCaller
) -> None:
    dearer = replace(SHOP[TierName.PREMIUM], price_month=Micros(9_990_000))
    high = wanted({**SHOP, TierName.PREMIUM: dearer}, METERED, APP_URL, {}, Mode.TEST)
    for needed in (NEEDED, high, NEEDED, high, NEEDED):
        await set_all_up(caller, needed)
        assert (await plan(caller, needed)).steps == ()
    price = by_key(bare)["premium_monthly_v1"]
    assert (price["unit_amount"], price["active"]) == (899, True)
    on_sale = [row for row in bare.world.rows("price") if row["active"]]
    assert len(on_sale) == 7


async def test_what_was_deleted_in_the_dashboard_is_made_again(
    bare: FakeStripe, caller: StripeCaller
) -> None:
    await set_all_up(caller)
    for _ in range(2):
        for name in ("webhook_endpoint", "v2.core.event_destination"):
            gone = bare.world.rows(name)[0]["id"]
            del bare.world.tables[name][gone], bare.world.endpoint_secrets[gone]
        outcome = await set_all_up(caller)
        assert len(outcome.secrets) == 2
        assert holdings(bare) == COMPLETE


async def test_what_is_no_longer_sold_is_archived_and_what_is_sold_again_comes_back(
    bare: FakeStripe, caller: StripeCaller
) -> None:
    await set_all_up(caller)
    unsold: dict[TierName, Tier] = {name: tier for name, tier in SHOP.items() if name is not TierName.PRO}
    less = wanted(unsold, Policy(), APP_URL, {}, Mode.TEST)
    await set_all_up(caller, less)
    assert {key for key, row in by_key(bare).items() if not row["active"]} == {
        "pro_monthly_v1",
        "pro_yearly_v1",
        "pro_usage_v1",
    }
    assert (await plan(caller, less)).steps == ()
    await set_all_up(caller)
    assert all(row["active"] for row in by_key(bare).values())
    assert holdings(bare) == COMPLETE


async def test_a_catalogue_made_by_hand_is_taken_as_it_is(bare: FakeStripe, caller: StripeCaller) -> None:
    products = {}
    for tier in ("premium", "pro"):
        product = await caller.sdk.v1.products.create_async({"name": f"My {tier}"})
        products[tier] = product.id
        for interval, cents in (("month", SHOP[TierName(tier)].price_month), ("year", None)):
            amount = (cents or SHOP[TierName(tier)].price_year) // 10_000
            await caller.sdk.v1.prices.create_async(
                {
                    "currency": "usd",
                    "product": product.id,
                    "unit_amount": amount,
                    "recurring": {"interval": interval},
                    "lookup_key": f"{tier}_{interval}ly_v1",
                },
            )
    bare.rejections.clear()
    await set_all_up(caller)
    prices = by_key(bare)
    assert prices["premium_monthly_v1"]["product"] == products["premium"]
    assert bare.world.tables["product"][products["premium"]]["metadata"] == {"tier": "premium"}
    assert bare.world.tables["product"][products["premium"]]["name"] == "My premium"
    assert "bot_premium" not in bare.world.tables["product"]
    assert (await plan(caller, NEEDED)).steps == ()


async def test_prices_that_variables_name_are_left_alone_and_said_so(
    bare: FakeStripe, caller: StripeCaller
) -> None:
    own = await caller.sdk.v1.products.create_async({"name": "Own"})
    price = await caller.sdk.v1.prices.create_async(
        {"currency": "usd", "product": own.id, "unit_amount": 700, "recurring": {"interval": "month"}}
    )
    named = {(TierName.PREMIUM, Interval.MONTH): price.id, (TierName.PRO, Interval.YEAR): "price_never"}
    needed = wanted(SHOP, METERED, APP_URL, named, Mode.TEST)
    notes = "\n".join((await plan(caller, needed)).notes)
    await set_all_up(caller, needed)
    assert f"STRIPE_PRICE_PREMIUM names {price.id}: left alone" in notes
    assert "is 7.00 USD a month; config.toml says 8.99 USD a month" in notes
    assert "STRIPE_PRICE_PRO_YEARLY names price_never, which Stripe does not know in test mode" in notes
    assert "premium_monthly_v1" not in by_key(bare)
    assert bare.world.tables["price"][price.id]["unit_amount"] == 700
    portal = await find_portal(caller)
    assert portal is not None
    assert {"product": own.id, "prices": [price.id]}.items() <= next(
        each for each in portal["features"]["subscription_update"]["products"] if each["product"] == own.id
    ).items()


async def test_an_endpoint_made_by_hand_is_taken_over_with_its_secret(
    bare: FakeStripe, caller: StripeCaller
) -> None:
    own = bare.deliver_to(ADDRESS)
    outcome = await set_all_up(caller)
    [endpoint] = bare.world.rows("webhook_endpoint")
    assert (endpoint["id"], set(endpoint["enabled_events"])) == (own, set(SNAPSHOT_EVENTS))
    assert len(outcome.secrets) == 1


async def test_an_endpoint_with_another_version_is_replaced_and_never_missing(
    bare: FakeStripe, caller: StripeCaller
) -> None:
    await set_all_up(caller)
    old = bare.world.rows("webhook_endpoint")[0]
    old["api_version"] = "2025-03-31.basil"
    planned = await plan(caller, NEEDED)
    assert [sentence.split(" http")[0] for sentence in sentences(planned)] == [
        "create webhook endpoint",
        f"delete webhook endpoint {old['id']}, which is replaced",
    ]
    outcome = await carry_out(caller, planned)
    assert len(outcome.secrets) == 1
    assert [row["api_version"] for row in bare.world.rows("webhook_endpoint")] == [stripe.api_version]
    assert (await plan(caller, NEEDED)).steps == ()


async def test_endpoints_elsewhere_are_mentioned_and_left_alone(
    bare: FakeStripe, caller: StripeCaller
) -> None:
    await set_all_up(caller)
    moved = wanted(SHOP, METERED, "https://new.example.com", {}, Mode.TEST)
    planned = await plan(caller, moved)
    assert [note for note in planned.notes if ADDRESS in note]
    await carry_out(caller, planned)
    assert len(bare.world.rows("webhook_endpoint")) == 2


@pytest.mark.parametrize(
    ("app_url", "mode", "why"),
    [
        ("http://127.0.0.1:8080", Mode.TEST, "this machine only"),
        ("http://chat.example.com", Mode.LIVE, "https only"),
    ],
)
async def test_endpoints_that_stripe_cannot_reach_are_left_out_with_the_reason(
    bare: FakeStripe, caller: StripeCaller, app_url: str, mode: Mode, why: str
) -> None:
    needed = wanted(SHOP, METERED, app_url, {}, mode)
    [note] = (await plan(caller, needed)).notes
    assert why in note
    assert f"stripe listen --forward-to {app_url}/stripe/webhook" in note
    await set_all_up(caller, needed)
    assert bare.world.rows("webhook_endpoint") == bare.world.rows("v2.core.event_destination") == []
