"""Orders that only ask: why somebody has their tier, and how the house stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.admin.desk import Order
from bot.admin.people import person_named
from bot.console.plainly import fact_lines
from bot.console.report import stats_lines
from bot.console.words import sentence
from bot.reply import Reply
from engine.audit import Actor
from engine.members import plain
from engine.steering import Steering

DAYS = 30
ORDERS = "`/admin help` lists all orders."


def asking(steering: Steering) -> dict[str, Order]:
    """The orders, by their words."""

    async def why(actor: Actor, options: Mapping[str, str]) -> Reply:
        try:
            person = person_named(options.get("person", ""), actor)
        except ValueError as error:
            return Reply(sentence(str(error)))
        facts = plain(await steering.why(actor, person))
        return Reply(block(fact_lines(facts)))

    async def stats(actor: Actor, options: Mapping[str, str]) -> Reply:
        found = await steering.stats(actor, int(options.get("days", DAYS)))
        return Reply(f"{block(stats_lines(found))}\n{ORDERS}")

    return {"why": why, "stats": stats}


def block(lines: Iterable[str]) -> str:
    """Lines whose columns stay below one another."""
    return "```\n" + "\n".join(lines) + "\n```"
