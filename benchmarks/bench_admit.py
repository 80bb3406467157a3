"""How long a question takes to be admitted at turn 10 and turn 500 of a conversation, summed up or not."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

from benchmarks.bench_storage import DESK, MODEL, NOW, Figures, FixedClock, figures, middle, stores
from engine.admission import Admission, Desk, admit
from engine.catalogue import Catalogue
from engine.domain import Account, Ask, Conversation, ConversationId, Micros, Person, Platform, TurnId
from engine.ledger import Tx
from engine.models import Usage
from engine.summaries import OwedSummary, Summaries
from engine.turns import Hold, Settlement
from storage.store import Store, open_store

SAID = "How long is a piece of string, and why does everybody ask? " * 10
"""About 200 tokens, asked and answered: 500 turns are 200,000."""
WIDE = replace(MODEL, context=128_000)
ROOMY = Desk(
    Catalogue(DESK.catalogue.tiers, (WIDE,)),
    DESK.mode,
    DESK.system,
    DESK.owner,
    summaries=Summaries(on=True, model=None),
)
PERSON = Person(Platform.LOCAL, "", "talker")
EVERY = 40
"""Turns to a summary."""
RUNS, EACH = 3, 60
COLUMNS = "{:<44} {:>9} {:>9}"


def say(tx: Tx, account: Account, name: str, number: int) -> TurnId:
    """One more turn."""
    turn, at = TurnId(f"{name} {number}"), NOW - timedelta(days=2) + timedelta(minutes=number)
    parent = TurnId(f"{name} {number - 1}") if number else None
    where, lease = ConversationId(name), at + timedelta(minutes=1)
    tx.hold(Hold(turn, account.id, where, turn, "demo", SAID, Micros(1), "bench", at, lease, parent))
    tx.settle(turn, Settlement("demo", SAID, Usage(200, 0, 200), Micros(1), "end", at))
    return turn


def talk(tx: Tx, name: str, turns: int, *, summaries: bool) -> None:
    """A conversation of so many turns, which a place of its name leads to."""
    account = tx.lock_account(PERSON, NOW)
    tx.open_conversation(Conversation(ConversationId(name), account.id, NOW, NOW, 0))
    for number in range(turns):
        turn = say(tx, account, name, number)
        if summaries and number % EVERY == EVERY - 1:
            tx.owe_summary(OwedSummary(ConversationId(name), turn, "demo", 1), NOW)
            if task := tx.claim_summary(NOW, NOW, "bench"):
                tx.summary_made(task, turn, SAID, NOW)
    tx.bind(account.id, ConversationId(name), [name])


async def measure(store: Store, name: str, numbers: count[int]) -> Figures:
    """Admit one question after the other there, and let each go again."""
    times: list[float] = []
    begun = time.perf_counter()
    for number in (next(numbers) for _ in range(EACH)):
        turn, ask = TurnId(f"asked {number}"), Ask(f"bench:{number}", PERSON, "And now?", (name,))
        before = time.perf_counter()
        outcome = await store.transact(lambda tx, ask=ask, turn=turn: admit(tx, ROOMY, ask, turn, NOW))  # type: ignore[misc]
        times.append(time.perf_counter() - before)
        if not isinstance(outcome, Admission):
            raise TypeError(f"a question was refused: {outcome}")
        await store.transact(lambda tx, turn=turn: tx.release(turn, "busy", NOW))  # type: ignore[misc]
    return figures(times, time.perf_counter() - begun)


async def compare(kind: str, url: str) -> None:
    """Measure one database."""
    numbers = count()
    async with await open_store(url, FixedClock()) as store:
        for turns, summaries in ((10, False), (500, False), (50, True), (500, True)):
            name = f"{turns} turns{', summed up' if summaries else ''}"
            await store.transact(lambda tx, n=name, t=turns, s=summaries: talk(tx, n, t, summaries=s))  # type: ignore[misc]
            result = middle([await measure(store, name, numbers) for _ in range(RUNS)])
            print(COLUMNS.format(f"{kind}: {name}", f"{result.p50:.2f}", f"{result.p99:.2f}"), flush=True)


async def main() -> None:
    """Measure and print a table."""
    print("Admitting one question in a conversation of 400 tokens a turn, to a window of 128,000")
    print(COLUMNS.format("", "p50 ms", "p99 ms"))
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        async with stores(Path(name)) as urls:
            for kind, url in urls.items():
                await compare(kind, url)


if __name__ == "__main__":
    asyncio.run(main())
