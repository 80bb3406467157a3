"""Outcomes of a question as words: refusals, failures, footers."""

from __future__ import annotations

from datetime import datetime

from bot.reply import Button, Reply, Style
from engine.domain import (
    Answered,
    Failed,
    FailureReason,
    Finish,
    Interval,
    Offer,
    Refusal,
    RefusalReason,
    Standing,
    TierName,
    TurnId,
)

SIMULATED = "**SIMULATED**: no real money moves.\n\n"


def marked(text: str, *, simulated: bool) -> str:
    """Text about money, marked when it is not real."""
    return f"{SIMULATED}{text}" if simulated else text


def money(micros: int) -> str:
    """Micro-dollars as dollars and cents: `$8.99`, `$89`."""
    dollars, rest = divmod(micros, 1_000_000)
    return f"${dollars}" if rest == 0 else f"${micros / 1_000_000:.2f}"


def title(tier: TierName) -> str:
    """A tier's name as it is written."""
    return tier.value.capitalize()


def moment(when: datetime) -> str:
    """A time of the next days that reads the same for everybody: `23 November, 00:00 UTC`."""
    return f"{when.day} {when:%B, %H:%M} UTC"


def day(when: datetime) -> str:
    """A date: `23 November 2026`."""
    return f"{when.day} {when:%B %Y}"


def plural(count: int, noun: str) -> str:
    """`1 conversation`, `3 conversations`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def trouble() -> Reply:
    """Our own storage is away."""
    return Reply("Something on our side is not answering. Please try again in a minute.")


def broken() -> Reply:
    """Something that should not happen did."""
    return Reply(
        "Sorry, something went wrong on our side. Nothing was counted; the operator can see it in the log."
    )


def refusal(refused: Refusal) -> Reply:
    """What stopped the question, until when, and what would lift it."""
    buttons = offer_buttons(refused.offer) if refused.offer else ()
    return Reply("\n".join(filter(None, (reason(refused), offer_line(refused.offer)))), buttons)


def reason(refused: Refusal) -> str:
    """The sentence for why, with when it ends."""
    tier, limit, model = title(refused.tier), refused.limit or 0, refused.model or ""
    fresh = moment(refused.until) if refused.until else "tomorrow"
    month = day(refused.until) if refused.until else "the first of the month"
    words = {
        RefusalReason.EMPTY: "There is no question yet. Write it like this: `/ask why is the sky blue?`",
        RefusalReason.UNKNOWN_MODEL: f"There is no model `{model}`. These exist: {listed(refused.choices)}.",
        RefusalReason.CLOSING: "I am restarting. Nothing was counted; please ask again in a minute.",
        RefusalReason.MODEL_LOCKED: f"**{model}** is not part of the {tier} tier.",
        RefusalReason.CONVERSATIONS: (
            f"You have begun today's last conversation: the {tier} tier has "
            f"{plural(limit, 'conversation')} a day. New ones can begin again from {fresh}; "
            "those you have begun can go on."
        ),
        RefusalReason.TURNS: (
            f"This conversation is full: the {tier} tier has {plural(limit, 'turn')} in each. "
            "Start a new one with `/new` or `/ask`."
        ),
        RefusalReason.RATE: (
            f"That is quicker than the {tier} tier allows ({plural(limit, 'question')} a minute). "
            f"Please wait{until_seconds(refused)}."
        ),
        RefusalReason.CONCURRENT: (
            f"I am still answering you: the {tier} tier has {plural(limit, 'answer')} at once. "
            "Ask again when it is done."
        ),
        RefusalReason.COST: f"The {tier} tier's allowance for this month is used up. It is new on {month}.",
        RefusalReason.TOO_LONG: f"That is more than **{model}** can read (about {limit} tokens). Shorten it.",
    }
    return words[refused.reason]


def until_seconds(refused: Refusal) -> str:
    """When a rate limit ends, to the second."""
    return f" until {refused.until:%H:%M:%S} UTC" if refused.until else " a moment"


def listed(names: tuple[str, ...]) -> str:
    """Names as code, divided by commas."""
    return ", ".join(f"`{name}`" for name in names)


def offer_line(offer: Offer | None) -> str:
    """What the tier that would lift it costs."""
    if offer is None:
        return ""
    month, year = money(offer.price_month), money(offer.price_year)
    return f"**{title(offer.tier)}** lifts this: {month} a month or {year} a year."


def offer_buttons(offer: Offer) -> tuple[Button, ...]:
    """Upgrade by the month, by the year, or compare first."""
    tier = offer.tier
    return (
        upgrade_button(tier, Interval.MONTH, f"Upgrade: {money(offer.price_month)} a month"),
        upgrade_button(tier, Interval.YEAR, f"{money(offer.price_year)} a year", Style.PLAIN),
        Button("Compare plans", action="plans"),
    )


def upgrade_button(tier: TierName, interval: Interval, label: str, style: Style = Style.PRIMARY) -> Button:
    """The button that asks for a checkout link."""
    return Button(label, action=f"upgrade:{tier}:{interval}", style=style)


def stop_button(turn: TurnId) -> tuple[Button, ...]:
    """The button under an answer being written."""
    return (Button("Stop", action=f"stop:{turn}"),)


def counts(standing: Standing) -> str:
    """`conversation 3 of 10 today · turn 2 of 20`."""
    limit = standing.conversations_limit
    conversation = f"conversation {standing.conversations_today}"
    parts = [f"{conversation} of {limit} today" if limit is not None else f"{conversation} today"]
    if standing.turn > 1:
        turns = standing.turns_limit
        parts.append(f"turn {standing.turn} of {turns}" if turns is not None else f"turn {standing.turn}")
    return " · ".join(parts)


def answered_footer(event: Answered) -> str:
    """Model, counts, and whatever was not as asked."""
    notes = []
    if event.model != event.asked_model:
        notes.append(f"instead of {event.asked_model}")
    if event.finish is Finish.LENGTH:
        notes.append("cut at the longest answer allowed")
    if event.finish is Finish.SAFETY:
        notes.append("ended by the vendor's safety system")
    return " · ".join((event.model, *notes, counts(event.standing)))


def failed_footer(event: Failed) -> str:
    """Model, and whether the turn was counted."""
    return " · ".join((event.model, counts(event.standing) if event.counted else "not counted"))


def failure(event: Failed) -> str:
    """What happened to an answer and what to do about it."""
    words = {
        FailureReason.BUSY: f"{event.model} is overloaded. Try again soon, or choose another `/model`.",
        FailureReason.CUT: f"{event.model} broke off here. Ask again, or say “go on”.",
        FailureReason.TIMEOUT: f"{event.model} took too long. Try again soon, or choose another `/model`.",
        FailureReason.REFUSED: f"{event.model} declined this question for safety. Try to put it differently.",
        FailureReason.TOO_LONG: "This conversation no longer fits the model. Start a new one with `/new`.",
        FailureReason.BROKEN: f"{event.model} cannot answer; the operator knows. Choose another `/model`.",
        FailureReason.STOPPED: "Stopped.",
        FailureReason.CLOSING: "I had to restart before this was finished. Please ask again in a minute.",
    }
    return words[event.reason]
