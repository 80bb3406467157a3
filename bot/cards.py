"""A member's affairs as words: usage, models, plans and help."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.commands import COMMANDS
from bot.people import named
from bot.render import (
    day,
    listed,
    marked,
    meant,
    moment,
    offer_buttons,
    offer_line,
    plans_button,
    priced,
    priced_both,
    title,
    upgrade_button,
)
from bot.reply import Button, Reply
from bot.standing import because, subscription_lines
from bot.team import share_lines
from bot.words import say
from engine.catalogue import Catalogue, still_running
from engine.domain import Interval, Offer, Tier
from engine.facts import ENDED, AccessReason
from engine.grants import spendable
from engine.members import ModelChosen, ModelLocked, ModelRow, ModelUnknown, Overview
from engine.models import ModelSpec
from engine.pauses import Pause
from engine.turns import Turn

MOST_OTHERS = 15


def usage(overview: Overview, metered: Sequence[str] = ()) -> Reply:
    """What is used and left, and when it is filled again; `metered` tells of use beyond the tier."""
    tier, used = overview.tier, overview.usage
    today = of(used.conversations_today, tier.conversations_per_day)
    lines = [
        say("usage-tier", tier=title(tier.name), because=because(overview.access)),
        *subscription_lines(overview.access, tier),
        *beside(overview),
        *([say("usage-team", owner=named(overview.team, overview.person))] if overview.team else []),
        *share_lines(overview.share),
        say("usage-conversations", today=today, fresh=moment(overview.resets_at)),
        *credits_lines(overview),
        say("usage-turns", turns=boundless(tier.turns_per_conversation)),
        say("usage-questions", questions=of(len(used.recent), tier.requests_per_minute)),
        say("usage-answers", answers=of(used.at_once, tier.concurrent)),
        say("usage-model", model=overview.model.name if overview.model else say("no-model-yet")),
        *metered,
    ]
    return Reply("\n".join(lines), (plans_button(),), people=True)


def beside(overview: Overview) -> Sequence[str]:
    """The subscription that goes on beside a granted tier, and is charged."""
    running = still_running(overview.subscriptions)
    if overview.access.reason is not AccessReason.GRANTED or not running or running[0].tier is None:
        return ()
    return (say("usage-beside", tier=title(running[0].tier)),)


def credits_lines(overview: Overview) -> Sequence[str]:
    """The conversations beyond the daily limit that are left, those that end first before the others."""
    found = spendable(overview.credits, overview.now)
    told = (say("usage-credit", left=each.left(overview.now), day=day(each.until)) for each in found)
    return (say("usage-credits", credits=", ".join(told)),) if found else ()


def of(used: int, limit: int | None) -> str:
    """`3 of 10`, or `3, unlimited`."""
    return say("used-unlimited", used=used) if limit is None else say("used-of", used=used, limit=limit)


def boundless(limit: int | None) -> str:
    """A limit as a word."""
    return say("unlimited") if limit is None else say("up-to", limit=limit)


def models(rows: Sequence[ModelRow], here: Collection[ModelSpec] | None = None) -> Reply:
    """All models with their locks; the buttons choose. `here`: those that may answer where it is shown."""
    kept = {row.spec.name for row in rows if here is None or row.spec in here}
    lines = [model_line(row, here=row.spec.name in kept) for row in rows]
    buttons = tuple(
        Button(say("button-use-model", model=row.spec.name), action=f"model:{row.spec.name}")
        for row in rows
        if row.allowed and not row.chosen and not row.paused and row.spec.name in kept
    )
    offer = next((row.offer for row in rows if row.offer), None)
    more = (*buttons[:3], *offer_buttons(offer)[:1]) if offer else buttons[:4]
    return Reply("\n".join((say("models-head"), "", *lines)), more)


def model_line(row: ModelRow, *, here: bool = True) -> str:
    """One model with its mark, and whether it may answer `here`."""
    mark = "🔒" if not row.allowed else "✅" if row.chosen else "⚪"
    spec, lock = row.spec, unlocking(row.offer) if row.offer else ""
    away, rests = "" if here else say("model-not-here"), resting(row.paused) if row.paused else ""
    parts = (f"**{spec.name}**", say(f"class-{spec.klass}"), spec.description, lock, away, rests)
    return f"{mark} " + " · ".join(filter(None, parts))


def resting(pause: Pause) -> str:
    """That the operator has paused a model, and until when."""
    return say("model-paused-until", until=moment(pause.until)) if pause.until else say("model-paused")


def unlocking(offer: Offer) -> str:
    """From which tier on a locked model is to be had, and what that costs."""
    return say("model-from", tier=title(offer.tier), price=priced(offer.price_month, Interval.MONTH))


def chosen(outcome: ModelChosen | ModelLocked | ModelUnknown) -> Reply:
    """What became of choosing a model."""
    match outcome:
        case ModelChosen():
            return Reply(say("model-chosen", model=outcome.spec.name))
        case ModelLocked():
            line = say("model-locked", model=outcome.spec.name, tier=title(outcome.tier.name))
            buttons = offer_buttons(outcome.offer) if outcome.offer else ()
            return Reply("\n".join(filter(None, (line, offer_line(outcome.offer)))), buttons)
        case ModelUnknown():
            words = say("model-unknown", model=outcome.name, models=listed(tuple(outcome.choices)))
            return Reply(words + meant(outcome.name, outcome.choices))


def chosen_here(name: str, outcome: ModelChosen | ModelLocked | ModelUnknown | None) -> Reply:
    """What became of choosing one for the conversation at a place."""
    if outcome is None:
        return Reply(say("model-nothing-here", model=name))
    if isinstance(outcome, ModelChosen):
        return Reply(say("model-chosen-here", model=outcome.spec.name))
    return chosen(outcome)


def others(turn: Turn, models: Sequence[ModelSpec]) -> Reply:
    """Which other models may answer a question again; the buttons ask them."""
    buttons = tuple(Button(spec.name, action=f"again:{turn.id}:{spec.name}") for spec in models[:MOST_OTHERS])
    return Reply(say("redo-other", model=turn.model) if buttons else say("redo-no-other"), buttons)


def plans(catalogue: Catalogue, overview: Overview, *, for_sale: bool, simulated: bool) -> Reply:
    """The tiers side by side, with buttons for those above the member's, paid as often as theirs.

    A tier that was given can be bought, too.
    """
    own, interval = overview.tier, paid_by(overview)
    lines = [plan_line(tier, catalogue, own) for tier in catalogue.ranked()]
    least = own.rank if overview.access.reason is AccessReason.GRANTED else own.rank + 1
    higher = [tier for tier in catalogue.ranked() if tier.rank >= least and tier.price(interval) > 0]
    buttons = tuple(
        upgrade_button(t.name, interval, f"{title(t.name)}: {priced(t.price(interval), interval)}")
        for t in higher[:4]
        if for_sale
    )
    last = () if for_sale else (say("plans-not-on-sale"),)
    return Reply(marked("\n\n".join((*lines, *last)), simulated=simulated and for_sale), buttons)


def paid_by(overview: Overview) -> Interval:
    """How often the member's subscription is paid, by the month without one."""
    sub = overview.access.subscription
    return sub.interval or Interval.MONTH if sub and sub.status not in ENDED else Interval.MONTH


