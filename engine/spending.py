"""What vendors charge: a ledger with a row for each request, and purses that count it by scope and period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from engine.budget import Ceilings
from engine.domain import AccountId, Micros, Scope, TierName, TurnId
from engine.facts import Mode
from engine.turns import Charge

BOT = Scope("bot")
"""All that vendors charge, by UTC month."""
FREE = Scope("free")
"""What free members cost together, by UTC day."""
TEAM = "team:"
FIRST_DAY = date(1970, 1, 1)


class Purpose(StrEnum):
    """What a request to a vendor was for."""

    ANSWER = "answer"
    SUMMARY = "summary"
    """The beginning of a conversation that has grown long, summed up."""


@dataclass(frozen=True, slots=True)
class Purse:
    """What of a scope is spent in one period, and what turns in flight may still take of it."""

    spent: Micros
    held: Micros

    @property
    def taken(self) -> Micros:
        """Both together: what a ceiling leaves no more room for."""
        return Micros(self.spent + self.held)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the ledger. `turn` and `account` are None for what is the operator's alone."""

    turn: TurnId | None
    account: AccountId | None
    purse: Scope | None
    """Where it counts beside BOT and its vendor: FREE, a team's, that of a seat in one, or nowhere."""
    purpose: Purpose
    charge: Charge
    began_at: datetime
    """When its turn began: the periods in which it counts are those of this moment."""
    at: datetime
    """When it was written down."""
    tier: TierName | None = None
    """What the member had when the turn began; None for the operator's alone, and in old rows."""


def vendor(name: str) -> Scope:
    """The scope of a vendor, by its name in config.toml, by UTC day."""
    return Scope(f"vendor:{name}")


def is_vendor(scope: Scope) -> bool:
    """Whether it is the scope of a vendor."""
    return scope.startswith("vendor:")


def team(name: str) -> Scope:
    """The scope of a team, by UTC month."""
    return Scope(f"{TEAM}{name}")


def seat(owner: str, account: str) -> Scope:
    """The scope of a seat in a team, by UTC month: what counts there counts for the whole team, too."""
    return Scope(f"{team(owner)}/{account}")


def for_team(scope: Scope | None) -> bool:
    """Whether it is the scope of a team or of a seat in one: the team's budget pays, not the account's."""
    return scope is not None and scope.startswith(TEAM)


def owner(scope: Scope) -> AccountId:
    """Whose team it is, of the scope of a team or of a seat in one."""
    return AccountId(scope.removeprefix(TEAM).partition("/")[0])


def monthly(scope: Scope) -> bool:
    """Whether a scope is counted by UTC month; else by UTC day."""
    return scope == BOT or for_team(scope)


def period(scope: Scope, at: datetime) -> int:
    """The number of the period of a scope that a moment is in: months since year 0, days since 1970."""
    return at.year * 12 + at.month - 1 if monthly(scope) else at.toordinal() - FIRST_DAY.toordinal()


def label(scope: Scope, at: datetime) -> str:
    """The same in words: `2026-11`, or `2026-11-28`."""
    return f"{at:%Y-%m}" if monthly(scope) else f"{at:%Y-%m-%d}"


def by_scope(ceilings: Ceilings) -> dict[Scope, Micros]:
    """The operator's ceilings, those that there are."""
    told = {BOT: ceilings.bot_month, FREE: ceilings.free_day}
    vendors = {vendor(name): ceiling for name, ceiling in ceilings.vendor_day.items()}
    return {scope: each for scope, each in told.items() if each is not None} | vendors


def scopes(charge: Charge, purse: Scope | None) -> tuple[Scope, ...]:
    """Where a charge counts; that of a seat in its team, too."""
    whole = (Scope(purse.partition("/")[0]),) if purse and for_team(purse) and "/" in purse else ()
    return (BOT, vendor(charge.provider), *whole, *((purse,) if purse else ()))


class SpendingTx(Protocol):
    """The ledger of charges and its purses; `TurnsTx.settle` and `record_spend` write those of turns."""

    def charge_house(self, charge: Charge, purpose: Purpose, now: datetime) -> None:
        """Write down what is the operator's alone: it counts for the bot and the vendor, for no member."""
        ...

    def entries(self, since: datetime, until: datetime) -> Sequence[Entry]:
        """The ledger of what began in that time, in the order in which it was written."""
        ...

    def purse(self, scope: Scope, at: datetime) -> Purse:
        """What is spent and held in the period of a scope that `at` is in; no lock.

        A turn whose process was lost holds on until `book_lost`: then it has spent as much. It still holds of
        vendors that it may have asked beside the one that is charged.
        """
        ...

    def team_purses(self, owner: AccountId, mode: Mode, at: datetime) -> Mapping[Scope, Purse]:
        """The same for a team and each of its seats.

        The team's own first, then the owner's seat, then those who joined, in that order.
        """
        ...

    def lock_purses(self, scopes: Sequence[Scope], at: datetime) -> Mapping[Scope, Purse]:
        """The same for several, locked in one order until the unit ends.

        To be called once in a unit, after all other locks: `lock_account`, then `lock_rules`, then this.
        """
        ...
