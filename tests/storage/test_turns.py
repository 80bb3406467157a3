"""Turns from hold to settlement, and the counts that limits are decided on."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.domain import ConversationId, Micros, TurnId
from engine.ledger import Tx
from engine.turns import UsageFacts
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account, conversation, hold, settlement

TODAY = NOON.date()
C = ConversationId("c")
T = TurnId("t")


def live_turns(tx: Tx, name: ConversationId = C) -> int:
    """Turns held or settled of a conversation."""
    found = tx.conversation(name)
    assert found
    return found.live_turns


def facts(conversations: int, recent: tuple[datetime, ...], at_once: int, cost: int) -> UsageFacts:
    """The counts expected."""
    return UsageFacts(conversations, recent, at_once, Micros(cost))


def start(tx: Tx) -> None:
    """One conversation with one held turn `t`."""
    conversation(tx)
    hold(tx, T)


async def test_a_key_is_claimed_once_even_by_many_at_once(store: Store) -> None:
    claims = await asyncio.gather(*(store.transact(lambda tx: tx.claim("k", NOON)) for _ in range(50)))
    assert sum(claims) == 1


async def test_old_claims_are_forgotten(store: Store) -> None:
    def work(tx: Tx) -> tuple[int, bool, bool]:
        tx.claim("old", NOON)
        tx.claim("new", NOON + MINUTE)
        forgotten = tx.forget_claims(NOON + MINUTE)
        return forgotten, tx.claim("old", NOON), tx.claim("new", NOON)

    assert await store.transact(work) == (1, True, False)


async def test_a_held_turn_counts_against_every_limit(store: Store) -> None:
    def work(tx: Tx) -> UsageFacts:
        start(tx)
        return tx.usage(account(tx), NOON)

    assert await store.transact(work) == facts(1, (NOON,), 1, 100)


async def test_a_settled_turn_counts_with_its_real_cost_and_no_more_as_one_at_once(store: Store) -> None:
    def work(tx: Tx) -> tuple[bool, bool, UsageFacts]:
        start(tx)
        settled = tx.settle(T, settlement(cost=40)), tx.settle(T, settlement(cost=70))
        return (*settled, tx.usage(account(tx), NOON))

    assert await store.transact(work) == (True, False, facts(1, (NOON,), 0, 40))


async def test_a_released_turn_counts_nowhere(store: Store) -> None:
    def work(tx: Tx) -> tuple[bool, bool, bool, UsageFacts, int]:
        start(tx)
        released = tx.release(T, "busy", NOON), tx.release(T, "busy", NOON)
        return (*released, tx.settle(T, settlement()), tx.usage(account(tx), NOON), live_turns(tx))

    assert await store.transact(work) == (True, False, False, facts(0, (), 0, 0), 0)


async def test_a_settled_turn_cannot_be_released(store: Store) -> None:
    def work(tx: Tx) -> tuple[bool, int]:
        start(tx)
        tx.settle(T, settlement())
        return tx.release(T, "stopped", NOON), live_turns(tx)

    assert await store.transact(work) == (False, 1)


async def test_a_settled_turn_is_rated_by_its_own_account_and_the_last_word_counts(store: Store) -> None:
    def work(tx: Tx) -> list[object]:
        start(tx)
        own, other = account(tx), account(tx, BEN)
        early = tx.rate(T, own, good=True)
        tx.settle(T, settlement())
        said = [tx.rate(T, own, good=good) for good in (True, False)]
        turn = tx.turn(T)
        return [early, *said, tx.rate(T, other, good=True), turn and turn.good]

    assert await store.transact(work) == [False, True, True, False, False]


async def test_a_turn_without_a_price_costs_nothing_that_is_known(store: Store) -> None:
    def work(tx: Tx) -> int:
        start(tx)
        tx.settle(T, settlement(cost=None))
        return tx.usage(account(tx), NOON).cost_month

    assert await store.transact(work) == 0


async def test_what_a_released_turn_cost_all_the_same_is_spent_once_but_not_counted(store: Store) -> None:
    def work(tx: Tx) -> UsageFacts:
        start(tx)
        tx.release(T, "broken", NOON)
        for cost in (30, 30, 50):
            tx.record_spend(T, settlement("", cost))
        return tx.usage(account(tx), NOON)

    assert await store.transact(work) == facts(0, (), 0, 50)


async def test_what_was_spent_in_a_month_is_told_with_what_of_it_released_turns_cost(store: Store) -> None:
    end_of_october = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)

    def work(tx: Tx) -> list[tuple[int, int]]:
        conversation(tx)
        for turn, at in (("settled", NOON), ("released", NOON), ("earlier", end_of_october), ("held", NOON)):
            hold(tx, turn, at=at)
        tx.settle(TurnId("settled"), settlement(cost=40))
        for turn, cost in (("released", 7), ("earlier", 5)):
            tx.release(TurnId(turn), "failed", NOON)
            tx.record_spend(TurnId(turn), settlement("", cost))
        months = (NOON, end_of_october, datetime(2026, 12, 1, tzinfo=UTC))
        return [tx.spent(account(tx), month) for month in months]

    assert await store.transact(work) == [(47, 7), (5, 5), (0, 0)]


async def test_spend_is_not_recorded_on_a_turn_that_is_held_or_settled(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        start(tx)
        tx.record_spend(T, settlement("", 7))
        seen = [tx.usage(account(tx), NOON).cost_month]
        tx.settle(T, settlement(cost=40))
        tx.record_spend(T, settlement("", 7))
        return [*seen, tx.usage(account(tx), NOON).cost_month]

    assert await store.transact(work) == [100, 40]


async def test_only_turns_of_the_last_minute_are_recent_and_oldest_comes_first(store: Store) -> None:
    times = [NOON - MINUTE, NOON - MINUTE + timedelta(microseconds=1), NOON, NOON - timedelta(seconds=9)]

    def work(tx: Tx) -> tuple[datetime, ...]:
        conversation(tx)
        for number, at in enumerate(times):
            hold(tx, f"t{number}", at=at)
        return tx.usage(account(tx), NOON).recent

    assert await store.transact(work) == (times[1], times[3], times[2])


async def test_a_conversation_counts_on_the_day_of_its_first_live_turn(store: Store) -> None:
    tomorrow = NOON + timedelta(days=1)

    def work(tx: Tx) -> list[tuple[int, int]]:
        owner = account(tx)
        conversation(tx)
        seen = []
        for turn, at in (("failed", NOON), ("first", tomorrow), ("second", tomorrow + timedelta(days=1))):
            hold(tx, turn, at=at)
            seen.append((tx.conversations_on(owner, TODAY), tx.conversations_on(owner, date(2026, 11, 25))))
            if turn == "failed":
                tx.release(TurnId(turn), "broken", at)
        return seen

    assert await store.transact(work) == [(1, 0), (0, 1), (0, 1)]


async def test_counts_are_of_one_account_and_one_day(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        for name, person, at in (("a", ANN, NOON), ("b", ANN, NOON - timedelta(days=1)), ("c", BEN, NOON)):
            conversation(tx, name, person, at)
            hold(tx, f"turn in {name}", name, person, at)
        return [tx.usage(account(tx, person), NOON).conversations_today for person in (ANN, BEN)]

    assert await store.transact(work) == [1, 1]


@pytest.mark.parametrize(
    ("at", "expected"),
    [(datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), 0), (datetime(2026, 11, 1, tzinfo=UTC), 40)],
)
async def test_cost_belongs_to_the_utc_month_that_the_turn_began_in(
    store: Store, at: datetime, expected: int
) -> None:
    def work(tx: Tx) -> int:
        conversation(tx, at=at)
        hold(tx, T, at=at)
        tx.settle(T, settlement(cost=40, at=NOON))
        return tx.usage(account(tx), NOON).cost_month

    assert await store.transact(work) == expected


async def test_a_turn_whose_lease_ran_out_is_released_and_may_still_be_settled(store: Store) -> None:
    def work(tx: Tx) -> tuple[int, int, UsageFacts, bool, UsageFacts, int]:
        start(tx)
        owner = account(tx)
        early, late = (
            tx.release_expired(NOON + MINUTE - timedelta(microseconds=1)),
            tx.release_expired(NOON + MINUTE),
        )
        released = tx.usage(owner, NOON)
        settled = tx.settle(T, settlement(cost=40))
        return early, late, released, settled, tx.usage(owner, NOON), live_turns(tx)

    assert await store.transact(work) == (
        0,
        1,
        facts(0, (), 0, 100),
        True,
        facts(1, (NOON,), 0, 40),
        1,
    )


async def test_expired_turns_are_released_of_one_account_or_of_all(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        for name, person in (("a", ANN), ("b", BEN)):
            conversation(tx, name, person)
            for number in range(2):
                hold(tx, f"{number} in {name}", name, person)
        late = NOON + 2 * MINUTE
        released = [tx.release_expired(late, account(tx, ANN)), tx.release_expired(late)]
        return [*released, live_turns(tx, ConversationId("a")), live_turns(tx, ConversationId("b"))]

    assert await store.transact(work) == [2, 2, 0, 0]


async def test_the_leases_of_the_named_turns_are_renewed(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        start(tx)
        renewed = [
            tx.renew_leases([TurnId("another")], NOON + 3 * MINUTE),
            tx.renew_leases([T], NOON + 2 * MINUTE),
        ]
        return [*renewed, tx.release_expired(NOON + MINUTE), tx.release_expired(NOON + 2 * MINUTE)]

    assert await store.transact(work) == [0, 1, 0, 1]


async def test_a_turn_that_does_not_exist_cannot_be_settled_or_released(store: Store) -> None:
    def work(tx: Tx) -> tuple[bool, bool]:
        tx.record_spend(T, settlement())
        return tx.settle(T, settlement()), tx.release(T, "stopped", NOON)

    assert await store.transact(work) == (False, False)
