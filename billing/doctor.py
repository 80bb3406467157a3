"""Looks at a Stripe account the way the product will use it, and says what to mend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from billing.client import StripeCaller
from billing.prices import Prices, Purchase, lookup_key, missing_words, variable
from billing.snapshots import Fields
from engine.config import StripeSettings
from engine.domain import Micros
from engine.errors import OutsideError, TellOperatorError

KEY_PREFIXES = ("sk_test_", "sk_live_", "rk_test_", "rk_live_")
MICROS_A_CENT = 10_000


async def check_stripe(
    caller: StripeCaller, prices: Prices, settings: StripeSettings, offers: Mapping[Purchase, Micros]
) -> list[str]:
    """One sentence with its mend for each thing that is wrong; stops early if Stripe cannot be asked."""
    found = list(_of_secrets(settings))
    try:
        shelf = await prices.shelf()
    except TellOperatorError as error:
        return [*found, f"{error} Check STRIPE_SECRET_KEY and the rights of a restricted key."]
    except OutsideError as error:
        return [*found, f"{error}. Check the network and STRIPE_API_BASE, then try again."]
    for purchase, amount in offers.items():
        found.extend(_of_price(purchase, shelf.on_sale.get(purchase), amount, settings))
    return found + await _of_portal(caller)


def _of_secrets(settings: StripeSettings) -> Iterator[str]:
    if not settings.secret_key.get_secret_value().startswith(KEY_PREFIXES):
        yield "STRIPE_SECRET_KEY is no secret or restricted key. Use the one that begins with sk_ or rk_."
    if not settings.webhook_secrets:
        yield "STRIPE_WEBHOOK_SECRET is missing. Copy that of the endpoint APP_URL/stripe/webhook."
    if not all(secret.get_secret_value().startswith("whsec_") for secret in settings.webhook_secrets):
        yield "STRIPE_WEBHOOK_SECRET holds something else than signing secrets. Each begins with whsec_."


def _of_price(
    purchase: Purchase, price: Fields | None, amount: Micros, settings: StripeSettings
) -> Iterator[str]:
    tier, interval = purchase
    named = settings.prices.get(purchase)
    if price is None:
        unknown = f"{variable(purchase)} names {named}, which Stripe does not know. Copy the id of a price."
        yield unknown if named else missing_words(purchase)
        return
    source = variable(purchase) if named else lookup_key(purchase)
    where = f"The price {price['id']} of {tier} by the {interval} ({source})"
    if not price["active"]:
        yield f"{where} is archived. Activate it or choose another."
    if (price.get("recurring") or {}).get("interval") != interval:
        yield f"{where} does not recur by the {interval}. Choose one that does."
    if price["currency"] != "usd" or price.get("unit_amount") != amount // MICROS_A_CENT:
        shown = f"{price.get('unit_amount')} {price['currency']} cents"
        yield f"{where} is {shown}; config.toml says {amount // MICROS_A_CENT} usd cents. Make them agree."


async def _of_portal(caller: StripeCaller) -> list[str]:
    try:
        listed = await caller.call(
            lambda: caller.sdk.v1.billing_portal.configurations.list_async(
                {"is_default": True, "active": True}
            )
        )
    except OutsideError as error:
        return [f"{error} The customer portal could not be checked."]
    if listed.data:
        return []
    return ["The customer portal is not set up. Save its settings once in Stripe's dashboard."]
