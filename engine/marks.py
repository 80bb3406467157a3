"""What is told near the end of a ceiling and at it: to the operator, and to members about their own month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from uuid import uuid4

from engine.alerts import Alert, AlertKind
from engine.domain import AccountId, Micros, Person, Scope, Tier, TierName
from engine.facts import Mode
from engine.ledger import Tx
from engine.limits import next_month
from engine.notices import Notice, NoticeId, NoticeKind
from engine.sharing import Share, seen
from engine.spending import FREE, label, scopes, team
from engine.turns import Charge

NEAR = Fraction(4, 5)
"""The part of a ceiling at which it is told for the first time."""
NOTHING = Micros(0)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A ceiling in a period, as the operator is told of it; `name` tells it from all others."""

    name: str
    subject: str
    when: str
    most: Micros
    near: AlertKind = AlertKind.MEMBER_NEAR
    reached: AlertKind = AlertKind.MEMBER_REACHED


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose month a turn is taken off, and how they may be told."""

    account: AccountId
    person: Person
    mode: Mode
    tier: Tier
    metered: bool = False
    """Whether they agreed to pay for what lies beyond their ceiling."""
    share: Share | None = None
    """Of the budget of their team, if it pays."""

    @property
    def purse(self) -> Scope | None:
        """Where its charges count beside the bot and their vendors."""
        if self.share:
            return self.share.purse
        return FREE if self.tier.name is TierName.FREE else None

    def reserved(self, most: Micros) -> Mapping[Scope, Micros]:
        """What a question that costs so much at most holds beside what the house's ceilings ask for."""
        return self.share.reserved(most) if self.share else {}


def note_spent(
    tx: Tx,
    ceilings: Mapping[Scope, Micros],
    payer: Payer,
    charges: Sequence[Charge],
    began: datetime,
    now: datetime,
) -> None:
    """Tell of each mark that is passed now that these charges of a turn are written down."""
    touched = {scope for charge in charges if charge.cost for scope in scopes(charge, payer.purse)}
    for scope in sorted(touched & set(ceilings)):
        note_house(tx, scope, ceilings[scope], tx.purse(scope, began).spent, began, now)
    if touched and label_month(began) == label_month(now):
        note_member(tx, payer, now)


def note_house(
    tx: Tx,
    scope: Scope,
    ceiling: Micros,
    spent: Micros,
    at: datetime,
    now: datetime,
    need: Micros = NOTHING,
) -> None:
    """Tell the operator of a ceiling of the house; `need`: what a question wanted that found no room."""
    kinds = AlertKind.CEILING_NEAR, AlertKind.CEILING_REACHED
    tell_operator(tx, Ceiling(scope, scope, label(scope, at), ceiling, *kinds), spent, now, need)


def note_member(tx: Tx, payer: Payer, now: datetime, need: Micros = NOTHING) -> None:
    """The same about what a member may cost, of their own or of a team's, also to the member."""
    if payer.share:
        note_team(tx, payer, payer.share, now, need)
    elif payer.tier.cost_ceiling_month is not None:
        note_own(tx, payer, payer.tier.cost_ceiling_month, now, need)


def note_own(tx: Tx, payer: Payer, ceiling: Micros, now: datetime, need: Micros) -> None:
    """The same about a member's own ceiling."""
    spent, _ = tx.spent(payer.account, now)
    if not near(spent, ceiling):
        return
    end, free = reached(spent, ceiling, need), payer.tier.name is TierName.FREE
    if not (end and free):  # who pays nothing is told of the end where a question is refused
        tx.owe(notice(payer, spent_kind(payer) if end else near_kind(payer), now))
    if free:
        return
    told = Ceiling(f"account:{payer.account}", str(payer.person), label_month(now), ceiling)
    tell_operator(tx, told, spent, now, need)


def note_team(tx: Tx, payer: Payer, share: Share, now: datetime, need: Micros) -> None:
    """Tell a member about their part of the team's budget; its owner and the operator about all of it."""
    ceiling = share.tier.cost_ceiling_month
    if ceiling is None:
        return
    purses = tx.team_purses(share.owner, share.mode, now)
    fresh, mine = seen(share, purses, now), purses.get(share.purse)
    alone, reach = len(fresh.pot.uses) == 1, fresh.reach(ceiling) or Micros(0)
    if mine and not alone and near(mine.spent, reach):
        tx.owe(notice(payer, NoticeKind.SEAT_NEAR, now))
        if reached(mine.spent, reach, need):
            tx.owe(notice(payer, NoticeKind.SEAT_SPENT, now))
    note_budget(tx, share, ceiling, purses[team(share.owner)].spent, now, need if alone else NOTHING)


def note_budget(tx: Tx, share: Share, ceiling: Micros, spent: Micros, now: datetime, need: Micros) -> None:
    """The part of it that is about the whole budget."""
    owner = tx.person_of(share.owner) if near(spent, ceiling) else None
    if owner is None:
        return
    told = Payer(share.owner, owner, share.mode, share.tier)
    tx.owe(notice(told, NoticeKind.TEAM_NEAR, now))
    if reached(spent, ceiling, need):
        tx.owe(notice(told, NoticeKind.TEAM_SPENT, now))
    shared = Ceiling(team(share.owner), str(owner), label_month(now), ceiling)
    tell_operator(tx, shared, spent, now, need)


def tell_operator(tx: Tx, told: Ceiling, spent: Micros, now: datetime, need: Micros) -> None:
    """Owe the alerts that a ceiling's spend calls for, each once in a period and for that amount."""
    if not near(spent, told.most):
        return
    detail = f"{dollars(spent)} of {dollars(told.most)} USD in {told.when}"
    for kind in (told.near, *([told.reached] if reached(spent, told.most, need) else [])):
        key = f"{kind}:{told.name}:{told.when}:{told.most}"
        tx.raise_alert(Alert(key, kind, told.subject, now, detail))


def near(spent: Micros, ceiling: Micros) -> bool:
    """Whether so much is spent that it is worth telling."""
    return spent > 0 and spent >= ceiling * NEAR


def reached(spent: Micros, ceiling: Micros, need: Micros) -> bool:
    """Whether a ceiling's end is come to, or what is left is too little, whatever is only held."""
    return spent >= ceiling or spent + need > ceiling


def near_kind(payer: Payer) -> NoticeKind:
    """What a member is told near the ceiling."""
    if payer.tier.name is TierName.FREE:
        return NoticeKind.FREE_NEAR
    return NoticeKind.METERED_NEAR if payer.metered else NoticeKind.ALLOWANCE_NEAR


def spent_kind(payer: Payer) -> NoticeKind:
    """What a paying member is told at the ceiling."""
    return NoticeKind.METERED_BEGUN if payer.metered else NoticeKind.ALLOWANCE_SPENT


def notice(payer: Payer, kind: NoticeKind, now: datetime) -> Notice:
    """It is owed once in a month and tier."""
    tier, month = payer.tier.name, label_month(now)
    key = f"{kind}:{payer.mode}:{payer.account}:{tier}:{month}"
    until = next_month(now)
    return Notice(NoticeId(uuid4().hex), key, payer.account, payer.mode, payer.person, kind, tier, now, until)


def label_month(at: datetime) -> str:
    """A UTC month by name."""
    return f"{at:%Y-%m}"


def dollars(amount: Micros) -> str:
    """An amount for the operator."""
    return f"{amount / 1_000_000:.2f}"
