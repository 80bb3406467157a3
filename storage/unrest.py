"""Models that come and go, and what was told of them."""

from __future__ import annotations

from collections.abc import Sequence

from engine.unrest import Unrest, Word
from storage.session import Row, Session, moment


class Unrests:
    """UnrestTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def unrests(self) -> Sequence[Unrest]:
        return [unrest_from(row) for row in self._session.all("unrests")]

    def hold_unrest(self, name: str) -> Unrest | None:
        row = self._session.one("hold_unrest", name=name)
        return unrest_from(row) if row else None

    def keep_unrest(self, unrest: Unrest) -> None:
        self._session.run(
            "keep_unrest",
            name=unrest.name,
            since=unrest.since,
            changed_at=unrest.changed_at,
            down=unrest.down,
            downs=unrest.downs,
            said=unrest.said,
            words=unrest.words,
        )

    def forget_unrest(self, name: str) -> None:
        self._session.run("forget_unrest", name=name)


def unrest_from(row: Row) -> Unrest:
    """A model's unrest as it is kept."""
    return Unrest(
        name=row["name"],
        since=moment(row["since"]),
        changed_at=moment(row["changed_at"]),
        down=bool(row["down"]),
        downs=row["downs"],
        said=Word(row["said"]),
        words=row["words"],
    )
