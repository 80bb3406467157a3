"""A link into the dashboard for whoever has a shell on the server."""

from __future__ import annotations

import sys
from argparse import Namespace

from bot.admin.entering import MINUTES, NO_LINK
from bot.console.household import Household, console_actor
from engine.entry import NoLink


async def dashboard(arguments: Namespace, house: Household) -> int:
    """Print a link, or end all sessions; 2 if there is no dashboard, 1 after too many links."""
    entrance = house.office.entrance
    if arguments.end_sessions:
        ended = await entrance.end_sessions(console_actor(), everybody=True)
        print(f"{ended} ended. No link that was asked for works any more.")
        return 0
    address = await entrance.link(console_actor())
    if isinstance(address, NoLink):
        print(NO_LINK[address], file=sys.stderr)
        return 1 if address is NoLink.TOO_MANY else 2
    print(address)
    print(f"It lets you in once, within {MINUTES} minutes.", file=sys.stderr)
    return 0
