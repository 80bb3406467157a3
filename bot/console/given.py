"""What operators give without any payment, on the command line; its words serve `/admin`, too."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.console.household import Household, console_actor
from engine.domain import Person
from engine.gifts import LISTED
from engine.giving import CREDIT_LIFE, Credited, Granted, Objection, shown
from engine.grants import Credit, Gift, GiftState, Grant

OBJECTIONS: Mapping[Objection, str] = {
    Objection.NOT_A_TIER: "That is no tier to give: take one that config.toml describes, and not free.",
    Objection.PAST: "That moment is over already: name one to come.",
    Objection.TOO_FAR: "That is more than ten years: name a nearer end.",
    Objection.TOO_MANY: "That is none, or too many at once.",
    Objection.NOTHING: "There is nothing of that to take back.",
}
CEILING = "The tier's own ceiling on vendor cost holds for these, too."


def granted_words(found: Granted, person: Person) -> str:
    """What was given, and what is different from what one may think."""
    grant, access = found.grant, found.access
    words = [f"{person} has {grant.tier} until {shown(grant.until)} without paying (grant {grant.number})."]
    if access.tier is not grant.tier or access.until is None or access.until > grant.until:
        until = f" until {shown(access.until)}" if access.until else ""
        words.append(f"What counts is {access.tier}{until} ({access.reason}), the better one.")
    return " ".join((*words, *unmet(met=found.met)))


def credited_words(found: Credited, person: Person) -> str:
    """The same for conversations."""
    credit = found.credit
    given = f"{credit.amount} conversations beyond the daily limit until {shown(credit.until)}"
    words = [f"{person} has {given} (credit {credit.number}). {CEILING}"]
    if not found.limited:
        words.append("The tier has no daily limit now, so they wait until one holds.")
    return " ".join((*words, *unmet(met=found.met)))


def unmet(*, met: bool) -> Sequence[str]:
    """A hint at a mistyped person."""
    return () if met else ("Nobody has seen this person here yet: check the id if that surprises you.",)


def revoked_words(grants: Iterable[Grant], person: Person) -> str:
    """What was taken back."""
    told = ", ".join(f"{each.tier} until {shown(each.until)} (grant {each.number})" for each in grants)
    return f"{person} no longer has {told}."


def uncredited_words(credits_: Iterable[Credit], person: Person, now: datetime) -> str:
    """The same for conversations."""
    told = ", ".join(f"{each.left(now)} of {each.amount} (credit {each.number})" for each in credits_)
    return f"Taken back from {person}: {told}."


def codes_words(count: int, tier: str, days: int) -> str:
    """What stands above new codes."""
    some = "This code gives" if count == 1 else f"Each of these {count} codes gives one person"
    return f"{some} {tier} for {days} days, once. They are shown this once and never again; `/redeem CODE`."


def gift_lines(gifts: Sequence[Gift], now: datetime) -> list[str]:
    """What became of codes, a line each."""
    lines = [
        f"{each.name}  {each.tier:<8}{each.days:>5} d  {each.made_at:%Y-%m-%d}  {fate(each, now)}"
        for each in gifts
    ]
    if len(gifts) == LISTED:
        lines.append(f"The newest {LISTED} are shown.")
    return lines or ["There are no gift codes."]


def fate(gift: Gift, now: datetime) -> str:
    """What became of one code."""
    match gift.state(now):
        case GiftState.USED:
            return f"used {gift.used_at:%Y-%m-%d} by {gift.person or 'somebody erased'}"
        case GiftState.VOID:
            return f"void since {gift.voided_at:%Y-%m-%d}"
        case GiftState.EXPIRED:
            return f"expired {gift.expires_at:%Y-%m-%d}"
    return f"open until {gift.expires_at:%Y-%m-%d}" if gift.expires_at else "open"


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
