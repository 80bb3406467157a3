"""What was given, taken back or not given, in the operator's words; the console says the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from engine.domain import Person
from engine.gifts import LISTED
from engine.giving import Credited, Granted, Objection, shown
from engine.grants import Credit, Gift, GiftState, Grant

OBJECTIONS: Mapping[Objection, str] = {
    Objection.NOT_A_TIER: "That is no tier to give: take one that config.toml describes, and not free.",
    Objection.PAST: "That moment is over already: name one to come.",
    Objection.TOO_FAR: "That is more than ten years: name a nearer end.",
    Objection.TOO_MANY: "That is none, or too many at once.",
    Objection.NOTHING: "There is nothing of that to take back: `why` and `gifts` list what there is.",
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
