"""Members by what is known of them, and the configuration read anew, on the command line."""

from __future__ import annotations

import json
from argparse import Namespace

from bot.admin.finding import NOBODY, lines
from bot.console.household import Household, console_actor
from engine.finding import brief
from engine.reloading import WATCH, ask_all


async def find(arguments: Namespace, house: Household) -> int:
    """Print whom that fits; 1 if nobody does."""
    found = await house.office.finding.find(console_actor(), arguments.sought)
    if arguments.json:
        print(json.dumps([brief(each) for each in found], indent=2))
    else:
        print("\n".join(lines(found)) if found else NOBODY)
    return 0 if found else 1


async def reload(_arguments: Namespace, house: Household) -> int:
    """Ask every process that runs to read its configuration, which was just read here without a problem."""
    await ask_all(house.store, house.clock, console_actor())
    print(f"Every running process reads its configuration within {WATCH:.0f} s; its log says what is new.")
    return 0
