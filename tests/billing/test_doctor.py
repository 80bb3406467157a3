"""Each thing that can be wrong with a Stripe account is said with its mend, and is gone once mended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import stripe
from pydantic import SecretStr

from billing.catalogue_setup import carry_out, plan
from billing.client import StripeCaller
from billing.doctor import Premises, check_stripe, notes_on
from billing.keys import mode_of
from billing.prices import Purchase
from billing.rights import PROBES, Right
from billing.wanted import wanted
from engine.domain import Interval, TierName
from engine.settings import StripeSettings
from tests.billing.conftest import QUICK
from tests.billing.test_setup import ADDRESS, APP_URL, METERED, NEEDED, SHOP, by_key
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe, FaultKind
from tests.fakes.stripe.wire import Json

KEY = "sk_test_fake"
SECRETS = ("whsec_fake", "whsec_other")
MEND = "Run `python main.py stripe-setup`."

Spoil = Callable[[FakeStripe], None]


@pytest.fixture
async def shop(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeStripe]:
    """An account that was set up."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    async with FakeStripe(stocked=False, wall=lambda: clock.now().timestamp()) as running:
        await set_up(running)
        yield running
        assert running.rejections == []


async def set_up(shop: FakeStripe) -> None:
    caller = StripeCaller(KEY, shop.base_url, QUICK)
    outcome = await carry_out(caller, await plan(caller, NEEDED))
    await caller.close()
    assert outcome.error is None


async def findings(
    shop: FakeStripe,
    clock: FakeClock,
    *,
    key: str = KEY,
    secrets: tuple[str, ...] = SECRETS,
    named: Mapping[Purchase, str] | None = None,
    app_url: str = APP_URL,
) -> list[str]:
    """What the doctor says."""
    settings = StripeSettings(
        SecretStr(key), shop.base_url, tuple(SecretStr(each) for each in secrets), named or {}
    )
    caller = StripeCaller(key, shop.base_url, QUICK)
    try:
        return await check_stripe(caller, settings, Premises(SHOP, METERED, app_url, clock))
    finally:
        await caller.close()


async def test_an_account_that_was_set_up_has_nothing_to_mend(shop: FakeStripe, clock: FakeClock) -> None:
    asked = len(shop.log)
    assert await findings(shop, clock) == []
    assert {seen.method for seen in shop.log[asked:]} == {"GET"}


def price(key: str, **change: object) -> Spoil:
    return lambda shop: by_key(shop)[key].update(change)


def first(name: str, **change: object) -> Spoil:
    return lambda shop: shop.world.rows(name)[0].update(change)


def recurring(key: str, **change: object) -> Spoil:
    return lambda shop: by_key(shop)[key]["recurring"].update(change)


def flat_team(shop: FakeStripe) -> None:
    flat: Json = {"billing_scheme": "per_unit", "tiers": [], "tiers_mode": None, "unit_amount": 2999}
    by_key(shop)["team_monthly_v1"].update(flat | {"unit_amount_decimal": "2999"})


def dearer_seat(shop: FakeStripe) -> None:
    by_key(shop)["team_monthly_v1"]["tiers"][1].update(unit_amount=600, unit_amount_decimal="600")


def no_key(shop: FakeStripe) -> None:
    by_key(shop)["pro_yearly_v1"]["lookup_key"] = None


def no_event(shop: FakeStripe) -> None:
    shop.world.rows("webhook_endpoint")[0]["enabled_events"].remove("invoice.paid")


def portals(shop: FakeStripe) -> tuple[Json, Json]:
    """The usual configuration of ours, and that for blocked members."""
    ours = [row for row in shop.world.rows("billing_portal.configuration") if not row["is_default"]]
    usual, barred = sorted(ours, key=lambda row: "for" in row["metadata"])
    return usual, barred


def no_portal(shop: FakeStripe) -> None:
    del shop.world.tables["billing_portal.configuration"][portals(shop)[0]["id"]]


def no_barred_portal(shop: FakeStripe) -> None:
    del shop.world.tables["billing_portal.configuration"][portals(shop)[1]["id"]]


def selling_barred_portal(shop: FakeStripe) -> None:
    portals(shop)[1]["features"]["subscription_update"]["enabled"] = True


def barred_portal_off(shop: FakeStripe) -> None:
    portals(shop)[1]["active"] = False


def no_cancel(shop: FakeStripe) -> None:
    for row in shop.world.rows("billing_portal.configuration"):
        row["features"]["subscription_cancel"]["enabled"] = False


def emptied(name: str) -> Spoil:
    return lambda shop: shop.world.tables[name].clear()


