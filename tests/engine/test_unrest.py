"""A model that comes and goes all night is told so once, and then what it has settled down to."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alerts import AlertKind
from engine.breaker import closing, opening
from engine.circuit import Fuse, opened
from engine.errors import LateError
from engine.facts import Mode
from engine.ledger import Tx
from engine.unrest import AGAIN, STEADY, Unrest, Word, calmed, fell, history, rose, span
from engine.watch import Watch
from storage.postgres import PostgresBackend
from storage.postgres_connection import Patience
from storage.store import Store, open_store
from tests.engine.alarms import told
from tests.engine.conftest import Hall
from tests.fakes.clock import NOON, FakeClock

NAME = "one/quick-1"
MINUTE = timedelta(minutes=1)
LOOK = timedelta(seconds=30)
MOST = 7
"""Words within an hour: down, back, flapping, and from then on two for each rest, which doubles."""
DOWN, BACK, FLAPPING = AlertKind.VENDOR_DOWN, AlertKind.VENDOR_BACK, AlertKind.VENDOR_FLAPPING


class Night:
    """What is told of a model whose changes and looks are given."""

    def __init__(self) -> None:
        self.now = NOON
        self.known: Unrest | None = None
        self.since = NOON
        self.words: list[tuple[datetime, Word]] = []

    @property
    def down(self) -> bool:
        """The truth."""
        return self.known is not None and self.known.down

    def change(self) -> None:
        """It goes down, or comes back."""
        before = self.known
        if self.down:
            self._say(rose(before, NAME, self.since, self.now))
        else:
            self.since = self.now
            self._say(fell(before, NAME, self.now))

    def look(self) -> None:
        """A round of the watch."""
        if self.known:
            self._say(calmed(self.known, self.now))
            if self.known.over(self.now):
                self.known = None

    def passes(self, span: timedelta, every: timedelta = LOOK) -> None:
        """Time goes by, with looks."""
        end = self.now + span
        while self.now + every <= end:
            self.now += every
            self.look()
        self.now = end

    def _say(self, step: tuple[Unrest, Word | None]) -> None:
        self.known, word = step
        if word:
            self.words.append((self.now, word))


GAPS = st.one_of(st.integers(1, 120), st.integers(1, 5_000))
NIGHTS = st.lists(GAPS, max_size=60)


@given(NIGHTS, st.sampled_from([LOOK, 7 * MINUTE]))
def test_an_hour_brings_few_words_and_the_last_one_is_true(gaps: list[int], every: timedelta) -> None:
    night = Night()
    for seconds in gaps:
        night.change()
        night.passes(timedelta(seconds=seconds), every)
    down = night.down
    for at, _ in night.words:
        assert sum(at <= other < at + timedelta(hours=1) for other, _ in night.words) <= MOST
    night.passes(AGAIN + every, every)
    said = [word for _, word in night.words]
    assert all(one is not other for one, other in itertools.pairwise(said))
    assert said[-1:] == ([Word.DOWN if down else Word.BACK] if gaps else [])


@given(NIGHTS)
def test_whoever_looks_or_not_what_is_said_at_a_change_is_the_first_time_alone(gaps: list[int]) -> None:
    """Without any look, an outage that begins unrest is told, its end, and that it came again."""
    night = Night()
    for seconds in gaps:
        calm = not night.down and (not night.known or night.known.over(night.now))
        heard = len(night.words)
        night.change()
        if calm:
            assert [word for _, word in night.words[heard:]] == [Word.DOWN]
        night.now += timedelta(seconds=seconds)


def test_the_seventh_word_of_an_hour_can_be_heard() -> None:
    """The bound is not a loose one."""
    night = Night()
    night.change()
    for rest in (timedelta(0), STEADY, 2 * STEADY):
        night.change()
        night.passes(rest)
        night.change()
    assert night.now - NOON < timedelta(hours=1)
    assert len(night.words) == MOST


def test_one_outage_is_told_as_ever() -> None:
    night = Night()
    night.change()
    night.passes(5 * MINUTE)
    night.change()
    night.passes(AGAIN)
    night.change()
    assert [word for _, word in night.words] == [Word.DOWN, Word.BACK, Word.DOWN]


def test_a_model_that_stays_down_after_all_is_told_to_be_down_and_is_back_once_it_is_steady() -> None:
    night = Night()
    for _ in range(5):
        night.change()
        night.passes(MINUTE)
    assert [word for _, word in night.words] == [Word.DOWN, Word.BACK, Word.FLAPPING]
    night.passes(STEADY)
    assert night.words[-1] == (night.now - MINUTE, Word.DOWN)
    night.change()
    night.passes(2 * STEADY - LOOK)
    assert night.words[-1][1] is Word.DOWN
    night.passes(LOOK)
    assert night.words[-1] == (night.now, Word.BACK)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        (
            Word.FLAPPING,
            "down 3 times since 2026-11-24 12:00 UTC; next word when it has been steady for 15 min",
        ),
        (
            Word.DOWN,
            (
                "down for 15 min now, the last of 3 times since 2026-11-24 12:00 UTC;"
                " next word when it has been back for 15 min"
            ),
        ),
        (Word.BACK, "back for 15 min now; it was down 3 times between 2026-11-24 12:00 UTC and then"),
    ],
)
def test_words_tell_how_often_since_when_and_when_there_is_more(word: Word, shown: str) -> None:
    at = NOON + 30 * MINUTE
    assert history(Unrest(NAME, NOON, at, downs=3), word, at + STEADY) == shown


def test_lengths_are_told_shortly() -> None:
    assert [span(timedelta(seconds=each)) for each in (0, 59, 61, 3_600, 7_500)] == [
        "0 s",
        "59 s",
        "1 min",
        "1 h 00 min",
        "2 h 05 min",
    ]


class Seat:
    """What an operator hears of a model, whatever the process."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.heard: list[tuple[AlertKind, str]] = []

    async def down(self) -> None:
        """It keeps failing."""
        circuit = opened(NAME, self.hall.clock.now(), None, "529: overloaded", Fuse())
        await self.hall.store.transact(lambda tx: opening(tx, circuit))
        await self._hear()

    async def back(self) -> None:
        """It answers again."""
        now = self.hall.clock.now()
        (circuit,) = await self.hall.store.read(lambda tx: tx.circuits())
        await self.hall.store.transact(lambda tx: closing(tx, circuit, now))
        await self._hear()

    async def later(self, length: timedelta, watches: int = 1) -> None:
        """Some processes look after a while, all at once; none of them knows what it did before."""
        self.hall.clock.advance(length)
        hall = self.hall
        clocks = [FakeClock(hall.clock.now() + timedelta(microseconds=number)) for number in range(watches)]
        looks = [Watch(hall.store, clock, Mode.LIVE, AGAIN).calm() for clock in clocks]
        await asyncio.gather(*looks)
        await self._hear()

    async def _hear(self) -> None:
        self.heard += [(kind, detail) for kind, _, detail in await told(self.hall)]

    @property
    def kinds(self) -> Sequence[AlertKind]:
        """What was told so far."""
        return [kind for kind, _ in self.heard]


