"""The simulated Stripe's objects and the playground's messages."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.simulated import LocalMessage, SimulatedObject
from storage.session import Row, Session, moment_or_none


class Playground:
    """PlaygroundTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put_object(self, obj: SimulatedObject) -> None:
        self._session.run("put_object", id=obj.id, kind=obj.kind, owner=obj.owner, body=obj.body)

    def add_object(self, obj: SimulatedObject) -> bool:
        return self._session.run("add_object", id=obj.id, kind=obj.kind, owner=obj.owner, body=obj.body) == 1

    def get_object(self, obj: str) -> SimulatedObject | None:
        row = self._session.one("lock_object" if self._session.writable else "get_object", id=obj)
        return object_from(row) if row else None

    def objects(self, kind: str, owner: str | None = None) -> Sequence[SimulatedObject]:
        if owner is None:
            rows = self._session.all("objects", kind=kind)
        else:
            rows = self._session.all("objects_of", kind=kind, owner=owner)
        return [object_from(row) for row in rows]

    def drop_object(self, obj: str) -> None:
        self._session.run("drop_object", id=obj)

    def put_local(self, message: LocalMessage) -> None:
        self._session.run(
            "put_local",
            id=message.id,
            room=message.room,
            author=message.author,
            audience=message.audience,
            body=json.dumps(dict(message.body)),
            at=message.at,
        )

    def get_local(self, message: str) -> LocalMessage | None:
        row = self._session.one("get_local", id=message)
        return local_message_from(row) if row else None

    def local_messages(self, person: str, limit: int) -> Sequence[LocalMessage]:
        rows = self._session.all("local_messages", person=person, most=limit)
        return [local_message_from(row) for row in reversed(rows)]


def object_from(row: Row) -> SimulatedObject:
    """A simulated object's row as the engine knows it."""
    return SimulatedObject(row["id"], row["kind"], row["owner"], row["body"])


def local_message_from(row: Row) -> LocalMessage:
    """A playground message's row as the engine knows it."""
    return LocalMessage(
        row["id"],
        row["room"],
        row["author"],
        row["audience"],
        json.loads(row["body"]),
        moment_or_none(row["shown_at"]),
    )
