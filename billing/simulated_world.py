"""The simulated Stripe as a place: its storage, clock, prices and courier, and how things change there."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import TypeVar

from billing.simulated_courier import Courier
from billing.simulated_life import aged
from billing.simulated_objects import Portal
from billing.simulated_plans import Affairs, Plan
from billing.simulated_prices import SimulatedPrices
from billing.simulated_shelf import find, keep, load
from engine.errors import GoneError
from engine.facts import Subscription
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.simulated import SimulatedObject

T = TypeVar("T")

SECRET_ID = "sim_signing_secret"  # noqa: S105 - the name under which it is kept


class World:
    """One simulated Stripe; every process that opens the same store has the same one."""

    def __init__(self, store: Store, clock: Clock, app_url: str, prices: SimulatedPrices) -> None:
        self.store = store
        self.clock = clock
        self.pages = f"{app_url.rstrip('/')}/simulated"
        self.prices = prices
        self.courier = Courier(store, clock, prices)
        self.known_secret: str | None = None

    async def read(self, customer: str) -> Affairs:
        """A customer's affairs as they are now; GoneError if there never was such a customer."""
        now = self.clock.now()
        return await self.store.read(lambda tx: aged(load(tx, customer), now, self.prices))

    async def change(self, customer: str, act: Callable[[Tx, Affairs], tuple[Affairs, T]]) -> T:
        """Make of a customer's affairs as they are now what `act` makes of them, in one unit of work.

        Its events follow. GoneError: there is no such customer, or it was deleted.
        """
        now = self.clock.now()

        def work(tx: Tx) -> T:
            before = load(tx, customer)
            if before.payer.deleted_at:
                raise GoneError("this simulated customer was deleted")
            after, result = act(tx, aged(before, now, self.prices))
            keep(tx, before, after, now)
            return result

        done = await self.store.transact(work)
        self.courier.wake()
        return done

    async def owner(self, name: str) -> str:
        """Whose subscription or invoice it is; GoneError if there is none of that id.

        An invoice is named after its subscription, for time may have made it that nobody wrote down yet.
        """
        plan = (
            name.replace("sim_in_", "sim_sub_", 1).rpartition("_")[0] if name.startswith("sim_in_") else name
        )
        return (await self.store.read(lambda tx: find(tx, Plan, plan))).customer

    async def customer_of(self, portal: str) -> str:
        """Whose portal session it is; GoneError if there is none, or it has run out."""
        found = await self.store.read(lambda tx: find(tx, Portal, portal))
        if found.expires_at <= self.clock.now():
            raise GoneError("this simulated portal session has run out")
        return found.customer

    def shown(self, affairs: Affairs, plan: Plan) -> Subscription:
        """A subscription as the engine knows it."""
        return affairs.shown(plan, self.prices, self.pages)

    async def secret(self) -> str:
        """What events are signed with; made once for each database."""
        fresh = SimulatedObject(SECRET_ID, "secret", "", f"whsec_sim_{secrets.token_urlsafe(32)}")

        def work(tx: Tx) -> str:
            tx.add_object(fresh)
            kept = tx.get_object(SECRET_ID)
            return kept.body if kept else fresh.body

        if self.known_secret is None:
            self.known_secret = await self.store.transact(work)
        return self.known_secret

    async def name(self, prefix: str, of: str) -> str:
        """An id that the same words always give and that nobody can guess."""
        digest = hmac.new(
            (await self.secret()).encode(), f"{prefix}:{of}".encode(), hashlib.sha256
        ).hexdigest()
        return f"sim_{prefix}_{digest[:24]}"
