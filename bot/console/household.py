"""What the commands of the console work with, put together by `gate/orders.py`."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.audit import Actor, Origin
from engine.chat import Chat
from engine.drafts import Drafts
from engine.duties import Duties
from engine.members import Members
from engine.ports import Clock, Store
from engine.reconcile import Reconcile
from engine.settings import Settings
from engine.simulated import SimulatedOrders
from engine.subscriptions import Subscriptions

if TYPE_CHECKING:  # the office has orders whose words are the console's
    from bot.admin.office import Office


@dataclass(frozen=True, slots=True)
class Household:
    """Everything put together, and nothing running."""

    settings: Settings
    store: Store
    clock: Clock
    members: Members
    subscriptions: Subscriptions
    reconcile: Reconcile
    duties: Duties
    chat: Chat
    office: Office
    simulation: SimulatedOrders | None
    drafts: Drafts


def console_actor() -> Actor:
    """Whoever uses the command line, by their name on this machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number that has no name
        name = "unknown"
    return Actor(f"console:{name}", Origin.CONSOLE)
