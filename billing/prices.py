"""Which Stripe price sells a tier, and which tier a price gives."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from billing.client import StripeCaller
from billing.remedies import PriceMissingError
from billing.snapshots import Fields, name_of, plain
from engine.domain import Interval, TierName

Purchase = tuple[TierName, Interval]

FRESH_SECONDS = 600.0
REMEMBERED = 256
"""Prices whose tier is kept in memory; an operator has a handful."""


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
        self._pace = pace
        self._lock = asyncio.Lock()
        self._shelf: tuple[float, Shelf] | None = None
        self._known: OrderedDict[str, tuple[float, TierName | None]] = OrderedDict()

    async def price_of(self, purchase: Purchase) -> str:
        """The id of the price to sell; PriceMissingError says how to mend it if there is none."""
        named = self._overrides.get(purchase)
        if named:
            return named
        shelf = await self.shelf()
        if purchase not in shelf.on_sale:
            raise PriceMissingError(missing_words(purchase))
        price: str = shelf.on_sale[purchase]["id"]
        return price

    async def tier_of(self, price: Fields) -> TierName | None:
        """The tier that a price gives, None for a product that is not ours."""
        override = self._tier_by_override.get(price["id"])
        if override:
            return override
        kept = self._known.get(price["id"])
        if kept is None or self._stale(kept[0]):
            kept = (self._pace(), await self._find_tier(price))
            self._known[price["id"]] = kept
            self._known.move_to_end(price["id"])
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return kept[1]

    async def shelf(self) -> Shelf:
        """What is on sale, not older than ten minutes."""
        async with self._lock:
            if self._shelf is None or self._stale(self._shelf[0]):
                self._shelf = (self._pace(), Shelf(await self._read_shelf()))
            return self._shelf[1]

    def forget(self) -> None:
        """Read everything anew when it is needed next."""
        self._shelf = None
        self._known.clear()

    def _stale(self, read_at: float) -> bool:
        return self._pace() - read_at > FRESH_SECONDS

    async def _find_tier(self, price: Fields) -> TierName | None:
        found = (await self.shelf()).tier_of(price)
        if found:
            return found
        return _metadata_tier(await self._retrieve(price["id"]))

    async def _read_shelf(self) -> dict[Purchase, Fields]:
        keys = {lookup_key(each): each for each in self._purchases if each not in self._overrides}
        on_sale = {}
        if keys:
            listed = await self._caller.call(
                lambda: self._caller.sdk.v1.prices.list_async(
                    {"lookup_keys": list(keys), "active": True, "limit": 100}
                )
            )
            on_sale = {keys[price["lookup_key"]]: price for price in map(plain, listed.data)}
        for purchase, named in self._overrides.items():
            try:
                on_sale[purchase] = await self._retrieve(named)
            except PriceMissingError:
                continue  # buying it says so, and so does the doctor; others must not suffer from it
        return on_sale

    async def _retrieve(self, price: str) -> Fields:
        return plain(
            await self._caller.call(
                lambda: self._caller.sdk.v1.prices.retrieve_async(price, {"expand": ["product"]})
            )
        )


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
