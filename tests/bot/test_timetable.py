"""Who may write when: whatever is wished for, and however long writes take."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count, pairwise
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.timetable import WRITES, Kind, Pace, Timetable, Wish

PACE = Pace(channel=1.25, process=45)
WINDOW = 4 * PACE.channel


@dataclass(slots=True)
class Write:
    """One that was granted: where the platform's own time for it lies between `begun` and `ended`."""

    wish: Wish
    asked: float
    begun: float
    ended: float = inf


@dataclass(slots=True)
class Play:
    """Simulated seconds of a process whose writes take as long as `lasting` says, over and over."""

    table: Timetable = field(default_factory=lambda: Timetable(PACE))
    lasting: tuple[float, ...] = (0.2,)
    now: float = 0.0
    writes: list[Write] = field(default_factory=list)
    asked: dict[Wish, float] = field(default_factory=dict)
    again: dict[str, int] = field(default_factory=dict)
    """Streams that wish for another text as soon as one is written, by channel, and their wishes."""
    _ends: list[tuple[float, int, Write]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def ask(self, channel: str, kind: Kind, *, posts: bool = False) -> Wish:
        """Wish for something now."""
        wish = self.table.wish(channel, kind, self.now, posts=posts)
        self.asked[wish] = self.now
        self._grant()
        return wish

    def until(self, end: float) -> None:
        """Let time pass."""
        while (at := min(self.table.next(), self._ends[0][0] if self._ends else inf)) <= end:
            self.now = max(self.now, at)
            while self._ends and self._ends[0][0] <= self.now:
                self._end(heappop(self._ends)[2])
            self._grant()
        self.now = end

    def stream(self, channel: str) -> None:
        """A text that goes on for ever."""
        self.again[channel] = self.again.get(channel, 0) + 1
        self.ask(channel, Kind.PASSING)

    def _grant(self) -> None:
        for wish in self.table.due(self.now):
            number = next(self._numbers)
            write = Write(wish, self.asked[wish], self.now)
            self.writes.append(write)
            heappush(self._ends, (self.now + self.lasting[number % len(self.lasting)], number, write))

    def _end(self, write: Write) -> None:
        write.ended = self.now
        self.table.done(write.wish, self.now)
        if write.wish.kind is Kind.PASSING and write.wish.channel in self.again:
            self.ask(write.wish.channel, Kind.PASSING)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["here", "there", "elsewhere"]),
        st.sampled_from(Kind),
        st.booleans(),
        st.sampled_from([0.0, 0.0, 0.01, 0.3, 1.0, 4.0]),
    ),
    max_size=60,
)
LASTING = st.lists(st.sampled_from([0.0, 0.05, 0.3, 2.0]), min_size=1, max_size=5).map(tuple)
PARTS = st.lists(st.floats(0, 1), min_size=1, max_size=7)


def crowded(times: list[float], seconds: float) -> int:
    """The most that fall into any span of less than so many seconds."""
    times = sorted(times)
    return max((sum(start <= at < start + seconds - 1e-6 for at in times) for start in times), default=0)


@settings(max_examples=60, deadline=None)
@given(EVENTS, LASTING, PARTS)
def test_whatever_happens_no_channel_gets_more_than_it_takes(
    events: list[tuple[str, Kind, bool, float]], lasting: tuple[float, ...], parts: list[float]
) -> None:
    play = Play(lasting=lasting)
    for channel, kind, posts, wait in events:
        play.ask(channel, kind, posts=posts)
        play.until(play.now + wait)
    play.until(play.now + 1000)
    assert len(play.writes) == len(events), "each wish comes true in the end"
    for channel in {event[0] for event in events}:
        for posts in (False, True):
            counted = [
                each.begun + (each.ended - each.begun) * parts[number % len(parts)]
                for number, each in enumerate(play.writes)
                if each.wish.channel == channel and each.wish.posts is posts
            ]
            assert crowded(counted, WINDOW) <= WRITES
        passing = [one.begun for one in play.writes if one.wish.channel == channel and is_passing(one)]
        assert crowded(passing, PACE.channel) <= 1


def is_passing(write: Write) -> bool:
    """Whether it was a text on its way."""
    return write.wish.kind is Kind.PASSING


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from(Kind), st.floats(0, 0.01)), min_size=80))
def test_the_process_stays_within_its_budget(events: list[tuple[int, Kind, float]]) -> None:
    play = Play()
    for channel, kind, wait in events:
        play.ask(str(channel), kind)
        play.until(play.now + wait)
    play.until(play.now + 1000)
    counted = [each.begun + (number * 7 % 10) / 50 for number, each in enumerate(play.writes)]
    assert crowded(counted, PACE.span) <= PACE.process, "whenever within its 0.2 s each is counted"


def test_what_the_process_may_write_is_written_without_delay() -> None:
    play = Play()
    for number in range(200):
        play.ask(str(number), Kind.FIRST)
    play.until(60)
    assert play.writes[-1].begun < (200 / PACE.process) * (PACE.span + 0.2)


