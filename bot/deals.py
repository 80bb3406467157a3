"""Buying as words: checkout links and the portal, which are keys and go by DM."""

from __future__ import annotations

from bot.render import marked, moment, priced, title
from bot.reply import Button, Reply, Style
from bot.standing import because_here
from bot.words import say
from engine.checkout import AlreadySubscribed, Blocked, CheckoutLink, NotForSale, NothingToManage, PortalLink


def billing_button() -> Button:
    """The button that asks for the link to the customer portal."""
    return Button(say("button-billing"), action="billing")


def checkout(outcome: CheckoutLink | AlreadySubscribed | Blocked | NotForSale) -> Reply:
    """What became of asking for a checkout link; links are keys and go by DM."""
    match outcome:
        case CheckoutLink():
            return link_reply(*checkout_words(outcome), simulated=outcome.simulated)
        case AlreadySubscribed():
            tier, because = title(outcome.access.tier), because_here(outcome.access)
            words = say("already-subscribed", tier=tier, because=because)
            return link_reply(words, say("button-billing"), outcome.portal, simulated=outcome.simulated)
        case Blocked():
            return Reply(say("obstacle-blocked") if outcome.by_operator else say("obstacle-disputed"))
        case NotForSale(None):
            return Reply(say("not-on-sale"))
        case NotForSale():
            return Reply(say("tier-not-for-sale"))


def checkout_words(link: CheckoutLink) -> tuple[str, str, str]:
    """Text, label and address of a checkout link."""
    price = priced(link.tier.price(link.interval), link.interval)
    trial = f" {say('checkout-trial', link.trial_days)}" if link.trial_days else ""
    text = say(
        "checkout", tier=title(link.tier.name), price=price, trial=trial, until=moment(link.expires_at)
    )
    label = say("button-begin-trial", price=price) if link.trial_days else say("button-pay", price=price)
    return text, label, link.url


def portal(outcome: PortalLink | NothingToManage | NotForSale) -> Reply:
    """What became of asking for the customer portal; an open invoice can be paid beside it."""
    match outcome:
        case PortalLink():
            text = say("portal", tier=title(outcome.access.tier), because=because_here(outcome.access))
            pay, label = outcome.pay_url, say("button-billing")
            first = Button(say("button-pay-open"), url=pay, style=Style.PRIMARY) if pay else None
            return link_reply(text, label, outcome.url, simulated=outcome.simulated, first=first)
        case NothingToManage():
            return Reply(say("nothing-to-manage"))
        case NotForSale():
            return Reply(say("nothing-on-sale"))


def link_reply(text: str, label: str, url: str, *, simulated: bool, first: Button | None = None) -> Reply:
    """A link by DM, and the words that say so where it was asked for."""
    button = Button(label, url=url, style=Style.PLAIN if first else Style.PRIMARY)
    return Reply(
        say("link-sent"),
        direct=Reply(marked(text, simulated=simulated), (first, button) if first else (button,)),
    )
