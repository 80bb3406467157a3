"""Conversations, the places that lead to them, and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from engine.context import HISTORY_CHARACTERS, HISTORY_IMAGES, HISTORY_PDFS, NEAR
from engine.domain import AccountId, Conversation, ConversationId, TurnId
from engine.files import Image, Pdf
from engine.models import Usage
from engine.turns import Branch, Exchange, Turn, TurnState
from storage.attachments import attached, attached_pdfs, newest, newest_pdfs
from storage.session import EPOCH, Row, Session, moment, moment_or_none

END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class Conversations:
    """The part of TurnsTx that is about conversations, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find_branch(self, account: AccountId, anchors: Sequence[str]) -> Branch | None:
        for place in anchors:
            if row := self._session.one("find_branch", account=account, place=place):
                return Branch(conversation_from(row), row["tip"])
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
            model=conversation.model,
        )

    def set_conversation_model(self, conversation: ConversationId, model: str | None) -> None:
        self._session.run("set_conversation_model", id=conversation, model=model)

    def bind(
        self,
        account: AccountId,
        conversation: ConversationId,
        anchors: Sequence[str],
        turn: TurnId | None = None,
    ) -> None:
        for place in anchors:
            self._session.run("bind", account=account, place=place, conversation=conversation, turn=turn)

    def unbind(self, account: AccountId, anchors: Sequence[str]) -> None:
        for place in anchors:
            self._session.run("unbind", account=account, place=place)

    def turn(self, turn: TurnId) -> Turn | None:
        row = self._session.one("past_turn", id=turn)
        if row is None:
            return None
        images = attached(self._session, turn) if row["images"] else ()
        pdfs = attached_pdfs(self._session, turn) if row["pdfs"] else ()
        return replace(turn_from(row), images=images, pdfs=pdfs)

    def history(self, tip: TurnId, limit: int, room: int | None = None) -> Sequence[Exchange]:
        characters = HISTORY_CHARACTERS if room is None else room
        rows = self._session.all("history", tip=tip, most=limit, room=characters, near=NEAR)
        images = newest(self._session, rows, HISTORY_IMAGES)
        pdfs = newest_pdfs(self._session, rows, HISTORY_PDFS)
        return [exchange_from(row, images.get(row["id"], ()), pdfs.get(row["id"], ())) for row in rows]

    def conversations(
        self, account: AccountId, before: tuple[datetime, ConversationId] | None, limit: int
    ) -> Sequence[Conversation]:
        at, name = before or (END_OF_TIME, "")
        rows = self._session.all("conversations", account=account, at=at, id=name, most=limit)
        return [conversation_from(row) for row in rows]

    def turns(
        self, conversation: ConversationId, after: tuple[datetime, TurnId] | None, limit: int
    ) -> Sequence[Turn]:
        at, name = after or (EPOCH, "")
        rows = self._session.all("turns", conversation=conversation, at=at, id=name, most=limit)
        return [turn_from(row) for row in rows]

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
        row["model"],
        emptied=row["emptied_at"] is not None,
    )


def exchange_from(row: Row, images: tuple[Image, ...], pdfs: tuple[Pdf, ...]) -> Exchange:
    """A row of a history as the engine knows it."""
    return Exchange(row["prompt"], row["answer"], images, row["summary"] or "", TurnId(row["id"]), pdfs)


def turn_from(row: Row) -> Turn:
    """A turn's row as the engine knows it."""
    return Turn(
        id=TurnId(row["id"]),
        account=AccountId(row["account"]),
        conversation=ConversationId(row["conversation"]),
        parent=row["parent"],
        batch=row["batch"],
        state=TurnState(row["state"]),
        model=row["model"],
        prompt=row["prompt"],
        answer=row["answer"],
        usage=Usage(
            row["input_tokens"],
            row["cached_input_tokens"],
            row["output_tokens"],
            estimated=bool(row["tokens_estimated"]),
        ),
        outcome=row["outcome"],
        started_at=moment(row["started_at"]),
        settled_at=moment_or_none(row["settled_at"]),
        good=None if row["good"] is None else bool(row["good"]),
    )
