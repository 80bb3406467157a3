"""Changes of a subscription as words: what they cost, what became of them, and why there is none."""

from __future__ import annotations

from bot.deals import BILLING, DISPUTED, link_reply
from bot.render import day, marked, money, title
from bot.reply import Button, Reply, Style
from bot.standing import because, planned_words
from engine.changes import Confirmed, Expired, NotYours, Proposed, Refused
from engine.domain import Tier, TierName
from engine.facts import Subscription
from engine.terms import ChangeKind, ChangeState, Preview, Proposal, Timing, Wish
from engine.wishes import MOST_SEATS, Obstacle

PLANS = Button("Compare plans", action="plans")
RESUME = Button("Take it back", action="resume")


def proposed(found: Proposed) -> Reply:
    """What a change costs now, what later and from when, with the buttons that decide."""
    proposal = found.proposal
    style = Style.DANGER if proposal.wish.kind is ChangeKind.CANCEL else Style.PRIMARY
    buttons = (
        Button("Confirm", action=f"confirm:{proposal.id}", style=style),
        Button("Not now", action=f"decline:{proposal.id}"),
    )
    until = f"Confirm until {proposal.expires_at:%H:%M} UTC."
    lines = (headline(found), costs(found), until)
    return Reply(marked("\n".join(filter(None, lines)), simulated=found.simulated), buttons)


def headline(found: Proposed) -> str:
    """What changes, and when."""
    wish, preview, before = found.proposal.wish, found.proposal.preview, found.before
    tier, when = f"**{title(wish.tier)}**", day(preview.effective_at)
    match wish.kind:
        case ChangeKind.CANCEL:
            return ending(tier, when)
        case ChangeKind.RESUME:
            return f"Your {tier} subscription goes on as it is."
    change = f"**{described(before, wish)}**"
    if preview.timing is Timing.NOW:
        return f"{change}, from now on."
    return f"{change}, from {when}. Until then everything stays as it is."


def ending(tier: str, when: str) -> str:
    """What a cancellation means."""
    return f"Your {tier} subscription ends on {when}. You keep it until then; `/resume` takes that back."


def described(before: Subscription, wish: Wish) -> str:
    """`Premium → Pro`, with the interval or the seats where those change."""
    if wish.kind is ChangeKind.SEATS:
        return f"{title(wish.tier)}: {before.quantity} → {wish.quantity} seats"
    old, new = title(before.tier or TierName.FREE), title(wish.tier)
    if before.interval is wish.interval:
        return f"{old} → {new}"
    return f"{old} by the {before.interval} → {new} by the {wish.interval}"


def costs(found: Proposed) -> str:
    """What is charged now and later."""
    wish, preview = found.proposal.wish, found.proposal.preview
    if wish.kind is ChangeKind.CANCEL:
        used = " but what you have used beyond what Pro includes" if found.before.metered_item else ""
        return f"Now: nothing. Later: nothing more{used}."
    since = f", from {day(found.first_due)}" if found.first_due else ""
    return f"Now: {now_due(preview)}. Then {money(preview.recurring)} a {wish.interval}{since}."


def now_due(preview: Preview) -> str:
    """What is charged at once."""
    if preview.due_now > 0:
        return f"{money(preview.due_now)}, what you have paid already taken off"
    if preview.due_now < 0:
        return f"nothing; {money(-preview.due_now)} are taken off your next invoices"
    return "nothing"


def confirmed(outcome: Confirmed | NotYours | Expired) -> Reply:
    """What became of a confirmed change."""
    match outcome:
        case NotYours():
            return Reply(
                "This is for whoever asked for the change. `/usage` shows how your own things stand."
            )
        case Expired():
            return Reply(
                "That offer is over, and nothing was changed. Prices and dates may have moved since.",
                (look_anew(outcome.proposal),),
            )
        case Confirmed():
            return carried_out(outcome)


def carried_out(outcome: Confirmed) -> Reply:
    """What became of an order."""
    proposal, state = outcome.proposal, outcome.result.state
    if state is ChangeState.OUTDATED:
        return Reply(
            "Your subscription has changed since I reckoned, so nothing was done.", (look_anew(proposal),)
        )
    if state is ChangeState.PAYMENT_NEEDED:
        return payment_needed(outcome)
    words = in_effect(outcome) if outcome.shown else "Accepted. It takes effect in a moment: see `/usage`."
    return Reply(marked(words, simulated=outcome.simulated))


