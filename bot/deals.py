"""Buying as words: checkout links and the portal, which are keys and go by DM."""

from __future__ import annotations

from bot.render import marked, moment, money, plural, title
from bot.reply import Button, Reply, Style
from bot.standing import because_here
from engine.checkout import AlreadySubscribed, Blocked, CheckoutLink, NotForSale, NothingToManage, PortalLink

BILLING = Button("Open billing portal", action="billing")
NOT_ON_SALE = Reply("Upgrades are not on sale here. The operator can switch them on by configuring Stripe.")
DISPUTED = (
    "A payment of yours was disputed at your bank. Until that is settled, nothing can be bought or changed "
    "here. If you did not mean to, withdraw it there and tell the operator."
)


def checkout(outcome: CheckoutLink | AlreadySubscribed | Blocked | NotForSale) -> Reply:
    """What became of asking for a checkout link; links are keys and go by DM."""
    match outcome:
        case CheckoutLink():
            return link_reply(*checkout_words(outcome), simulated=outcome.simulated)
        case AlreadySubscribed():
            words = (
                f"You have a subscription already (**{title(outcome.access.tier)}** tier"
                f"{because_here(outcome.access)}). The billing portal is where you pay, change or cancel it, "
                "so that you are never charged twice."
            )
            return link_reply(words, BILLING.label, outcome.portal, simulated=outcome.simulated)
        case Blocked():
            return Reply(DISPUTED)
        case NotForSale(None):
            return NOT_ON_SALE
        case NotForSale():
            return Reply("That tier is not for sale. `/plans` shows the ones that are.")


def checkout_words(link: CheckoutLink) -> tuple[str, str, str]:
    """Text, label and address of a checkout link."""
    price = f"{money(link.tier.price(link.interval))} a {link.interval}"
    trial = f" The first {plural(link.trial_days, 'day')} are free." if link.trial_days else ""
    text = (
        f"**{title(link.tier.name)}** costs {price}.{trial} This link is yours alone and works until "
        f"{moment(link.expires_at)}. Once you have paid, your tier changes by itself."
    )
    return text, f"Begin, then {price}" if link.trial_days else f"Pay {price}", link.url


def portal(outcome: PortalLink | NothingToManage | NotForSale) -> Reply:
    """What became of asking for the customer portal; an open invoice can be paid beside it."""
    match outcome:
        case PortalLink():
            text = f"**{title(outcome.access.tier)}** tier{because_here(outcome.access)}. Manage it here:"
            pay = (
                Button("Pay the open invoice", url=outcome.pay_url, style=Style.PRIMARY)
                if outcome.pay_url
                else None
            )
            return link_reply(text, BILLING.label, outcome.url, simulated=outcome.simulated, first=pay)
        case NothingToManage():
            return Reply(
                "You have no subscription yet, so there is nothing to manage. `/plans` shows what there is."
            )
        case NotForSale():
            return Reply("Upgrades are not on sale here, so there is nothing to manage.")


def link_reply(text: str, label: str, url: str, *, simulated: bool, first: Button | None = None) -> Reply:
    """A link by DM, and the words that say so where it was asked for."""
    button = Button(label, url=url, style=Style.PLAIN if first else Style.PRIMARY)
    return Reply(
        "I have sent you the link in a direct message.",
        direct=Reply(marked(text, simulated=simulated), (first, button) if first else (button,)),
    )
