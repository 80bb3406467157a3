"""Seats in a team: who has one, what it is decided on, and the codes by which people come to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.domain import AccountId, Person, Scope
from engine.facts import NO_CLAIMS, Claims, Mode, Subscription
from engine.grants import Grant


@dataclass(frozen=True, slots=True)
class Membership:
    """In whose team an account is, and its place there.

    The owner has place 1, those who joined come after it in the order of their joining.
    """

    owner: AccountId
    place: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an account has, by which it is decided what it may use."""

    subscriptions: tuple[Subscription, ...] = ()
    claims: Claims = NO_CLAIMS
    grants: tuple[Grant, ...] = ()
    joined: Membership | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """A member's place in a team, with what the team's owner has."""

    owner: AccountId
    place: int
    theirs: Holdings


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who joined a team; a `number` is never given twice in a team, and the owner has 1."""

    account: AccountId
    person: Person
    number: int
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Invite:
    """A code to join a team with, once; `digest` is all that is kept of it."""

    digest: str
    owner: AccountId
    mode: Mode
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    def open(self, now: datetime) -> bool:
        """Whether it still leads into the team."""
        return self.used_at is None and now < self.expires_at


class TeamsTx(Protocol):
    """Teams and their seats. A team is known by the account that pays for it, in one mode."""

    def holdings(self, account: AccountId, mode: Mode) -> Holdings:
        """What an account has, in one statement if nothing was given to it and nothing stands against it."""
        ...

    def membership(self, account: AccountId, mode: Mode) -> Membership | None:
        """The team that an account joined; no lock."""
        ...

    def lock_team(self, owner: AccountId, mode: Mode) -> None:
        """Lock a team until the unit ends; to be called after `lock_account`, if both are needed."""
        ...

    def team_members(self, owner: AccountId, mode: Mode) -> Sequence[Member]:
        """Those who joined a team, in that order; without its owner."""
        ...

    def seat(self, account: AccountId, owner: AccountId, mode: Mode, now: datetime) -> bool:
        """Let an account join a team whose lock is held; False if it is in one already."""
        ...

    def unseat(self, account: AccountId, owner: AccountId, mode: Mode) -> bool:
        """Take an account out of a team; False if it was not in it."""
        ...

    def seated(self, mode: Mode, after: str, limit: int) -> Sequence[AccountId]:
        """Accounts that joined any team, by id, those behind `after` ('' for the first page)."""
        ...

    def conversations_paid(self, account: AccountId, purse: Scope, since: datetime) -> int:
        """The account's conversations with turns begun from then on that a purse paid, or is to pay."""
        ...

    def person_of(self, account: AccountId) -> Person | None:
        """The person of an account."""
        ...

    def save_invite(self, invite: Invite) -> None:
        """Keep a new code's digest."""
        ...

    def invite(self, digest: str, mode: Mode) -> Invite | None:
        """The invitation of a code."""
        ...

    def use_invite(self, digest: str, account: AccountId, now: datetime) -> bool:
        """Use it up; False if it was used before, or is too old."""
        ...

    def invited_since(self, owner: AccountId, mode: Mode, since: datetime) -> int:
        """How many codes were made for a team from then on."""
        ...

    def forget_invites(self, owner: AccountId, mode: Mode, before: datetime) -> None:
        """Drop a team's invitations that ended before then."""
        ...

    def try_code(self, account: AccountId, now: datetime, since: datetime, most: int) -> bool:
        """Count one try to join; False if there were `most` of the account since then."""
        ...