def in_effect(outcome: Confirmed) -> str:
    """What is so from now on, or will be."""
    wish, preview, sub = outcome.proposal.wish, outcome.proposal.preview, outcome.subscription
    tier = f"**{title(wish.tier)}**"
    match wish.kind:
        case ChangeKind.CANCEL:
            end = (sub.cancel_at if sub else None) or preview.effective_at
            return ending(tier, day(end))
        case ChangeKind.RESUME:
            return f"Done: your {tier} subscription goes on as it is."
    what = f"{tier} with {wish.quantity} seats" if wish.kind is ChangeKind.SEATS else tier
    if sub and sub.planned:
        when = day(sub.planned.at)
        return f"Planned: {what} from {when}. Until then everything stays; `/resume` takes that back."
    price = f"{money(preview.recurring)} a {wish.interval}"
    return f"Done: {what} is yours from now on, for {price}. `/usage` shows what it gives."


def payment_needed(outcome: Confirmed) -> Reply:
    """The card was declined, or its owner has to agree: the old state stays until the invoice is paid."""
    sub = outcome.subscription
    old = title(sub.tier) if sub and sub.tier else "your tier"
    words = (
        "The payment did not come through: the card was declined, or your bank wants you to agree. "
        f"You keep **{old}** as it is; the change comes into effect once the invoice is paid, and lapses "
        "if it is not."
    )
    url = outcome.result.pay_url or (sub.pay_url if sub else None)
    if url is None:
        return Reply(marked(f"{words} Look after your card first.", simulated=outcome.simulated), (BILLING,))
    return link_reply(words, "Pay the invoice", url, simulated=outcome.simulated)


def look_anew(proposal: Proposal) -> Button:
    """The button that asks for the same change once more."""
    wish = proposal.wish
    actions = {
        ChangeKind.SWITCH: f"upgrade:{wish.tier}:{wish.interval}",
        ChangeKind.SEATS: f"seats:{wish.quantity}",
        ChangeKind.CANCEL: "cancel",
        ChangeKind.RESUME: "resume",
    }
    return Button("Look anew", action=actions[wish.kind])


def refused(found: Refused, tier: Tier) -> Reply:
    """Why a change is not proposed and what to do instead; `tier` is the member's."""
    sub, name = found.access.subscription, title(tier.name)
    words = {
        Obstacle.NOTHING_RUNNING: ("You have no subscription that could be changed.", PLANS),
        Obstacle.UNKNOWN_PRODUCT: ("Your subscription is none of these tiers; it is changed there:", BILLING),
        Obstacle.DISPUTED: (DISPUTED, None),
        Obstacle.PAYMENT_PENDING: (
            "An earlier change waits for its payment. Pay it, or let it lapse; then others can follow.",
            BILLING,
        ),
        Obstacle.PAYMENT_FAILING: (
            f"**{name}** tier{because(found.access)}. Changes can follow once that is paid.",
            BILLING,
        ),
        Obstacle.SUSPENDED: (f"**{name}** tier{because(found.access)}, so nothing is changed now.", BILLING),
        Obstacle.NOT_FOR_SALE: ("That is not for sale.", PLANS),
        Obstacle.ALREADY_SO: (f"It is so already: **{name}** tier{because(found.access)}.", None),
        Obstacle.ENDING: (f"Your subscription ends on {day_of_end(sub)}. Take that back first:", RESUME),
        Obstacle.PLANNED: (f"{planned_words(sub)} Take that back first:", RESUME),
        Obstacle.NO_EXTRA_SEATS: (f"**{name}** has no seats to add or take away.", PLANS),
        Obstacle.TOO_FEW_SEATS: (f"**{name}** includes {tier.seats} seats; fewer would cost the same.", None),
        Obstacle.TOO_MANY_SEATS: (f"More than {MOST_SEATS} seats are a matter for the operator.", None),
        Obstacle.NOTHING_TO_RESUME: (
            f"There is nothing to take back: **{name}** tier{because(found.access)}.",
            None,
        ),
    }
    text, button = words[found.obstacle]
    return Reply(marked(text, simulated=found.simulated), (button,) if button else ())


def day_of_end(sub: Subscription | None) -> str:
    """When a cancelled subscription ends."""
    return day(sub.cancel_at) if sub and sub.cancel_at else "its last day"
