"""Conversations, the places that lead to them, and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from engine.domain import AccountId, Conversation, ConversationId
from engine.turns import Exchange
from storage.session import Row, Session, moment


class Conversations:
    """The part of TurnsTx that is about conversations, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find_conversation(self, account: AccountId, anchors: Sequence[str]) -> Conversation | None:
        for place in anchors:
            if row := self._session.one("find_conversation", account=account, place=place):
                return conversation_from(row)
        return None

    def conversation(self, conversation: ConversationId) -> Conversation | None:
        row = self._session.one("conversation", id=conversation)
        return conversation_from(row) if row else None

    def open_conversation(self, conversation: Conversation) -> None:
        self._session.run(
            "open_conversation",
            id=conversation.id,
            account=conversation.account,
            started_at=conversation.started_at,
            last_at=conversation.last_at,
            day=conversation.started_at.date(),
            live_turns=conversation.live_turns,
        )

    def bind(self, account: AccountId, conversation: ConversationId, anchors: Sequence[str]) -> None:
        for place in anchors:
            self._session.run("bind", account=account, place=place, conversation=conversation)

    def unbind(self, account: AccountId, anchors: Sequence[str]) -> None:
        for place in anchors:
            self._session.run("unbind", account=account, place=place)

    def history(self, conversation: ConversationId, limit: int) -> Sequence[Exchange]:
        rows = self._session.all("history", conversation=conversation, most=limit)
        return [Exchange(row["prompt"], row["answer"]) for row in reversed(rows)]

    def conversations_on(self, account: AccountId, day: date) -> int:
        row = self._session.one("conversations_on", account=account, day=day)
        return int(row["counted"]) if row else 0


def conversation_from(row: Row) -> Conversation:
    """A conversation's row as the engine knows it."""
    return Conversation(
        ConversationId(row["id"]),
        AccountId(row["account"]),
        moment(row["started_at"]),
        moment(row["last_at"]),
        row["live_turns"],
    )
