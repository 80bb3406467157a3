"""A team's budget: a share for each seat, and of what others leave as much as time has passed."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import Micros
from engine.sharing import Pot, elapsed

HALF = Fraction(1, 2)
MONTH = [Fraction(day, 30) for day in range(30)]


def pot(*uses: int, at: Fraction = Fraction(0), gone: int = 0) -> Pot:
    """A pot of these seats."""
    return Pot(Micros(gone), [Micros(use) for use in uses], at)


@pytest.mark.parametrize(
    ("given", "seat", "room"),
    [
        # On the first day each has a share and no more.
        (pot(0, 0, 0), 0, 10),
        (pot(4, 0, 0), 0, 6),
        (pot(10, 0, 0), 0, 0),
        (pot(10, 0, 0), 1, 10),
        (pot(10, 10, 0), 2, 10),
        # Later, what others have not used of the time that has gone can be borrowed.
        (pot(10, 0, 0, at=HALF), 0, 10),
        (pot(10, 5, 0, at=HALF), 0, 5),
        (pot(10, 5, 5, at=HALF), 0, 0),
        (pot(10, 8, 0, at=HALF), 0, 5),
        (pot(0, 0, 0, at=HALF), 0, 20),
        (pot(10, 0, 0, at=Fraction(9, 10)), 0, 18),
        # Who was lent from still has what is before them, and shares what is left with the others.
        (pot(20, 0, 0, at=HALF), 0, 0),
        (pot(20, 0, 0, at=HALF), 1, 5),
        (pot(20, 5, 0, at=HALF), 1, 0),
        (pot(20, 5, 0, at=HALF), 2, 5),
        (pot(15, 5, 0, at=HALF), 1, 5),
        (pot(15, 5, 0, at=HALF), 2, 7),
        # Somebody left: what they used is gone, and the rest is shared by those who are there.
        (pot(0, 0, gone=10), 0, 10),
        (pot(0, 0, gone=0), 0, 15),
        (pot(0, 0, gone=40), 0, 0),
        (pot(0, 0, at=HALF, gone=10), 0, 15),
        # Somebody came when others had used more than what is now a share.
        (pot(15, 15, 0), 2, 0),
        (pot(12, 12, 0), 2, 6),
        (pot(30, 0, 0), 1, 0),
        # Alone, all of it is theirs.
        (pot(12), 0, 18),
    ],
)
def test_what_a_seat_may_still_use_of_thirty(given: Pot, seat: int, room: int) -> None:
    assert given.room(Micros(30), seat) == room


def test_the_month_goes_by_evenly() -> None:
    assert elapsed(datetime(2026, 11, 1, tzinfo=UTC)) == 0
    assert elapsed(datetime(2026, 11, 16, tzinfo=UTC)) == HALF
    assert elapsed(datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) < 1


def test_ceiling_and_stop_are_shared_alike_and_may_be_absent() -> None:
    assert [pot(4, 0, 0).reach(budget, 0) for budget in (Micros(30), Micros(60), None)] == [10, 20, None]


@st.composite
def lives(draw: st.DrawFn) -> tuple[int, int, list[tuple[Fraction, int, int]]]:
    """A budget, a number of seats, and wishes of theirs in the order of time."""
    budget, seats = draw(st.integers(0, 1000)), draw(st.integers(1, 6))
    moments = sorted(draw(st.lists(st.sampled_from(MONTH), max_size=25)))
    wish = st.tuples(st.integers(0, seats - 1), st.integers(0, 400))
    return budget, seats, [(at, *draw(wish)) for at in moments]


@given(lives())
def test_no_order_of_wishes_takes_more_than_there_is_or_anybodys_own(
    life: tuple[int, int, list[tuple[Fraction, int, int]]],
) -> None:
    budget, seats, wishes = Micros(life[0]), life[1], life[2]
    uses = [0] * seats
    share = budget // seats
    for at, seat, wish in wishes:
        now = pot(*uses, at=at)
        room, level = now.room(budget, seat), now.level(budget)
        taken = min(wish, room)
        borrowed = taken > max(0, level - uses[seat])
        uses[seat] += taken
        after = pot(*uses, at=at)
        assert after.used <= budget
        ahead = [after.kept(budget, Micros(use)) for number, use in enumerate(uses) if number != seat]
        assert not borrowed or after.used + sum(ahead) <= budget  # never before its time
        assert borrowed or after.level(budget) == level  # what is one's own costs nobody anything
        for number, use in enumerate(uses):
            own = share if max(uses) <= share else int(share * (1 - at))
            assert use + after.room(budget, number) >= own - 1  # rounded
        if uses.count(0):
            assert after.room(budget, uses.index(0)) >= int(share * (1 - at)) - 1


@given(lives(), st.sampled_from(MONTH), st.sampled_from(MONTH))
def test_time_gives_room_and_takes_none(
    life: tuple[int, int, list[tuple[Fraction, int, int]]], one: Fraction, other: Fraction
) -> None:
    budget, seats, wishes = life
    uses = [0] * seats
    for _, seat, wish in wishes:
        uses[seat] += min(wish, max(0, budget - sum(uses)))
    early, late = (pot(*uses, at=at) for at in sorted((one, other)))
    for seat in range(seats):
        assert early.room(Micros(budget), seat) <= late.room(Micros(budget), seat)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=6), st.integers(0, 300), st.integers(0, 1000))
def test_whatever_has_come_about_nobody_may_pass_the_budget(uses: list[int], gone: int, budget: int) -> None:
    """Seats come and go, and config.toml changes: then a share may be used already."""
    for at in (Fraction(0), HALF, MONTH[-1]):
        now = pot(*uses, at=at, gone=gone)
        rooms = [now.room(Micros(budget), seat) for seat in range(len(uses))]
        assert all(0 <= room <= max(0, budget - now.used) for room in rooms)
        assert not now.left(Micros(budget)) or any(rooms) or now.left(Micros(budget)) < len(uses)
