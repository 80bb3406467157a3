"""Outcomes of a question as words: refusals, failures, footers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_currency

from bot.reply import Button, Reply, Style
from bot.words import say, spoken
from engine.domain import (
    Answered,
    Failed,
    FailureReason,
    Interval,
    Kept,
    KeptId,
    Offer,
    Refusal,
    RefusalReason,
    Standing,
    TierName,
    TurnId,
)
from engine.models import Finish

CURRENCY = "USD"
KEPT = "kept:"
"""Begins the action of a button that has a kept question answered."""


def marked(text: str, *, simulated: bool) -> str:
    """Text about money, marked when it is not real."""
    return f"{say('simulated')}\n\n{text}" if simulated else text


def money(micros: int) -> str:
    """Micro-dollars as dollars and cents, without cents where there are none: `$8.99`, `$89`."""
    language = spoken()
    pattern = Locale.parse(language).currency_formats["standard"].pattern
    whole = micros % 1_000_000 == 0
    return format_currency(
        Decimal(f"{micros / 1_000_000:.2f}"),
        CURRENCY,
        pattern.replace(".00", "") if whole else pattern,
        language,
        currency_digits=not whole,
        group_separator=False,
    )


def priced(micros: int, interval: Interval) -> str:
    """`$8.99 a month`."""
    return say(f"price-{interval}", price=money(micros))


def priced_both(month: int, year: int) -> str:
    """`$8.99 a month or $89 a year`."""
    return say("price-both", month=money(month), year=money(year))


def title(tier: TierName) -> str:
    """A tier's name as it is written."""
    return tier.value.capitalize()


def moment(when: datetime) -> str:
    """A time of the next days that reads the same for everybody: `23 November, 00:00 UTC`."""
    return dated(when, "date-moment")


def day(when: datetime) -> str:
    """A date: `23 November 2026`."""
    return dated(when, "date-day")


def dated(when: datetime, key: str) -> str:
    """A time in UTC by a pattern for dates (CLDR's letters) that each language has of its own."""
    return format_datetime(when, say(key), locale=spoken())


def trouble() -> Reply:
    """Our own storage is away."""
    return Reply(say("trouble-storage"))


def broken() -> Reply:
    """Something that should not happen did."""
    return Reply(say("trouble-broken"))


def refusal(refused: Refusal) -> Reply:
    """What stopped the question, until when, what would lift it, and whether it need not be asked anew."""
    buttons = offer_buttons(refused.offer) if refused.offer else ()
    buttons = (*buttons, *kept_buttons(refused))
    unknown = refused.reason is RefusalReason.UNKNOWN_MODEL
    guess = meant(refused.model or "", refused.choices) if unknown else ""
    credits_ = credits_line(refused.credits)
    lines = (reason(refused) + guess, credits_, offer_line(refused.offer), kept_line(refused.kept))
    return Reply("\n".join(filter(None, lines)), buttons)


def credits_line(left: int | None) -> str:
    """What became of conversations that were given."""
    if left is None:
        return ""
    return say("credits-few", left=left) if left else say("credits-gone")


def reason(refused: Refusal) -> str:
    """The sentence for why, with when it ends."""
    limit, until = refused.limit or 0, refused.until
    unlisted = UNLISTED.get(refused.reason) if not refused.choices else None
    return say(
        unlisted or f"refusal-{refused.reason}",
        tier=title(refused.tier),
        model=refused.model or "",
        models=listed(refused.choices),
        channels=mentions("#", refused.choices),
        roles=mentions("@&", refused.choices),
        limit=limit,
        conversations=say("conversations", limit),
        turns=say("turns", limit),
        questions=say("questions", limit),
        answers=say("answers", limit),
        fresh=moment(until) if until else say("tomorrow"),
        month=day(until) if until else say("first-of-month"),
        resumes=say("resumes-at", moment=moment(until)) if until else say("resumes-later"),
        wait=say("wait-until", time=dated(until, "date-second")) if until else say("wait-moment"),
    )


UNLISTED = {
    RefusalReason.NO_IMAGES: "file-images-none",
    RefusalReason.NO_PDF: "file-pdf-none",
    RefusalReason.MODEL_HERE: "refusal-models_gone",
    RefusalReason.PAUSED_MODEL: "refusal-paused_models",
}
"""What is said instead where there is nothing to choose from."""


def mentions(sigil: str, ids: Sequence[str]) -> str:
    """Channels (`#`) or roles (`@&`) by their ids, for which both platforms show the names."""
    return ", ".join(f"<{sigil}{each}>" for each in ids)


def meant(name: str, names: Sequence[str]) -> str:
    """A guess at the model that a wrong name was to be, as a further sentence; nothing without one."""
    folded = {each.casefold(): each for each in names}
    near = get_close_matches(name.casefold(), folded, n=1)
    return f" {say('model-meant', model=folded[near[0]])}" if near else ""


def listed(names: tuple[str, ...]) -> str:
    """Names as code, divided by commas."""
    return ", ".join(f"`{name}`" for name in names)


def kept_line(kept: Kept | None) -> str:
    """That the question waits, until when, and what asks it again."""
    if kept is None:
        return ""
    return say("kept-until", until=moment(kept.until), button=say("button-ask-again"))


