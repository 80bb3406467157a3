"""Counts behind the figures: always what the rows say, whatever became of turns, purchases and units."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from functools import partial
from itertools import count

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.catalogue import Catalogue
from engine.domain import AccountId, Conversation, ConversationId, Micros, Person, Platform, TierName, TurnId
from engine.facts import AccessReason, Mode, TierChange
from engine.figures import FunnelStep, Movement, MovementKind, Reached
from engine.ledger import Tx
from engine.models import Usage
from engine.panels import Panels
from engine.spending import FREE, Purpose, team
from engine.tallies import BOUNDS
from engine.terms import UsageEvent
from engine.turns import Charge, Hold, Settlement
from storage.migrate import for_sqlite, known_migrations, split_statements
from storage.store import Store
from tests.billing.conftest import TIERS
from tests.fakes.clock import NOON, FakeClock
from tests.storage.agreeing import agree
from tests.storage.makers import MINUTE, account, change, conversation, hold

CATALOGUE = Catalogue(TIERS, ())
DAYS = 40
LAST = NOON + timedelta(days=DAYS)
WORLDS = count()
GROWING = settings(
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""Each example adds to the same rows, so that none can be made smaller."""
PAID = (TierName.PREMIUM, TierName.TEAM, TierName.PRO)
AMOUNTS = (Fraction(0), Fraction(8_990_000), Fraction(89_000_000, 12), Fraction(25_000_000, 7))
USAGES = st.sampled_from((Usage(), Usage(90, 40, 20), Usage(1, 0, 1)))
CHARGES = st.lists(
    st.builds(
        Charge,
        st.sampled_from(("quick", "deep")),
        st.sampled_from(("one", "two")),
        USAGES,
        st.none() | st.integers(0, 99).map(Micros),
    ),
    max_size=3,
)
TURN_STEPS = ("hold", "hold", "settle", "settle", "release", "record", "expire", "lose", "house")
MONEY_STEPS = ("move", "move", "tier", "step", "use")


class World:
    """Two accounts of their own, four turns and two conversations, in time that only goes on."""

    def __init__(self) -> None:
        self.number, self.at = next(WORLDS), NOON
        self.people = [Person(Platform.LOCAL, "", f"{self.number}-{name}") for name in ("ann", "ben")]
        self.tiers = dict.fromkeys(self.people, TierName.FREE)

    def name(self, kind: str, number: int) -> str:
        """An id of this world alone."""
        return f"{self.number}-{kind}{number}"

    def begin(self, tx: Tx) -> None:
        """Both have talked before, without a turn so far."""
        tx.lock_team(account(tx, self.people[0]), Mode.TEST)
        for number, person in enumerate(self.people):
            owner = account(tx, person)
            tx.open_conversation(
                Conversation(ConversationId(self.name("c", number)), owner, self.at, self.at, 0)
            )

    def turn_step(self, tx: Tx, step: str, number: int, tier: TierName, charges: list[Charge]) -> None:
        """One step in the life of one of four turns; every second is Ben's, in Ann's team."""
        turn, person = TurnId(self.name("t", number)), self.people[number % 2]
        paid = sum(each.cost or 0 for each in charges)
        spent = Settlement("deep", "Yes.", Usage(), Micros(paid), "end", self.at, tuple(charges))
        if step == "hold" and tx.turn(turn) is None:
            self.hold(tx, turn, number, tier)
        steps: dict[str, Callable[[], object]] = {
            "settle": lambda: tx.settle(turn, spent),
            "release": lambda: tx.release(turn, "busy", self.at),
            "record": lambda: tx.record_spend(turn, spent),
            "expire": lambda: tx.release_expired(self.at + MINUTE, account(tx, person)),
            "lose": lambda: tx.book_lost(self.at, 3),
            "house": lambda: tx.charge_house(charges[0], Purpose.SUMMARY, self.at) if charges else None,
        }
        steps.get(step, lambda: None)()

    def hold(self, tx: Tx, turn: TurnId, number: int, tier: TierName) -> None:
        """Begin a turn."""
        owner, who = account(tx, self.people[0]), account(tx, self.people[number % 2])
        tx.hold(
            Hold(
                turn,
                who,
                ConversationId(self.name("c", number % 2)),
                f"key of {turn}",
                "quick",
                "prompt",
                Micros(100),
                "process",
                self.at,
                self.at + MINUTE,
                provider="one",
                purse=team(f"{owner}/{who}") if number % 2 else FREE,
                tier=tier,
            )
        )

    def money_step(self, tx: Tx, step: str, number: int, tier: TierName, amount: Fraction) -> None:
        """Something that Stripe said about one of the two."""
        person, mode = self.people[number % 2], Mode.LIVE if number > 2 else Mode.TEST
        owner = account(tx, person)
        if step == "move":
            self.move(tx, owner, mode, tier, amount)
        elif step == "tier" and mode is Mode.TEST and self.tiers[person] is not tier:
            tx.add_tier_change(
                TierChange(0, owner, mode, self.tiers[person], tier, AccessReason.ACTIVE, self.at)
            )
            self.tiers[person] = tier
        elif step == "step":
            tx.reach(Reached(owner, mode, list(FunnelStep)[number], self.at))
        elif step == "use":
            tx.add_usage(UsageEvent(TurnId(self.name("u", number)), owner, mode, Micros(7 * number), self.at))

    def move(self, tx: Tx, owner: AccountId, mode: Mode, tier: TierName, after: Fraction) -> None:
        """An account's MRR becomes another one; pro is paid in euros."""
        before = tx.mrr(owner, mode)
        last = next(reversed(tx.account_movements(owner, mode)), None)
        currency = "eur" if tier is TierName.PRO else "usd"
        if last and last.after and last.currency != currency:
            after, currency = Fraction(0), last.currency
        if after != before:
            kind = MovementKind.CHURN if not after else MovementKind.EXPANSION if before else MovementKind.NEW
            tx.add_movement(
                Movement(0, owner, mode, kind, after - before, after, tier, currency, True, self.at)  # noqa: FBT003
            )


