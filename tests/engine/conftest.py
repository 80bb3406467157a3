"""A hall with scripted models on a real database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import pytest

from engine import ports
from engine.admission import Desk
from engine.answering import Patience
from engine.budget import NO_CEILINGS, Ceilings
from engine.catalogue import Catalogue
from engine.chat import Chat
from engine.domain import Ask, ChatEvent, Micros, Person, Platform, Tier, TierName
from engine.facts import Mode
from engine.files import Medium
from engine.keeping import Keeping
from engine.models import ModelClass, ModelSpec, Price
from engine.moderating import Moderating
from engine.signals import Signals
from engine.summaries import NO_SUMMARIES, Summaries
from storage.store import Store
from storage.vault import vault_of
from tests.fakes.clock import FakeClock
from tests.fakes.models import Scripted

ALICE = Person(Platform.LOCAL, "", "alice")
BOB = Person(Platform.LOCAL, "", "bob")
EVERYDAY = frozenset({ModelClass.EVERYDAY})
FREE = Tier(TierName.FREE, 0, Micros(0), Micros(0), 3, 5, 4, 1, EVERYDAY, cost_ceiling_month=Micros(500_000))
PREMIUM = Tier(
    TierName.PREMIUM,
    1,
    Micros(8_990_000),
    Micros(89_000_000),
    None,
    100,
    10,
    2,
    EVERYDAY | {ModelClass.STRONG},
    cost_ceiling_month=Micros(6_000_000),
)
UNLIMITED = dict.fromkeys(
    ("requests_per_minute", "concurrent", "conversations_per_day", "cost_ceiling_month")
)
"""For a crowd in one person's name: what two hundred questions hold at once is more than a free month."""
PRICE = Price(1_000_000, 100_000, 4_000_000)
QUICK = ModelSpec("quick", "one", "quick-1", ModelClass.EVERYDAY, 8000, 1000, PRICE, fallback=("spare",))
SPARE = ModelSpec("spare", "two", "spare-1", ModelClass.EVERYDAY, 8000, 1000, PRICE)
DEEP = ModelSpec("deep", "two", "deep-1", ModelClass.STRONG, 8000, 1000, PRICE)
HASTE = Patience(back_off=0.001, longest_wait=0.01)
CATALOGUE = Catalogue(
    MappingProxyType({TierName.FREE: FREE, TierName.PREMIUM: PREMIUM}), (QUICK, SPARE, DEEP)
)


@dataclass(slots=True)
class Hall:
    """A chat over a store, with the two vendors of the catalogue scripted."""

    store: Store
    clock: FakeClock
    one: Scripted = field(default_factory=Scripted)
    two: Scripted = field(default_factory=Scripted)
    catalogue: Catalogue = CATALOGUE
    summaries: Summaries = NO_SUMMARIES
    ceilings: Ceilings = NO_CEILINGS
    asked: int = 0
    keys: tuple[str, ...] = ()
    """What questions are kept with; none: they are not kept."""
    moderating: Moderating | None = None

    def chat(
        self,
        owner: str = "process-1",
        store: ports.Store | None = None,
        patience: Patience = HASTE,
    ) -> Chat:
        """A chat of a process of that name."""
        models = {"one": self.one, "two": self.two}
        keeping = Keeping(store or self.store, self.clock, vault_of(self.keys))
        chat = Chat(
            store or self.store, self.clock, self.desk(owner), models, Signals(), patience, keeping=keeping
        )
        chat.moderating = self.moderating or chat.moderating
        return chat

    def desk(self, owner: str = "process-1") -> Desk:
        """What questions are decided on now, by a process of that name."""
        return Desk(
            self.catalogue, Mode.TEST, "Be brief.", owner, ceilings=self.ceilings, summaries=self.summaries
        )

    def free(self, **changes: object) -> None:
        """Change the free tier's limits."""
        tiers = {**CATALOGUE.tiers, TierName.FREE: replace(FREE, **changes)}  # type: ignore[arg-type]
        self.catalogue = replace(self.catalogue, tiers=tiers)

    def seeing(self, *names: str) -> None:
        """Let these models take images, and no other."""
        self.accepting(frozenset({Medium.IMAGES}), names)

    def reading(self, *names: str) -> None:
        """Let these models take images and PDFs, and no other."""
        self.accepting(frozenset(Medium), names)

    def accepting(self, media: frozenset[Medium], names: tuple[str, ...]) -> None:
        """Let these models take that, and no other anything."""
        able = dict.fromkeys(names, media)
        models = (replace(spec, accepts=able.get(spec.name, frozenset())) for spec in (QUICK, SPARE, DEEP))
        self.catalogue = replace(self.catalogue, models=tuple(models))

    def ask(self, text: str = "Hi", person: Person = ALICE, key: str | None = None, **more: object) -> Ask:
        """A question with a key of its own."""
        self.asked += 1
        return Ask(key or f"local:{self.asked}", person, text, **more)  # type: ignore[arg-type]


@pytest.fixture
def hall(store: Store, clock: FakeClock) -> Hall:
    """A hall on each database in turn."""
    return Hall(store, clock)


Collect = Callable[[Chat, Ask], "list[ChatEvent]"]


async def collect(chat: Chat, ask: Ask) -> list[ChatEvent]:
    """All events of one question."""
    async with aclosing(chat.ask(ask)) as events:
        return [event async for event in events]


async def last(chat: Chat, ask: Ask) -> ChatEvent:
    """How one question ended."""
    return (await collect(chat, ask))[-1]
