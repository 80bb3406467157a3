"""Cheaper before closed: which models are left where a month's money, or the house's, is not enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest

from engine import limits
from engine.catalogue import Catalogue
from engine.context import compose
from engine.domain import Micros, Offer, Refusal, RefusalReason, Scope, Tier, TierName
from engine.means import Menu, Room, Shortfall, chosen
from engine.models import ModelClass, ModelSpec, Price
from engine.reserve import reserved
from engine.routing import Route, candidates
from engine.spending import BOT, FREE, Purse, vendor
from engine.turns import UsageFacts
from tests.engine.conftest import FREE as FREE_TIER
from tests.engine.conftest import PREMIUM
from tests.fakes.clock import NOON

ALL = frozenset(ModelClass)
PRO = replace(PREMIUM, name=TierName.PRO, classes=ALL, cost_ceiling_month=Micros(10_000))
GIVEN = replace(FREE_TIER, classes=ALL, cost_ceiling_month=Micros(10_000))


def model(name: str, provider: str, klass: ModelClass, cost: int, *fallback: str) -> ModelSpec:
    """A model of which each answer costs so much at most."""
    price = Price(0, 0, cost * 1000)
    return ModelSpec(name, provider, name, klass, 8000, 1000, price, fallback=fallback)


TOP = model("top", "one", ModelClass.FRONTIER, 1000)
TALL = model("tall", "two", ModelClass.FRONTIER, 900)
DEEP = model("deep", "one", ModelClass.STRONG, 100, "steep")
STEEP = model("steep", "two", ModelClass.STRONG, 100)
QUICK = model("quick", "one", ModelClass.EVERYDAY, 10, "top")
SPARE = model("spare", "two", ModelClass.EVERYDAY, 11)
MODELS = (TOP, TALL, DEEP, STEEP, QUICK, SPARE)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a question."""

    outcome: tuple[str, ...] | Refusal
    short: Shortfall


def asked(
    spec: ModelSpec,
    tier: Tier = PRO,
    cost: int = 0,
    left: dict[Scope, int] | None = None,
    models: Sequence[ModelSpec] = MODELS,
    paid: int = 0,
) -> Found:
    """Ask a model while the month has cost so much, and the ceilings of 10,000 leave so much."""
    catalogue = Catalogue(MappingProxyType({tier.name: tier}), tuple(models))
    case = limits.Case(tier, spec, UsageFacts(0, (), 0, Micros(cost)), 0, NOON, paid=Micros(paid))
    ceilings = dict.fromkeys(left or {}, Micros(10_000))
    purses = {scope: Purse(Micros(10_000 - much), Micros(0)) for scope, much in (left or {}).items()}
    room, short = Room(ceilings, purses, free=tier.name is TierName.FREE, now=NOON), Shortfall()
    menu = Menu(catalogue, case, served(candidates(catalogue, tier, spec)), served)
    outcome = chosen(menu, room, short)
    return Found(outcome if isinstance(outcome, Refusal) else names(outcome), short)


def served(specs: Sequence[ModelSpec]) -> tuple[Route, ...]:
    """All of them take the question."""
    routes = []
    for spec in specs:
        completion = compose(spec, "", (), "Hi")
        assert completion
        routes.append(Route(spec, completion))
    return tuple(routes)


def names(routes: Sequence[Route]) -> tuple[str, ...]:
    """Which models may answer, the first one first."""
    return tuple(route.spec.name for route in routes)


def refused(found: Found) -> RefusalReason:
    """Why nothing fitted."""
    assert isinstance(found.outcome, Refusal)
    return found.outcome.reason


STOPPING = replace(PRO, cost_stop_month=Micros(12_000))
LADDER = [
    ("within the ceiling all is as asked", TOP, PRO, 9_000, ("top",)),
    ("without a stop everyday models stand in at once", TOP, PRO, 9_001, ("quick",)),
    ("and go on without end", TOP, PRO, 99_000, ("quick",)),
    ("so do they if they were asked for, without their dear fallbacks", QUICK, PRO, 99_000, ("quick",)),
    ("with a stop the class below stands in", TOP, STOPPING, 9_001, ("deep", "steep")),
    ("up to the stop", TOP, STOPPING, 11_900, ("deep", "steep")),
    ("then the class below that", TOP, STOPPING, 11_901, ("quick",)),
    ("of the class below also the fallbacks are of no dearer one", DEEP, STOPPING, 11_800, ("quick",)),
    (
        "what was asked for goes on beyond the ceiling only if it is everyday",
        STEEP,
        STOPPING,
        9_901,
        ("quick",),
    ),
    ("up to the stop an everyday model goes on", QUICK, STOPPING, 11_990, ("quick",)),
    ("beyond it nothing does", QUICK, STOPPING, 11_991, RefusalReason.COST),
    ("whatever was asked for", TOP, STOPPING, 11_991, RefusalReason.COST),
    ("a free member steps down within the ceiling", TOP, GIVEN, 9_500, ("quick",)),
    ("and within it alone", QUICK, GIVEN, 9_990, ("quick",)),
    (
        "a stop gives a free member nothing more",
        QUICK,
        replace(GIVEN, cost_stop_month=Micros(99_000)),
        9_991,
        RefusalReason.COST,
    ),
]


@pytest.mark.parametrize(
    ("spec", "tier", "cost", "expected"), [row[1:] for row in LADDER], ids=[row[0] for row in LADDER]
)
def test_at_the_end_of_the_month_it_is_so_that(
    spec: ModelSpec, tier: Tier, cost: int, expected: tuple[str, ...] | RefusalReason
) -> None:
    found = asked(spec, tier, cost)
    assert (refused(found) if isinstance(expected, RefusalReason) else found.outcome) == expected


