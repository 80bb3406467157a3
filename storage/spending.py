"""The ledger of what vendors charge, its purses, and what held turns reserve of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from engine.domain import AccountId, Micros, Scope, TierName, TurnId
from engine.facts import Mode
from engine.models import NO_USAGE, Usage
from engine.spending import Entry, Purpose, Purse, for_team, owner, period, scopes, team, vendor
from engine.tallies import charged
from engine.turns import Charge, Hold, Settlement
from storage.session import Row, Session, moment

AT_ONCE = 4
"""Purses that one statement is about."""


class Spending:
    """SpendingTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def charge_house(self, charge: Charge, purpose: Purpose, now: datetime) -> None:
        entry = Entry(None, None, None, purpose, charge, now, now)
        write(self._session, [entry])
        count(self._session, [entry])

    def entries(self, since: datetime, until: datetime) -> Sequence[Entry]:
        return [entry_from(row) for row in self._session.all("charges", since=since, until=until)]

    def purse(self, scope: Scope, at: datetime) -> Purse:
        return self._purses([scope], at)[scope]

    def team_purses(self, owner: AccountId, mode: Mode, at: datetime) -> Mapping[Scope, Purse]:
        whole = team(owner)
        counted = period(whole, at)
        return purses_from(
            self._session.all("team_purses", owner=owner, mode=mode, whole=whole, period=counted)
        )

    def lock_purses(self, scopes: Sequence[Scope], at: datetime) -> Mapping[Scope, Purse]:
        ordered = sorted(set(scopes))
        add_to_purses(self._session, [(scope, period(scope, at), 0) for scope in ordered])
        return self._purses(ordered, at)

    def _purses(self, scopes: Sequence[Scope], at: datetime) -> Mapping[Scope, Purse]:
        wanted = slots(("scope", "period"), [(scope, period(scope, at)) for scope in scopes])
        return purses_from([row for some in wanted for row in self._session.all("purses", **some)])


def reserve(session: Session, hold: Hold) -> None:
    """Store what a held turn may take of scopes with a ceiling."""
    held = [(scope, period(scope, hold.started_at), most) for scope, most in sorted(hold.reserved.items())]
    for some in slots(("scope", "period", "amount"), held):
        session.run("reserve", turn=hold.turn, **some)


def book(session: Session, turn: TurnId, row: Row, settlement: Settlement, *, again: bool) -> None:
    """Write down what vendors charged for a turn, whose row that is, and count it once.

    `again`: it may be in the ledger already, as it was known when the turn was released; that is replaced.
    """
    purse, began, tier = row["purse"], moment(row["started_at"]), tier_from(row)
    known = [entry_from(each) for each in session.all("drop_charges", turn=turn)] if again else []
    entries = [
        Entry(turn, row["account"], purse, Purpose.ANSWER, charge, began, settlement.settled_at, tier)
        for charge in settlement.charges
        if charge.usage != NO_USAGE  # nothing was asked of a vendor
    ]
    write(session, entries)
    count(session, entries, known)


def book_lost(session: Session, rows: Sequence[Row], at: datetime) -> None:
    """Write down all that was held for turns whose process was lost: so much may have been charged for each.

    Should one be settled after all, what it really cost replaces this.
    """
    entries = [
        Entry(row["id"], row["account"], row["purse"], Purpose.ANSWER, charge, began, at, tier_from(row))
        for row in rows
        for began in (moment(row["started_at"]),)
        for charge in guessed(session, row)
    ]
    write(session, entries)
    count(session, entries)


def guessed(session: Session, row: Row) -> Sequence[Charge]:
    """What vendors must be taken to have charged for a lost turn, which reserves that no longer.

    The one that was to be asked first is charged what was held of it, and whose the rest is nobody knows:
    what is held of others stays so while their day lasts.
    """
    name, whole = row["provider"], Micros(row["estimate"])
    reserved = session.all("drop_booked", turn=row["id"], vendor=vendor(name))
    held = {each["scope"]: each["amount"] for each in reserved}
    own = min(whole, held.get(vendor(name), whole))
    parts, unknown = ((name, own), ("", whole - own)), Usage(estimated=True)
    return [Charge(row["model"], who, unknown, Micros(cost)) for who, cost in parts if cost]


