"""How often the configuration was to be read anew."""

from __future__ import annotations

from storage.session import Session


class Rereading:
    """RereadingTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ask_reload(self) -> int:
        row = self._session.one("ask_reload")
        if row is None:
            raise AssertionError("an upsert returns its row")
        return int(row["number"])

    def reloads_asked(self) -> int:
        row = self._session.one("reloads_asked")
        return row["number"] if row else 0
