"""A member's affairs as words: usage, models, plans, help, checkout and notices."""

from __future__ import annotations

from collections.abc import Sequence

from bot.commands import COMMANDS
from bot.render import day, listed, moment, money, offer_buttons, offer_line, plural, title, upgrade_button
from bot.reply import Button, Reply, Style
from engine.catalogue import Catalogue
from engine.checkout import AlreadySubscribed, CheckoutLink, NotForSale, NothingToManage, PortalLink
from engine.domain import Interval, ModelSpec, Tier, TierName
from engine.facts import Access, AccessReason, Notice, NoticeKind
from engine.members import ModelChosen, ModelLocked, ModelRow, ModelUnknown, Overview

SIMULATED = "**SIMULATED**: no real money moves.\n\n"


def marked(text: str, *, simulated: bool) -> str:
    """Text about money, marked when it is not real."""
    return f"{SIMULATED}{text}" if simulated else text


def usage(overview: Overview) -> Reply:
    """What is used and left, and when it is filled again."""
    tier, used = overview.tier, overview.usage
    today = of(used.conversations_today, tier.conversations_per_day)
    lines = [
        f"**{title(tier.name)}** tier{because(overview.access)}",
        f"Conversations today: {today} (counted anew at {moment(overview.resets_at)})",
        f"Turns in a conversation: {boundless(tier.turns_per_conversation)}",
        f"Questions in the last minute: {of(len(used.recent), tier.requests_per_minute)}",
        f"Answers being written: {of(used.at_once, tier.concurrent)}",
        f"Model: {overview.model.name if overview.model else 'none yet'}",
    ]
    return Reply("\n".join(lines), (Button("Compare plans", action="plans"),))


def of(used: int, limit: int | None) -> str:
    """`3 of 10`, or `3, unlimited`."""
    return f"{used}, unlimited" if limit is None else f"{used} of {limit}"


def boundless(limit: int | None) -> str:
    """A limit as a word."""
    return "unlimited" if limit is None else f"up to {limit}"


def because(access: Access) -> str:
    """What is worth knowing about why the tier is what it is."""
    sub = access.subscription
    if access.reason is AccessReason.ACTIVE and sub:
        if sub.cancel_at:
            return f", ends on {day(sub.cancel_at)}"
        return f", renews on {day(sub.period_end)}" if sub.period_end else ""
    until = f" until {day(access.until)}" if access.until else ""
    words = {
        AccessReason.TRIAL: f", on trial{until}",
        AccessReason.GRACE: f": the last payment failed, kept{until}; mend it with `/billing`",
        AccessReason.GRACE_OVER: ": payments failed for too long; mend it with `/billing`",
        AccessReason.NOT_PAID: ": your subscription is not paid; mend it with `/billing`",
        AccessReason.PAUSED: ": your subscription is paused",
        AccessReason.PERIOD_OVER: ": your subscription's time is over",
        AccessReason.ENDED: ": your subscription has ended",
    }
    return words.get(access.reason, "")


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


def plans(catalogue: Catalogue, current: TierName, *, for_sale: bool, simulated: bool) -> Reply:
    """The tiers side by side, with buttons for those above the member's."""
    tiers = catalogue.ranked()
    own = catalogue.tier(current)
    lines = [plan_line(tier, catalogue, current) for tier in tiers]
    higher = [tier for tier in tiers if tier.rank > own.rank and tier.price_month > 0] if for_sale else []
    buttons = tuple(
        upgrade_button(t.name, Interval.MONTH, f"{title(t.name)}: {money(t.price_month)} a month")
        for t in higher[:4]
    )
    last = "" if for_sale else "\n\nUpgrades are not on sale here."
    return Reply(marked("\n\n".join(lines) + last, simulated=simulated and for_sale), buttons)


