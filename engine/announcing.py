"""Sends what operators announce: to each member once, at a pace that platforms bear, if they want it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from engine.announcements import Announcement, Audience, Crier, Fate, Letter, Progress, Receiver
from engine.audit import Actor, Deed, Entry
from engine.catalogue import Wares
from engine.domain import AccountId, Platform
from engine.errors import OutsideError, TryAgainError, UnreachableError
from engine.facts import Mode
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.subscriptions import retry_in
from engine.teams import access_of

log = logging.getLogger("engine.announcing")

LONGEST = 1800
"""Characters: with the line below it, it is one message on every platform."""
LEASE = timedelta(seconds=30)
TRIES = 6
AT_ONCE = 200
"""Receivers that are gathered in one unit."""
DRAFT_LIFE = timedelta(days=1)
MOST_LISTED = 20
EVERYBODY = Audience()


@dataclass(slots=True)
class Pace:
    """So many messages a minute, after a rest no more at once than in a second, and at least one."""

    per_minute: int
    _left: float = 1.0
    _at: datetime | None = None

    def allows(self, now: datetime) -> bool:
        """Whether one may be sent."""
        if self._at is not None and now > self._at:
            most = max(1.0, self.per_minute / 60)
            gained = (now - self._at).total_seconds() * self.per_minute / 60
            self._left = min(most, self._left + gained)
        self._at = max(now, self._at) if self._at else now
        return self._left >= 1 - 1e-9

    def spend(self) -> None:
        """One is sent."""
        self._left -= 1

    def rest(self, seconds: float, now: datetime) -> None:
        """The platform asks us to wait so long."""
        self._left, self._at = 1.0, now
        self._left -= seconds * self.per_minute / 60


@dataclass(frozen=True, slots=True)
class Preview:
    """A draft, and how many of its audience want no announcements."""

    announcement: Announcement
    opted_out: int


class Announcing:
    """Drafts, sends and stops announcements; any process may send, and each member is told once."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        wares: Wares,
        mode: Mode,
        per_minute: Mapping[Platform, int],
    ) -> None:
        self._store = store
        self._clock = clock
        self._wares = wares
        self._mode = mode
        self.paces: dict[Platform, Pace] = {}
        self.keep_pace(per_minute)
        self.criers: dict[Platform, Crier] = {}

    def keep_pace(self, per_minute: Mapping[Platform, int]) -> None:
        """Send at this pace from now on."""
        for platform, many in per_minute.items():
            self.paces.setdefault(platform, Pace(many)).per_minute = many

    async def preview(self, actor: Actor, text: str, audience: Audience = EVERYBODY) -> Preview:
        """How many a text would go to; ValueError, in words, for one that cannot be announced."""
        words, now = text.strip(), self._clock.now()
        if not words or len(words) > LONGEST:
            message = f"an announcement has 1 to {LONGEST} characters, this one has {len(words)}"
            raise ValueError(message)
        listening, deaf, more = 0, 0, True
        last: AccountId | None = None
        while more:
            found, last = await self._store.read(partial(self._page, audience=audience, after=last))
            listening += sum(each.listens for each in found)
            deaf += sum(not each.listens for each in found)
            more = last is not None
        draft = Announcement(uuid4().hex[:8], words, actor.name, audience, now, listening)
        return Preview(draft, deaf)

    async def draft(self, preview: Preview) -> str:
        """Keep it for a day, to be confirmed by its id."""
        await self._store.transact(lambda tx: tx.draft(preview.announcement))
        return preview.announcement.id

    async def confirm(self, actor: Actor, name: str) -> Announcement | None:
        """Let a draft be sent; None if there is none of that id, or it was confirmed before."""
        now = self._clock.now()

        def work(tx: Tx) -> Announcement | None:
            if not tx.confirm_announcement(name, now):
                return None
            found = tx.announcement(name)
            if found:
                length, many = len(found.text), found.receivers
                tx.note(Entry(now, actor, Deed.ANNOUNCE, name, f"{length} characters, {many} members"))
            return found

        return await self._store.transact(work)

    async def stop(self, actor: Actor, name: str) -> bool:
        """Send it to nobody more; False if it is not being sent."""
        now = self._clock.now()

        def work(tx: Tx) -> bool:
            stopped = tx.stop_announcement(name)
            if stopped:
                tx.note(Entry(now, actor, Deed.ANNOUNCEMENT_STOPPED, name))
            return stopped

        return await self._store.transact(work)

    async def progress(self) -> Sequence[Progress]:
        """The newest announcements and how far they are."""
        return await self._store.read(lambda tx: tx.announcements(MOST_LISTED))

    async def gather(self) -> int:
        """Owe an announcement to some more of its members; 1, or 0 if it is owed to all."""
        if not await self._store.read(lambda tx: tx.announcing()):
            return 0
        now = self._clock.now()

        def work(tx: Tx) -> int:
            found = tx.lock_gathering()
            if found is None:
                return 0
            receivers, last = self._page(tx, found.audience, found.gathered_to)
            for each in receivers:
                tx.owe_announcement(found.id, each, now)
            tx.gathered(found.id, last)
            return 1

        return await self._store.transact(work)

    async def work(self) -> int:
        """Tell one member of each platform whose pace allows it; how many were due."""
        now = self._clock.now()
        ready = [each for each in self.criers if self.paces[each].allows(now)]
        if not ready or not await self._store.read(lambda tx: tx.announcing()):
            return 0
        return sum([await self._tell(platform) for platform in ready])

    async def sweep(self) -> int:
        """Note what is sent to all, and forget drafts that nobody confirmed."""
        now = self._clock.now()
        await self._store.transact(lambda tx: tx.end_announcements(now - DRAFT_LIFE))
        return 0

    def _page(
        self, tx: Tx, audience: Audience, after: AccountId | None
    ) -> tuple[Sequence[Receiver], AccountId | None]:
        """Some receivers, and after whom to go on; None: there are no more."""
        found = tx.receivers(audience, after, AT_ONCE)
        last = found[-1].account if len(found) == AT_ONCE else None
        if not audience.tiers:
            return found, last
        catalogue, now = self._wares.today, self._clock.now()
        tiers = (access_of(tx, catalogue, each.account, self._mode, now).tier for each in found)
        return [each for each, tier in zip(found, tiers, strict=True) if tier in audience.tiers], last

    async def _tell(self, platform: Platform) -> int:
        now = self._clock.now()
        letter = await self._store.transact(lambda tx: tx.claim_letter(platform, now, now + LEASE))
        if letter is None:
            return 0
        if not letter.listens:
            await self._ended(letter, Fate.OPTED_OUT)
        elif letter.attempts >= TRIES:  # each of them broke what made it, or lost its process
            await self._ended(letter, Fate.FAILED)
        else:
            self.paces[platform].spend()
            await self._deliver(letter)
        return 1

    async def _deliver(self, letter: Letter) -> None:
        try:
            async with asyncio.timeout(LEASE.total_seconds() / 2):
                await self.criers[letter.person.platform].announce(letter, again=letter.attempts > 0)
        except UnreachableError:
            await self._ended(letter, Fate.UNREACHABLE)
        except (OutsideError, TimeoutError) as error:
            await self._failed(letter, error)
        else:
            await self._ended(letter, Fate.SENT)

    async def _failed(self, letter: Letter, error: Exception) -> None:
        log.warning("announcement not delivered", extra={"why": str(error)})
        now, asked = self._clock.now(), error.retry_after if isinstance(error, TryAgainError) else None
        if asked:
            self.paces[letter.person.platform].rest(asked, now)
        if letter.attempts + 1 >= TRIES:
            return await self._ended(letter, Fate.FAILED)
        due = now + max(retry_in(letter.attempts), timedelta(seconds=asked or 0))
        return await self._store.transact(lambda tx: tx.letter_later(letter.key, due))

    async def _ended(self, letter: Letter, fate: Fate) -> None:
        now = self._clock.now()
        await self._store.transact(lambda tx: tx.letter_ended(letter.key, fate, now))
