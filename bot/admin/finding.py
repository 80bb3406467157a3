"""`/admin find`: members by what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.admin.asking import block
from bot.admin.desk import Order
from bot.admin.people import MENTION, person_named
from bot.console.words import sentence
from bot.reply import Reply
from engine.audit import Actor
from engine.finding import MOST, Finding
from engine.members import Overview
from engine.seeking import Sought

NOBODY = (
    "Nobody fits that. Members are found by a mention, discord:ID, slack:TEAM/ID, local:NAME, an id alone, "
    "cus_..., sub_..., tier:pro or status:past_due."
)


def finding(office: Finding) -> dict[str, Order]:
    """The order, by its word."""

    async def find(actor: Actor, options: Mapping[str, str]) -> Reply:
        text = options.get("text", "").strip()
        if MENTION.fullmatch(text):
            text = str(person_named(text, actor))
        try:
            sought = Sought.parse(text)
        except ValueError as error:
            return Reply(sentence(str(error)))
        found = await office.find(actor, sought)
        return Reply(block(lines(found)) if found else NOBODY)

    return {"find": find}


def lines(found: Sequence[Overview]) -> Iterable[str]:
    """One a line: who, tier, why, and what they cost this month."""
    yield f"{'person':<34}{'tier':<9}{'reason':<22}cost this month"
    for each in found:
        cost = each.usage.cost_month / 1_000_000
        yield f"{each.person!s:<34}{each.access.tier:<9}{each.access.reason:<22}${cost:.2f}"
    if len(found) == MOST:
        yield f"The first {MOST}; there may be more."