def plan_line(tier: Tier, catalogue: Catalogue, current: TierName) -> str:
    """One tier in two lines."""
    price = (
        f"{money(tier.price_month)} a month or {money(tier.price_year)} a year"
        if tier.price_month
        else "free"
    )
    mark = " ← yours" if tier.name is current else ""
    conversations = (
        "Unlimited conversations"
        if tier.conversations_per_day is None
        else f"{plural(tier.conversations_per_day, 'conversation')} a day"
    )
    turns = f"{boundless(tier.turns_per_conversation)} turns each"
    named = ", ".join(spec.name for spec in catalogue.allowed(tier)) or "no model"
    return f"**{title(tier.name)}**: {price}{mark}\n{conversations}, {turns} · {named}"


def checkout(outcome: CheckoutLink | AlreadySubscribed | NotForSale) -> Reply:
    """What became of asking for a checkout link; links are keys and go by DM."""
    match outcome:
        case CheckoutLink():
            return link_reply(*checkout_words(outcome), simulated=outcome.simulated)
        case AlreadySubscribed():
            words = (
                f"You have a subscription already ({title(outcome.access.tier)} tier). "
                "Change or cancel it in the billing portal, so that you are never charged twice."
            )
            return link_reply(words, "Open billing portal", outcome.portal, simulated=outcome.simulated)
        case NotForSale(None):
            return Reply(
                "Upgrades are not on sale here. The operator can switch them on by configuring Stripe."
            )
        case NotForSale():
            return Reply("That tier is not for sale. `/plans` shows the ones that are.")


def checkout_words(link: CheckoutLink) -> tuple[str, str, str]:
    """Text, label and address of a checkout link."""
    price = f"{money(link.tier.price(link.interval))} a {link.interval}"
    text = (
        f"**{title(link.tier.name)}** costs {price}. This link is yours alone and works until "
        f"{moment(link.expires_at)}. Once you have paid, your tier changes by itself."
    )
    return text, f"Pay {price}", link.url


def portal(outcome: PortalLink | NothingToManage | NotForSale) -> Reply:
    """What became of asking for the customer portal."""
    match outcome:
        case PortalLink():
            text = f"**{title(outcome.access.tier)}** tier{because(outcome.access)}. Manage it here:"
            return link_reply(text, "Open billing portal", outcome.url, simulated=outcome.simulated)
        case NothingToManage():
            return Reply(
                "You have no subscription yet, so there is nothing to manage. `/plans` shows what there is."
            )
        case NotForSale():
            return Reply("Upgrades are not on sale here, so there is nothing to manage.")


def link_reply(text: str, label: str, url: str, *, simulated: bool) -> Reply:
    """A link by DM, and the words that say so where it was asked for."""
    button = Button(label, url=url, style=Style.PRIMARY)
    return Reply(
        "I have sent you the link in a direct message.",
        direct=Reply(marked(text, simulated=simulated), (button,)),
    )


def help_text(model: ModelSpec | None) -> Reply:
    """What the bot can do, in a few lines."""
    lines = [
        "Ask me with `/ask`, by mentioning me, or in a direct message. Reply to an answer to go on with it.",
        f"**{model.name}** answers you now." if model else "No model is switched on here yet.",
        "",
        *(f"- `{command.usage}`: {command.description}" for command in COMMANDS),
    ]
    return Reply("\n".join(lines), (Button("Compare plans", action="plans"),))


def notice(owed: Notice) -> Reply:
    """News about the member's subscription."""
    tier = title(owed.tier)
    until = f" until {day(owed.until)}" if owed.until else ""
    words = {
        NoticeKind.ACTIVATED: f"Thank you! The **{tier}** tier is yours. `/usage` shows what it gives.",
        NoticeKind.CHANGED: f"Your tier is **{tier}** from now on. `/usage` shows what it gives.",
        NoticeKind.ENDED: f"Your **{tier}** subscription has ended; you are on Free again.",
        NoticeKind.PAYMENT_FAILED: f"A payment for **{tier}** failed. Kept{until}; mend it with `/billing`.",
        NoticeKind.CANCEL_PENDING: f"Your **{tier}** subscription is cancelled. You keep it{until}.",
        NoticeKind.RESUMED: f"Your **{tier}** subscription goes on; the cancellation is taken back.",
    }
    return Reply(marked(words[owed.kind], simulated=owed.simulated))
