"""Teams: what a seat gives, who sits in which, and how its owner and those who join change that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from engine.catalogue import Catalogue, Wares, bought, entitled, owned, seats_of
from engine.codes import HOUR, TRIES_AN_HOUR, digest_of, new_code
from engine.domain import Account, AccountId, Micros, Person, Tier, TierName
from engine.facts import Access, AccessReason, Mode
from engine.ledger import Tx
from engine.notices import Notice, NoticeId, NoticeKind
from engine.overage import month_start
from engine.ports import Clock, Store
from engine.seats import Invite, Member, Seat
from engine.sharing import Share, share_of
from engine.spending import seat

INVITE_LIFE = timedelta(days=7)
INVITES_A_DAY = 20
DAY = timedelta(days=1)
FIRST = 1
"""The owner's number."""
NOBODY = Access(TierName.FREE, AccessReason.NO_SUBSCRIPTION)
"""What somebody has who was never seen."""


class Obstacle(StrEnum):
    """Why nothing was done about a team."""

    NO_TEAM = "no_team"
    """The person neither owns seats nor has one."""
    NOT_OWNER = "not_owner"
    FULL = "full"
    """All seats of the person's own team are taken."""
    NO_ROOM = "no_room"
    """All seats of the team that a code leads to are."""
    TOO_MANY_CODES = "too_many_codes"
    TOO_MANY_TRIES = "too_many_tries"
    WRONG_CODE = "wrong_code"
    """Never made, used, too old, or of somebody blocked: which of these is nobody's business."""
    OWN_TEAM = "own_team"
    JOINED_ALREADY = "joined_already"
    IN_ANOTHER = "in_another"
    OWNS_ONE = "owns_one"
    NOT_MEMBER = "not_member"
    OWNER_STAYS = "owner_stays"
    BLOCKED = "blocked"
    """The operator lets them ask nothing, so they bring nobody in and join nobody."""


@dataclass(frozen=True, slots=True)
class Invited:
    """A code that lets one person join; it is never shown again."""

    code: str
    until: datetime
    free: int
    """Seats that nobody has."""


@dataclass(frozen=True, slots=True)
class Seated:
    """Somebody of a team as its list shows them."""

    person: Person
    number: int
    waiting: bool
    """Whether the team has fewer seats by now."""
    used: Micros = Micros(0)  # noqa: RUF009 - an int by another name
    """Of the team's budget in this UTC month."""
    conversations: int = 0
    """In which they used it."""


@dataclass(frozen=True, slots=True)
class Roster:
    """A team as one of its people sees it."""

    owner: Person
    seats: int
    """0: nobody pays for it any more."""
    budget: Micros | None
    """Vendor cost of all seats together that a UTC month includes; None: no limit."""
    people: tuple[Seated, ...]
    """All of them for the owner, its owner first; for others themselves alone."""
    owned: bool = False
    """Whether it is the viewer's own."""
    access: Access = NOBODY
    """What the viewer has."""
    share: Share | None = None
    """The viewer's, if the team gives what they have."""
    beside: Person | None = None
    """Owner of the team in which an owner has a seat, too."""

    @property
    def taken(self) -> int:
        """Seats that somebody has."""
        return sum(not each.waiting for each in self.people)


def access_of(tx: Tx, catalogue: Catalogue, account: AccountId, mode: Mode, now: datetime) -> Access:
    """What an account may use now, by its own subscriptions, by a grant or by a seat."""
    own = tx.holdings(account, mode)
    team = own.joined
    seat = Seat(team.owner, team.place, tx.holdings(team.owner, mode)) if team else None
    return entitled(catalogue, bought(own, now), seat, now, own.grants)


def blocked(tx: Tx, account: AccountId) -> bool:
    """Whether the operator lets an account ask nothing."""
    person = tx.person_of(account)
    found = tx.find_account(person) if person else None
    return found is not None and found.blocked_at is not None


