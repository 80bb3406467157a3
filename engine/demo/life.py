"""Tells the whole story, from the first purchase to today."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random

from engine.breaker import closing, name_of, opening
from engine.circuit import Fuse, opened
from engine.demo.answers import Scene, Told, tell_all
from engine.demo.endings import Outage
from engine.demo.operator import Operator
from engine.demo.people import Character, Purchase, Times, population
from engine.demo.stage import Stage, Timetable
from engine.demo.talk import Question, in_order
from engine.demo.trade import Trade
from engine.domain import Interval, TierName
from engine.ledger import Tx

BEFORE = timedelta(days=75)
"""How long before the days that are told the first ones bought, unless these are few."""
AT_ONCE = 120
"""Questions in one unit of work."""
TEMPTED, PAYS, BROWSES, BUYS = 0.12, 0.55, 0.25, 0.3
"""Who opens a checkout at a limit, who pays there; who looks at the plans, and opens one then."""
ROUNDS = 4
"""How often a day what falls due is looked for."""
UNREACHABLE = 0.02
OUTAGES = (
    (0.35, "anthropic", timedelta(hours=4, minutes=20)),
    (0.62, "gemini", timedelta(minutes=50)),
    (0.83, "openai", timedelta(hours=1, minutes=35)),
)
"""How far the month has come when a vendor falls silent, and for how long."""
LETTERS = 2
"""How many the operator finds among the dead letters."""
BUSY, FORGED, RETRIED = 0.2, 0.66, 0.78
"""How far the days have come when we take no events for a while, when a stranger sends some, and when a
letter is lost that the operator tries again."""
PLATFORMS = ("discord", "slack", "local")
Shown = Callable[[int, int, int], None]
"""Told after each day: its number, of how many, and the turns until then."""


@dataclass(frozen=True, slots=True)
class Plot:
    """How long a story, with how many people; the same seed tells it the same."""

    days: int
    members: int
    seed: int
    until: datetime

    @property
    def since(self) -> datetime:
        """The first midnight of the days that are told."""
        midnight = self.until.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=self.days - 1)

    @property
    def first(self) -> datetime:
        """Before anything happens at all."""
        return self.since - min(BEFORE, 3 * timedelta(days=self.days))

    def outages(self) -> tuple[Outage, ...]:
        """When which vendor does not answer."""
        span = self.until - self.since
        starts = [(self.since + span * part, name, long) for part, name, long in OUTAGES]
        return tuple(Outage(name, start, start + long) for start, name, long in starts)


@dataclass(slots=True)
class Tally:
    """What was told."""

    asked: int = 0
    turns: int = 0
    refused: int = 0
    opened: int = 0
    bought: set[int] = field(default_factory=set)


class Life:
    """One telling of a plot on a stage."""

    def __init__(self, stage: Stage, plot: Plot, shown: Shown) -> None:
        self._stage = stage
        self._plot = plot
        self._shown = shown
        self._rng = Random(f"{plot.seed}:life")  # noqa: S311 - a story, told twice alike
        self._timetable = Timetable(plot.until)
        times = Times(plot.first, plot.since, plot.until)
        self.people = population(plot.members, times, self._rng)
        spare = [each for each in self.people if not each.bought and each.joined <= plot.since]
        self._trade = Trade(stage, self._timetable, plot.seed, spare)
        self._waiting: list[Question] = []
        self._tempted: set[int] = {each.number for each in self.people if each.bought}
        self.tally = Tally()

    async def run(self) -> Tally:
        """Tell it; the clock stands at the end of the plot then."""
        self._plan()
        while found := self._timetable.next():
            at, act = found
            await self._ask_until(at)
            self._stage.clock.reach(at)
            await act()
        await self._ask_until(self._plot.until)
        self._stage.clock.reach(self._plot.until)
        await self._fall_due()
        return self.tally

    def _plan(self) -> None:
        self._plan_members()
        self._plan_days()
        for at, act in self._operator().plan(self._plot.since, self._plot.until):
            self._timetable.add(at, act)
        for outage in self._plot.outages():
            self._timetable.add(outage.since + timedelta(seconds=50), partial(self._silent, outage))
        for number in range(LETTERS):
            self._timetable.add(self._plot.until - timedelta(hours=7 + 20 * number), self._lose_a_letter)
            self._timetable.add(self._plot.until - timedelta(hours=3 + 9 * number), self._trade.lose_a_report)
        span = self._plot.until - self._plot.since
        for share, act in (
            (BUSY, partial(self._trade.turn_away, 5)),
            (FORGED, partial(self._trade.forge, 4)),
            (RETRIED, self._lose_a_letter),
        ):
            self._timetable.add(self._plot.since + span * share, act)

    def _operator(self) -> Operator:
        """They have to do with those who pay nothing; alice and her neighbours have a past of their own."""
        free = [each for each in self.people if not each.bought and each.joined <= self._plot.since]
        rng = Random(f"{self._plot.seed}:operator")  # noqa: S311 - as above
        stage, mode = self._stage, self._stage.subscriptions.mode
        return Operator(stage.tools, stage.store, stage.clock, mode, free or self.people, rng)

    def _plan_members(self) -> None:
        for who in self.people:
            if who.bought:
                self._timetable.add(who.joined, partial(self._buy, who, who.bought, pays=True))
            elif self._rng.random() < BROWSES:
                at = who.joined + (self._plot.until - who.joined) * self._rng.random()
                self._timetable.add(at, partial(self._browse, who))

    def _plan_days(self) -> None:
        for number in range((self._plot.until - self._plot.first).days + 1):
            day = self._plot.first + timedelta(days=number)
            for part in range(ROUNDS if day >= self._plot.since else 1):
                self._timetable.add(day + timedelta(hours=24 * part / ROUNDS, minutes=7), self._fall_due)
        for number in range(self._plot.days):
            self._timetable.add(self._plot.since + timedelta(days=number), partial(self._dawn, number))

    async def _dawn(self, number: int) -> None:
        """A day begins: what everybody will ask on it."""
        day = self._plot.since + timedelta(days=number)
        self._shown(number, self._plot.days, self.tally.turns)
        self._waiting += in_order(self.people, day, self._plot.seed)
        self._waiting.sort(key=lambda each: (each.at, each.ask.key))

    async def _ask_until(self, moment: datetime) -> None:
        """Let everything be asked that is asked before then."""
        edge = min(moment, self._plot.until - timedelta(minutes=3))
        due = [each for each in self._waiting if each.at < edge]
        self._waiting = self._waiting[len(due) :]
        for start in range(0, len(due), AT_ONCE):
            batch = due[start : start + AT_ONCE]
            self._stage.clock.reach(batch[0].at)
            scene = Scene(self._stage.chat.desk, self._plot.outages(), self._plot.seed)
            self._heard(await self._stage.store.transact(partial(tell_all, scene=scene, questions=batch)))

    def _heard(self, told: Sequence[Told]) -> None:
        over = {each.talk for each in told if each.ends}
        self._waiting = [each for each in self._waiting if each.talk not in over]
        for each in told:
            self.tally.asked += 1
            self.tally.turns += each.answered
            self.tally.refused += each.refused is not None
            if each.offer and each.asker.number not in self._tempted and self._rng.random() < TEMPTED:
                self._tempt(each.asker, each.at, each.offer.tier)

    def _tempt(self, who: Character, at: datetime, tier: TierName) -> None:
        """Somebody who met a limit opens a checkout, to pay or to think better of it."""
        self._tempted.add(who.number)
        interval = Interval.YEAR if self._rng.random() < 0.15 else Interval.MONTH  # noqa: PLR2004 - as told
        later = at + timedelta(minutes=self._rng.uniform(0.5, 45))
        pays = self._rng.random() < PAYS
        self._timetable.add(later, partial(self._buy, who, Purchase(tier, interval), pays=pays))

    async def _browse(self, who: Character) -> None:
        await self._stage.checkout.prices_shown(who.person)
        if who.number not in self._tempted and self._rng.random() < BUYS:
            self._tempt(who, self._stage.clock.now(), self._rng.choice((TierName.PREMIUM, TierName.PRO)))

    async def _buy(self, who: Character, what: Purchase, *, pays: bool) -> None:
        self.tally.opened += 1
        await self._trade.buy(who, what, pays=pays)
        if pays:
            self.tally.bought.add(who.number)

    async def _fall_due(self) -> None:
        """What the jobs of a running bot would do."""
        queues: Sequence[Callable[[], Awaitable[int]]] = (
            self._stage.subscriptions.look,
            self._stage.subscriptions.work,
            self._stage.duties.work,
            self._stage.dispatch.seal,
            self._stage.dispatch.work,
        )
        for queue in queues:
            while await queue():
                pass
        now, mode = self._stage.clock.now(), self._stage.subscriptions.mode
        luck = self._rng.random()

        def work(tx: Tx) -> None:
            """Notices are read, and alerts taken note of."""
            rng = Random(luck)  # noqa: S311 - as above
            for each in tx.claim_notices(mode, now, now, PLATFORMS, 10_000):
                if rng.random() < UNREACHABLE:
                    tx.keep_notice(each.id)
                else:
                    tx.notice_sent(each.id, now)
            tx.address_alerts((), (), now, 10_000)

        await self._stage.store.transact(work)

    async def _silent(self, outage: Outage) -> None:
        """A vendor's models are left alone until they answer again."""
        now, specs = self._stage.clock.now(), self._stage.chat.desk.catalogue.models
        names = [name_of(spec) for spec in specs if spec.provider == outage.provider]
        circuits = [opened(name, now, None, "503: overloaded (simulated)", Fuse()) for name in names]

        def work(tx: Tx) -> None:
            for circuit in circuits:
                opening(tx, circuit)

        def after(tx: Tx) -> None:
            for circuit in circuits:
                closing(tx, circuit, outage.until)

        async def back() -> None:
            await self._stage.store.transact(after)

        await self._stage.store.transact(work)
        self._timetable.add(outage.until, back)

    async def _lose_a_letter(self) -> None:
        """Something that the operator finds among the dead letters."""
        paying = [each for each in self.people if each.bought]
        await self._trade.give_up(self._rng.choice(paying))
