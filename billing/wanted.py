"""What a Stripe account has to hold so that config.toml can be sold; all pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import urlsplit

from billing.monthly import MICROS_A_CENT
from billing.prices import USAGE_KEY, Purchase, lookup_key
from billing.snapshots import Fields
from engine.config import SELLABLE
from engine.domain import Interval, Micros, Tier, TierName
from engine.facts import Mode
from engine.settings import LOOPBACK, Settings
from engine.terms import Policy

APP = "multi-llm-chat"
MARK = {"app": APP}
"""The metadata by which we find again what we made."""

METER_EVENT = "multi_llm_chat_usage"
UNIT_CENTS = Decimal("0.1")
"""A unit of the meter is 1/1000 USD of vendor cost."""

WEBHOOK_PATH = "/stripe/webhook"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a price asks, in cents; `amount` is None where its tiers are not of our kind.

    With `extra`, `amount` is for up to `seats` and `extra` for each seat more. Metered: `amount` a unit.
    """

    period: str
    currency: str
    amount: Decimal | None
    seats: int = 1
    extra: Decimal | None = None
    metered: bool = False

    def __str__(self) -> str:
        if self.amount is None:
            return f"tiered in another way, by the {self.period}"
        if self.metered:
            return f"{self._money(self.amount)} a unit, metered by the {self.period}"
        asked = f"{self._money(self.amount)} a {self.period}"
        if self.extra is None:
            return asked
        return f"{asked} for {self.seats} seats, {self._money(self.extra)} for each more"

    def _money(self, cents: Decimal) -> str:
        return f"{money(cents)} {self.currency.upper()}"


def money(cents: Decimal) -> str:
    """Dollars with two digits or as many more as it takes: `8.99`, `0.00125`."""
    dollars = (cents / 100).normalize()
    exponent = dollars.as_tuple().exponent
    digits = max(2, -exponent if isinstance(exponent, int) else 2)
    return f"{dollars:.{digits}f}"


@dataclass(frozen=True, slots=True)
class WantedPrice:
    """A price to be found under a lookup key."""

    key: str
    tier: TierName
    terms: Terms


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that Stripe has to hold.

    `named` are the prices that variables name, which are left alone, with what config.toml asks for them.
    `address` is where Stripe delivers events, None if it cannot reach us.
    """

    prices: tuple[WantedPrice, ...]
    named: Mapping[Purchase, tuple[str, Terms]]
    seats: Mapping[TierName, int]
    mode: Mode
    app_url: str
    address: str | None
    promotion_codes: bool = False

    @property
    def metered(self) -> bool:
        """Whether there is metered use."""
        return any(price.terms.metered for price in self.prices)

    @property
    def spare_keys(self) -> tuple[str, ...]:
        """Lookup keys of ours under which nothing is sold; those of named prices are not ours to judge."""
        kept = {price.key for price in self.prices} | {lookup_key(each) for each in self.named}
        return tuple(key for key in all_keys() if key not in kept)


def all_keys() -> tuple[str, ...]:
    """Every lookup key that we use."""
    return (*(lookup_key((tier, interval)) for tier in SELLABLE for interval in Interval), USAGE_KEY)


def wanted_of(settings: Settings, mode: Mode) -> Wanted:
    """What these settings need."""
    named = settings.stripe.prices if settings.stripe else {}
    return wanted(settings.tiers, settings.billing, settings.server.app_url, named, mode)


def wanted(
    tiers: Mapping[TierName, Tier], policy: Policy, app_url: str, named: Mapping[Purchase, str], mode: Mode
) -> Wanted:
    """The same from its parts."""
    asked = {
        (name, interval): terms(tiers[name], interval)
        for name in SELLABLE
        for interval in Interval
        if name in tiers and tiers[name].price(interval) > 0
    }
    prices = [WantedPrice(lookup_key(each), each[0], asked[each]) for each in asked if each not in named]
    pro_is_sold = any(name is TierName.PRO for name, _ in asked)
    if policy.metered_markup > 0 and pro_is_sold:
        usage = Terms("month", "usd", UNIT_CENTS * policy.metered_markup, metered=True)
        prices.append(WantedPrice(USAGE_KEY, TierName.PRO, usage))
    return Wanted(
        prices=tuple(prices),
        named={each: (price, asked[each]) for each, price in named.items() if each in asked},
        seats={
            name: tier.seats for name, tier in tiers.items() if tier.extra_seat(Interval.MONTH) is not None
        },
        mode=mode,
        app_url=app_url,
        address=None if unreachable(app_url, mode) else f"{app_url}{WEBHOOK_PATH}",
        promotion_codes=policy.promotion_codes,
    )


def terms(tier: Tier, interval: Interval) -> Terms:
    """What a tier asks for an interval: graduated if more seats are sold than it includes."""
    extra = tier.extra_seat(interval)
    amount = cents(tier.price(interval))
    if extra is None:
        return Terms(interval, "usd", amount)
    return Terms(interval, "usd", amount, tier.seats, cents(extra))


def cents(amount: Micros) -> Decimal:
    """Micro-dollars as cents."""
    return Decimal(amount) / MICROS_A_CENT


def unreachable(app_url: str, mode: Mode) -> str | None:
    """Why Stripe cannot deliver to that address, None if it can."""
    split = urlsplit(app_url)
    if split.hostname in LOOPBACK:
        return f"{app_url} is this machine only, so Stripe cannot reach it"
    if mode is Mode.LIVE and split.scheme != "https":
        return f"{app_url} is not https, and in live mode Stripe delivers to https only"
    return None


def terms_of(price: Fields) -> Terms:
    """What a price in Stripe asks; its tiers have to be expanded."""
    recurring: Fields = price.get("recurring") or {}
    interval, count = recurring.get("interval", "single payment"), recurring.get("interval_count") or 1
    period = interval if count == 1 else f"{count} {interval}s"
    metered = recurring.get("usage_type") == "metered"
    if price.get("billing_scheme") != "tiered":
        return Terms(period, price["currency"], decimal(price, "unit_amount"), metered=metered)
    seats = seats_and_extra(price)
    if seats is None or metered:
        return Terms(period, price["currency"], None, metered=metered)
    amount, included, extra = seats
    return Terms(period, price["currency"], amount, included, extra)


def seats_and_extra(price: Fields) -> tuple[Decimal, int, Decimal] | None:
    """Of a graduated price of our kind: the flat amount, the seats it covers, and each seat more."""
    tiers = price.get("tiers") or []
    if price.get("tiers_mode") != "graduated" or len(tiers) != 2:  # noqa: PLR2004 - ours have two
        return None
    base, more = tiers
    if decimal(base, "unit_amount") or decimal(more, "flat_amount") or base["up_to"] is None:
        return None
    return decimal(base, "flat_amount"), base["up_to"], decimal(more, "unit_amount")


def decimal(fields: Fields, name: str) -> Decimal:
    """An amount in exact cents; absent is none."""
    return Decimal(str(fields.get(f"{name}_decimal") or fields.get(name) or 0))


def fault_of(price: Fields, asked: Terms) -> str | None:
    """How a price differs from what config.toml asks; a flat price for a whole team is well too."""
    has = terms_of(price)
    if has == asked or (has == replace(asked, seats=1, extra=None) and price.get("lookup_key") is None):
        return None
    return f"is {has}; config.toml says {asked}"