class Teams:
    """Shows a team, and lets people into it and out of it."""

    def __init__(self, store: Store, clock: Clock, wares: Wares, mode: Mode) -> None:
        self._store = store
        self._clock = clock
        self._wares = wares
        self._mode = mode

    async def shown(self, person: Person) -> Roster | Obstacle:
        """The person's team, their own one first."""
        now = self._clock.now()

        def work(tx: Tx) -> Roster | Obstacle:
            account = tx.find_account(person)
            return self._roster(tx, account, now) if account else Obstacle.NO_TEAM

        return await self._store.read(work)

    async def invite(self, person: Person) -> Invited | Obstacle:
        """A new code, if there is a seat for whoever uses it."""
        now, code = self._clock.now(), new_code()
        return await self._store.transact(lambda tx: self._invited(tx, person, code, now))

    async def join(self, person: Person, code: str) -> Roster | Obstacle:
        """Take a seat by a code: exactly as many as there are, whoever comes at once."""
        now = self._clock.now()
        return await self._store.transact(lambda tx: self._joined(tx, person, code, now))

    async def leave(self, person: Person) -> Person | Obstacle:
        """Give the seat back; whose team it was."""
        now = self._clock.now()

        def work(tx: Tx) -> Person | Obstacle:
            account = tx.lock_account(person, now)
            found = tx.membership(account.id, self._mode)
            if found is None:
                return Obstacle.OWNER_STAYS if self._owns(tx, account.id, now) else Obstacle.NO_TEAM
            tx.lock_team(found.owner, self._mode)
            tx.unseat(account.id, found.owner, self._mode)
            return tx.person_of(found.owner) or person

        return await self._store.transact(work)

    async def remove(self, person: Person, who: Person | int) -> Roster | Obstacle:
        """Take a member, named or by number, out of the person's own team; the member is told."""
        now = self._clock.now()
        return await self._store.transact(lambda tx: self._removed(tx, person, who, now))

    def _owns(self, tx: Tx, account: AccountId, now: datetime) -> int:
        """How many seats an account has bought or was given, 0 if they are not for others."""
        return self._owned(tx, account, now)[0]

    def _owned(self, tx: Tx, account: AccountId, now: datetime) -> tuple[int, Tier]:
        """The same, and of which tier."""
        catalogue = self._wares.today
        paid = owned(tx.holdings(account, self._mode), catalogue.rank, now)
        tier = catalogue.tier(paid.tier)
        return seats_of(catalogue, paid) if tier.shared else 0, tier

    def _roster(self, tx: Tx, account: Account, now: datetime) -> Roster | Obstacle:
        """The team that the account owns, while it has seats or anybody in it, else the one it joined."""
        found = tx.membership(account.id, self._mode)
        other = tx.person_of(found.owner) if found else None
        own = self._team(tx, account.id, account.person, now)
        if own.seats or len(own.people) > 1:
            return self._seen(tx, account, replace(own, owned=True, beside=other), now)
        if found is None or other is None:
            return Obstacle.NO_TEAM
        team = self._team(tx, found.owner, other, now)
        return self._seen(tx, account, replace(team, people=(team.people[found.place - 1],)), now)

    def _team(self, tx: Tx, owner: AccountId, person: Person, now: datetime) -> Roster:
        """A team with everybody in it."""
        seats, tier = self._owned(tx, owner, now)
        budget = tier.cost_ceiling_month if seats else None
        return Roster(person, seats, budget, self._people(tx, owner, person, seats, now))

    def _seen(self, tx: Tx, account: Account, roster: Roster, now: datetime) -> Roster:
        """The same with what the viewer has."""
        catalogue, mode = self._wares.today, self._mode
        found = access_of(tx, catalogue, account.id, mode, now)
        share = share_of(tx, catalogue, found, account.id, mode, now, lock=False)
        return replace(roster, access=found, share=share)

    def _people(
        self, tx: Tx, owner: AccountId, person: Person, seats: int, now: datetime
    ) -> tuple[Seated, ...]:
        """Everybody in a team, its owner first; the newest wait if there are not enough seats."""
        purses, since = tx.team_purses(owner, self._mode, now), month_start(now)
        joined = tx.team_members(owner, self._mode)
        numbers = [(owner, person, FIRST), *((each.account, each.person, each.number) for each in joined)]
        return tuple(
            Seated(
                who,
                number,
                place > max(seats, FIRST),
                purses[own].taken if own in purses else Micros(0),
                tx.conversations_paid(each, own, since),
            )
            for place, (each, who, number) in enumerate(numbers, start=1)
            for own in (seat(owner, each),)
        )

    def _invited(self, tx: Tx, person: Person, code: str, now: datetime) -> Invited | Obstacle:
        mode, account = self._mode, tx.lock_account(person, now)
        if account.blocked_at:
            return Obstacle.BLOCKED
        seats = self._owns(tx, account.id, now)
        if not seats:
            return Obstacle.NOT_OWNER if tx.membership(account.id, mode) else Obstacle.NO_TEAM
        tx.lock_team(account.id, mode)
        free = seats - 1 - len(tx.team_members(account.id, mode))
        if free <= 0:
            return Obstacle.FULL
        if tx.invited_since(account.id, mode, now - DAY) >= INVITES_A_DAY:
            return Obstacle.TOO_MANY_CODES
        until = now + INVITE_LIFE
        tx.forget_invites(account.id, mode, now)
        tx.save_invite(Invite(digest_of(code), account.id, mode, now, until))
        return Invited(code, until, free)

    def _joined(self, tx: Tx, person: Person, code: str, now: datetime) -> Roster | Obstacle:
        mode, account = self._mode, tx.lock_account(person, now)
        if account.blocked_at or not tx.try_code(account.id, now, now - HOUR, TRIES_AN_HOUR):
            return Obstacle.BLOCKED if account.blocked_at else Obstacle.TOO_MANY_TRIES
        invite = tx.invite(digest_of(code), mode)
        if invite is None or not invite.open(now) or blocked(tx, invite.owner):
            return Obstacle.WRONG_CODE
        if obstacle := self._elsewhere(tx, account.id, invite.owner, now):
            return obstacle
        tx.lock_team(invite.owner, mode)
        if len(tx.team_members(invite.owner, mode)) + 1 >= self._owns(tx, invite.owner, now):
            return Obstacle.NO_ROOM
        if not tx.use_invite(invite.digest, account.id, now):
            return Obstacle.WRONG_CODE
        tx.seat(account.id, invite.owner, mode, now)
        return self._roster(tx, account, now)

    def _elsewhere(self, tx: Tx, account: AccountId, owner: AccountId, now: datetime) -> Obstacle | None:
        """What keeps an account from a team, whether that has room or not."""
        found = tx.membership(account, self._mode)
        if account == owner:
            return Obstacle.OWN_TEAM
        if found:
            return Obstacle.JOINED_ALREADY if found.owner == owner else Obstacle.IN_ANOTHER
        return Obstacle.OWNS_ONE if self._owns(tx, account, now) else None

    def _removed(self, tx: Tx, person: Person, who: Person | int, now: datetime) -> Roster | Obstacle:
        mode, account = self._mode, tx.lock_account(person, now)
        members = tx.team_members(account.id, mode)
        if not (members or self._owns(tx, account.id, now)):
            return Obstacle.NOT_OWNER if tx.membership(account.id, mode) else Obstacle.NO_TEAM
        if who in {FIRST, account.person}:
            return Obstacle.OWNER_STAYS
        found = next((each for each in members if who in {each.number, each.person}), None)
        if found is None:
            return Obstacle.NOT_MEMBER
        tx.lock_team(account.id, mode)
        if tx.unseat(found.account, account.id, mode):
            tx.owe(self._told(found, now))
        return self._roster(tx, account, now)

    def _told(self, member: Member, now: datetime) -> Notice:
        """What somebody is told who was taken out of a team."""
        tier, key = self._wares.today.ranked()[0].name, f"removed:{member.account}:{now.isoformat()}"
        kind, name = NoticeKind.SEAT_TAKEN, NoticeId(uuid4().hex)
        return Notice(name, key, member.account, self._mode, member.person, kind, tier, now)
