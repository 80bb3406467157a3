"""The long lists of the simulated Stripe, for reconciliation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from billing.simulated_courier import GIVEN_UP
from billing.simulated_life import aged
from billing.simulated_plans import Affairs
from billing.simulated_shelf import load_all
from billing.simulated_world import World
from billing.webhook import read_event
from engine.facts import BillingEvent, CustomerId, Mode, MoneyBack, Subscription
from engine.ledger import Tx
from engine.simulated import SimulatedObject


class SimulatedRecords:
    """The BillingRecords port."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def undelivered_events(self, since: datetime) -> AsyncIterator[BillingEvent]:
        """Those that were given up, and those that are still tried."""

        def stored(tx: Tx) -> Sequence[SimulatedObject]:
            return [*tx.objects(GIVEN_UP), *tx.objects("event")]

        for obj in await self.world.store.read(stored):
            event = read_event(json.loads(obj.body), obj.body.encode(), Mode.SIMULATED)
            if event.created_at >= since:
                yield event

    async def all_subscriptions(self) -> AsyncIterator[Subscription]:
        for affairs in await self._everybody():
            for plan in affairs.plans:
                yield self.world.shown(affairs, plan)

    async def money_back(self, since: datetime) -> AsyncIterator[MoneyBack]:
        for affairs in await self._everybody():
            for quarrel in affairs.quarrels:
                if quarrel.made_at >= since:
                    yield quarrel.shown()
            for invoice in affairs.invoices:
                refund = invoice.money_back()
                if refund and invoice.refunded_at and invoice.refunded_at >= since:
                    yield refund

    async def customers(self) -> AsyncIterator[tuple[CustomerId, str]]:
        for affairs in await self._everybody():
            if affairs.payer.deleted_at is None:
                yield CustomerId(affairs.payer.id), affairs.payer.account

    async def _everybody(self) -> Sequence[Affairs]:
        now = self.world.clock.now()
        return [aged(each, now, self.world.prices) for each in await self.world.store.read(load_all)]
