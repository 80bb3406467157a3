"""What is worth telling the payer of a subscription, and when time alone brings the next thing; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.catalogue import GRACE, judge
from engine.domain import TierName
from engine.facts import Access, AccessReason, PaymentStatus, Subscription, TierChange
from engine.grants import NOTICE, Grant, Spell
from engine.grants import moments as turning_points
from engine.notices import NoticeKind

REMIND_AFTER = (timedelta(days=3), timedelta(days=7))
LAST_CALL = GRACE - timedelta(days=1)
TRIAL_NOTICE = timedelta(days=3)
"""When Stripe sends `customer.subscription.trial_will_end`, too."""
CARD_NOTICE = timedelta(days=30)
PAYING = frozenset({PaymentStatus.ACTIVE, PaymentStatus.TRIALING})


@dataclass(frozen=True, slots=True)
class Word:
    """One thing to tell, once for its key."""

    kind: NoticeKind
    key: str
    until: datetime | None = None


def standing_words(sub: Subscription, now: datetime, revoked: frozenset[str] = frozenset()) -> Sequence[Word]:
    """What the facts of a subscription say at `now`, told before or not: the newest of each kind."""
    if judge(sub, now, revoked).tier is TierName.FREE:
        return ()
    return [*failing(sub, now), *trial_ending(sub, now), *card_expiring(sub, now)]


def failing(sub: Subscription, now: datetime) -> Iterator[Word]:
    """A failed payment at once, after three and seven days, and on the last day of grace."""
    since = sub.past_due_since
    if sub.status is not PaymentStatus.PAST_DUE or since is None or sub.open_invoice is None:
        return
    name, until = f"failed:{sub.id}:{sub.open_invoice}", since + GRACE
    late = now - since
    if late >= LAST_CALL:
        yield Word(NoticeKind.PAYMENT_LAST_CALL, f"{name}:last", until)
    elif late >= REMIND_AFTER[0]:
        days = max(delay for delay in REMIND_AFTER if late >= delay).days
        yield Word(NoticeKind.PAYMENT_REMINDER, f"{name}:{days}", until)
    else:
        yield Word(NoticeKind.PAYMENT_FAILED, name, until)


def trial_ending(sub: Subscription, now: datetime) -> Iterator[Word]:
    """A trial in its last three days that is going to cost something."""
    end = sub.trial_end
    if sub.status is not PaymentStatus.TRIALING or sub.cancel_at:
        return
    if end and end - TRIAL_NOTICE <= now:
        yield Word(NoticeKind.TRIAL_ENDING, f"trial:{sub.id}:{end.isoformat()}", end)


def card_expiring(sub: Subscription, now: datetime) -> Iterator[Word]:
    """A card that will not be valid when the next payment is due."""
    expires, due = sub.card_expires, sub.period_end
    if sub.status not in PAYING or sub.cancel_at or expires is None or due is None:
        return
    if expires <= due and expires - CARD_NOTICE <= now:
        yield Word(NoticeKind.CARD_EXPIRING, f"card:{sub.id}:{expires.isoformat()}", expires)


def changes(old: Subscription, new: Subscription, now: datetime) -> Iterator[Word]:
    """What differs between two readings of a subscription that gives the same tier."""
    if renewed(old, new):
        yield Word(NoticeKind.RENEWED, f"renewed:{new.id}:{stamp(new.period_end)}", new.period_end)
    if new.cancel_at != old.cancel_at:
        kind = NoticeKind.CANCEL_PENDING if new.cancel_at else NoticeKind.RESUMED
        yield Word(kind, f"cancel:{new.id}:{now.isoformat()}", new.cancel_at)
    elif new.planned and new.planned != old.planned:
        yield Word(NoticeKind.CHANGE_PLANNED, f"planned:{new.id}:{now.isoformat()}", new.planned.at)
    elif old.planned and new.planned is None and old.price == new.price and now < old.planned.at:
        yield Word(NoticeKind.RESUMED, f"planned:{new.id}:{now.isoformat()}")


def renewed(old: Subscription, new: Subscription) -> bool:
    """Whether a period was paid between two readings: begun anew, or paid after all."""
    same = (old.id, old.price, old.interval) == (new.id, new.price, new.interval)
    paid = new.status is PaymentStatus.ACTIVE and new.invoice_paid
    if not same or not paid or old.status is PaymentStatus.TRIALING:
        return False
    on = old.period_end is not None and new.period_end is not None and new.period_end > old.period_end
    return on or old.status is PaymentStatus.PAST_DUE or not old.invoice_paid


def tier_kind(before: TierName, after: Access) -> NoticeKind:
    """The notice for a change of tier."""
    if after.tier is not TierName.FREE:
        return NoticeKind.ACTIVATED if before is TierName.FREE else NoticeKind.CHANGED
    if after.reason is AccessReason.REFUNDED:
        return NoticeKind.REFUNDED
    disputed = {AccessReason.DISPUTED, AccessReason.DISPUTE_LOST}
    return NoticeKind.DISPUTED if after.reason in disputed else NoticeKind.ENDED


def given_kind(last: TierChange | None, after: Access, *, running: bool) -> NoticeKind | None:
    """The notice for a change to a granted tier or from one; None: neither. `running`: a grant still does."""
    if after.reason is AccessReason.GRANTED:
        return NoticeKind.GRANTED
    if not given_last(last):
        return None
    if after.tier is TierName.FREE:
        return NoticeKind.GRANT_ENDED
    return NoticeKind.ACTIVATED if running else NoticeKind.CHANGED


def given_last(last: TierChange | None) -> bool:
    """Whether the tier that was recorded last is a granted one."""
    return last is not None and last.reason is AccessReason.GRANTED


def ending(spell: Spell | None, now: datetime) -> bool:
    """Whether a granted tier is in its last days, and was given for more than these."""
    return spell is not None and spell.until - NOTICE <= now and spell.until - spell.since > NOTICE


def next_moment(
    subscriptions: Iterable[Subscription], now: datetime, grants: Iterable[Grant] = ()
) -> datetime | None:
    """When time alone changes something next about these facts; None if nothing will."""
    bought = (each for sub in subscriptions for each in moments(sub))
    return min((each for each in (*bought, *turning_points(grants)) if each > now), default=None)


def moments(sub: Subscription) -> Iterator[datetime]:
    """Every moment at which a subscription's access or words change by themselves."""
    until = judge(sub, sub.created_at).until
    if until:
        yield until
    if sub.status is PaymentStatus.PAST_DUE and sub.past_due_since:
        yield from (sub.past_due_since + delay for delay in (*REMIND_AFTER, LAST_CALL))
    if sub.status is PaymentStatus.TRIALING and sub.trial_end:
        yield sub.trial_end - TRIAL_NOTICE
    if sub.status in PAYING and sub.card_expires:
        yield sub.card_expires - CARD_NOTICE


def stamp(moment: datetime | None) -> str:
    """A moment as part of a key."""
    return moment.isoformat() if moment else "never"
