"""What Discord offers while an option is being typed."""

from __future__ import annotations

from collections.abc import Sequence

from bot.commands import Command, Option, OptionKind
from bot.front import Front
from bot.render import money, title
from bot.words import say
from engine.domain import Person, Place

CHOICE_LIMIT = 25
Offered = tuple[str, str]
"""What is shown, and the value that it stands for."""


async def complete(
    front: Front, person: Person, place: Place | None, command: Command, option: Option, typed: str
) -> Sequence[Offered]:
    """The values of an option that go with what was typed so far. OutsideError: the database is away."""
    if option.kind is OptionKind.TIER:
        found = await tiers(front, person)
    elif command.admin:
        found = [(spec.name, spec.name) for spec in front.members.catalogue.models]
    else:
        found = await models(front, person, place)
    return [each for each in found if typed.casefold() in each[0].casefold()][:CHOICE_LIMIT]


async def models(front: Front, person: Person, place: Place | None) -> Sequence[Offered]:
    """The models that may answer there, those locked for this person marked."""
    here = await front.places.models(place)
    rows = [row for row in await front.members.models(person) if row.spec in here]
    return [(row.spec.name if row.allowed else f"{row.spec.name} 🔒", row.spec.name) for row in rows]


async def tiers(front: Front, person: Person) -> Sequence[Offered]:
    """The tiers that can be bought, with their prices, the person's own one marked."""
    if not front.for_sale:
        return []
    own = (await front.members.overview(person)).tier
    return [
        (
            say(
                "choice-tier-yours" if tier.name is own.name else "choice-tier",
                tier=title(tier.name),
                month=money(tier.price_month),
                year=money(tier.price_year),
            ),
            tier.name.value,
        )
        for tier in front.members.catalogue.ranked()
        if tier.price_month > 0
    ]