STEP = st.tuples(
    st.sampled_from((*TURN_STEPS, *MONEY_STEPS)),
    st.integers(0, 3),
    st.sampled_from(PAID),
    CHARGES,
    st.sampled_from(AMOUNTS),
    st.sampled_from((0, 0, 0, 3, 12, 60, 300)),
)


@settings(GROWING, max_examples=8)
@given(steps=st.lists(STEP, min_size=20, max_size=40))
async def test_whatever_happens_every_figure_is_what_the_rows_say(
    store: Store, database_url: str, clock: FakeClock, steps: list[tuple[object, ...]]
) -> None:
    world = World()
    await store.transact(world.begin)
    for each in steps:
        await store.transact(partial(take, world=world, step=each))
    clock.advance(max(timedelta(0), LAST - clock.now()))
    await agree(store, database_url, clock, CATALOGUE, Mode.TEST)


def take(tx: Tx, world: World, step: tuple[object, ...]) -> None:
    """One step, and some hours."""
    what, number, tier, charges, amount, hours = step
    world.at = min(world.at + timedelta(hours=hours), LAST)  # type: ignore[arg-type]
    if what in TURN_STEPS:
        world.turn_step(tx, what, number, tier, charges)  # type: ignore[arg-type]
    else:
        world.money_step(tx, what, number, tier, amount)  # type: ignore[arg-type]


@settings(GROWING, max_examples=3)
@given(steps=st.lists(STEP, min_size=30, max_size=40))
async def test_what_was_not_counted_when_it_happened_is_counted_by_the_migration(
    store: Store, database_url: str, clock: FakeClock, steps: list[tuple[object, ...]]
) -> None:
    world = World()
    await store.transact(world.begin)
    for each in steps:
        await store.transact(partial(take, world=world, step=each))
    clock.advance(max(timedelta(0), LAST - clock.now()))
    change(
        database_url,
        "DELETE FROM tally",
        "DELETE FROM mrr_day",
        "DELETE FROM spend WHERE cost = 0",
        "UPDATE spend SET whole = 0, requests = 0",
        "UPDATE conversation SET tier = NULL",
        *backfill(database_url),
    )
    await agree(store, database_url, clock, CATALOGUE, Mode.TEST)


def backfill(url: str) -> list[str]:
    """What the migration does with older rows."""
    (found,) = (each for each in known_migrations() if each.name == "tallies")
    sql = for_sqlite(found.sql) if url.startswith("sqlite") else found.sql
    beginnings = ("INSERT", "CREATE TABLE payer_month", "DROP TABLE payer_month")
    return [
        each
        for each in split_statements(sql)
        if "\n".join(line for line in each.splitlines() if not line.startswith("--")).startswith(beginnings)
    ]


async def test_who_leaves_least_may_cost_less_than_many_who_pay(
    store: Store, database_url: str, clock: FakeClock
) -> None:
    people = [Person(Platform.LOCAL, "", name) for name in ("ann", "ben", "cat", "dan", "eve")]

    def work(tx: Tx) -> None:
        for number, person in enumerate(people):
            owner, talk = account(tx, person), conversation(tx, person.user, person)
            hold(tx, person.user, talk, person, provider="one", purse=FREE)
            cost = Micros(100 - number)
            charge = Charge("deep", "one", Usage(1, 0, 1), cost)
            tx.settle(TurnId(person.user), Settlement("deep", "Yes.", Usage(), cost, "end", NOON, (charge,)))
            if person is not people[-1]:
                mrr = Fraction(8_990_000)
                tx.add_movement(
                    Movement(0, owner, Mode.TEST, MovementKind.NEW, mrr, mrr, PAID[0], "usd", True, NOON)  # noqa: FBT003
                )

    await store.transact(work)
    view = await Panels(store, clock, CATALOGUE, Mode.TEST).members(NOON.date(), limit=1)
    assert [row.person for row in view.rows] == [people[-1]]
    await agree(store, database_url, clock, CATALOGUE, Mode.TEST)


def test_the_migration_counts_up_to_the_same_bounds() -> None:
    (found,) = (each for each in known_migrations() if each.name == "tallies")
    told = re.findall(r"<= (\d+) THEN '(\d+)'", found.sql)
    assert [(int(micros), int(millis)) for micros, millis in told] == [(each * 1000, each) for each in BOUNDS]
