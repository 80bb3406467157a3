"""What members came to on their way to paying and on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.domain import AccountId, Platform, TierName
from engine.facts import Mode
from engine.happenings import AN_HOUR, AT_WILL, MOST_AN_HOUR, Happening, HappeningKind
from storage.session import Row, Session, moment


class Happenings:
    """HappeningsTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def happened(self, happening: Happening) -> None:
        at_will = happening.kind in AT_WILL
        bound: dict[str, int | datetime] = (
            {"most": MOST_AN_HOUR, "since": happening.at - AN_HOUR} if at_will else {}
        )
        self._session.run(
            "happened_again" if at_will else "happened",
            **bound,
            at=happening.at,
            account=happening.account,
            mode=happening.mode,
            kind=happening.kind,
            platform=happening.platform,
            tier=happening.tier or "",
            reason=happening.reason,
            model=happening.model,
        )

    def happenings(self, since: datetime, until: datetime, after: int, limit: int) -> Sequence[Happening]:
        rows = self._session.all("happenings", since=since, until=until, after=after, most=limit)
        return [happening_from(row) for row in rows]

    def count_happenings(
        self, mode: Mode, since: datetime, until: datetime
    ) -> Sequence[tuple[HappeningKind, str, int]]:
        rows = self._session.all("count_happenings", mode=mode, since=since, until=until)
        return [(HappeningKind(row["kind"]), row["reason"], row["times"]) for row in rows]

    def forget_events(self, before: datetime, limit: int) -> int:
        return self._session.run("forget_events", before=before, most=limit)


def happening_from(row: Row) -> Happening:
    """An occurrence's row as the engine knows it."""
    return Happening(
        kind=HappeningKind(row["kind"]),
        account=AccountId(row["account"]),
        mode=Mode(row["mode"]),
        at=moment(row["at"]),
        platform=Platform(row["platform"]),
        tier=TierName(row["tier"]) if row["tier"] else None,
        reason=row["reason"],
        model=row["model"],
        number=row["number"],
    )
