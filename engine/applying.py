"""What follows from the facts about an account's money: tier changes, movements, notices, duties.

Everything is compared with what was recorded last, so that it does not matter which reading, which event or
whether time alone brought it about.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import uuid4

from engine import news, tidings
from engine.catalogue import PREFERENCE, access, charging, held, still_running
from engine.domain import Account, AccountId, TierName
from engine.facts import (
    Access,
    AccessReason,
    AttemptStatus,
    CheckoutAttempt,
    Claims,
    CustomerFacts,
    CustomerRecord,
    DirtyCustomer,
    DisputeStage,
    Mode,
    PaymentStatus,
    Subscription,
    TierChange,
)
from engine.figures import FunnelStep, Movement, MovementKind, Reached
from engine.grants import Grant, spell
from engine.happenings import Happening, HappeningKind
from engine.ledger import Tx
from engine.notices import Notice, NoticeId, NoticeKind
from engine.tallies import Reading, was_read
from engine.terms import Duty, DutyId, DutyKind, Policy, SecondSubscription

log = logging.getLogger("engine.subscriptions")

PAYING = frozenset({AccessReason.ACTIVE, AccessReason.GRACE})
"""Access that brings in money; a trial is a promise."""
UNWILLING = frozenset(
    {AccessReason.GRACE_OVER, AccessReason.NOT_PAID, AccessReason.DISPUTED, AccessReason.DISPUTE_LOST}
)
UNWILLING_ENDS = frozenset({"payment_failed", "payment_disputed"})
"""Of `cancellation_details.reason`."""


LATELY = timedelta(hours=1)
"""What was bought so shortly before an erasure may have been unknown to it."""


def apply(
    tx: Tx, dirty: DirtyCustomer, truth: CustomerFacts, asked_at: datetime, now: datetime, policy: Policy
) -> None:
    """Make our facts what Stripe said, with all that follows; nothing if outrun.

    The claim's token is the fence: whoever lost the lease read an older truth and must not write it.
    """
    account_id = tx.account_of(dirty.mode, dirty.customer)
    account = tx.lock_account_id(account_id) if account_id else None
    if not tx.finish_sync(dirty):
        return
    tx.tally(was_read(dirty.mode, Reading.DONE, now))
    if account is None:
        return
    record = tx.customer(account.id, dirty.mode)
    if record is None or record.customer != dirty.customer:
        return
    old = tx.subscriptions(account.id, dirty.mode)
    listed = [with_grace(sub, old, asked_at) for sub in truth.subscriptions]
    new = ended_with_customer(listed or old, now) if truth.gone else listed
    tx.replace_subscriptions(account.id, dirty.mode, new, now)
    for alert in tidings.turned(old, new, account.person, now, blocked=account.blocked_at is not None):
        tx.raise_alert(alert)
    remember(tx, record, new, now, gone=truth.gone)
    settle_checkout(tx, account.id, dirty.mode, new, now)
    last = last_change(tx, account.id, dirty.mode)
    found = reconsider(tx, account, dirty.mode, now, policy)
    if last == last_change(tx, account.id, dirty.mode):
        before, after = access(old, now), access(new, now, tx.claims(account.id, dirty.mode))
        tell_changes(tx, account, before, after, now)
        if found.reason is AccessReason.GRANTED:
            tell_hidden(tx, account, dirty.mode, before, after, now)
    tx.settle_events(dirty.mode, dirty.customer, asked_at, now)


def reconsider(
    tx: Tx, account: Account, mode: Mode, now: datetime, policy: Policy, *, hushed: bool = False
) -> Access:
    """Record what the facts say at `now` where that was not recorded yet; the caller holds the lock.

    What comes back is what the account has but for a seat. `hushed`: the caller tells of a grant that begins.
    """
    known, claims = tx.subscriptions(account.id, mode), tx.claims(account.id, mode)
    own, grants = access(known, now, claims), tx.grants(account.id, mode)
    found = held(own, grants, policy.rank, now)
    record_tier(tx, account, mode, found, now, policy, grants, hushed=hushed)
    if own.tier is not TierName.FREE and found is not own:
        tx.reach(Reached(account.id, mode, FunnelStep.ACTIVATED, now))
    tell_ending(tx, account, mode, found, grants, now, policy)
    record_revenue(tx, account, mode, own, now)
    if not claims.blocking:
        for sub in known:
            for word in news.standing_words(sub, now, claims.revoked):
                tx.owe(notice(tx, account, mode, word, own, now, sub.tier))
    for duty in (*duties(known, claims, mode, policy), *unwanted(known, account, mode)):
        if tx.owe_duty(duty, now):
            log.error("money goes back", extra={"duty": duty.kind.value, "subject": duty.subject})
    if own.reason is AccessReason.UNKNOWN_STATUS:
        log.error("Stripe has a status that is not known here", extra={"account": account.id})
    tx.look_again(account.id, mode, news.next_moment(known, now, grants))
    return found


def with_grace(sub: Subscription, old: Iterable[Subscription], asked_at: datetime) -> Subscription:
    """A failing payment without an open invoice: nobody expects it any more, or it was paid this moment.

    The grace goes on as it was known, or begins now: it neither ends by that nor begins anew.
    """
    if sub.status is not PaymentStatus.PAST_DUE or sub.past_due_since:
        return sub
    failing = (each for each in old if each.id == sub.id and each.status is sub.status)
    known = next(failing, replace(sub, past_due_since=asked_at))
    return replace(sub, past_due_since=known.past_due_since or asked_at, open_invoice=known.open_invoice)


def ended_with_customer(known: Sequence[Subscription], now: datetime) -> Sequence[Subscription]:
    """Stripe ends the subscriptions of a customer that is deleted."""
    return [replace(sub, status=PaymentStatus.CANCELED, ended_at=sub.ended_at or now) for sub in known]


def remember(
    tx: Tx, record: CustomerRecord, new: Sequence[Subscription], now: datetime, *, gone: bool
) -> None:
    """Keep that a trial was used, and that a customer is no more."""
    if record.trial_used_at is None and any(sub.trialed for sub in new):
        record = replace(record, trial_used_at=now)
        tx.save_customer(record)
    if gone:
        tx.retire_customer(record, now)
        tx.close_attempts(record.account, record.mode, AttemptStatus.SUPERSEDED)


def settle_checkout(
    tx: Tx, account: AccountId, mode: Mode, new: Sequence[Subscription], now: datetime
) -> None:
    """A running subscription ends the open checkout; its session is closed if it was not the one paid."""
    attempt = tx.open_attempt(account, mode)
    if attempt is None or not still_running(new):
        return
    close_checkout(tx, attempt, AttemptStatus.COMPLETE, now)
    tx.reach(Reached(account, mode, FunnelStep.CHECKOUT_COMPLETED, now))
    done, platform = HappeningKind.CHECKOUT_COMPLETED, attempt.person.platform
    tx.happened(Happening(done, account, mode, now, platform, attempt.tier))


def close_checkout(tx: Tx, attempt: CheckoutAttempt, status: AttemptStatus, now: datetime) -> None:
    """End an account's open checkout, whose lock is held, and owe the end of its session."""
    tx.close_attempts(attempt.account, attempt.mode, status)
    if attempt.session:
        name = DutyId(f"close:{attempt.session}")
        tx.owe_duty(Duty(name, DutyKind.CLOSE_CHECKOUT, attempt.mode, attempt.session), now)


