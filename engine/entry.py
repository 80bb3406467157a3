"""Lets operators into the dashboard by links that they ask for, and out again."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from engine.audit import Actor, Deed, Entry, Origin
from engine.domain import Person
from engine.ledger import Tx
from engine.passes import LinkState, Session
from engine.ports import Clock, Store

LINK_LIFE = timedelta(minutes=5)
SESSION_LIFE = timedelta(hours=12)
"""From the entry on, however much it is used."""
LINKS_MOST = 5
LINKS_SPAN = timedelta(minutes=10)
REMEMBERED = timedelta(days=7)
"""For so long a link that was used or ran out is known as such."""
TOKEN_BYTES = 32


class NoLink(StrEnum):
    """Why somebody gets no link."""

    CLOSED = "closed"
    """ADMIN_IDS names nobody."""
    NOT_ADMITTED = "not_admitted"
    TOO_MANY = "too_many"


class Refused(StrEnum):
    """Why a link lets nobody in."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    VOID = "void"
    NOT_ADMITTED = "not_admitted"


SPENT = {LinkState.USED: Refused.USED, LinkState.VOID: Refused.VOID}


@dataclass(frozen=True, slots=True)
class Entered:
    """A session that has begun; the token is for the browser's cookie alone."""

    token: str
    session: Session

    def __repr__(self) -> str:
        """Without the token."""
        return f"Entered({self.session!r})"


class Entrance:
    """Gives links and sessions to those whom ADMIN_IDS names, for as long as it does; `people` may change.

    Whoever has a shell here is let in as `console:NAME`, as long as there is anybody in ADMIN_IDS.
    """

    def __init__(self, store: Store, clock: Clock, people: tuple[Person, ...], app_url: str) -> None:
        """`app_url` is the public address without a slash at its end."""
        self._store = store
        self._clock = clock
        self._app_url = app_url
        self.people = people

    @property
    def open(self) -> bool:
        """Whether there is a dashboard at all."""
        return bool(self.people)

    async def link(self, actor: Actor) -> str | NoLink:
        """The address that lets this operator in once, within `LINK_LIFE`; older ones are void."""
        if not self._admits(actor.name):
            return NoLink.NOT_ADMITTED if self.open else NoLink.CLOSED
        now, token = self._clock.now(), secrets.token_urlsafe(TOKEN_BYTES)

        def work(tx: Tx) -> bool:
            if not tx.ask_for_link(actor.name, now, now - LINKS_SPAN, LINKS_MOST):
                return False
            tx.add_link(digest(token), actor.name, now, now + LINK_LIFE)
            tx.note(Entry(now, actor, Deed.DASHBOARD_LINK))
            return True

        given = await self._store.transact(work)
        return f"{self._app_url}/admin/enter?link={token}" if given else NoLink.TOO_MANY

    async def works(self, token: str) -> bool:
        """Whether a link would let somebody in now; it is not used up."""
        now = self._clock.now()
        found = await self._store.read(lambda tx: tx.link(digest(token)))
        if found is None or not self._admits(found.person):
            return False
        return found.state is LinkState.OPEN and found.until > now

    async def enter(self, token: str) -> Entered | Refused:
        """Use a link up and begin the session of whom it was given to."""
        now, fresh = self._clock.now(), secrets.token_urlsafe(TOKEN_BYTES)
        found = await self._store.transact(lambda tx: self._enter(tx, digest(token), digest(fresh), now))
        return Entered(fresh, found) if isinstance(found, Session) else found

    def _enter(self, tx: Tx, link: str, session: str, now: datetime) -> Session | Refused:
        found = tx.link(link)
        if found is None:
            return Refused.UNKNOWN
        actor = Actor(found.person, Origin.DASHBOARD)
        if not self._admits(found.person):
            refused = Refused.NOT_ADMITTED
        elif tx.use_link(link, now):
            tx.begin_session(session, found.person, now, now + SESSION_LIFE)
            tx.note(Entry(now, actor, Deed.DASHBOARD_ENTERED))
            return Session(found.person, now + SESSION_LIFE)
        else:
            # read before another browser used it: then it is used now
            refused = SPENT.get(found.state, Refused.EXPIRED if found.until <= now else Refused.USED)
        tx.note(Entry(now, actor, Deed.DASHBOARD_REFUSED, detail=refused.value))
        return refused

    async def session(self, token: str) -> Session | None:
        """Whose session this is, if it is one now and ADMIN_IDS still names them."""
        now = self._clock.now()
        found = await self._store.read(lambda tx: tx.admin_session(digest(token), now))
        return found if found and self._admits(found.person) else None

    async def leave(self, token: str, person: str) -> None:
        """End a session of a person."""
        entry = Entry(self._clock.now(), Actor(person, Origin.DASHBOARD), Deed.DASHBOARD_LEFT)

        def work(tx: Tx) -> None:
            if tx.end_session(digest(token)):
                tx.note(entry)

        await self._store.transact(work)

    async def end_sessions(self, actor: Actor, *, everybody: bool = False) -> int:
        """End all sessions and links of an operator, or all there are; how many sessions that was."""
        now, whose = self._clock.now(), None if everybody else actor.name

        def work(tx: Tx) -> int:
            ended = tx.end_sessions(whose)
            detail = f"{ended} of {'everybody' if everybody else 'their own'}"
            tx.note(Entry(now, actor, Deed.SESSIONS_ENDED, detail=detail))
            return ended

        return await self._store.transact(work)

    async def sweep(self) -> int:
        """Forget what has long been over."""
        now = self._clock.now()
        await self._store.transact(lambda tx: tx.forget_passes(now - REMEMBERED, now))
        return 0

    def _admits(self, person: str) -> bool:
        console = person.startswith(f"{Origin.CONSOLE}:")
        return self.open and (console or person in {str(each) for each in self.people})


def digest(token: str) -> str:
    """What is kept of a token; it has so many bits that a plain hash gives nothing away."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
