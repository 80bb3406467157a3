"""A process of its own on a database, for tests of several: python -m tests.storage.process COMMAND URL."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from uuid import uuid4

from engine.admission import Admission, Desk, admit
from engine.budget import Ceilings
from engine.domain import Ask, Conversation, ConversationId, Micros, Person, Place, Platform, TurnId
from engine.facts import Mode
from engine.ledger import Tx
from engine.models import Chunk, Completion, TextDelta
from engine.summaries import Summaries
from engine.summarising import Summarising
from engine.turns import Hold
from storage.store import Store, migrate, open_store
from tests.engine.conftest import CATALOGUE
from tests.fakes.clock import NOON, FakeClock

ANN = Person(Platform.LOCAL, "", "ann")
LIMIT = 30
PLACE = Place(Platform.DISCORD, "1")
DESK = Desk(CATALOGUE, Mode.TEST, "", "process")
CEILINGS = Ceilings(bot_month=Micros(10**9), free_day=Micros(30_000), vendor_day={"one": Micros(10**9)})


def hold_within_limit(tx: Tx) -> bool:
    """Hold a turn in a new conversation, if Ann has fewer than LIMIT today."""
    account = tx.lock_account(ANN, NOON)
    if tx.usage(account.id, NOON).conversations_today >= LIMIT:
        return False
    conversation = Conversation(ConversationId(uuid4().hex), account.id, NOON, NOON, 0)
    tx.open_conversation(conversation)
    tx.hold(
        Hold(
            turn=TurnId(uuid4().hex),
            account=account.id,
            conversation=conversation.id,
            key=uuid4().hex,
            model="demo",
            prompt="?",
            estimate=Micros(1),
            owner="process",
            started_at=NOON,
            lease_until=NOON + timedelta(minutes=1),
        )
    )
    return True


async def contend(url: str) -> None:
    """Once told to on stdin, try 100 holds at once; print how many passed."""
    async with await open_store(url, FakeClock()) as store:
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        granted = await asyncio.gather(*(store.transact(hold_within_limit) for _ in range(100)))
        say(sum(granted))


def ask_in_pool(number: str, tx: Tx) -> bool:
    """Whether a member of their own may ask at PLACE."""
    member = Person(Platform.DISCORD, "", number)
    ask = Ask(f"discord:message:{number}", member, "Hi", place=PLACE)
    return isinstance(admit(tx, DESK, ask, TurnId(uuid4().hex), NOON), Admission)


async def drain(url: str) -> None:
    """Once told to on stdin, let 25 members ask at once; print how many were let in."""
    async with await open_store(url, FakeClock()) as store:
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        members = [uuid4().hex for _ in range(25)]
        let_in = await asyncio.gather(*(store.transact(partial(ask_in_pool, one)) for one in members))
        say(sum(let_in))


def ask_of_house(number: str, tx: Tx) -> bool:
    """Whether a member of their own may ask, where free members may cost what CEILINGS say."""
    ask = Ask(f"local:{number}", Person(Platform.LOCAL, "", number), "Hi")
    return isinstance(admit(tx, replace(DESK, ceilings=CEILINGS), ask, TurnId(uuid4().hex), NOON), Admission)


async def spend(url: str) -> None:
    """Once told to on stdin, let 25 members ask at once; print how many were let in."""
    async with await open_store(url, FakeClock()) as store:
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        members = [uuid4().hex for _ in range(25)]
        let_in = await asyncio.gather(*(store.transact(partial(ask_of_house, one)) for one in members))
        say(sum(let_in))


def take_one_of_each(tx: Tx) -> list[str]:
    """Take a turn and begin a job, and claim a duty, a report and a customer, each for a minute."""
    until = NOON + timedelta(minutes=1)
    turn = tx.take_turn(Mode.TEST, NOON, timedelta(milliseconds=100))
    begun = ["job"] if tx.begin_job("job", NOON, until) is not None else []
    duties = [duty.id for duty in tx.claim_duties(Mode.TEST, NOON, until, 1)]
    reports = [report.identifier for report in tx.claim_reports(Mode.TEST, NOON, until, 1)]
    customers = [dirty.customer for dirty in tx.claim_dirty(Mode.TEST, NOON, until, uuid4().hex, 1)]
    return [f"turn {(turn - NOON) / timedelta(milliseconds=100):g}", *begun, *duties, *reports, *customers]


async def share(url: str) -> None:
    """Once told to on stdin, take 60 times, several at once; print all that was taken."""
    async with await open_store(url, FakeClock()) as store:
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        taken = await asyncio.gather(*(store.transact(take_one_of_each) for _ in range(60)))
        say(",".join(name for names in taken for name in names))


async def claim(url: str) -> None:
    """Claim keys without end, several callers at once; print each one that is acknowledged."""
    async with await open_store(url, FakeClock()) as store:
        keys = count()
        await asyncio.gather(*(claim_on(store, keys) for _ in range(5)))


async def claim_on(store: Store, keys: count[int]) -> None:
    """Claim one key after another."""
    for key in keys:
        await store.transact(partial(take, str(key)))
        say(key)


def take(key: str, tx: Tx) -> bool:
    """Claim one key."""
    return tx.claim(key, NOON)


class Silent:
    """A model that says when it is asked, and then nothing."""

    async def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        """Never answer."""
        say(f"asked {completion.vendor_id}")
        await asyncio.Event().wait()
        yield TextDelta("")


async def summarise(url: str) -> None:
    """Take what is to be summed up, and ask a model for it that never answers."""
    models = {"one": Silent(), "two": Silent()}
    desk = Desk(CATALOGUE, Mode.TEST, "", "process", summaries=Summaries(on=True, model=None))
    async with await open_store(url, FakeClock()) as store:
        await Summarising(store, FakeClock(), models, lambda: desk).work()


async def prepare(url: str) -> None:
    """Once told to on stdin, migrate; print what was applied."""
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    say(",".join(await migrate(url, FakeClock())) or "nothing")


def say(word: object) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


COMMANDS: dict[str, Callable[[str], Awaitable[None]]] = {
    "contend": contend,
    "share": share,
    "drain": drain,
    "spend": spend,
    "claim": claim,
    "summarise": summarise,
    "migrate": prepare,
}


async def main(command: str, url: str) -> None:
    """Run one command."""
    await COMMANDS[command](url)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
