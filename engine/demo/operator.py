"""What the operator does in the story: gives, blocks, pauses, announces, tries again what was given up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle
from random import Random

from engine.announcements import Fate
from engine.announcing import Announcing
from engine.audit import Actor, Origin
from engine.demo.clock import PlayedClock
from engine.demo.people import Character
from engine.domain import Person, Platform, TierName
from engine.facts import Mode
from engine.gifts import Gifts
from engine.giving import Giving
from engine.halting import Halting
from engine.ledger import Tx
from engine.pauses import FREE
from engine.ports import Store
from engine.steering import Steering

CHAT = Actor.in_chat(Person(Platform.LOCAL, "", "alice"))
"""Whom the command's last words name in ADMIN_IDS."""
PAGES, SHELL = Actor("local:alice", Origin.DASHBOARD), Actor("console:operator", Origin.CONSOLE)
CODES, GIFT_DAYS = 5, 14
NEWS = "The bot speaks four languages now: choose yours with /language."
UNREACHABLE = 0.03
LEASE = timedelta(seconds=30)
Act = Callable[[], Awaitable[object]]
Planned = tuple[float, timedelta, Act]
"""How far the days have come, how much later still, and what is done then."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What operators work with."""

    giving: Giving
    gifts: Gifts
    halting: Halting
    announcing: Announcing
    steering: Steering


class Operator:
    """Somebody with an eye on everything; each deed goes into the audit log by itself."""

    def __init__(
        self,
        tools: Tools,
        store: Store,
        clock: PlayedClock,
        mode: Mode,
        people: Sequence[Character],
        rng: Random,
    ) -> None:
        """`people` are some who pay nothing, to be given something or blocked; at least one."""
        self._tools = tools
        self._store = store
        self._clock = clock
        self._mode = mode
        self._rng = rng
        cast = cycle(each.person for each in rng.sample(list(people), len(people)))
        self._friends = [next(cast) for _ in range(CODES - 1)]
        self._tester, self._guest, self._unlucky, self._rude, self._spammer = (next(cast) for _ in range(5))
        self._codes: list[str] = []

    def plan(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, Act]]:
        """Everything, with when it is to be done."""
        for share, later, act in (*self._gifts(), *self._presents(), *self._order(), *self._looks()):
            yield since + (until - since) * share + later, act

    def _gifts(self) -> Iterator[Planned]:
        yield 0.05, timedelta(0), self._make_codes
        for place, who in enumerate(self._friends):
            yield 0.1 + 0.13 * place, timedelta(minutes=7), partial(self._redeem, who)
        yield 0.7, timedelta(0), self._void

    def _presents(self) -> Iterator[Planned]:
        give = self._tools.giving
        yield (
            0.12,
            timedelta(0),
            partial(self._grant, self._tester, TierName.PRO, timedelta(days=60), "tests for us"),
        )
        yield (
            0.2,
            timedelta(0),
            partial(self._grant, self._guest, TierName.PREMIUM, timedelta(days=30), "a talk"),
        )
        yield 0.9, timedelta(0), partial(give.revoke, CHAT, self._guest)
        yield 0.18, timedelta(0), partial(give.credit, CHAT, self._unlucky, 20, note="answers were cut")
        yield 0.3, timedelta(0), partial(give.credit, SHELL, self._tester, 5)
        yield 0.74, timedelta(0), partial(give.uncredit, SHELL, self._tester)

    def _order(self) -> Iterator[Planned]:
        halt = self._tools.halting
        yield 0.4, timedelta(0), partial(halt.block, CHAT, self._rude, "insults")
        yield 0.5, timedelta(0), partial(halt.unblock, CHAT, self._rude)
        yield 0.6, timedelta(0), partial(halt.block, SHELL, self._spammer, "spam")
        yield 0.58, timedelta(0), partial(self._pause, FREE, timedelta(minutes=40), "a vendor asked for less")
        yield 0.58, timedelta(minutes=25), partial(halt.resume, CHAT, FREE)
        yield 0.25, timedelta(0), self._announce

    def _looks(self) -> Iterator[Planned]:
        look, mode = self._tools.steering, self._mode
        for place, who in enumerate((self._unlucky, self._rude, self._tester)):
            yield 0.17 + 0.2 * place, timedelta(0), partial(look.why, CHAT, who)
        yield 0.33, timedelta(0), partial(look.stats, CHAT, 7)
        yield 0.8, timedelta(0), partial(look.dead_letters, SHELL, mode)
        yield 0.8, timedelta(minutes=2), partial(look.retry, PAGES, mode)

    async def _make_codes(self) -> None:
        made = await self._tools.gifts.make(SHELL, TierName.PREMIUM, GIFT_DAYS, CODES)
        self._codes = list(made) if isinstance(made, list) else []

    async def _redeem(self, who: Person) -> None:
        if self._codes:
            await self._tools.gifts.redeem(who, self._codes.pop())

    async def _void(self) -> None:
        """The last code was seen by too many."""
        if self._codes:
            await self._tools.gifts.void(SHELL, self._codes.pop())

    async def _grant(self, who: Person, tier: TierName, long: timedelta, note: str) -> None:
        await self._tools.giving.grant(CHAT, who, tier, self._clock.now() + long, note)

    async def _pause(self, what: str, long: timedelta, why: str) -> None:
        await self._tools.halting.pause(CHAT, what, self._clock.now() + long, why)

    async def _announce(self) -> None:
        """Write it, send it, and let everybody have it."""
        announcing = self._tools.announcing
        name = await announcing.draft(await announcing.preview(CHAT, NEWS))
        await announcing.confirm(CHAT, name)
        while await announcing.gather():
            pass
        now, luck = self._clock.now(), self._rng.random()
        await self._store.transact(lambda tx: deliver(tx, now, Random(luck)))  # noqa: S311 - a story, told twice alike
        await announcing.sweep()


def deliver(tx: Tx, now: datetime, rng: Random) -> None:
    """What the platforms would do with an announcement."""
    for platform in Platform:
        while letter := tx.claim_letter(platform, now, now + LEASE):
            fate = Fate.UNREACHABLE if rng.random() < UNREACHABLE else Fate.SENT
            tx.letter_ended(letter.key, fate if letter.listens else Fate.OPTED_OUT, now)
