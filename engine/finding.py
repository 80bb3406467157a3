"""Finds members for operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.audit import Actor, Deed, Entry
from engine.members import Members, Overview
from engine.ports import Clock, Store
from engine.seeking import Sought, SoughtKind

MOST = 20
LOOKED_AT = 60
"""Of those told a tier, so many are looked at for those who have it now."""


class Finding:
    """Looks for members; each look is in the audit log."""

    def __init__(self, store: Store, clock: Clock, members: Members) -> None:
        self._store = store
        self._clock = clock
        self._members = members

    async def find(self, actor: Actor, sought: Sought) -> Sequence[Overview]:
        """At most `MOST` members whom that fits, as they stand now."""
        mode, now = self._members.mode, self._clock.now()
        entry = Entry(now, actor, Deed.FIND, detail=f"{sought.kind}:{sought.value}")
        await self._store.transact(lambda tx: tx.note(entry))
        most = LOOKED_AT if sought.kind is SoughtKind.TIER else MOST
        people = await self._store.read(lambda tx: tx.people_by(sought, mode, most))
        found = await self._members.overviews(people)
        if sought.kind is SoughtKind.TIER:  # time alone may have ended what was told
            found = [each for each in found if each.access.tier == sought.value]
        return found[:MOST]


def brief(overview: Overview) -> Mapping[str, object]:
    """One who was found, as JSON-ready values."""
    return {
        "person": str(overview.person),
        "account": overview.account.id if overview.account else None,
        "tier": overview.access.tier,
        "reason": overview.access.reason,
        "payment_status": overview.access.payment_status,
        "cost_month_micros": overview.usage.cost_month,
        "stripe_customer_id": overview.customer,
    }
