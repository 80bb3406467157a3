"""Finds people by what operators know of them."""

from __future__ import annotations

from collections.abc import Sequence

from engine.domain import Person, TierName
from engine.facts import Mode
from engine.seeking import Sought, SoughtKind
from storage.people import person_from
from storage.session import Session


class Seeking:
    """SeekingTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def people_by(self, sought: Sought, mode: Mode, limit: int) -> Sequence[Person]:
        if sought.kind is SoughtKind.PERSON:
            who = Person.parse(sought.value)
            rows = self._session.all(
                "people_by_person", platform=who.platform, workspace=who.workspace, member=who.user
            )
        else:
            rows = self._session.all(query(sought), value=sought.value, mode=mode, most=limit)
        found = dict.fromkeys(map(person_from, rows))
        return list(found)


def query(sought: Sought) -> str:
    """The statement for it; everybody begins with the first tier, without a change."""
    first = sought.kind is SoughtKind.TIER and sought.value == TierName.FREE
    return "people_by_first_tier" if first else f"people_by_{sought.kind}"