def write(session: Session, entries: Iterable[Entry]) -> None:
    """Append rows to the ledger."""
    for entry in entries:
        charge, usage = entry.charge, entry.charge.usage
        session.run(
            "add_charge",
            turn=entry.turn,
            account=entry.account,
            purse=entry.purse,
            purpose=entry.purpose,
            model=charge.model,
            provider=charge.provider,
            input_tokens=usage.input_tokens,
            cached_input_tokens=usage.cached_input_tokens,
            cache_written_tokens=usage.cache_written_tokens,
            output_tokens=usage.output_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            estimated=usage.estimated,
            cost=charge.cost,
            began_at=entry.began_at,
            at=entry.at,
            tier=entry.tier,
        )


def count(session: Session, entries: Sequence[Entry], gone: Sequence[Entry] = ()) -> None:
    """Add entries to the accounts' months, then in one order to the purses, and take off what is gone.

    What a team's budget pays is no part of an account's own month, but of all that its owner pays for.
    """
    spent: Counter[tuple[Scope, int]] = Counter()
    owed: dict[tuple[AccountId, int], Month] = {}
    for sign, each in [*((1, entry) for entry in entries), *((-1, entry) for entry in gone)]:
        cost, began = sign * (each.charge.cost or 0), each.began_at
        spent.update({(scope, period(scope, began)): cost for scope in scopes(each.charge, each.purse)})
        key, amounts = charged(each.charge, each.tier, each.purpose, began)
        session.tally((key, amounts if sign > 0 else -amounts))
        if each.account:
            shared = for_team(each.purse)
            payer = owner(each.purse) if each.purse and shared else each.account
            month = owed.setdefault((payer, month_number(began)), Month())
            month.add(0 if shared else cost, cost, sign)
    for (account, number), month in sorted(owed.items()):
        month.write(session, account, number)
    add_to_purses(session, [(*where, cost) for where, cost in sorted(spent.items()) if cost])


@dataclass(slots=True)
class Month:
    """What changes of an account's month."""

    cost: int = 0
    whole: int = 0
    requests: int = 0

    def add(self, cost: int, whole: int, requests: int) -> None:
        """A request more, or less."""
        self.cost, self.whole, self.requests = self.cost + cost, self.whole + whole, self.requests + requests

    def write(self, session: Session, account: AccountId, month: int) -> None:
        """Change it."""
        if self.whole or self.requests:
            session.run(
                "add_spend",
                account=account,
                month=month,
                cost=self.cost,
                whole=self.whole,
                requests=self.requests,
            )


def add_to_purses(session: Session, changes: Sequence[tuple[Scope, int, int]]) -> None:
    """Add to the purses of scopes and periods, in this order."""
    for some in slots(("scope", "period", "cost"), changes):
        session.run("add_to_purses", **some)


def slots(columns: Sequence[str], rows: Sequence[tuple[str | int, ...]]) -> Iterator[Mapping[str, str | int]]:
    """The parameters of statements about at most AT_ONCE rows each; a row that is not used has no scope."""
    unused: tuple[str | int, ...] = ("", *[0] * (len(columns) - 1))
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        filled = [*some, *[unused] * (AT_ONCE - len(some))]
        yield {
            f"{column}_{number}": value
            for number, row in enumerate(filled)
            for column, value in zip(columns, row, strict=True)
        }


def purses_from(rows: Sequence[Row]) -> Mapping[Scope, Purse]:
    """Purses as the engine knows them, by scope."""
    return {Scope(row["scope"]): Purse(Micros(int(row["spent"])), Micros(int(row["held"]))) for row in rows}


def month_number(at: date) -> int:
    """Months since year 0."""
    return at.year * 12 + at.month - 1


def entry_from(row: Row) -> Entry:
    """A row of the ledger as the engine knows it."""
    charge = Charge(row["model"], row["provider"], usage_from(row), row["cost"])
    began, at = moment(row["began_at"]), moment(row["at"])
    whose = row["turn"], row["account"], row["purse"]
    return Entry(*whose, Purpose(row["purpose"]), charge, began, at, tier_from(row))


def usage_from(row: Row) -> Usage:
    """The tokens of a row of it."""
    return Usage(
        row["input_tokens"],
        row["cached_input_tokens"],
        row["output_tokens"],
        bool(row["estimated"]),
        row["cache_written_tokens"],
        row["reasoning_tokens"],
    )


def tier_from(row: Row) -> TierName | None:
    """The tier in a row that may have none."""
    return TierName(row["tier"]) if row["tier"] else None
