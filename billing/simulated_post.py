"""Hands over what happens to simulated customers to those who move the clock themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import final

from billing.simulated_life import next_due
from billing.simulated_plans import Affairs
from billing.simulated_world import World
from billing.webhook import read_event
from engine.errors import GoneError
from engine.facts import BillingEvent, Mode
from engine.ledger import Tx


@final
class Post:
    """The demo's `Post` port over one simulated Stripe."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def pass_time(self, customer: str) -> datetime | None:
        """Write down what time made of a customer by now; when it will do so next, None: never."""

        def same(_tx: Tx, affairs: Affairs) -> tuple[Affairs, Affairs]:
            return affairs, affairs

        try:
            affairs = await self._world.change(customer, same)
        except GoneError:
            return None
        return next_due(affairs, self._world.prices)

    async def collect(self) -> Sequence[BillingEvent]:
        """Take the events that wait, oldest first; nobody else will be told of them."""

        def work(tx: Tx) -> Sequence[BillingEvent]:
            found = tx.objects("event")
            for each in found:
                tx.drop_object(each.id)
            return [read_event(json.loads(obj.body), obj.body.encode(), Mode.SIMULATED) for obj in found]

        return await self._world.store.transact(work)
