"""An announcement reaches each member who wants it, once, at a pace, whoever sends it and whatever breaks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import ports
from engine.announcements import Announcement, Audience, Fate, Letter, Stage
from engine.announcing import AT_ONCE, DRAFT_LIFE, LEASE, LONGEST, TRIES, Announcing, Pace
from engine.audit import Actor, Deed, Origin
from engine.domain import Person, Platform, TierName
from engine.errors import GiveUpError, OutsideError, TryAgainError, UnreachableError
from engine.facts import Mode
from engine.halting import Halting
from engine.ledger import Tx
from engine.preferences import Preferences
from storage.store import Store, open_store
from tests.engine.conftest import ALICE, BOB, CATALOGUE, Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.engine.test_ceiling import subscribed
from tests.fakes.clock import NOON, FakeClock

ACTOR = Actor("console:root", Origin.CONSOLE)
QUICKLY = dict.fromkeys(Platform, 60_000)
WORDS = "**Maintenance** tonight at 8."


@dataclass(slots=True)
class Platforms:
    """What members see; a second try that is told so finds the first one, as on the platforms."""

    shown: list[tuple[Person, str]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    errors: list[OutsideError] = field(default_factory=list)
    lost: int = 0
    """So many tries are shown, and their process is lost before it knows."""

    async def announce(self, letter: Letter, *, again: bool) -> None:
        if self.errors:
            raise self.errors.pop(0)
        await asyncio.sleep(0)
        if not (again and letter.key in self.keys):
            self.shown.append((letter.person, letter.text))
            self.keys.add(letter.key)
        if self.lost:
            self.lost -= 1
            raise asyncio.CancelledError

    @property
    def told(self) -> Counter[str]:
        """How often each was told."""
        return Counter(person.user for person, _ in self.shown)


@pytest.fixture
def seen() -> Platforms:
    """The platforms, which all processes share."""
    return Platforms()


def announcing(
    hall: Hall, seen: Platforms, store: ports.Store | None = None, pace: Mapping[Platform, int] = QUICKLY
) -> Announcing:
    """What announces in one process."""
    found = Announcing(store or hall.store, hall.clock, CATALOGUE, Mode.TEST, pace)
    found.criers[Platform.LOCAL] = seen
    return found


async def meet(hall: Hall, *people: Person) -> None:
    """Let these be members."""

    def work(tx: Tx) -> None:
        for person in people:
            tx.lock_account(person, hall.clock.now())
            tx.set_locale(person, "en")

    await hall.store.transact(work)


def crowd(count: int) -> list[Person]:
    """So many members."""
    return [Person(Platform.LOCAL, "", f"member-{number}") for number in range(count)]


async def begin(work: Announcing, text: str = WORDS, audience: Audience = Audience()) -> str:  # noqa: B008 - frozen
    """Draft and confirm an announcement."""
    name = await work.draft(await work.preview(ACTOR, text, audience))
    assert isinstance(await work.confirm(ACTOR, name), Announcement)
    return name


async def send(hall: Hall, *works: Announcing) -> None:
    """Let processes work until nothing is due for any."""
    while True:
        hall.clock.advance(timedelta(seconds=1))
        done = await asyncio.gather(*(each() for work in works for each in (work.gather, work.work)))
        if not any(done):
            return


async def fates(work: Announcing) -> Mapping[Fate, int]:
    """What became of the newest announcement."""
    return (await work.progress())[0].fates


@pytest.fixture
async def another(database_url: str, clock: FakeClock) -> AsyncIterator[Store]:
    """The store of a second process."""
    async with await open_store(database_url, clock) as opened:
        yield opened


async def test_each_member_is_told_once_by_however_many_processes(
    hall: Hall, seen: Platforms, another: Store
) -> None:
    people = crowd(AT_ONCE + 20)
    await meet(hall, *people)
    one, two = announcing(hall, seen), announcing(hall, seen, another)
    name = await begin(one)
    await send(hall, one, two, one)
    assert seen.told == Counter(person.user for person in people)
    assert {text for _, text in seen.shown} == {WORDS}
    assert await fates(two) == {Fate.SENT: len(people)}
    await two.sweep()
    (found,) = await two.progress()
    assert (found.announcement.id, found.announcement.stage) == (name, Stage.SENT)
    await send(hall, one, two)
    assert len(seen.shown) == len(people)


async def test_what_a_lost_process_was_telling_is_found_by_the_next_one(
    hall: Hall, seen: Platforms, another: Store
) -> None:
    await meet(hall, ALICE, BOB)
    seen.lost = 1
    first, second = announcing(hall, seen), announcing(hall, seen, another)
    await begin(first)
    with suppress(asyncio.CancelledError):
        await send(hall, first)
    assert len(seen.shown) == 1
    await send(hall, second)
    hall.clock.advance(LEASE)
    await send(hall, second)
    assert seen.told == {"alice": 1, "bob": 1}
    assert await fates(second) == {Fate.SENT: 2}


async def test_a_process_lost_while_gathering_leaves_nobody_out_and_doubles_nobody(
    hall: Hall, seen: Platforms, another: Store
) -> None:
    people = crowd(AT_ONCE * 2 + 1)
    await meet(hall, *people)
    first, second = announcing(hall, seen), announcing(hall, seen, another)
    await begin(first)
    assert await first.gather() == 1
    assert sum((await fates(first)).values()) == AT_ONCE
    while await second.gather():
        pass
    assert await fates(second) == {Fate.OWED: len(people)}


async def test_a_draft_is_sent_to_nobody_until_it_is_confirmed_and_then_once(
    hall: Hall, seen: Platforms
) -> None:
    await meet(hall, ALICE)
    work = announcing(hall, seen)
    preview = await work.preview(ACTOR, WORDS)
    name = await work.draft(preview)
    await send(hall, work)
    assert (preview.announcement.receivers, seen.shown, await work.progress()) == (1, [], [])
    confirmed = await asyncio.gather(*(work.confirm(ACTOR, name) for _ in range(3)))
    assert sum(each is not None for each in confirmed) == 1
    await send(hall, work)
    assert seen.told == {"alice": 1}
    assert await work.confirm(ACTOR, name) is None


async def test_a_draft_that_nobody_confirms_is_forgotten(hall: Hall, seen: Platforms) -> None:
    await meet(hall, ALICE)
    work = announcing(hall, seen)
    name = await work.draft(await work.preview(ACTOR, WORDS))
    hall.clock.advance(DRAFT_LIFE + timedelta(seconds=1))
    await work.sweep()
    assert await work.confirm(ACTOR, name) is None


async def test_whoever_wants_none_is_not_told_even_if_they_say_so_late(hall: Hall, seen: Platforms) -> None:
    await meet(hall, ALICE, BOB)
    work, wishes = announcing(hall, seen), Preferences(hall.store, hall.clock)
    await wishes.hear(ALICE, announcements=False)
    preview = await work.preview(ACTOR, WORDS)
    assert (preview.announcement.receivers, preview.opted_out) == (1, 1)
    await begin(work)
    await work.gather()
    await wishes.hear(BOB, announcements=False)
    await send(hall, work)
    assert seen.shown == []
    assert await fates(work) == {Fate.OPTED_OUT: 2}
    await wishes.hear(ALICE, announcements=True)
    await begin(work, "Another one.")
    await send(hall, work)
    assert seen.told == {"alice": 1}


async def test_blocked_members_are_told_nothing(hall: Hall, seen: Platforms) -> None:
    await meet(hall, ALICE, BOB)
    work, halting = announcing(hall, seen), Halting(hall.store, hall.clock, CATALOGUE, Mode.TEST)
    await halting.block(ACTOR, ALICE)
    assert (await work.preview(ACTOR, WORDS)).announcement.receivers == 1
    await begin(work)
    await work.gather()
    await halting.block(ACTOR, BOB)
    await send(hall, work)
    assert seen.shown == []
    assert await fates(work) == {Fate.OPTED_OUT: 1}


async def test_who_never_wrote_is_no_member(hall: Hall, seen: Platforms) -> None:
    halting = Halting(hall.store, hall.clock, CATALOGUE, Mode.TEST)
    await halting.block(ACTOR, ALICE)
    await halting.unblock(ACTOR, ALICE)
    assert (await announcing(hall, seen).preview(ACTOR, WORDS)).announcement.receivers == 0


async def test_who_cannot_be_written_to_is_counted_and_not_tried_again(hall: Hall, seen: Platforms) -> None:
    await meet(hall, ALICE)
    seen.errors = [UnreachableError("closed")]
    work = announcing(hall, seen)
    await begin(work)
    await send(hall, work)
    hall.clock.advance(timedelta(days=1))
    await send(hall, work)
    assert (seen.shown, await fates(work)) == ([], {Fate.UNREACHABLE: 1})


@pytest.mark.parametrize("error", [TryAgainError("busy"), GiveUpError("no")])
async def test_what_fails_is_tried_again_and_at_last_given_up(
    hall: Hall, seen: Platforms, error: OutsideError
) -> None:
    await meet(hall, ALICE)
    seen.errors = [error] * TRIES
    work = announcing(hall, seen)
    await begin(work)
    for _ in range(TRIES + 2):
        await send(hall, work)
        hall.clock.advance(timedelta(hours=1))
    assert seen.errors == []
    assert (seen.shown, await fates(work)) == ([], {Fate.FAILED: 1})


async def test_a_failure_that_passes_costs_nobody_their_message(hall: Hall, seen: Platforms) -> None:
    await meet(hall, ALICE)
    seen.errors = [TryAgainError("busy", retry_after=30)]
    work = announcing(hall, seen, pace=dict.fromkeys(Platform, 60))
    await begin(work)
    await send(hall, work)
    assert not work.paces[Platform.LOCAL].allows(hall.clock.now()), "the platform asked for a rest"
    hall.clock.advance(timedelta(minutes=2))
    await send(hall, work)
    assert await fates(work) == {Fate.SENT: 1}


async def test_it_stops_at_once_for_all_who_are_not_told_yet(
    hall: Hall, seen: Platforms, another: Store
) -> None:
    await meet(hall, *crowd(AT_ONCE + 5))
    work = announcing(hall, seen)
    name = await begin(work)
    await work.gather()
    hall.clock.advance(timedelta(seconds=1))
    await work.work()
    assert await announcing(hall, seen, another).stop(ACTOR, name)
    await send(hall, work)
    assert len(seen.shown) == 1
    assert await fates(work) == {Fate.SENT: 1, Fate.STOPPED: AT_ONCE - 1}
    assert not await work.stop(ACTOR, name)


async def test_it_is_for_those_who_are_named_alone(hall: Hall, seen: Platforms) -> None:
    far = Person(Platform.DISCORD, "", "7")
    await meet(hall, BOB, far)
    hall.clock.advance(timedelta(days=40))
    await meet(hall, ALICE)
    await subscribed(hall)
    work, now = announcing(hall, seen), hall.clock.now()

    async def many(audience: Audience) -> int:
        return (await work.preview(ACTOR, WORDS, audience)).announcement.receivers

    assert await many(Audience()) == 3
    assert await many(Audience(tiers=(TierName.PREMIUM,))) == 1
    assert await many(Audience(tiers=(TierName.FREE,))) == 2
    assert await many(Audience(platforms=(Platform.LOCAL,))) == 2
    assert await many(Audience(seen_since=now - timedelta(days=30))) == 1
    await begin(work, WORDS, Audience((TierName.FREE,), (Platform.LOCAL,)))
    await send(hall, work)
    assert seen.told == {"bob": 1}


async def test_confirming_and_stopping_are_in_the_audit_log_without_the_words(
    hall: Hall, seen: Platforms
) -> None:
    await meet(hall, ALICE)
    work = announcing(hall, seen)
    name = await begin(work)
    await work.stop(ACTOR, name)
    entries = await hall.store.read(lambda tx: tx.deeds(None, 9))
    assert [(each.actor, each.deed, each.subject, each.detail) for each in entries] == [
        (ACTOR, Deed.ANNOUNCEMENT_STOPPED, name, ""),
        (ACTOR, Deed.ANNOUNCE, name, f"{len(WORDS)} characters, 1 members"),
    ]


@pytest.mark.parametrize("text", ["", "  \n", "x" * (LONGEST + 1)])
async def test_a_text_that_is_no_single_message_is_not_announced(
    hall: Hall, seen: Platforms, text: str
) -> None:
    with pytest.raises(ValueError, match=f"1 to {LONGEST} characters"):
        await announcing(hall, seen).preview(ACTOR, text)


async def test_a_process_without_the_platform_leaves_it_to_others(hall: Hall, seen: Platforms) -> None:
    await meet(hall, ALICE)
    work = Announcing(hall.store, hall.clock, CATALOGUE, Mode.TEST, QUICKLY)
    await begin(work)
    await send(hall, work)
    assert await fates(work) == {Fate.OWED: 1}
    await send(hall, announcing(hall, seen))
    assert seen.told == {"alice": 1}


async def test_no_more_are_told_than_the_pace_allows(hall: Hall, seen: Platforms) -> None:
    await meet(hall, *crowd(30))
    work = announcing(hall, seen, pace=dict.fromkeys(Platform, 40))
    await begin(work)
    await work.gather()
    for _ in range(15 * 4):
        while await work.work():
            pass
        hall.clock.advance(timedelta(seconds=0.25))
    assert 10 <= len(seen.shown) <= 11


@given(
    per_minute=st.integers(1, 600),
    steps=st.lists(st.tuples(st.floats(0, 90), st.integers(0, 5)), max_size=40),
    rest=st.floats(0, 120),
)
def test_within_any_time_a_pace_is_kept(per_minute: int, steps: list[tuple[float, int]], rest: float) -> None:
    pace, now, sent = Pace(per_minute), NOON, list[float]()
    for wait, tries in steps:
        now += timedelta(seconds=wait)
        for _ in range(tries):
            if pace.allows(now):
                pace.spend()
                sent.append((now - NOON).total_seconds())
    burst = max(1.0, per_minute / 60)
    for begin_, since in enumerate(sent):
        for end, until in enumerate(sent[begin_:], start=1):
            assert end <= burst + (until - since) * per_minute / 60 + 0.01
    pace.rest(rest, now)
    if rest * per_minute / 60 > 0.001:
        assert not pace.allows(now)
    assert pace.allows(now + timedelta(seconds=rest + 1e-3))