def last_change(tx: Tx, account: AccountId, mode: Mode) -> TierChange | None:
    """The last change that was recorded; time alone may have undone it since, and nobody was told."""
    return next((each for each in reversed(tx.tier_changes(account)) if each.mode is mode), None)


def last_told(tx: Tx, account: AccountId, mode: Mode) -> TierName:
    """The tier of the last change."""
    last = last_change(tx, account, mode)
    return last.after if last else TierName.FREE


def record_tier(
    tx: Tx,
    account: Account,
    mode: Mode,
    found: Access,
    now: datetime,
    policy: Policy,
    grants: Sequence[Grant],
    *,
    hushed: bool,
) -> None:
    """A tier that differs from the one told last, or is bought and not given any more, is written down."""
    last = last_change(tx, account.id, mode)
    told, given = last.after if last else TierName.FREE, found.reason is AccessReason.GRANTED
    if told is found.tier and news.given_last(last) is given:
        return
    change = TierChange(0, account.id, mode, told, found.tier, found.reason, now)
    number = tx.add_tier_change(change).number
    happened(tx, account, mode, tier_happening(told, found.tier), now, told, found)
    kind = news.given_kind(last, found, running=any(each.runs(now) for each in grants))
    if not (hushed and given):
        key = f"tier:{mode}:{account.id}:{number}"
        word = news.Word(kind or news.tier_kind(told, found), key, found.until)
        sub = found.subscription
        tx.owe(notice(tx, account, mode, word, found, now, (sub and sub.tier) or told))
    if told is not found.tier and {told, found.tier} & policy.shared:
        team_kind = NoticeKind.TEAM_CHANGED if found.tier in policy.shared else NoticeKind.TEAM_ENDED
        tell_team(tx, account.id, mode, team_kind, found.tier, number, now)
    if found.tier is not TierName.FREE and not given:
        tx.reach(Reached(account.id, mode, FunnelStep.ACTIVATED, now))


