"""How operators stop a member, the free tier, a model or everything, and let them go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.applying import close_checkout
from engine.audit import Actor, Deed, Entry
from engine.blocks import Block
from engine.catalogue import Wares, still_running
from engine.domain import Person
from engine.facts import AttemptStatus, Mode, Subscription
from engine.ledger import Tx, locked
from engine.pauses import ALL, FREE, MODEL, Pause
from engine.ports import Clock, Store

LONGEST_WHY = 200
"""Characters of an operator's note."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """What a block found: answers that it stops, and what goes on all the same."""

    person: Person
    stopped: int
    running: Sequence[Subscription]
    """They go on charging."""
    seats: int
    """Others in a team of theirs, who go on being answered."""


class Halting:
    """Blocks and pauses; each is in the audit log, and holds in all processes from the next question on."""

    def __init__(self, store: Store, clock: Clock, wares: Wares, mode: Mode) -> None:
        self._store = store
        self._clock = clock
        self._wares = wares
        self._mode = mode

    async def block(self, actor: Actor, person: Person, why: str = "") -> Blocked:
        """Let a person ask and buy nothing more, and stop what they are at; a subscription goes on."""
        now = self._clock.now()

        def work(tx: Tx) -> Blocked:
            account = locked(tx, person) or tx.lock_account(person, now)
            tx.block(account.id, now, why.strip()[:LONGEST_WHY])
            tx.release_expired(now, account.id)
            stopped = tx.ask_stop(account.id, now)
            tx.note(Entry(now, actor, Deed.BLOCK, str(person)))
            if attempt := tx.open_attempt(account.id, self._mode):
                close_checkout(tx, attempt, AttemptStatus.SUPERSEDED, now)
            running = still_running(tx.subscriptions(account.id, self._mode))
            return Blocked(person, len(stopped), running, len(tx.team_members(account.id, self._mode)))

        return await self._store.transact(work)

    async def unblock(self, actor: Actor, person: Person) -> bool:
        """Let them ask again; False if they might all along, which is not worth an entry."""
        now = self._clock.now()

        def work(tx: Tx) -> bool:
            account = locked(tx, person)
            done = account is not None and tx.unblock(account.id)
            if done:
                tx.note(Entry(now, actor, Deed.UNBLOCK, str(person)))
            return done

        return await self._store.transact(work)

    async def blocked(self) -> Sequence[Block]:
        """All who are blocked, the newest first."""
        return await self._store.read(lambda tx: tx.blocked())

    async def pause(self, actor: Actor, what: str, until: datetime | None = None, why: str = "") -> Pause:
        """Pause all, the free tier or a model; answers being written come to their end.

        ValueError, in words: there is no such model, or the time is over.
        """
        now = self._clock.now()
        if until is not None and until <= now:
            message = f"{until:%Y-%m-%d %H:%M} UTC is over"
            raise ValueError(message)
        pause = Pause(self._named(what), now, until, why.strip()[:LONGEST_WHY])

        def work(tx: Tx) -> None:
            tx.pause(pause)
            ends = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until resumed"
            tx.note(Entry(now, actor, Deed.PAUSE, pause.what, ends))

        await self._store.transact(work)
        return pause

    async def resume(self, actor: Actor, what: str) -> bool:
        """End a pause; False if there is none, also of a model that is no longer in config.toml."""
        now, name = self._clock.now(), self._named(what, known=False)

        def work(tx: Tx) -> bool:
            done = tx.resume(name, now)
            if done:
                tx.note(Entry(now, actor, Deed.RESUME, name))
            return done

        return await self._store.transact(work)

    async def pauses(self) -> Sequence[Pause]:
        """All that is paused now."""
        now = self._clock.now()
        return await self._store.read(lambda tx: tx.pauses(now))

    def _named(self, what: str, *, known: bool = True) -> str:
        """The name of a pause from what an operator writes."""
        folded = what.strip().casefold()
        if folded in {ALL, FREE}:
            return folded
        catalogue = self._wares.today
        spec = catalogue.find(what)
        if spec is None and known:
            names = ", ".join(each.name for each in catalogue.models)
            message = f"there is no model {what.strip()!r}: write all, free, or one of {names}"
            raise ValueError(message)
        return f"{MODEL}{spec.name if spec else what.strip()}"
