"""Changes of a subscription as words: what they cost, what became of them, and why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.deals import billing_button, link_reply
from bot.render import dated, day, marked, money, plans_button, priced, title
from bot.reply import Button, Reply, Style
from bot.standing import because, paid_by, planned_words
from bot.words import say
from engine.changes import Confirmed, Expired, NotYours, Proposed, Refused
from engine.domain import Tier, TierName
from engine.facts import Subscription
from engine.terms import ChangeKind, ChangeState, Preview, Proposal, Timing, Wish
from engine.wishes import MOST_SEATS, Obstacle


def resume_button() -> Button:
    """The button that takes a cancellation or a planned change back."""
    return Button(say("button-resume"), action="resume")


WAYS_OUT: Mapping[Obstacle, Callable[[], Button]] = {
    Obstacle.NOTHING_RUNNING: plans_button,
    Obstacle.UNKNOWN_PRODUCT: billing_button,
    Obstacle.PAYMENT_PENDING: billing_button,
    Obstacle.PAYMENT_FAILING: billing_button,
    Obstacle.SUSPENDED: billing_button,
    Obstacle.NOT_FOR_SALE: plans_button,
    Obstacle.ENDING: resume_button,
    Obstacle.PLANNED: resume_button,
    Obstacle.NO_EXTRA_SEATS: plans_button,
}
"""The button that leads on from an obstacle; the others have none."""


def proposed(found: Proposed) -> Reply:
    """What a change costs now, what later and from when, with the buttons that decide."""
    proposal = found.proposal
    style = Style.DANGER if proposal.wish.kind is ChangeKind.CANCEL else Style.PRIMARY
    buttons = (
        Button(say("button-confirm"), action=f"confirm:{proposal.id}", style=style),
        Button(say("button-not-now"), action=f"decline:{proposal.id}"),
    )
    until = say("confirm-until", time=dated(proposal.expires_at, "date-minute"))
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
            return say("change-resume", tier=tier)
    change = f"**{described(before, wish)}**"
    if preview.timing is Timing.NOW:
        return say("change-now", change=change)
    return say("change-later", change=change, day=when)


def ending(tier: str, when: str) -> str:
    """What a cancellation means."""
    return say("change-cancel", tier=tier, day=when)


def described(before: Subscription, wish: Wish) -> str:
    """`Premium → Pro`, with the interval or the seats where those change."""
    if wish.kind is ChangeKind.SEATS:
        return say("change-seats", wish.quantity, tier=title(wish.tier), before=before.quantity)
    old, new = title(before.tier or TierName.FREE), title(wish.tier)
    if before.interval is wish.interval:
        return f"{old} → {new}"
    return f"{paid_by(old, before.interval)} → {paid_by(new, wish.interval)}"


def costs(found: Proposed) -> str:
    """What is charged now and later."""
    wish, preview = found.proposal.wish, found.proposal.preview
    if wish.kind is ChangeKind.CANCEL:
        return say("costs-nothing-but-metered") if found.before.metered_item else say("costs-nothing")
    now, then = now_due(preview), priced(preview.recurring, wish.interval)
    if found.first_due:
        return say("costs-from", now=now, then=then, day=day(found.first_due))
    return say("costs", now=now, then=then)


def now_due(preview: Preview) -> str:
    """What is charged at once."""
    if preview.due_now > 0:
        return say("due-some", money=money(preview.due_now))
    if preview.due_now < 0:
        return say("due-back", money=money(-preview.due_now))
    return say("due-nothing")


def confirmed(outcome: Confirmed | NotYours | Expired) -> Reply:
    """What became of a confirmed change."""
    match outcome:
        case NotYours():
            return Reply(say("change-not-yours"))
        case Expired():
            return Reply(say("change-expired"), (look_anew(outcome.proposal),))
        case Confirmed():
            return carried_out(outcome)


def carried_out(outcome: Confirmed) -> Reply:
    """What became of an order."""
    proposal, state = outcome.proposal, outcome.result.state
    if state is ChangeState.OUTDATED:
        return Reply(say("change-outdated"), (look_anew(proposal),))
    if state is ChangeState.PAYMENT_NEEDED:
        return payment_needed(outcome)
    words = in_effect(outcome) if outcome.shown else say("change-accepted")
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
            return say("done-resume", tier=tier)
    what = say("with-seats", wish.quantity, tier=tier) if wish.kind is ChangeKind.SEATS else tier
    if sub and sub.planned:
        return say("done-planned", what=what, day=day(sub.planned.at))
    return say("done-now", what=what, price=priced(preview.recurring, wish.interval))


def payment_needed(outcome: Confirmed) -> Reply:
    """The card was declined, or its owner has to agree: the old state stays until the invoice is paid."""
    sub = outcome.subscription
    old = title(sub.tier) if sub and sub.tier else say("your-tier")
    words = say("payment-needed", tier=old)
    url = outcome.result.pay_url or (sub.pay_url if sub else None)
    if url is None:
        words = f"{words} {say('payment-card-first')}"
        return Reply(marked(words, simulated=outcome.simulated), (billing_button(),))
    return link_reply(words, say("button-pay-invoice"), url, simulated=outcome.simulated)


def look_anew(proposal: Proposal) -> Button:
    """The button that asks for the same change once more."""
    wish = proposal.wish
    actions = {
        ChangeKind.SWITCH: f"upgrade:{wish.tier}:{wish.interval}",
        ChangeKind.SEATS: f"seats:{wish.quantity}",
        ChangeKind.CANCEL: "cancel",
        ChangeKind.RESUME: "resume",
    }
    return Button(say("button-look-anew"), action=actions[wish.kind])


def refused(found: Refused, tier: Tier) -> Reply:
    """Why a change is not proposed and what to do instead; `tier` is the member's."""
    sub = found.access.subscription
    text = say(
        f"obstacle-{found.obstacle}",
        tier=title(tier.name),
        because=because(found.access),
        end=day_of_end(sub),
        planned=planned_words(sub),
        seats=say("seats", tier.seats),
        most=MOST_SEATS,
    )
    way_out = WAYS_OUT.get(found.obstacle)
    return Reply(marked(text, simulated=found.simulated), (way_out(),) if way_out else ())


def day_of_end(sub: Subscription | None) -> str:
    """When a cancelled subscription ends."""
    return day(sub.cancel_at) if sub and sub.cancel_at else say("last-day")
