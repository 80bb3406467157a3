"""Orders that give without any payment, and take back: tiers, gift codes, conversations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from bot.admin import largesse
from bot.admin.asking import block
from bot.admin.desk import Order
from bot.admin.moments import moment_named
from bot.admin.people import person_named
from bot.affairs import Affairs
from bot.console.words import sentence
from bot.reply import Reply
from engine.audit import Actor
from engine.domain import Person, TierName
from engine.giving import Objection

MOST_IN_CHAT = 50
"""Codes that one reply holds on every platform."""
TOO_MANY = f"In chat {MOST_IN_CHAT} codes can be made at once; `main.py gift` makes more."
UNREADABLE = "Name a tier of config.toml."
About = Callable[[Actor, Person, Mapping[str, str]], Awaitable[str | Objection]]


def giving(affairs: Affairs) -> dict[str, Order]:
    """The orders, by their words."""
    give = affairs.giving

    async def grant(actor: Actor, person: Person, options: Mapping[str, str]) -> str | Objection:
        tier, until = tier_named(options), moment_named(options.get("until", ""), give.now())
        found = await give.grant(actor, person, tier, until, options.get("note", ""))
        return found if isinstance(found, Objection) else largesse.granted_words(found, person)

    async def revoke(actor: Actor, person: Person, options: Mapping[str, str]) -> str | Objection:
        found = await give.revoke(actor, person, number_in(options))
        return found if isinstance(found, Objection) else largesse.revoked_words(found, person)

    async def credit(actor: Actor, person: Person, options: Mapping[str, str]) -> str | Objection:
        until = end_in(options, give.now())
        amount, note = int(options.get("count", 0)), options.get("note", "")
        found = await give.credit(actor, person, amount, until, note)
        return found if isinstance(found, Objection) else largesse.credited_words(found, person)

    async def uncredit(actor: Actor, person: Person, options: Mapping[str, str]) -> str | Objection:
        found = await give.uncredit(actor, person, number_in(options))
        return found if isinstance(found, Objection) else largesse.uncredited_words(found, person, give.now())

    about = {"grant": grant, "revoke": revoke, "credit": credit, "uncredit": uncredit}
    return {**{name: about_person(order) for name, order in about.items()}, **gifting(affairs)}


def gifting(affairs: Affairs) -> dict[str, Order]:
    """The orders about codes."""
    gifts = affairs.gifts

    async def gift(actor: Actor, options: Mapping[str, str]) -> Reply:
        count, days = int(options.get("count", 1)), int(options.get("days", 0))
        if options.get("tier") not in set(TierName) or count > MOST_IN_CHAT:
            return Reply(TOO_MANY if count > MOST_IN_CHAT else UNREADABLE)
        made = await gifts.make(actor, TierName(options["tier"]), days, count)
        if isinstance(made, Objection):
            return Reply(largesse.OBJECTIONS[made])
        return Reply("\n".join((largesse.codes_words(count, options["tier"], days), block(made))))

    async def listed(actor: Actor, _: Mapping[str, str]) -> Reply:
        return Reply(block(largesse.gift_lines((await gifts.listed(actor))[:MOST_IN_CHAT], gifts.now())))

    async def void(actor: Actor, options: Mapping[str, str]) -> Reply:
        found = await gifts.void(actor, options.get("code", "").strip())
        return Reply(largesse.OBJECTIONS[found] if isinstance(found, Objection) else f"{found.name}: void.")

    return {"gift": gift, "gifts": listed, "void": void}


def about_person(work: About) -> Order:
    """An order about a person, with what cannot be read explained."""

    async def order(actor: Actor, options: Mapping[str, str]) -> Reply:
        try:
            words = await work(actor, person_named(options.get("person", ""), actor), options)
        except ValueError as error:
            return Reply(sentence(str(error)))
        return Reply(largesse.OBJECTIONS[words] if isinstance(words, Objection) else words)

    return order


def tier_named(options: Mapping[str, str]) -> TierName:
    """The tier of an order; ValueError, in words, for none."""
    name = options.get("tier", "").casefold()
    if name in set(TierName):
        return TierName(name)
    message = f"{name!r} is no tier: write {', '.join(TierName)}"
    raise ValueError(message)


def end_in(options: Mapping[str, str], now: datetime) -> datetime | None:
    """The end that an order names, if it names one."""
    return moment_named(options["until"], now) if options.get("until") else None


def number_in(options: Mapping[str, str]) -> int | None:
    """The number that an order names."""
    number = options.get("number", "")
    return int(number) if number.isdecimal() else None
