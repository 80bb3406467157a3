"""What is on sale now: tiers and models of config.toml as it was last read, at the prices of this minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine import pricing
from engine.catalogue import Catalogue, Wares
from engine.domain import Tier, TierName
from engine.models import ModelSpec
from engine.ports import Clock, PriceBook


@dataclass(frozen=True, slots=True)
class Stock:
    """Tiers and models without prices of the moment, and the catalogue made of them last."""

    tiers: Mapping[TierName, Tier]
    models: Sequence[ModelSpec]
    minute: datetime
    catalogue: Catalogue


class Shelves:
    """The wares of this process. Asked from several threads: what it holds is replaced as one."""

    def __init__(
        self, tiers: Mapping[TierName, Tier], models: Sequence[ModelSpec], book: PriceBook, clock: Clock
    ) -> None:
        self._book = book
        self._clock = clock
        self._stock = self._priced(tiers, models)

    @property
    def today(self) -> Catalogue:
        """As it is now."""
        stock = self._stock
        if stock.minute == minute(self._clock.now()):
            return stock.catalogue
        fresh = self._priced(stock.tiers, stock.models)
        if self._stock is stock:  # else it was restocked meanwhile
            self._stock = fresh
        return fresh.catalogue

    def restock(self, tiers: Mapping[TierName, Tier], models: Sequence[ModelSpec]) -> None:
        """From now on these are on sale; questions that were admitted go on as they are."""
        self._stock = self._priced(tiers, models)

    def _priced(self, tiers: Mapping[TierName, Tier], models: Sequence[ModelSpec]) -> Stock:
        now = self._clock.now()
        return Stock(tiers, models, minute(now), Catalogue(tiers, pricing.fill(models, self._book, now)))


class TiersNow(Mapping[TierName, Tier]):
    """The tiers as they are whenever they are looked at, for those who were made to keep a mapping."""

    def __init__(self, wares: Wares) -> None:
        self._wares = wares

    def __getitem__(self, name: TierName) -> Tier:
        return self._wares.today.tiers[name]

    def __iter__(self) -> Iterator[TierName]:
        return iter(self._wares.today.tiers)

    def __len__(self) -> int:
        return len(self._wares.today.tiers)


def minute(now: datetime) -> datetime:
    """The beginning of its minute."""
    return now.replace(second=0, microsecond=0)
