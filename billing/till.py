"""Stripe where it is configured, else its simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from billing.keys import mode_of
from billing.simulated_clock import SimulatedClock
from engine.demo.stage import StagedBilling
from engine.domain import Tier, TierName
from engine.pace import Pace
from engine.ports import Billing, BillingRecords, Clock, Store
from engine.settings import Settings

if TYPE_CHECKING:
    from billing.simulated import SimulatedBilling
    from billing.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Till:
    """Stripe, or its simulation with the clock that can be moved."""

    billing: Billing
    records: BillingRecords
    simulated: SimulatedBilling | None = None
    simulation: Simulation | None = None

    def staged(self) -> StagedBilling:
        """The simulation for a story that is told with it."""
        from billing.simulated_post import Post  # noqa: PLC0415 - as below

        if self.simulated is None or self.simulation is None:
            raise AssertionError("payments are real here")
        return StagedBilling(self.simulated, self.simulation, Post(self.simulated.world))


def open_till(settings: Settings, store: Store, clock: Clock, tiers: Mapping[TierName, Tier]) -> Till:
    """Stripe where it is configured, else its simulation; it looks at the `tiers` whenever it needs one."""
    if settings.stripe:
        from billing.gateway import StripeGateway  # noqa: PLC0415 - the SDK is for those who use it

        pace = Pace(store, clock, mode_of(settings.stripe.secret_key.get_secret_value()))
        address = settings.server.app_url
        gateway = StripeGateway(
            settings.stripe, tiers, clock, settings.billing, pace=pace.wait, app_url=address
        )
        return Till(gateway, gateway)
    from billing.simulated import SimulatedBilling  # noqa: PLC0415 - as above
    from billing.simulation import Simulation  # noqa: PLC0415 - as above

    address = settings.server.app_url
    simulated = SimulatedBilling(store, clock, address, tiers, settings.billing)
    simulation = Simulation(store, clock, simulated) if isinstance(clock, SimulatedClock) else None
    return Till(simulated, simulated, simulated, simulation)