def tell_ending(
    tx: Tx,
    account: Account,
    mode: Mode,
    found: Access,
    grants: Sequence[Grant],
    now: datetime,
    policy: Policy,
) -> None:
    """Owe a notice that what was given ends soon, while it is what the account has."""
    if found.reason is AccessReason.GRANTED and news.ending(spell(grants, policy.rank, now), now):
        key = f"grant-ending:{mode}:{account.id}:{news.stamp(found.until)}"
        word = news.Word(NoticeKind.GRANT_ENDING, key, found.until)
        tx.owe(notice(tx, account, mode, word, found, now, found.tier))


def tell_hidden(tx: Tx, account: Account, mode: Mode, before: Access, after: Access, now: datetime) -> None:
    """Owe the notice of a purchase that changes nothing now, a better tier being given."""
    if before.tier is TierName.FREE and after.tier is not TierName.FREE and after.subscription:
        word = news.Word(NoticeKind.ACTIVATED, f"bought:{after.subscription.id}", after.until)
        tx.owe(notice(tx, account, mode, word, after, now, after.tier))


def tell_team(
    tx: Tx, owner: AccountId, mode: Mode, kind: NoticeKind, tier: TierName, number: int, now: datetime
) -> None:
    """Owe a notice to everybody who joined a team that has other seats, or none, by its owner's change."""
    for each in tx.team_members(owner, mode):
        key = f"team:{mode}:{each.account}:{owner}:{number}"
        tx.owe(Notice(NoticeId(uuid4().hex), key, each.account, mode, each.person, kind, tier, now))


def tier_happening(before: TierName, after: TierName) -> HappeningKind:
    """What a change of tier is counted as."""
    if TierName.FREE not in {before, after}:
        return HappeningKind.CHANGED
    return HappeningKind.ACTIVATED if before is TierName.FREE else HappeningKind.ENDED


def happened(
    tx: Tx, account: Account, mode: Mode, kind: HappeningKind, now: datetime, before: TierName, found: Access
) -> None:
    """Write an occurrence down; the tier that was lost is the one `before`."""
    tier = before if kind is HappeningKind.ENDED else found.tier
    tx.happened(Happening(kind, account.id, mode, now, account.person.platform, tier, found.reason))


def record_revenue(tx: Tx, account: Account, mode: Mode, found: Access, now: datetime) -> None:
    """MRR that differs from the sum of the movements makes one more; in another currency, two."""
    sub = found.subscription
    after = sub.mrr if sub and found.reason in PAYING else Fraction(0)
    last = next(reversed(tx.account_movements(account.id, mode)), None)
    if last and last.after and sub and after and sub.currency != last.currency:
        last = tx.add_movement(movement(last, account.id, mode, found, Fraction(0), now))
    if after != (last.after if last else 0):
        made = tx.add_movement(movement(last, account.id, mode, found, after, now))
        customer, blocked = sub.customer if sub else None, account.blocked_at is not None
        for alert in tidings.moved(made, account.person, customer, blocked=blocked):
            tx.raise_alert(alert)


