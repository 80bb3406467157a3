"""Orders that only ask: why somebody has their tier, and how the house stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from bot.admin.desk import Order
from bot.admin.people import person_named
from bot.console.report import stats_lines
from bot.reply import Reply
from engine.audit import Actor
from engine.members import plain
from engine.steering import Steering

DAYS = 30


def asking(steering: Steering) -> dict[str, Order]:
    """The orders, by their words."""

    async def why(actor: Actor, options: Mapping[str, str]) -> Reply:
        try:
            person = person_named(options.get("person", ""), actor)
        except ValueError as error:
            return Reply(sentence(str(error)))
        facts = plain(await steering.why(actor, person))
        return Reply(block(f"{name:<24}{shown(value)}" for name, value in facts.items()))

    async def stats(actor: Actor, options: Mapping[str, str]) -> Reply:
        found = await steering.stats(actor, int(options.get("days", DAYS)))
        return Reply(block(stats_lines(found)))

    return {"why": why, "stats": stats}


def shown(value: object) -> object:
    """A fact on one line."""
    return json.dumps(value) if isinstance(value, dict | list) else value


def block(lines: Iterable[str]) -> str:
    """Lines whose columns stay below one another."""
    return "```\n" + "\n".join(lines) + "\n```"


def sentence(words: str) -> str:
    """Words of an error as a sentence."""
    return f"{words[:1].upper()}{words[1:]}."