def kept_buttons(refused: Refusal) -> tuple[Button, ...]:
    """The button that asks it again, which stands back where a purchase is what helps."""
    if refused.kept is None:
        return ()
    style = Style.PLAIN if refused.offer else Style.PRIMARY
    return (Button(say("button-ask-again"), f"{KEPT}{refused.kept.id}", style=style),)


def answer_button(kept: Kept) -> Button:
    """The button that has a question answered that nothing is known to stop any more."""
    return Button(say("button-kept"), f"{KEPT}{kept.id}", style=Style.PRIMARY)


def kept_in(action: str) -> KeptId | None:
    """The kept question that a button is for."""
    return KeptId(action.removeprefix(KEPT)) if action.startswith(KEPT) else None


def offer_line(offer: Offer | None) -> str:
    """What the tier that would lift it costs."""
    if offer is None:
        return ""
    return say("offer", tier=title(offer.tier), price=priced_both(offer.price_month, offer.price_year))


def offer_buttons(offer: Offer) -> tuple[Button, ...]:
    """Upgrade by the month, by the year, or compare first."""
    tier, month = offer.tier, priced(offer.price_month, Interval.MONTH)
    return (
        upgrade_button(tier, Interval.MONTH, say("button-upgrade", price=month)),
        upgrade_button(tier, Interval.YEAR, priced(offer.price_year, Interval.YEAR), Style.PLAIN),
        plans_button(),
    )


def upgrade_button(tier: TierName, interval: Interval, label: str, style: Style = Style.PRIMARY) -> Button:
    """The button that asks for a checkout link."""
    return Button(label, action=f"upgrade:{tier}:{interval}", style=style)


def plans_button() -> Button:
    """The button that shows the tiers side by side."""
    return Button(say("button-plans"), action="plans")


def stop_button(turn: TurnId) -> tuple[Button, ...]:
    """The button under an answer being written."""
    return (Button(say("button-stop"), action=f"stop:{turn}"),)


def after_buttons(event: Answered | Failed) -> tuple[Button, ...]:
    """What can be done about an answer that has ended; what breaks the rules will break them again."""
    if isinstance(event, Failed) and event.reason is FailureReason.MODERATED:
        return ()
    turn, answered = event.turn, isinstance(event, Answered)
    more = Button(say("button-continue"), action=f"more:{turn}", style=Style.PRIMARY)
    again = Button(say("button-regenerate" if answered else "button-ask-again"), action=f"again:{turn}")
    other = Button(say("button-other-model"), action=f"other:{turn}")
    cut = isinstance(event, Answered) and event.finish is Finish.LENGTH
    return (more, again, other) if cut else (again, other)


def lost_buttons(turn: TurnId) -> tuple[Button, ...]:
    """What can be done about an answer whose process was lost."""
    again = Button(say("button-ask-again"), action=f"again:{turn}")
    return (again, Button(say("button-other-model"), action=f"other:{turn}"))


def keep_button(turn: TurnId) -> tuple[Button, ...]:
    """The button under each answer of a comparison."""
    return (Button(say("button-keep"), action=f"keep:{turn}"),)


def compared_footer(event: Answered) -> str:
    """Model, what the answer took, and the counts."""
    used = event.usage.input_tokens + event.usage.output_tokens
    parts = [event.model, say("compare-seconds", seconds=f"{event.seconds:.1f}"), say("compare-tokens", used)]
    if event.klass:
        parts.append(say(f"class-{event.klass}"))
    if event.finish is Finish.LENGTH:
        parts.append(say("footer-cut"))
    return " · ".join((*parts, counts(event.standing)))


def counts(standing: Standing) -> str:
    """`conversation 3 of 10 today · turn 2 of 20`, or how many that were given are left after this one."""
    today, conversations = standing.conversations_today, standing.conversations_limit
    if standing.credits is not None:
        parts = [say("footer-credit", left=standing.credits)]
    elif conversations is None:
        parts = [say("footer-conversation", number=today)]
    else:
        parts = [say("footer-conversation-of", number=today, limit=conversations)]
    if standing.turn > 1:
        turn, turns = standing.turn, standing.turns_limit
        last = (
            say("footer-turn", number=turn)
            if turns is None
            else say("footer-turn-of", number=turn, limit=turns)
        )
        parts.append(last)
    return " · ".join(parts)


def answered_footer(event: Answered) -> str:
    """Model, counts, and whatever was not as asked."""
    notes = []
    if event.model != event.asked_model:
        notes.append(say("footer-instead", model=event.asked_model))
    if event.finish is Finish.LENGTH:
        notes.append(say("footer-cut"))
    if event.finish is Finish.SAFETY:
        notes.append(say("footer-safety"))
    return " · ".join((event.model, *notes, counts(event.standing)))


def failed_footer(event: Failed) -> str:
    """Model, and whether the turn was counted."""
    return " · ".join((event.model, counts(event.standing) if event.counted else say("footer-not-counted")))


def failure(event: Failed) -> str:
    """What happened to an answer and what to do about it."""
    return say(f"failure-{event.reason}", model=event.model)