def movement(
    last: Movement | None, account: AccountId, mode: Mode, found: Access, after: Fraction, now: datetime
) -> Movement:
    """What brings an account's MRR from its last movement to what it is now."""
    sub, before = found.subscription, last.after if last else Fraction(0)
    return Movement(
        number=0,
        account=account,
        mode=mode,
        kind=movement_kind(before, after, returning=last is not None),
        delta=after - before,
        after=after,
        tier=last.tier if last and not after else (sub and sub.tier) or found.tier,
        currency=last.currency if last and not after else sub.currency if sub else "usd",
        voluntary=found.reason not in UNWILLING and not (sub and sub.end_reason in UNWILLING_ENDS),
        at=now,
    )


def movement_kind(before: Fraction, after: Fraction, *, returning: bool) -> MovementKind:
    """What a change of MRR is called."""
    if before == 0:
        return MovementKind.REACTIVATION if returning else MovementKind.NEW
    if after == 0:
        return MovementKind.CHURN
    return MovementKind.EXPANSION if after > before else MovementKind.CONTRACTION


def tell_changes(tx: Tx, account: Account, before: Access, after: Access, now: datetime) -> None:
    """Owe notices for what changed about the subscription that decides, its tier being the same."""
    old, new = before.subscription, after.subscription
    if old is None or new is None or old.id != new.id or after.tier is TierName.FREE:
        return
    for word in news.changes(old, new, now):
        tx.owe(notice(tx, account, new.mode, word, after, now, new.tier))
    if news.renewed(old, new):
        tx.reach(Reached(account.id, new.mode, FunnelStep.RENEWED, now))
        happened(tx, account, new.mode, HappeningKind.RENEWED, now, after.tier, after)
    if new.cancel_at != old.cancel_at:
        kind = HappeningKind.CANCELLED if new.cancel_at else HappeningKind.RESUMED
        happened(tx, account, new.mode, kind, now, after.tier, after)


def duties(known: Iterable[Subscription], claims: Claims, mode: Mode, policy: Policy) -> Iterable[Duty]:
    """Subscriptions that must not go on: of lost disputes, of refunds, and second ones."""
    running = still_running(known)
    for sub in running:
        if claims.has(DisputeStage.LOST):
            yield Duty(DutyId(f"disputed:{sub.id}"), DutyKind.END_DISPUTED, mode, sub.id)
        elif sub.latest_invoice in claims.revoked:
            yield Duty(DutyId(f"refunded:{sub.id}"), DutyKind.END_REFUNDED, mode, sub.id)
    for sub in second_ones(running):
        log.error("several subscriptions of one customer may charge", extra={"customer": sub.customer})
        if policy.second_subscription is SecondSubscription.REFUND:
            yield Duty(DutyId(f"duplicate:{sub.id}"), DutyKind.END_DUPLICATE, mode, sub.id)


def unwanted(known: Iterable[Subscription], account: Account, mode: Mode) -> Iterator[Duty]:
    """Subscriptions that go on charging somebody who was erased: bought since then, or resumed at Stripe."""
    if account.erased_at is None:
        return
    for sub in charging(known):
        late = sub.created_at > account.erased_at - LATELY
        kind = DutyKind.END_LATE if late else DutyKind.END_ERASED
        yield Duty(DutyId(f"{'late' if late else 'erased'}:{sub.id}"), kind, mode, sub.id)


def second_ones(running: Iterable[Subscription]) -> Sequence[Subscription]:
    """Those that sell a tier beside the one to keep: the oldest of the best standing."""
    selling = [sub for sub in running if sub.tier is not None]
    order = {status: place for place, status in enumerate(PREFERENCE)}
    kept = min(selling, key=lambda sub: (order.get(sub.status, len(order)), sub.created_at), default=None)
    return [sub for sub in selling if sub is not kept]


def notice(
    tx: Tx,
    account: Account,
    mode: Mode,
    word: news.Word,
    found: Access,
    now: datetime,
    about: TierName | None,
) -> Notice:
    """A notice to whoever bought last; it names the tier there is now, or else the one that it is about."""
    attempt = tx.latest_attempt(account.id, mode)
    person = attempt.person if attempt else account.person
    tier = found.tier if found.tier is not TierName.FREE else about or TierName.FREE
    return Notice(NoticeId(uuid4().hex), word.key, account.id, mode, person, word.kind, tier, now, word.until)
