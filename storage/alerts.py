"""Alerts owed to the operator."""

from __future__ import annotations

from engine.alerts import Alert
from storage.session import Session


class Alerts:
    """AlertsTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def raise_alert(self, alert: Alert) -> bool:
        noted = self._session.run(
            "raise_alert",
            key=alert.key,
            kind=alert.kind,
            subject=alert.subject,
            detail=alert.detail,
            at=alert.at,
        )
        return noted == 1
