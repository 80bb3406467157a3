"""What every unit of work can rely on, whichever database it runs on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest

from engine.domain import Account, AccountId, ConversationId, Micros, Person, Platform, TurnId
from engine.errors import GiveUpError, TryAgainError
from engine.ledger import Tx
from engine.simulated import SimulatedObject
from engine.turns import Hold
from storage.store import Store, open_store
from tests.fakes.clock import NOON, FakeClock

ANN = Person(Platform.LOCAL, "", "ann")
NO_SUCH_CONVERSATION = Hold(
    turn=TurnId("t"),
    account=AccountId("nobody"),
    conversation=ConversationId("none"),
    key="k",
    model="m",
    prompt="?",
    estimate=Micros(1),
    owner="test",
    started_at=NOON,
    lease_until=NOON + timedelta(minutes=1),
)


def claim(key: str) -> Callable[[Tx], bool]:
    """A unit that takes a key."""
    return lambda tx: tx.claim(key, NOON)


async def test_a_unit_returns_what_its_function_returns(store: Store) -> None:
    assert await store.transact(claim("a")) is True
    assert await store.transact(claim("a")) is False


async def test_an_error_in_a_unit_reaches_the_caller_and_keeps_nothing(store: Store) -> None:
    def work(tx: Tx) -> None:
        tx.claim("a", NOON)
        raise LookupError("changed my mind")

    with pytest.raises(LookupError, match="changed my mind"):
        await store.transact(work)
    assert await store.transact(claim("a")) is True


async def test_units_that_wait_together_do_not_suffer_from_a_failing_neighbour(store: Store) -> None:
    def failing(tx: Tx) -> bool:
        tx.claim("doomed", NOON)
        raise StopIteration

    units = [failing if number % 5 == 0 else claim(f"key {number}") for number in range(50)]
    outcomes = await asyncio.gather(*(store.transact(unit) for unit in units), return_exceptions=True)
    assert [outcome is True for outcome in outcomes] == [number % 5 != 0 for number in range(50)]
    assert await store.transact(claim("doomed")) is True
    assert await store.transact(claim("key 1")) is False


async def test_of_200_units_at_once_exactly_as_many_pass_a_limit_as_it_allows(store: Store) -> None:
    def under_a_limit_of_30(number: int) -> Callable[[Tx], bool]:
        def work(tx: Tx) -> bool:
            tx.lock_account(ANN, NOON)
            taken = len(tx.objects("taken"))
            return taken < 30 and put(tx, f"taken {number}")

        return work

    granted = await asyncio.gather(*(store.transact(under_a_limit_of_30(n)) for n in range(200)))
    assert sum(granted) == 30
    assert len(await store.read(lambda tx: tx.objects("taken"))) == 30


def put(tx: Tx, name: str) -> bool:
    """Store one simulated object."""
    return tx.add_object(SimulatedObject(name, "taken", "", "{}"))


async def test_a_coroutine_function_is_refused_before_anything_runs(store: Store) -> None:
    async def work(tx: Tx) -> bool:
        return tx.claim("a", NOON)

    with pytest.raises(TypeError, match="plain function"):
        await store.transact(cast("Callable[[Tx], bool]", work))


async def test_a_function_that_returns_a_coroutine_or_a_generator_is_undone(store: Store) -> None:
    async def later() -> None:
        """Never awaited."""

    def starts_something(tx: Tx) -> object:
        tx.claim("a", NOON)
        return later()

    def yields_something(tx: Tx) -> object:
        tx.claim("a", NOON)
        return (number for number in range(3))

    for work in (starts_something, yields_something):
        with pytest.raises(TypeError, match="plain function"):
            await store.transact(work)
    assert await store.transact(claim("a")) is True


async def test_a_tx_cannot_be_used_after_its_unit(store: Store) -> None:
    kept = await store.transact(lambda tx: tx)
    with pytest.raises(RuntimeError, match="has ended"):
        kept.claim("a", NOON)


async def test_a_failed_statement_fails_the_unit_even_if_its_error_is_hidden(store: Store) -> None:
    def work(tx: Tx) -> str:
        tx.claim("a", NOON)
        try:
            tx.hold(NO_SUCH_CONVERSATION)
        except Exception:  # noqa: BLE001 - the mistake under test
            return "all is well"
        return "not reached"

    with pytest.raises(GiveUpError, match="refuses"):
        await store.transact(work)
    assert await store.transact(claim("a")) is True


async def test_a_reading_unit_cannot_write(store: Store) -> None:
    with pytest.raises(Exception, match=r"read-?only"):
        await store.read(claim("a"))
    assert await store.transact(claim("a")) is True


async def test_a_reading_unit_sees_one_moment_while_others_write(store: Store) -> None:
    loop, halfway, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def look_twice(tx: Tx) -> tuple[Account | None, Account | None]:
        before = tx.find_account(ANN)
        loop.call_soon_threadsafe(halfway.set)
        go_on.wait(5)
        return before, tx.find_account(ANN)

    looking = asyncio.create_task(store.read(look_twice))
    await halfway.wait()
    await store.transact(lambda tx: tx.lock_account(ANN, NOON))
    go_on.set()
    assert await looking == (None, None)


async def test_a_cancelled_caller_waits_for_the_outcome_and_can_undo_it(store: Store) -> None:
    loop, running, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        tx.claim("a", NOON)
        loop.call_soon_threadsafe(running.set)
        go_on.wait(5)

    caller = asyncio.create_task(store.transact(slow))
    await running.wait()
    caller.cancel()
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert await store.transact(claim("a")) is False


async def test_a_unit_of_a_cancelled_caller_that_fails_is_silent(store: Store) -> None:
    def failing(tx: Tx) -> None:
        raise LookupError(tx.claim("a", NOON))

    caller = asyncio.create_task(store.transact(failing))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_closing_finishes_the_units_that_wait_and_takes_no_more(
    database_url: str, clock: FakeClock
) -> None:
    store = await open_store(database_url, clock)
    waiting = [asyncio.create_task(store.transact(claim(f"key {number}"))) for number in range(20)]
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    assert all(await asyncio.gather(*waiting))
    with pytest.raises(TryAgainError, match="closed"):
        await store.transact(claim("late"))
    async with await open_store(database_url, clock) as again:
        assert await again.transact(claim("key 19")) is False


async def test_text_that_one_database_refuses_is_stored_alike_on_both(store: Store) -> None:
    def work(tx: Tx) -> str | None:
        account = tx.lock_account(ANN, NOON)
        tx.set_model(account.id, "nul \0, half a pair \ud83d, snowman \u2603, smile \U0001f600")
        found = tx.find_account(ANN)
        return found.model if found else None

    expected = "nul \ufffd, half a pair ?, snowman \u2603, smile \U0001f600"
    assert await store.transact(work) == expected
