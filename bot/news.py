"""News about a member's subscription as words: what happened, what it means, and what to do next."""

from __future__ import annotations

from datetime import datetime

from bot.render import day, marked, title
from bot.reply import Reply
from engine.facts import QUIET, Notice, NoticeKind


def notice(owed: Notice) -> Reply:
    """A notice as it is shown."""
    tier = f"**{title(owed.tier)}**"
    words = {**good_news(tier, owed.until), **payment_news(tier, owed.until), **endings(tier, owed.until)}
    return Reply(marked(words[owed.kind], simulated=owed.simulated))


def quiet(owed: Notice) -> bool:
    """Whether it is no reason to disturb anybody."""
    return owed.kind in QUIET


def good_news(tier: str, at: datetime | None) -> dict[NoticeKind, str]:
    """What began, changed or goes on."""
    until, on = dated(" until", at), dated(" on", at)
    return {
        NoticeKind.ACTIVATED: f"Thank you! The {tier} tier is yours. `/usage` shows what it gives.",
        NoticeKind.CHANGED: f"Your tier is {tier} from now on. `/usage` shows what it gives.",
        NoticeKind.RENEWED: f"Your {tier} subscription is paid{until}. `/billing` has the invoice.",
        NoticeKind.RESUMED: (
            f"Your {tier} subscription goes on as it is: what was to end or change it is taken back."
        ),
        NoticeKind.CHANGE_PLANNED: (
            f"Your {tier} subscription changes{on}. Until then everything stays as it is. "
            "`/usage` shows what is planned, `/resume` takes it back."
        ),
        NoticeKind.TRIAL_ENDING: (
            f"Your trial of {tier} ends{on}. You do not have to do anything to keep it: then its price is "
            "charged for the first time. If you do not want that, `/cancel` before."
        ),
    }


def payment_news(tier: str, at: datetime | None) -> dict[NoticeKind, str]:
    """What is wrong, or soon will be, with a payment."""
    until, on = dated(" until", at), dated(" on", at)
    return {
        NoticeKind.PAYMENT_FAILED: (
            f"A payment for {tier} failed. You keep your tier{until}, and the payment is tried again by "
            "itself. Look after your card with `/billing`."
        ),
        NoticeKind.PAYMENT_REMINDER: (
            f"The payment for {tier} has still not come through. You keep your tier{until}; after that you "
            "are on Free. Pay or change your card with `/billing`."
        ),
        NoticeKind.PAYMENT_LAST_CALL: (
            f"This is the last day: the payment for {tier} failed again and again, and your tier ends{on}. "
            "Pay or change your card with `/billing` today to keep it."
        ),
        NoticeKind.CARD_EXPIRING: (
            f"The card that pays for {tier} is no longer valid{dated(' from', at)}, before the next payment "
            "is due. Give a new one with `/billing`, and nothing is interrupted."
        ),
    }


def endings(tier: str, at: datetime | None) -> dict[NoticeKind, str]:
    """What ends, and why."""
    return {
        NoticeKind.CANCEL_PENDING: (
            f"Your {tier} subscription is cancelled. You keep it{dated(' until', at)} and it is not renewed. "
            "`/resume` takes that back."
        ),
        NoticeKind.ENDED: (
            f"Your {tier} tier has ended; you are on Free again. `/usage` tells why, `/plans` shows how to "
            "come back."
        ),
        NoticeKind.REFUNDED: (
            f"Your payment for {tier} was given back. `/usage` shows what you have now, `/plans` what else "
            "there is."
        ),
        NoticeKind.DISPUTED: (
            f"A payment for {tier} was disputed at your bank, so you are on Free until that is settled, and "
            "nothing can be bought. If you did not mean to, withdraw it there and tell the operator."
        ),
    }


def dated(word: str, at: datetime | None) -> str:
    """` until 23 November 2026`, or nothing without a date."""
    return f"{word} {day(at)}" if at else ""