SPOILS: Mapping[str, tuple[Spoil, str]] = {
    "price gone": (no_key, "There is no price with the lookup key pro_yearly_v1."),
    "price archived": (price("pro_yearly_v1", active=False), "(pro_yearly_v1) is archived."),
    "amount": (
        price("pro_monthly_v1", unit_amount=4900, unit_amount_decimal="4900"),
        "is 49.00 USD a month; config.toml says 49.99 USD a month.",
    ),
    "currency": (price("pro_monthly_v1", currency="eur"), "is 49.99 EUR a month"),
    "interval": (recurring("premium_yearly_v1", interval="month"), "is 89.00 USD a month; config.toml says"),
    "interval count": (recurring("pro_monthly_v1", interval_count=3), "is 49.99 USD a 3 months"),
    "flat team": (
        flat_team,
        "is 29.99 USD a month; config.toml says 29.99 USD a month for 5 seats, 5.00 USD",
    ),
    "seat": (dearer_seat, "6.00 USD for each more; config.toml says 29.99 USD a month for 5 seats, 5.00 USD"),
    "volume": (price("team_yearly_v1", tiers_mode="volume"), "is tiered in another way, by the year"),
    "markup": (
        price("pro_usage_v1", unit_amount_decimal="0.2"),
        "is 0.002 USD a unit, metered by the month; config.toml says 0.00125 USD a unit",
    ),
    "other meter": (recurring("pro_usage_v1", meter="mtr_other"), "does not count by the meter"),
    "meter off": (
        first("billing.meter", status="inactive"),
        "The meter multi_llm_chat_usage is deactivated.",
    ),
    "product": (first("product", metadata={}), "has not the metadata tier ="),
    "product archived": (first("product", active=False), "is archived or has not the metadata"),
    "portal gone": (no_portal, "The customer portal has no configuration of ours."),
    "portal": (no_cancel, "is not as it should be."),
    "portal of the blocked gone": (no_barred_portal, "has no configuration for blocked members."),
    "portal of the blocked sells": (selling_barred_portal, "for blocked members bpc"),
    "portal of the blocked off": (barred_portal_off, "is not as it should be."),
    "endpoint gone": (emptied("webhook_endpoint"), f"There is no webhook endpoint at {ADDRESS}."),
    "endpoint off": (first("webhook_endpoint", status="disabled"), "is disabled."),
    "event": (no_event, "lacks the events invoice.paid."),
    "version": (
        first("webhook_endpoint", api_version="2025-03-31.basil"),
        f"There is no webhook endpoint at {ADDRESS} with the API version in use.",
    ),
    "thin gone": (emptied("v2.core.event_destination"), "There is no destination of thin events"),
    "thin off": (first("v2.core.event_destination", status="disabled"), "The thin event destination"),
}


@pytest.mark.parametrize("what", SPOILS)
async def test_what_is_wrong_is_said_and_gone_after_setting_up(
    shop: FakeStripe, clock: FakeClock, what: str
) -> None:
    spoil, words = SPOILS[what]
    spoil(shop)
    found = await findings(shop, clock)
    assert [finding for finding in found if words in finding and finding.endswith(MEND)]
    await set_up(shop)
    assert await findings(shop, clock) == []


async def test_a_bare_account_lacks_everything_and_needs_one_command(clock: FakeClock) -> None:
    async with FakeStripe(stocked=False, wall=lambda: clock.now().timestamp()) as bare:
        found = await findings(bare, clock)
        assert len(found) == 15
        assert all(finding.endswith(MEND) for finding in found)


async def test_more_events_than_needed_are_no_fault(shop: FakeStripe, clock: FakeClock) -> None:
    shop.world.rows("webhook_endpoint")[0]["enabled_events"].append("payout.paid")
    assert await findings(shop, clock) == []
    shop.world.rows("webhook_endpoint")[0]["enabled_events"] = ["*"]
    assert await findings(shop, clock) == []


@pytest.mark.parametrize("seconds", [-90, 90])
async def test_a_clock_that_is_off_is_told(shop: FakeStripe, clock: FakeClock, seconds: int) -> None:
    shop.world.offset = seconds
    [found] = await findings(shop, clock)
    assert "time synchronisation" in found
    assert ("ahead of" if seconds < 0 else "behind") in found
    shop.world.offset = 45 if seconds > 0 else -45
    assert await findings(shop, clock) == []


async def test_keys_and_secrets_of_the_wrong_kind_are_told(shop: FakeStripe, clock: FakeClock) -> None:
    told = {
        "is no secret or restricted key": await findings(shop, clock, key="pk_test_fake"),
        "STRIPE_WEBHOOK_SECRET is missing": await findings(shop, clock, secrets=()),
        "holds something else": await findings(shop, clock, secrets=("whsec_fake", "sk_test_fake")),
        "holds one signing secret": await findings(shop, clock, secrets=("whsec_fake",)),
    }
    assert all(words in "".join(found) for words, found in told.items())
    assert await findings(shop, clock, secrets=("whsec_fake",), app_url="http://127.0.0.1:8080") == []


