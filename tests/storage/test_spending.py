"""The ledger: each request to a vendor written down once, and purses that are always its sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain import Micros, Scope, TierName, TurnId
from engine.ledger import Tx
from engine.models import Usage
from engine.spending import BOT, FREE, Entry, Purpose, period, scopes, team, vendor
from engine.turns import Charge, Settlement
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account, conversation, hold

T = TurnId("t")
ALWAYS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
EVERY_KIND = Usage(90, 40, 20, estimated=True, cache_written_tokens=30, reasoning_tokens=15)
SLOW = Charge("deep", "two", EVERY_KIND, Micros(70))
QUICK = Charge("quick", "one", Usage(30, 0, 5), Micros(30))
UNPRICED = Charge("odd", "one", Usage(1, 0, 1), None)
NEVER_ASKED = Charge("quick", "one", Usage(), Micros(0))
LAST_SECOND = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)


def begin(tx: Tx, at: datetime = NOON, purse: Scope | None = None, **reserved: int) -> None:
    """Ann's turn `t`, held."""
    conversation(tx, at=at)
    hold(tx, T, at=at, purse=purse, reserved=reserved)


def charged(*charges: Charge, at: datetime = NOON, answer: str = "Yes.") -> Settlement:
    """What a turn really was, with these requests."""
    cost = Micros(sum(each.cost or 0 for each in charges))
    return Settlement("deep", answer, Usage(), cost, "end", at, charges)


def costs(tx: Tx, at: datetime = NOON) -> list[int]:
    """What is spent: of the bot, of each vendor, of free members, and of Ann."""
    purses = (BOT, vendor("one"), vendor("two"), FREE)
    return [*(tx.purse(scope, at).spent for scope in purses), tx.spent(account(tx), at)[0]]


def released(tx: Tx) -> None:
    """End the turn without an answer."""
    tx.release(T, "busy", NOON)


def lost(tx: Tx) -> None:
    """Let the turn's lease run out, and nobody settle it."""
    tx.release_expired(NOON + MINUTE)


async def test_every_request_of_a_turn_is_a_row_with_all_that_the_vendor_told(store: Store) -> None:
    later = NOON + timedelta(seconds=9)

    def work(tx: Tx) -> list[Entry]:
        begin(tx, purse=FREE)
        tx.settle(T, charged(SLOW, UNPRICED, NEVER_ASKED, QUICK, at=later))
        ann = account(tx)
        asked = (SLOW, UNPRICED, QUICK)
        assert list(tx.entries(*ALWAYS)) == [
            Entry(T, ann, FREE, Purpose.ANSWER, each, NOON, later) for each in asked
        ]
        return list(tx.entries(NOON + MINUTE, ALWAYS[1]))

    assert await store.transact(work) == []
    assert await store.transact(costs) == [100, 30, 70, 100, 100]


@pytest.mark.parametrize("tier", [*TierName, None])
async def test_a_charge_is_of_the_tier_that_its_turn_was_held_for(
    store: Store, tier: TierName | None
) -> None:
    def work(tx: Tx) -> list[TierName | None]:
        conversation(tx)
        for turn in ("t", "lost"):
            hold(tx, turn, tier=tier, provider="one")
        tx.settle(T, charged(SLOW, QUICK))
        lost(tx)
        tx.book_lost(NOON, 1)
        return [entry.tier for entry in tx.entries(*ALWAYS)]

    assert await store.transact(work) == [tier] * 3


async def test_a_settlement_that_is_repeated_is_charged_once(store: Store) -> None:
    def work(tx: Tx) -> int:
        begin(tx)
        for _ in range(3):
            tx.settle(T, charged(SLOW))
            tx.record_spend(T, charged(SLOW, answer=""))
        return len(tx.entries(*ALWAYS))

    assert await store.transact(work) == 1
    assert await store.transact(costs) == [70, 0, 70, 0, 70]


@pytest.mark.parametrize("end", [released, lost])
async def test_a_released_turn_keeps_what_the_vendor_charged_once(
    store: Store, end: Callable[[Tx], None]
) -> None:
    def work(tx: Tx) -> int:
        begin(tx, purse=FREE)
        end(tx)
        for _ in range(3):
            tx.record_spend(T, charged(QUICK, answer=""))
        return len(tx.entries(*ALWAYS))

    assert await store.transact(work) == 1
    assert await store.transact(costs) == [30, 30, 0, 30, 30]


