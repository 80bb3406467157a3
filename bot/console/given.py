"""What operators give without any payment, on the command line; each order gives an exit status."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.admin.largesse import (
    OBJECTIONS,
    codes_words,
    credited_words,
    gift_lines,
    granted_words,
    revoked_words,
    uncredited_words,
)
from bot.console.household import Household, console_actor
from engine.giving import CREDIT_LIFE, Objection
from engine.grants import Gift


def gift_json(gift: Gift, now: datetime) -> Mapping[str, object]:
    """One code as JSON-ready values."""
    return {
        "name": gift.name,
        "tier": gift.tier,
        "days": gift.days,
        "state": gift.state(now),
        "made_at": gift.made_at.isoformat(),
        "made_by": gift.made_by,
        "expires_at": gift.expires_at.isoformat() if gift.expires_at else None,
        "used_at": gift.used_at.isoformat() if gift.used_at else None,
        "used_by": str(gift.person) if gift.person else None,
    }


def told(words: str) -> int:
    """Say what was done."""
    print(words)
    return 0


def refused(objection: Objection) -> int:
    """Say why nothing was done."""
    print(OBJECTIONS[objection], file=sys.stderr)
    return 2


def until_of(arguments: Namespace, now: datetime) -> datetime | None:
    """The end that was named, by date or in days."""
    if arguments.days:
        return now + timedelta(days=arguments.days)
    return arguments.until if isinstance(arguments.until, datetime) else None


async def grant(arguments: Namespace, house: Household) -> int:
    """Give a person a tier until a date."""
    giving, person = house.office.affairs.giving, arguments.person
    until = until_of(arguments, giving.now()) or giving.now()
    found = await giving.grant(console_actor(), person, arguments.tier, until, arguments.note)
    return refused(found) if isinstance(found, Objection) else told(granted_words(found, person))


async def revoke(arguments: Namespace, house: Household) -> int:
    """End what a person was given."""
    found = await house.office.affairs.giving.revoke(console_actor(), arguments.person, arguments.number)
    return refused(found) if isinstance(found, Objection) else told(revoked_words(found, arguments.person))


async def credit(arguments: Namespace, house: Household) -> int:
    """Give a person conversations beyond the daily limit."""
    giving, person = house.office.affairs.giving, arguments.person
    until = until_of(arguments, giving.now()) or giving.now() + CREDIT_LIFE
    found = await giving.credit(console_actor(), person, arguments.count, until, arguments.note)
    return refused(found) if isinstance(found, Objection) else told(credited_words(found, person))


async def uncredit(arguments: Namespace, house: Household) -> int:
    """Take back what is left of them."""
    giving, person = house.office.affairs.giving, arguments.person
    found = await giving.uncredit(console_actor(), person, arguments.number)
    if isinstance(found, Objection):
        return refused(found)
    return told(uncredited_words(found, person, giving.now()))


async def gift(arguments: Namespace, house: Household) -> int:
    """Make gift codes, one on each line, or let one be good no more."""
    gifts, actor = house.office.affairs.gifts, console_actor()
    if arguments.void:
        voided = await gifts.void(actor, arguments.void)
        return refused(voided) if isinstance(voided, Objection) else told(f"{voided.name} is void.")
    if arguments.tier is None or arguments.days is None:
        print("Name the tier and --days N, or a code with --void.", file=sys.stderr)
        return 2
    made = await gifts.make(actor, arguments.tier, arguments.days, arguments.count, arguments.expires)
    if isinstance(made, Objection):
        return refused(made)
    print(codes_words(len(made), arguments.tier, arguments.days), file=sys.stderr)
    return told("\n".join(made))


async def gifts(arguments: Namespace, house: Household) -> int:
    """List gift codes and what became of them."""
    found = await house.office.affairs.gifts.listed(console_actor())
    now = house.office.affairs.gifts.now()
    if arguments.json:
        return told(json.dumps([gift_json(each, now) for each in found], indent=2))
    return told("\n".join(gift_lines(found, now)))
