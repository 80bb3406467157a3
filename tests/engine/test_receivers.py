"""Who is no receiver of announcements, and which of them cannot be sent however often it is tried."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from engine.announcements import Fate, Letter
from engine.announcing import LEASE, TRIES
from engine.domain import Answered, Place, Platform
from engine.erasing import Erasing
from engine.facts import CustomerId, CustomerRecord, Mode
from engine.ledger import Tx
from tests.engine.conftest import ALICE, Hall, last
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.engine.test_announcing import ACTOR, WORDS, Platforms, announcing, begin, fates, meet, send
from tests.fakes.clock import NOON


@dataclass(slots=True)
class Broken:
    """A platform with a mistake of ours."""

    tries: int = 0

    async def announce(self, letter: Letter, *, again: bool) -> None:
        assert again is (self.tries > 0), letter
        self.tries += 1
        raise RuntimeError


async def test_what_breaks_what_sends_it_is_given_up_too(hall: Hall) -> None:
    await meet(hall, ALICE)
    work, broken = announcing(hall, Platforms()), Broken()
    work.criers[Platform.LOCAL] = broken
    await begin(work)
    for _ in range(TRIES + 2):
        with suppress(RuntimeError):
            await send(hall, work)
        hall.clock.advance(LEASE)
    assert broken.tries == TRIES
    assert await fates(work) == {Fate.FAILED: 1}


async def test_who_was_erased_is_no_member_whatever_still_counts(hall: Hall) -> None:
    place = hall.ask(place=Place(Platform.LOCAL, "den"), anchors=("den",))
    assert isinstance(await last(hall.chat(), place), Answered)

    def bought(tx: Tx) -> None:
        account = tx.lock_account(ALICE, NOON)
        tx.save_customer(CustomerRecord(account.id, Mode.TEST, CustomerId("cus_1"), 0, NOON))

    await hall.store.transact(bought)
    work = announcing(hall, Platforms())
    assert (await work.preview(ACTOR, WORDS)).announcement.receivers == 1
    await Erasing(hall.store, hall.clock, Mode.TEST).erase(ACTOR, ALICE, hall.chat().stop_all)
    preview = await work.preview(ACTOR, WORDS)
    assert (preview.announcement.receivers, preview.opted_out) == (0, 0)
    await hall.store.transact(lambda tx: tx.lock_account(ALICE, hall.clock.now()))
    assert (await work.preview(ACTOR, WORDS)).announcement.receivers == 0
