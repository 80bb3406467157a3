"""What the operator was told."""

from __future__ import annotations

from engine.alerts import AlertKind
from tests.engine.conftest import ALICE, Hall


async def told(hall: Hall) -> list[tuple[AlertKind, str, str]]:
    """Kind, subject and detail of every alert that came since this was asked before."""
    now = hall.clock.now()
    new = await hall.store.transact(lambda tx: tx.address_alerts([ALICE], [], now, 100))
    return [(alert.kind, alert.subject, alert.detail) for alert in new]