def test_what_is_on_the_meters_bill_does_not_bring_the_stop_nearer() -> None:
    assert asked(TOP, STOPPING, 15_000).outcome != ("deep", "steep")
    assert asked(TOP, STOPPING, 15_000, paid=4_000).outcome == ("deep", "steep")


ONE, TWO = vendor("one"), vendor("two")
HOUSE = [
    ("what fits is as asked", TOP, {BOT: 1_000}, ("top",)),
    ("else the class below stands in", TOP, {BOT: 999}, ("deep", "steep")),
    ("else the class below that", TOP, {BOT: 99}, ("quick",)),
    ("a cheaper one of its class does not, where it is the whole that lacks", DEEP, {BOT: 99}, ("quick",)),
    ("a dearer fallback is dropped first", QUICK, {BOT: 999}, ("quick",)),
    ("at a vendor's ceiling its declared fallbacks answer", DEEP, {ONE: 99}, ("steep",)),
    ("a fallback is dropped where its vendor has no room", DEEP, {TWO: 99}, ("deep",)),
    ("without fallbacks others of the same class stand in", TOP, {ONE: 999}, ("tall",)),
    ("where all vendors of a class lack room, the one below does", TOP, {ONE: 100, TWO: 99}, ("deep",)),
    ("of what is asked for the first that fits is kept", QUICK, {ONE: 1_009}, ("quick",)),
    ("at the end everybody is refused", TOP, {BOT: 9}, RefusalReason.BUDGET),
    ("a vendor's end is not that of the others", QUICK, {ONE: 9}, ("spare",)),
    ("unless they end as well", QUICK, {ONE: 9, TWO: 10}, RefusalReason.BUDGET),
]


@pytest.mark.parametrize(
    ("spec", "left", "expected"), [row[1:] for row in HOUSE], ids=[row[0] for row in HOUSE]
)
def test_at_a_ceiling_of_the_house_it_is_so_that(
    spec: ModelSpec, left: dict[Scope, int], expected: tuple[str, ...] | RefusalReason
) -> None:
    found = asked(spec, PRO, 0, left)
    assert (refused(found) if isinstance(expected, RefusalReason) else found.outcome) == expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ({BOT: 1_010}, ("quick",)),
        ({BOT: 1_009}, RefusalReason.FREE_BUDGET),
        ({BOT: 10}, RefusalReason.FREE_BUDGET),
        ({BOT: 9}, RefusalReason.BUDGET),
        ({ONE: 1_010, TWO: 1_000}, ("quick",)),
        ({ONE: 1_009, TWO: 1_010}, RefusalReason.FREE_BUDGET),
        ({FREE: 10}, ("quick",)),
        ({FREE: 9}, RefusalReason.FREE_BUDGET),
        ({FREE: 9, BOT: 9}, RefusalReason.BUDGET),
    ],
)
def test_free_members_pause_at_nine_tenths_of_all_but_their_own_pool(
    left: dict[Scope, int], expected: tuple[str, ...] | RefusalReason
) -> None:
    found = asked(QUICK, GIVEN, 0, left)
    assert (refused(found) if isinstance(expected, RefusalReason) else found.outcome) == expected


def test_a_refusal_tells_when_it_ends_and_which_tier_lifts_what_is_for_free_members() -> None:
    tomorrow, next_month = limits.next_day(NOON), limits.next_month(NOON)
    vendors = asked(QUICK, PRO, 0, {ONE: 0, TWO: 0}).outcome
    bot = asked(QUICK, PRO, 0, {ONE: 0, TWO: 0, BOT: 0}).outcome
    assert isinstance(vendors, Refusal)
    assert isinstance(bot, Refusal)
    assert (vendors.until, vendors.offer, bot.until) == (tomorrow, None, next_month)
    catalogue = Catalogue(MappingProxyType({TierName.FREE: GIVEN, TierName.PREMIUM: PREMIUM}), MODELS)
    case = limits.Case(GIVEN, QUICK, UsageFacts(0, (), 0, Micros(0)), 0, NOON)
    menu = Menu(catalogue, case, served([QUICK]), served)
    pool = chosen(
        menu, Room({FREE: Micros(5)}, {FREE: Purse(Micros(0), Micros(0))}, free=True, now=NOON), Shortfall()
    )
    assert isinstance(pool, Refusal)
    assert (pool.reason, pool.until) == (RefusalReason.FREE_BUDGET, tomorrow)
    assert pool.offer == Offer(TierName.PREMIUM, PREMIUM.price_month, PREMIUM.price_year)


def test_each_scope_is_held_for_what_may_be_taken_of_it() -> None:
    routes = served([DEEP, TALL, STEEP])
    scopes = (BOT, FREE, ONE, TWO, vendor("three"))
    room = Room(
        dict.fromkeys(scopes, Micros(1)),
        dict.fromkeys(scopes, Purse(Micros(0), Micros(0))),
        free=True,
        now=NOON,
    )
    assert reserved(routes) == 900
    assert room.needs(routes) == {BOT: 900, FREE: 900, ONE: 100, TWO: 900}
    assert room.needs(routes[:1]) == {BOT: 100, FREE: 100, ONE: 100}
    assert room.all_of(routes) == {BOT: 1_100, FREE: 1_100, ONE: 100, TWO: 1_000}


def test_what_costs_nothing_is_answered_beyond_every_ceiling() -> None:
    given = replace(QUICK, price=Price(0, 0, 0), fallback=())
    found = asked(given, GIVEN, 0, {BOT: -5, FREE: -5, ONE: -5}, models=(given,))
    assert found.outcome == ("quick",)