async def test_a_live_key_needs_a_public_address(shop: FakeStripe, clock: FakeClock) -> None:
    found = await findings(shop, clock, key="sk_live_fake", app_url="http://127.0.0.1:8080")
    assert found[0].startswith("The key is a live one, but http://127.0.0.1:8080 is this machine only")


def test_test_mode_in_public_is_worth_a_note() -> None:
    def notes(key: str, app_url: str) -> list[str]:
        return notes_on(StripeSettings(SecretStr(key), None, (), {}), app_url)

    assert "test mode while https://chat.example.com is public" in notes(KEY, APP_URL)[0]
    assert notes("sk_live_fake", APP_URL) == notes(KEY, "http://127.0.0.1:8080") == []


async def test_prices_that_variables_name_are_held_against_the_configuration(
    shop: FakeStripe, clock: FakeClock
) -> None:
    prices = by_key(shop)
    named = {
        (TierName.PREMIUM, Interval.MONTH): prices["premium_yearly_v1"]["id"],
        (TierName.TEAM, Interval.MONTH): "price_never",
        (TierName.PRO, Interval.MONTH): prices["pro_monthly_v1"]["id"],
    }
    prices["pro_monthly_v1"]["active"] = False
    found = "\n".join(await findings(shop, clock, named=named))
    assert "(STRIPE_PRICE_PREMIUM) is 89.00 USD a year; config.toml says 8.99 USD a month" in found
    assert "STRIPE_PRICE_TEAM names price_never, which Stripe does not know in test mode" in found
    assert "(STRIPE_PRICE_PRO) is archived" in found


async def test_a_flat_price_may_be_named_for_a_team(shop: FakeStripe, clock: FakeClock) -> None:
    caller = StripeCaller(KEY, shop.base_url, QUICK)
    flat = await caller.sdk.v1.prices.create_async(
        {"currency": "usd", "product": "bot_team", "unit_amount": 2999, "recurring": {"interval": "month"}},
        {"idempotency_key": "flat-team"},
    )
    named = {(TierName.TEAM, Interval.MONTH): flat.id}
    await carry_out(caller, await plan(caller, wanted(SHOP, METERED, APP_URL, named, mode_of(KEY))))
    await caller.close()
    assert await findings(shop, clock, named=named) == []


@pytest.mark.parametrize(
    ("route", "right"),
    [
        ("GET /v1/billing/meters", Right.METERS),
        ("GET /v1/prices", Right.PRICES),
        ("GET /v1/billing_portal", Right.PORTAL),
        ("GET /v1/webhook_endpoints", Right.ENDPOINTS),
        ("GET /v2/core/event_destinations", Right.DESTINATIONS),
        ("GET /v1/customers", Right.CUSTOMERS),
        ("GET /v1/checkout", Right.CHECKOUT),
        ("GET /v1/subscriptions", Right.SUBSCRIPTIONS),
        ("GET /v1/invoices", Right.INVOICES),
        ("GET /v1/payment_methods", Right.PAYMENT_METHODS),
        ("GET /v1/coupons", Right.COUPONS),
        ("GET /v1/refunds", Right.CHARGES),
        ("GET /v1/disputes", Right.DISPUTES),
        ("GET /v1/events", Right.EVENTS),
    ],
)
async def test_a_right_that_a_restricted_key_lacks_is_named_once(
    shop: FakeStripe, clock: FakeClock, route: str, right: Right
) -> None:
    shop.api.rights.restrict("rk_test_fake", route)
    found = await findings(shop, clock, key="rk_test_fake")
    assert found == [f"The key in STRIPE_SECRET_KEY lacks the right {right}: Read. Give it that in Stripe."]


async def test_a_secret_key_is_not_asked_for_its_rights(shop: FakeStripe, clock: FakeClock) -> None:
    await findings(shop, clock)
    assert shop.count("GET /v1/disputes") == 0
    assert len(PROBES) == 9


async def test_a_refused_key_and_a_silent_stripe_are_told_apart(shop: FakeStripe, clock: FakeClock) -> None:
    shop.faults.add(FaultKind.HANG_UP, times=None)
    assert "Check the network" in "".join(await findings(shop, clock))
    shop.faults.clear()
    shop.api.keys = {"sk_test_other"}
    [found] = await findings(shop, clock)
    assert found.endswith("Check STRIPE_SECRET_KEY.")
