"""Blocks and pauses on the command line; each order gives an exit status."""

from __future__ import annotations

import json
from argparse import Namespace

from bot.admin.halting import (
    block_lines,
    blocked_words,
    pause_lines,
    paused_words,
    resumed_words,
    unblocked_words,
)
from bot.admin.moments import moment_named
from bot.console.household import Household, console_actor
from bot.console.words import refused


async def block(arguments: Namespace, house: Household) -> int:
    """Block a person."""
    outcome = await house.office.halting.block(console_actor(), arguments.person, arguments.reason)
    print(blocked_words(outcome))
    return 0


async def unblock(arguments: Namespace, house: Household) -> int:
    """Let a person ask again; 1 if they might all along."""
    done = await house.office.halting.unblock(console_actor(), arguments.person)
    print(unblocked_words(str(arguments.person), done=done))
    return 0 if done else 1


async def blocked(arguments: Namespace, house: Household) -> int:
    """List who is blocked."""
    found = await house.office.halting.blocked()
    if arguments.json:
        rows = [
            {"person": str(each.person), "since": each.since.isoformat(), "why": each.why} for each in found
        ]
        print(json.dumps(rows, indent=2))
    else:
        print("\n".join(block_lines(found)))
    return 0


async def pause(arguments: Namespace, house: Household) -> int:
    """Pause all, the free tier or a model; 2 if there is no such model, or the time is over."""
    try:
        until = moment_named(arguments.until, house.clock.now()) if arguments.until else None
        found = await house.office.halting.pause(console_actor(), arguments.what, until, arguments.reason)
    except ValueError as error:
        return refused(error)
    print(paused_words(found))
    return 0


async def resume(arguments: Namespace, house: Household) -> int:
    """End a pause; 1 if there is none."""
    done = await house.office.halting.resume(console_actor(), arguments.what)
    print(resumed_words(arguments.what, done=done))
    return 0 if done else 1


async def pauses(arguments: Namespace, house: Household) -> int:
    """List what is paused."""
    found = await house.office.halting.pauses()
    if arguments.json:
        rows = [
            {
                "what": each.what,
                "since": each.since.isoformat(),
                "until": each.until.isoformat() if each.until else None,
                "why": each.why,
            }
            for each in found
        ]
        print(json.dumps(rows, indent=2))
    else:
        print("\n".join(pause_lines(found)))
    return 0
