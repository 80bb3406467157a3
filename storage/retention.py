"""Lets go what is older than the operator keeps it, a few hundred rows in each unit of work."""

from __future__ import annotations

from datetime import datetime

from engine.spending import Purpose
from engine.turns import Charge
from storage.session import Session
from storage.spending import Spending
from storage.summaries import asked_from

CONVERSATIONS = 20
"""Emptied at most in a unit: their accounts are locked meanwhile."""


class Retained:
    """RetentionTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def empty_conversations(self, before: datetime, now: datetime, limit: int) -> int:
        found = self._session.all("due_to_empty", before=before, most=CONVERSATIONS)
        for account in sorted({row["account"] for row in found}):
            self._session.one("lock_account_id", id=account)
        asked: list[Charge] = []
        room = limit
        for row in found:
            if room > 0 and self._session.run("close_conversation", id=row["id"], before=before, now=now):
                room -= self._empty(row["id"], room, asked)
        for charge in asked:  # purses are locked after all that is owed
            Spending(self._session).charge_house(charge, Purpose.SUMMARY, now)
        return len(found)

    def _empty(self, name: str, room: int, asked: list[Charge]) -> int:
        """Empty a closed conversation as far as there is room; about how many rows that were."""
        rows = self._session.all("let_summary_go", id=name)
        asked += [asked_from(row) for row in rows if row["asked_cost"] is not None]
        self._session.run("let_summaries_go", id=name)
        anchors = self._session.run("let_anchors_go", id=name, most=room)
        turns = self._session.run("empty_turns", id=name, most=room)
        for files in ("let_images_go", "let_pdfs_go"):
            self._session.run(files, id=name)
        if max(anchors, turns) < room:
            self._session.run("conversation_emptied", id=name)
        return 1 + anchors + turns

    def forget_messages(self, before: datetime, limit: int) -> int:
        return self._session.run("forget_local", before=before, most=limit)

    def empty_announcements(self, before: datetime, limit: int) -> int:
        return self._session.run("empty_announcements", before=before, most=limit)

    def forget_deeds(self, before: datetime, limit: int) -> int:
        return self._session.run("forget_deeds", before=before, most=limit)