def test_writes_that_hang_hold_up_nobody_elsewhere_for_long() -> None:
    play = Play(lasting=(100.0,))
    for number in range(100):
        play.ask(str(number), Kind.FIRST)
    play.until(21)
    assert len(play.writes) == 100


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), LASTING, st.floats(1, 20))
def test_the_end_of_an_answer_does_not_wait_for_texts_on_their_way(
    streams: int, lasting: tuple[float, ...], at: float
) -> None:
    play = Play(lasting=lasting)
    for _ in range(streams):
        play.stream("here")
    play.until(at)
    wish = play.ask("here", Kind.LAST)
    play.until(play.now + 60)
    (found,) = [each for each in play.writes if each.wish is wish]
    assert found.begun == found.asked, "one write is always kept for it"


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.integers(1, 8), st.floats(1, 20))
def test_many_ends_at_once_wait_no_longer_than_the_channel_needs_for_them(
    ends: int, streams: int, at: float
) -> None:
    play = Play(lasting=(0.1,))
    for _ in range(streams):
        play.stream("here")
    play.until(at)
    for _ in range(ends):
        play.ask("here", Kind.LAST)
    play.until(play.now + 200)
    waits = [each.begun - each.asked for each in play.writes if each.wish.kind is Kind.LAST]
    assert max(waits) <= (WINDOW + 0.1) * ((ends + WRITES - 1) // WRITES)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 9), LASTING)
def test_those_who_stream_in_one_channel_take_turns(streams: int, lasting: tuple[float, ...]) -> None:
    play = Play(lasting=lasting)
    for _ in range(streams):
        play.stream("here")
    play.until(60)
    numbers = [each.wish.number for each in play.writes]
    assert numbers == sorted(numbers), "whoever had a turn queues behind all others"
    assert len(numbers) >= 60 / (PACE.channel + max(lasting) + 0.01)


def test_the_first_text_does_not_wait_for_the_pace() -> None:
    play = Play()
    play.ask("here", Kind.THINKING, posts=True)
    play.until(0.3)
    play.stream("here")
    play.until(2)
    wish = play.ask("here", Kind.FIRST)
    (found,) = [each for each in play.writes if each.wish is wish]
    assert found.begun == 2


def test_what_has_become_more_urgent_is_not_held_up() -> None:
    play = Play()
    for _ in range(3):
        play.ask("here", Kind.PASSING)
    late = play.ask("here", Kind.PASSING)
    play.until(0.5)
    play.table.hasten(late, Kind.LAST, play.now)
    play.until(0.5)
    assert play.writes[-1].wish is late


def test_a_refusal_widens_the_pace_for_a_while() -> None:
    play = Play()
    play.stream("here")
    play.until(10)
    play.table.refused("here", play.now, 2.0)
    play.until(200)
    begun = [each.begun for each in play.writes]
    after = [at for at in begun if at > 10]
    gaps = [later - earlier for earlier, later in pairwise(after)]
    assert after[0] >= 12
    assert gaps[0] > 1.5 * PACE.channel
    assert gaps[-1] < 1.1 * PACE.channel


def test_refusals_without_end_do_not_widen_it_without_end() -> None:
    play = Play()
    play.stream("here")
    for _ in range(20):
        play.until(play.now + 1)
        play.table.refused("here", play.now, 0.1)
    before = len(play.writes)
    play.until(play.now + 6)
    assert len(play.writes) > before


def test_a_refusal_of_everything_holds_up_everybody() -> None:
    play = Play()
    play.table.refused_everywhere(0.0, 3.0)
    play.ask("here", Kind.LAST)
    play.ask("there", Kind.FIRST)
    play.until(10)
    assert [each.begun for each in play.writes] == [3.0, 3.0]


def test_the_last_write_that_the_platform_has_left_is_for_an_end() -> None:
    play = Play()
    play.table.learned("here", 0.0, 1, 4.0, posts=False)
    first, last = play.ask("here", Kind.FIRST), play.ask("here", Kind.LAST)
    play.until(10)
    assert {each.wish: each.begun for each in play.writes} == {last: 0.0, first: 4.0}


def test_who_withdraws_takes_nothing_from_the_others() -> None:
    play = Play()
    gone = [play.ask("here", Kind.PASSING) for _ in range(3)]
    wish = play.ask("here", Kind.PASSING)
    for each in gone[1:]:
        play.table.withdraw(each, play.now)
    play.until(1.3)
    assert [each.wish for each in play.writes] == [gone[0], wish]


def test_channels_that_rest_are_forgotten() -> None:
    play = Play(lasting=(0.0,))
    for number in range(10_000):
        play.ask(str(number), Kind.FIRST)
        play.until(play.now + 0.05)
    assert len(play.table._lanes) < 5000  # noqa: SLF001 - nothing else shows it
