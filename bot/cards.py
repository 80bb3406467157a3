"""A member's affairs as words: usage, models, plans and help."""

from __future__ import annotations

from collections.abc import Sequence

from bot.commands import COMMANDS
from bot.render import (
    listed,
    marked,
    moment,
    money,
    offer_buttons,
    offer_line,
    plural,
    title,
    upgrade_button,
)
from bot.reply import Button, Reply
from bot.standing import because, subscription_lines
from engine.catalogue import Catalogue
from engine.domain import Interval, ModelSpec, Tier
from engine.facts import ENDED
from engine.members import ModelChosen, ModelLocked, ModelRow, ModelUnknown, Overview


def usage(overview: Overview, metered: Sequence[str] = ()) -> Reply:
    """What is used and left, and when it is filled again; `metered` tells of use beyond the tier."""
    tier, used = overview.tier, overview.usage
    today = of(used.conversations_today, tier.conversations_per_day)
    lines = [
        f"**{title(tier.name)}** tier{because(overview.access)}",
        *subscription_lines(overview.access, tier),
        f"Conversations today: {today} (counted anew at {moment(overview.resets_at)})",
        f"Turns in a conversation: {boundless(tier.turns_per_conversation)}",
        f"Questions in the last minute: {of(len(used.recent), tier.requests_per_minute)}",
        f"Answers being written: {of(used.at_once, tier.concurrent)}",
        f"Model: {overview.model.name if overview.model else 'none yet'}",
        *metered,
    ]
    return Reply("\n".join(lines), (Button("Compare plans", action="plans"),))


def of(used: int, limit: int | None) -> str:
    """`3 of 10`, or `3, unlimited`."""
    return f"{used}, unlimited" if limit is None else f"{used} of {limit}"


def boundless(limit: int | None) -> str:
    """A limit as a word."""
    return "unlimited" if limit is None else f"up to {limit}"


def models(rows: Sequence[ModelRow]) -> Reply:
    """All models with their locks; the buttons choose."""
    lines = [model_line(row) for row in rows]
    buttons = tuple(
        Button(f"Use {row.spec.name}", action=f"model:{row.spec.name}")
        for row in rows
        if row.allowed and not row.chosen
    )
    offer = next((row.offer for row in rows if row.offer), None)
    more = (*buttons[:3], *offer_buttons(offer)[:1]) if offer else buttons[:4]
    return Reply("\n".join(("✅ marks the model that answers you.", "", *lines)), more)


def model_line(row: ModelRow) -> str:
    """One model with its mark."""
    mark = "🔒" if not row.allowed else "✅" if row.chosen else "⚪"
    lock = f"from {title(row.offer.tier)} ({money(row.offer.price_month)} a month)" if row.offer else ""
    return f"{mark} " + " · ".join(
        filter(None, (f"**{row.spec.name}**", row.spec.klass, row.spec.description, lock))
    )


def chosen(outcome: ModelChosen | ModelLocked | ModelUnknown) -> Reply:
    """What became of choosing a model."""
    match outcome:
        case ModelChosen():
            return Reply(f"From now on **{outcome.spec.name}** answers you.")
        case ModelLocked():
            line = f"🔒 **{outcome.spec.name}** is not part of the {title(outcome.tier.name)} tier."
            buttons = offer_buttons(outcome.offer) if outcome.offer else ()
            return Reply("\n".join(filter(None, (line, offer_line(outcome.offer)))), buttons)
        case ModelUnknown():
            return Reply(
                f"There is no model called `{outcome.name}`. These exist: {listed(tuple(outcome.choices))}."
            )


def plans(catalogue: Catalogue, overview: Overview, *, for_sale: bool, simulated: bool) -> Reply:
    """The tiers side by side, with buttons for those above the member's, paid as often as theirs."""
    own, interval = overview.tier, paid_by(overview)
    lines = [plan_line(tier, catalogue, own) for tier in catalogue.ranked()]
    higher = [tier for tier in catalogue.ranked() if tier.rank > own.rank and tier.price(interval) > 0]
    buttons = tuple(
        upgrade_button(t.name, interval, f"{title(t.name)}: {money(t.price(interval))} a {interval}")
        for t in higher[:4]
        if for_sale
    )
    last = "" if for_sale else "\n\nUpgrades are not on sale here."
    return Reply(marked("\n\n".join(lines) + last, simulated=simulated and for_sale), buttons)


def paid_by(overview: Overview) -> Interval:
    """How often the member's subscription is paid, by the month without one."""
    sub = overview.access.subscription
    return sub.interval or Interval.MONTH if sub and sub.status not in ENDED else Interval.MONTH


def plan_line(tier: Tier, catalogue: Catalogue, own: Tier) -> str:
    """One tier in two lines."""
    price = (
        f"{money(tier.price_month)} a month or {money(tier.price_year)} a year"
        if tier.price_month
        else "free"
    )
    mark = " ← yours" if tier.name is own.name else ""
    conversations = (
        "Unlimited conversations"
        if tier.conversations_per_day is None
        else f"{plural(tier.conversations_per_day, 'conversation')} a day"
    )
    turns = f"{boundless(tier.turns_per_conversation)} turns each"
    named = ", ".join(spec.name for spec in catalogue.allowed(tier)) or "no model"
    seats = f" · {seats_words(tier)}" if tier.seats > 1 else ""
    return f"**{title(tier.name)}**: {price}{mark}\n{conversations}, {turns}{seats} · {named}"


def seats_words(tier: Tier) -> str:
    """How many seats a tier has, and what more cost."""
    more = f", more at {money(tier.extra_seat_month)} a month each" if tier.extra_seat_month else ""
    return f"{tier.seats} seats{more}"


def help_text(model: ModelSpec | None) -> Reply:
    """What the bot can do, in a few lines."""
    lines = [
        "Ask me with `/ask`, by mentioning me, or in a direct message. Reply to an answer to go on with it.",
        f"**{model.name}** answers you now." if model else "No model is switched on here yet.",
        "",
        *(f"- `{command.usage}`: {command.description}" for command in COMMANDS),
    ]
    return Reply("\n".join(lines), (Button("Compare plans", action="plans"),))