async def test_what_was_known_of_a_lost_turn_is_replaced_when_it_is_settled_after_all(store: Store) -> None:
    def work(tx: Tx) -> list[Charge]:
        begin(tx, purse=FREE)
        lost(tx)
        tx.record_spend(T, charged(QUICK, UNPRICED, answer=""))
        assert tx.settle(T, charged(SLOW))
        return [each.charge for each in tx.entries(*ALWAYS)]

    assert await store.transact(work) == [SLOW]
    assert await store.transact(costs) == [70, 0, 70, 70, 70]


async def test_a_lost_turn_costs_nothing_that_is_known(store: Store) -> None:
    def work(tx: Tx) -> int:
        begin(tx)
        lost(tx)
        return len(tx.entries(*ALWAYS))

    assert await store.transact(work) == 0
    assert await store.transact(costs) == [0] * 5


async def test_what_is_the_operators_alone_counts_for_no_member(store: Store) -> None:
    def work(tx: Tx) -> list[Entry]:
        tx.charge_house(QUICK, Purpose.SUMMARY, NOON)
        return list(tx.entries(*ALWAYS))

    (entry,) = await store.transact(work)
    assert entry == Entry(None, None, None, Purpose.SUMMARY, QUICK, NOON, NOON)
    assert await store.transact(costs) == [30, 30, 0, 0, 0]


async def test_a_turn_counts_in_the_day_and_the_month_in_which_it_began(store: Store) -> None:
    after = LAST_SECOND + timedelta(seconds=2)

    def work(tx: Tx) -> None:
        begin(tx, LAST_SECOND, FREE)
        tx.settle(T, charged(QUICK, at=after))

    await store.transact(work)
    assert await store.transact(lambda tx: costs(tx, LAST_SECOND)) == [30, 30, 0, 30, 30]
    assert await store.transact(lambda tx: costs(tx, after)) == [0] * 5


