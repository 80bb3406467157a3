"""A household for the console's orders, over a hall: its office, and what members deal with."""

from __future__ import annotations

from bot.admin.office import open_office
from bot.console.household import Household
from bot.front import Front
from engine.config import load_settings
from engine.duties import Duties
from engine.facts import Mode
from engine.settings import Settings
from engine.terms import Policy
from tests.bot.counter import simulated_counter
from tests.engine.conftest import Hall


def settings_of(**variables: str) -> Settings:
    """Settings in which Alice operates the bot."""
    return load_settings({"ADMIN_IDS": "local:alice", **variables})


def household(hall: Hall, front: Front | None = None) -> Household:
    """Everything that operators have; nothing compares with Stripe, and no time is played with."""
    counter = simulated_counter(hall.store, hall.clock)
    front = front or counter.front(hall)
    office = open_office(settings_of(), hall.store, hall.clock, front, Mode.SIMULATED)
    return Household(
        settings=settings_of(),
        store=hall.store,
        clock=hall.clock,
        members=front.members,
        subscriptions=counter.subscriptions,
        duties=Duties(hall.store, hall.clock, counter.simulated, Policy(), lambda: None),
        chat=front.chat,
        reconcile=None,  # type: ignore[arg-type]  # asks Stripe, which is not here
        office=office,
        simulation=None,
        drafts=None,  # type: ignore[arg-type]  # nothing is compared here
    )