async def test_a_night_of_coming_and_going_is_four_words_whatever_the_number_of_processes(hall: Hall) -> None:
    seat = Seat(hall)
    for _ in range(20):
        await seat.down()
        await seat.later(MINUTE, watches=2)
        await seat.back()
        await seat.later(MINUTE, watches=2)
    assert seat.kinds == [DOWN, BACK, FLAPPING]
    await seat.later(STEADY - MINUTE, watches=4)
    await seat.later(MINUTE, watches=4)
    assert seat.heard == [
        (DOWN, "529: overloaded"),
        (BACK, "it was down for 1 min, since 2026-11-24 12:00 UTC"),
        (
            FLAPPING,
            (
                "529: overloaded\n"
                "down 2 times since 2026-11-24 12:00 UTC; next word when it has been steady for 15 min"
            ),
        ),
        (BACK, "back for 15 min now; it was down 20 times between 2026-11-24 12:00 UTC and then"),
    ]


async def test_one_that_is_down_to_stay_is_told_with_its_cause(hall: Hall) -> None:
    seat = Seat(hall)
    await seat.down()
    await seat.back()
    await seat.down()
    await seat.later(STEADY)
    await seat.later(AGAIN)
    assert seat.kinds == [DOWN, BACK, FLAPPING, DOWN]
    assert seat.heard[-1][1] == (
        "529: overloaded\n"
        "down for 15 min now, the last of 2 times since 2026-11-24 12:00 UTC;"
        " next word when it has been back for 30 min"
    )


async def test_a_model_that_has_been_well_for_long_is_forgotten(hall: Hall) -> None:
    seat = Seat(hall)
    await seat.down()
    await seat.back()
    await seat.later(AGAIN - LOOK)
    assert await hall.store.read(lambda tx: tx.unrests())
    await seat.later(LOOK, watches=3)
    assert not await hall.store.read(lambda tx: tx.unrests())
    await seat.down()
    assert seat.kinds == [DOWN, BACK, DOWN]


async def test_a_model_that_was_down_before_any_of_this_was_kept_is_told_to_be_back(hall: Hall) -> None:
    circuit = opened(NAME, hall.clock.now(), None, "529", Fuse())
    await hall.store.transact(lambda tx: tx.open_circuit(circuit))
    seat = Seat(hall)
    await seat.later(MINUTE)
    await seat.back()
    assert seat.kinds == [BACK]


async def test_two_processes_that_find_it_out_at_once_tell_it_once(hall: Hall) -> None:
    circuits = [
        opened(NAME, hall.clock.now() + timedelta(seconds=number), None, "529", Fuse()) for number in range(4)
    ]
    await asyncio.gather(*(hall.store.transact(partial(opening, circuit=each)) for each in circuits))
    assert [kind for kind, _, _ in await told(hall)] == [DOWN]
    (known,) = await hall.store.read(lambda tx: tx.unrests())
    assert known.downs == 1


@pytest.mark.postgres
async def test_whoever_decides_about_a_model_waits_for_whoever_is_deciding(
    postgres_url: str, clock: FakeClock
) -> None:
    held, done = threading.Event(), threading.Event()

    def deciding(tx: Tx) -> None:
        tx.hold_unrest(NAME)
        held.set()
        done.wait(10)

    hasty = Store(PostgresBackend(postgres_url, Patience(lock=0.1)))
    async with await open_store(postgres_url, clock) as other, hasty as mine:
        await other.transact(lambda tx: tx.keep_unrest(Unrest(NAME, NOON, NOON, downs=2, said=Word.FLAPPING)))
        holding = asyncio.create_task(other.transact(deciding))
        await asyncio.to_thread(held.wait, 10)
        clock.advance(STEADY)
        with pytest.raises(LateError):
            await Watch(mine, clock, Mode.LIVE, AGAIN).calm()
        done.set()
        await holding
        assert await Watch(mine, clock, Mode.LIVE, AGAIN).calm() == 1
