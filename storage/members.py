"""What members cost, month by month, and who they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from engine.domain import AccountId, Micros
from engine.facts import Mode
from engine.tallies import MemberCost
from storage.people import person_from
from storage.session import Row, Session, moment
from storage.spending import month_number

MOST = 2**63 - 1
"""More than anything costs."""
ESCAPED = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


class MemberCosts:
    """The part of TalliesTx that is about members, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def dearest(
        self, month: date, skip: int, limit: int, *, by_requests: bool = False
    ) -> Sequence[MemberCost]:
        name = "busiest" if by_requests else "dearest"
        rows = self._session.all(name, month=month_number(month), skip=skip, most=limit)
        return [member_cost_from(row) for row in rows]

    def dearest_behind(
        self, month: date, last: MemberCost | None, limit: int, *, by_requests: bool = False
    ) -> Sequence[MemberCost]:
        name = "busiest_behind" if by_requests else "dearest_behind"
        account, amount = "", MOST
        if last:
            account, amount = last.account, last.requests if by_requests else last.cost
        rows = self._session.all(name, month=month_number(month), amount=amount, account=account, most=limit)
        return [member_cost_from(row) for row in rows]

    def by_person(self, mode: Mode, month: date) -> Mapping[AccountId, bool]:
        rows = self._session.all("members_by_person", mode=mode, **bounds(month))
        return {AccountId(row["account"]): bool(row["asked"]) for row in rows}

    def favoured(self, mode: Mode) -> frozenset[AccountId]:
        return frozenset(AccountId(row["account"]) for row in self._session.all("favoured", mode=mode))

    def dearest_of_others(self, mode: Mode, month: date, skip: int, limit: int) -> Sequence[MemberCost]:
        rows = self._session.all("dearest_of_others", mode=mode, skip=skip, most=limit, **bounds(month))
        return [member_cost_from(row) for row in rows]

    def costs_of_payers(self, mode: Mode, month: date) -> Mapping[AccountId, MemberCost]:
        rows = self._session.all("costs_of_payers", mode=mode, **bounds(month))
        return {
            row["account"]: MemberCost(row["account"], None, None, row["requests"], Micros(row["whole"]))
            for row in rows
        }

    def costs_of(self, accounts: Sequence[AccountId], month: date) -> Sequence[MemberCost]:
        number = month_number(month)
        found = (self._session.one("costs_of", account=account, month=number) for account in accounts)
        return [member_cost_from(row) for row in found if row]

    def count_members(self, month: date) -> int:
        row = self._session.one("count_members", month=month_number(month))
        return row["members"] if row else 0

    def find_members(self, text: str, limit: int) -> Sequence[AccountId]:
        pattern = f"%{text.strip().lower().translate(ESCAPED)}%"
        return [
            AccountId(row["id"]) for row in self._session.all("find_members", pattern=pattern, most=limit)
        ]


def bounds(month: date) -> dict[str, int | datetime]:
    """A UTC month as a number, its first moment and the first one after it."""
    number = month_number(month)
    since, until = (datetime(each // 12, each % 12 + 1, 1, tzinfo=UTC) for each in (number, number + 1))
    return {"month": number, "since": since, "until": until}


def member_cost_from(row: Row) -> MemberCost:
    """A member's month as the engine knows it; who was erased has no person."""
    person = person_from(row) if row["platform"] else None
    seen = moment(row["seen_at"]) if row["seen_at"] else None
    return MemberCost(AccountId(row["account"]), person, seen, row["requests"], Micros(row["whole"]))