def plan_line(tier: Tier, catalogue: Catalogue, own: Tier) -> str:
    """One tier in two lines."""
    price = priced_both(tier.price_month, tier.price_year) if tier.price_month else say("free-of-charge")
    mark = f" ← {say('plan-yours')}" if tier.name is own.name else ""
    named = ", ".join(spec.name for spec in catalogue.allowed(tier)) or say("plan-no-model")
    seats = f" · {seats_words(tier)}" if tier.seats > 1 else ""
    return f"**{title(tier.name)}**: {price}{mark}\n{allowance(tier)}{seats} · {named}"


def allowance(tier: Tier) -> str:
    """`10 conversations a day, up to 20 turns each`."""
    day, turns = tier.conversations_per_day, tier.turns_per_conversation
    conversations = say("plan-unlimited") if day is None else say("plan-conversations", day)
    each = say("plan-turns-unlimited") if turns is None else say("plan-turns", turns)
    return f"{conversations}, {each}"


def seats_words(tier: Tier) -> str:
    """How many seats a tier has, and what more cost."""
    seats = say("seats", tier.seats)
    if not tier.extra_seat_month:
        return seats
    return say("plan-seats-more", seats=seats, price=priced(tier.extra_seat_month, Interval.MONTH))


def help_text(model: ModelSpec | None) -> Reply:
    """What the bot can do, in a few lines."""
    lines = [
        say("help-ask"),
        say("help-model", model=model.name) if model else say("help-no-model"),
        "",
        *(f"- `{command.usage}`: {command.description}" for command in COMMANDS if not command.operator),
    ]
    return Reply("\n".join(lines), (plans_button(),))