async def test_a_team_is_counted_by_month(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        begin(tx, purse=team("7"))
        tx.settle(T, charged(QUICK))
        days = (NOON, NOON + timedelta(days=1), NOON + timedelta(days=31))
        return [tx.purse(team("7"), at).spent for at in days]

    assert await store.transact(work) == [30, 30, 0]


def given_up(tx: Tx) -> None:
    """Let its process be lost, and what it may have cost be written down."""
    lost(tx)
    tx.book_lost(NOON + MINUTE, 10)


async def test_a_held_turn_holds_what_it_reserved_until_it_ends(store: Store) -> None:
    ends: list[Callable[[Tx], object]] = [released, given_up, lambda tx: tx.settle(T, charged(QUICK))]
    for end in ends:

        def work(tx: Tx, end: Callable[[Tx], object] = end) -> tuple[int, int, int]:
            begin(tx, bot=60, free=50)
            before = tx.purse(BOT, NOON), tx.purse(FREE, NOON)
            end(tx)
            return before[0].taken, before[1].held, tx.purse(BOT, NOON).held

        assert await only_tried(store, work) == (60, 50, 0)


async def only_tried(store: Store, work: Callable[[Tx], tuple[int, int, int]]) -> tuple[int, int, int]:
    """What a unit finds that is undone afterwards."""
    found: list[tuple[int, int, int]] = []

    def undone(tx: Tx) -> None:
        found.append(work(tx))
        raise LookupError

    with pytest.raises(LookupError):
        await store.transact(undone)
    return found[0]


async def test_what_a_lost_process_held_is_never_free_before_it_is_spent(store: Store) -> None:
    def work(tx: Tx) -> list[tuple[int, int]]:
        begin(tx, bot=100)
        steps: list[Callable[[], object]] = [
            lambda: tx.release_expired(NOON + MINUTE),
            lambda: tx.book_lost(NOON + MINUTE, 10),
            lambda: tx.settle(T, charged(QUICK)),
        ]
        found: list[tuple[int, int]] = []
        for step in steps:
            step()
            purse = tx.lock_purses([BOT], NOON + MINUTE)[BOT]
            found.append((purse.held, purse.spent))
        return found

    assert await store.transact(work) == [(100, 0), (0, 100), (0, 30)]


async def test_of_a_lost_turn_each_vendor_that_may_have_been_asked_has_no_room_for_it(store: Store) -> None:
    asked, other = vendor("one"), vendor("two")

    def work(tx: Tx) -> list[tuple[int, int]]:
        conversation(tx)
        hold(tx, T, provider="one", estimate=Micros(100), reserved={BOT: 100, asked: 80, other: 90})
        found: list[tuple[int, int]] = []
        for step in (given_up, lambda tx: tx.settle(T, charged(QUICK))):
            step(tx)
            purses = [tx.purse(scope, NOON) for scope in (BOT, asked, other)]
            found += [(purse.spent, purse.held) for purse in purses]
        return found

    lost_, late = [(100, 0), (80, 0), (0, 90)], [(30, 0), (30, 0), (0, 0)]
    assert await store.transact(work) == lost_ + late


async def test_what_is_known_of_a_lost_turn_is_not_guessed_beside_it(
    store: Store,
) -> None:
    def work(tx: Tx) -> tuple[int, int]:
        begin(tx)
        lost(tx)
        tx.record_spend(T, Settlement("deep", "", Usage(), None, "busy", NOON, (QUICK, UNPRICED)))
        tx.book_lost(NOON + MINUTE, 10)
        return len(tx.entries(*ALWAYS)), tx.usage(account(tx), NOON).cost_month

    assert await store.transact(work) == (2, 30)


async def test_a_renewed_lease_goes_on_holding(store: Store) -> None:
    def work(tx: Tx) -> int:
        begin(tx, bot=60)
        tx.renew_leases([T], NOON + 2 * MINUTE)
        return tx.purse(BOT, NOON + MINUTE).held

    assert await store.transact(work) == 60


async def test_a_reservation_is_of_the_period_in_which_its_turn_began(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        begin(tx, LAST_SECOND, free=60, bot=50)
        return [
            tx.purse(scope, at).held
            for at in (LAST_SECOND, LAST_SECOND + timedelta(seconds=1))
            for scope in (BOT, FREE)
        ]

    assert await store.transact(work) == [50, 60, 0, 0]


def sums(entries: Sequence[Entry]) -> Counter[tuple[Scope, int]]:
    """What the purses have to say of a ledger."""
    counted: Counter[tuple[Scope, int]] = Counter()
    for each in entries:
        for scope in scopes(each.charge, each.purse):
            counted[scope, period(scope, each.began_at)] += each.charge.cost or 0
    return counted


STARTS = (LAST_SECOND, LAST_SECOND + timedelta(seconds=1), NOON)
COSTS = st.one_of(st.none(), st.integers(0, 99).map(Micros))
CHARGES = st.lists(
    st.builds(Charge, st.just("m"), st.sampled_from(("one", "two")), st.just(Usage(1)), COSTS), max_size=3
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("hold", "settle", "release", "record", "expire", "house")),
        st.integers(0, 3),
        st.sampled_from(STARTS),
        CHARGES,
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_whatever_becomes_of_turns_the_ledger_is_the_sum_of_purses_and_of_members(
    store: Store, steps: list[tuple[str, int, datetime, list[Charge]]]
) -> None:
    def work(tx: Tx) -> None:
        for number, person in enumerate((ANN, BEN)):
            conversation(tx, f"c{number}", person)
        for step in steps:
            take(tx, *step)
        entries = tx.entries(*ALWAYS)
        counted = sums(entries)
        for (scope, number), spent in counted.items():
            at = next(at for at in STARTS if period(scope, at) == number)
            assert tx.purse(scope, at).spent == spent
        for person in (ANN, BEN):
            for month in (LAST_SECOND, NOON):
                own = [each for each in entries if each.account == account(tx, person)]
                began = [each for each in own if each.began_at.month == month.month]
                assert tx.spent(account(tx, person), month)[0] == sum(each.charge.cost or 0 for each in began)
        raise LookupError

    with pytest.raises(LookupError):
        await store.transact(work)


def take(tx: Tx, step: str, number: int, at: datetime, charges: list[Charge]) -> None:
    """One step in the life of one of four turns, of which Ben's are those of free members."""
    turn, person = TurnId(f"t{number}"), (ANN, BEN)[number % 2]
    if step == "house":
        for each in charges:
            tx.charge_house(each, Purpose.SUMMARY, at)
    elif step == "expire":
        tx.book_lost(NOON + MINUTE, number)
        tx.release_expired(NOON + MINUTE, account(tx, person))
    elif step == "hold" and tx.turn(turn) is None:
        hold(tx, turn, f"c{number % 2}", person, at, purse=FREE if person == BEN else None)
    elif step == "settle":
        tx.settle(turn, charged(*charges))
    elif step == "release":
        tx.release(turn, "busy", NOON)
    elif step == "record":
        tx.record_spend(turn, charged(*charges, answer=""))
