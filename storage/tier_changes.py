"""How the tiers of accounts changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.domain import AccountId, TierName
from engine.facts import AccessReason, Mode, TierChange
from engine.tallies import moved
from storage.session import Row, Session, moment


class TierChanges:
    """The part of MoneyTx that is about tiers, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_tier_change(self, change: TierChange) -> TierChange:
        row = self._session.one("next_tier_change", account=change.account, mode=change.mode)
        numbered = replace(change, number=row["number"] if row else 1)
        self._session.run(
            "add_tier_change",
            account=numbered.account,
            mode=numbered.mode,
            number=numbered.number,
            tier_before=numbered.before,
            tier_after=numbered.after,
            reason=numbered.reason,
            at=numbered.at,
        )
        self._session.tally(*moved(numbered.mode, numbered.before, numbered.after, numbered.at))
        return numbered

    def tier_changes(self, account: AccountId) -> Sequence[TierChange]:
        return [tier_change_from(row) for row in self._session.all("tier_changes", account=account)]


def tier_change_from(row: Row) -> TierChange:
    """A tier change's row as the engine knows it."""
    return TierChange(
        row["number"],
        AccountId(row["account"]),
        Mode(row["mode"]),
        TierName(row["tier_before"]),
        TierName(row["tier_after"]),
        AccessReason(row["reason"]),
        moment(row["changed_at"]),
    )
