"""Which Stripe price sells a tier, and which tier a price gives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import stripe

from billing.client import StripeCaller
from billing.fresh import Fresh
from billing.remedies import PriceMissingError
from billing.snapshots import Fields, name_of, plain
from engine.domain import Interval, TierName

Purchase = tuple[TierName, Interval]

USAGE_KEY = "pro_usage_v1"


def lookup_key(purchase: Purchase) -> str:
    """The key under which a price is found when no variable names it: `premium_monthly_v1`."""
    tier, interval = purchase
    return f"{tier}_{interval}ly_v1"


def variable(purchase: Purchase) -> str:
    """The environment variable that names a price: `STRIPE_PRICE_PREMIUM_YEARLY`."""
    tier, interval = purchase
    return f"STRIPE_PRICE_{tier.upper()}{'_YEARLY' if interval is Interval.YEAR else ''}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The prices that are on sale, as Stripe has them now."""

    on_sale: Mapping[Purchase, Fields]

    def tier_of(self, price: Fields) -> TierName | None:
        """By the price's id, else by its product if that sells one tier only."""
        by_id = {sold["id"]: tier for (tier, _), sold in self.on_sale.items()}
        product = name_of(price.get("product"))
        of_product = {tier for (tier, _), sold in self.on_sale.items() if name_of(sold["product"]) == product}
        only = next(iter(of_product)) if len(of_product) == 1 else None
        return by_id.get(price["id"], only)


class Prices:
    """Finds prices by variable or lookup key, and tiers by price, product and product metadata.

    A lookup key moves when a price is replaced, so it never decides what somebody has already bought.
    """

    def __init__(
        self,
        caller: StripeCaller,
        purchases: Iterable[Purchase],
        overrides: Mapping[Purchase, str],
        pace: Callable[[], float] = time.monotonic,
    ) -> None:
        self._caller = caller
        self._purchases = tuple(purchases)
        self._overrides = dict(overrides)
        self._tier_by_override = {price: tier for (tier, _), price in self._overrides.items()}
        self._lock = asyncio.Lock()
        self._shelf: Fresh[None, Shelf] = Fresh(pace)
        self._known: Fresh[str, Fields] = Fresh(pace)

    async def sold(self, purchase: Purchase) -> Fields:
        """The price to sell, with its tiers; PriceMissingError says how to mend it if there is none."""
        named = self._overrides.get(purchase)
        if named:
            price = await self.retrieve(named)
            if not price["active"]:
                archived = f"{variable(purchase)} names {named}, which is archived"
                raise PriceMissingError(f"{archived}. Name another.")
            return price
        shelf = await self.shelf()
        if purchase not in shelf.on_sale:
            raise PriceMissingError(missing_words(purchase))
        return await self.whole(shelf.on_sale[purchase])

    async def tier_of(self, price: Fields) -> TierName | None:
        """The tier that a price gives, None for a product that is not ours."""
        override = self._tier_by_override.get(price["id"])
        if override:
            return override
        return (await self.shelf()).tier_of(price) or _metadata_tier(await self.retrieve(price["id"]))

    async def whole(self, price: Fields) -> Fields:
        """A price with its tiers, which Stripe shows only to those who ask for that price."""
        return await self.retrieve(price["id"]) if is_tiered(price) else price

    async def retrieve(self, price: str) -> Fields:
        """A price with its tiers and product, not older than ten minutes."""
        return self._known.get(price) or self._known.keep(price, await self._read(price))

    async def shelf(self) -> Shelf:
        """What is on sale, not older than ten minutes."""
        async with self._lock:
            return self._shelf.get(None) or self._shelf.keep(None, Shelf(await self._read_shelf()))

    async def usage(self) -> str:
        """The id of the metered price; PriceMissingError if there is none."""
        found = await self._by_keys([USAGE_KEY])
        if not found:
            raise PriceMissingError(f"There is no metered price with the lookup key {USAGE_KEY}.")
        price: str = found[0]["id"]
        return price

    def forget(self) -> None:
        """Read everything anew when it is needed next."""
        self._shelf.clear()
        self._known.clear()

    async def _read_shelf(self) -> dict[Purchase, Fields]:
        keys = {lookup_key(each): each for each in self._purchases if each not in self._overrides}
        on_sale = {}
        if keys:
            on_sale = {keys[price["lookup_key"]]: price for price in await self._by_keys(list(keys))}
        for purchase, named in self._overrides.items():
            try:
                on_sale[purchase] = await self.retrieve(named)
            except PriceMissingError:
                continue  # buying it says so, and so does the doctor; others must not suffer from it
        return on_sale

    async def _by_keys(self, keys: list[str]) -> list[Fields]:
        params: stripe.params.PriceListParams = {"lookup_keys": keys, "active": True, "limit": 100}
        listed = await self._caller.call(lambda: self._caller.sdk.v1.prices.list_async(params))
        return [plain(price) for price in listed.data]

    async def _read(self, price: str) -> Fields:
        params: stripe.params.PriceRetrieveParams = {"expand": ["product", "tiers"]}
        return plain(
            await self._caller.call(lambda: self._caller.sdk.v1.prices.retrieve_async(price, params))
        )


def is_tiered(price: Fields) -> bool:
    """Whether a price has steps, so that it is sold by the seat; any other is sold once."""
    return bool(price.get("billing_scheme") == "tiered")


def missing_words(purchase: Purchase) -> str:
    """What to do about a price that is not there."""
    tier, interval = purchase
    return (
        f"There is no price for {tier} by the {interval}. Give an active recurring price the lookup key "
        f"{lookup_key(purchase)}, or name one in {variable(purchase)}."
    )


def _metadata_tier(price: Fields) -> TierName | None:
    product = price.get("product")
    word = (product.get("metadata") or {}).get("tier") if isinstance(product, Mapping) else None
    return TierName(word) if word in set(TierName) else None
