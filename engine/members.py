"""A member's own affairs: what is left, which model, and why this tier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.archive import Archive
from engine.catalogue import Catalogue, Wares, access
from engine.codes import name_of
from engine.domain import Account, Micros, Offer, Person, RefusalReason, Tier
from engine.erasing import Erasing
from engine.facts import Access, Mode, Subscription, TierChange
from engine.grants import Credit, Grant, left
from engine.ledger import Tx
from engine.limits import next_day
from engine.meeting import Meetings
from engine.models import ModelSpec
from engine.moderating import Moderating
from engine.notices import Notice
from engine.pauses import Pause
from engine.pausing import Pauses
from engine.ports import Clock, Store
from engine.preferences import Preferences
from engine.sharing import Share, share_of
from engine.teams import Teams, access_of
from engine.turns import UsageFacts


@dataclass(frozen=True, slots=True)
class Overview:
    """What `/usage` and `why` tell of a person; `account` is None for somebody never seen."""

    person: Person
    account: Account | None
    access: Access
    tier: Tier
    usage: UsageFacts
    resets_at: datetime
    model: ModelSpec | None
    subscriptions: Sequence[Subscription]
    changes: Sequence[TierChange]
    customer: str | None
    mode: Mode
    now: datetime
    team: Person | None = None
    """Who owns the team that the person has a seat in, if that decides."""
    grants: Sequence[Grant] = ()
    """Tiers that were given, those that are over too."""
    credits: Sequence[Credit] = ()
    """Conversations beyond the daily limit that were given, those that are used up or over too."""
    share: Share | None = None
    """Of the budget of their team, their own one or another's; `usage` and `tier` count by it then."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One line of `/model`; `offer` is the tier that unlocks it."""

    spec: ModelSpec
    allowed: bool
    chosen: bool
    offer: Offer | None
    paused: Pause | None = None
    """Set while the operator lets it answer nobody."""


@dataclass(frozen=True, slots=True)
class ModelChosen:
    """The member's model from now on."""

    spec: ModelSpec


@dataclass(frozen=True, slots=True)
class ModelLocked:
    """A model that the member's tier may not use."""

    spec: ModelSpec
    tier: Tier
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class ModelUnknown:
    """No model of that name."""

    name: str
    choices: Sequence[str]


class Members:
    """Answers a member's questions about themselves."""

    def __init__(
        self, store: Store, clock: Clock, wares: Wares, mode: Mode, moderating: Moderating | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._mode = mode
        self.wares = wares
        self.meetings = Meetings(store, clock)
        self.preferences = Preferences(store, clock, moderating)
        self.archive = Archive(store)
        self.erasing = Erasing(store, clock, mode)
        self.teams = Teams(store, clock, wares, mode)

    @property
    def catalogue(self) -> Catalogue:
        """What is on sale now."""
        return self.wares.today

    @property
    def mode(self) -> Mode:
        """The world whose facts count."""
        return self._mode

    def now(self) -> datetime:
        """The time by our clock."""
        return self._clock.now()

    async def overview(self, person: Person) -> Overview:
        """Tier, reason, limits used and left, subscription facts."""
        now = self._clock.now()
        return await self._store.read(lambda tx: self._overview(tx, person, now))

    async def overviews(self, people: Sequence[Person]) -> Sequence[Overview]:
        """The same of several people, all at one moment."""
        now = self._clock.now()
        return await self._store.read(lambda tx: [self._overview(tx, each, now) for each in people])

    async def models(self, person: Person) -> Sequence[ModelRow]:
        """All models with their locks, as this person sees them."""
        overview, paused = await self.overview(person), await self._pauses()
        return [self._row(overview, spec, paused) for spec in self.catalogue.models]

    async def choose_model_at(
        self, person: Person, name: str, anchors: Sequence[str]
    ) -> ModelChosen | ModelLocked | ModelUnknown | None:
        """The same for the conversation at this place alone; None if there is none."""
        found = await self._judged(person, name)
        if not isinstance(found, ModelChosen):
            return found
        return found if await self.preferences.choose_at(person, anchors, found.spec.name) else None

    async def others(self, person: Person, model: str) -> Sequence[ModelSpec]:
        """The models that could answer this person in place of that one."""
        tier, paused = (await self.overview(person)).tier, await self._pauses()
        return [spec for spec in paused.awake(self.catalogue).allowed(tier) if spec.name != model]

    async def choose_model(self, person: Person, name: str) -> ModelChosen | ModelLocked | ModelUnknown:
        """Remember a model for this person's questions, if their tier may use it."""
        found = await self._judged(person, name)
        if isinstance(found, ModelChosen):
            now, chosen = self._clock.now(), found.spec.name
            await self._store.transact(lambda tx: tx.set_model(tx.lock_account(person, now).id, chosen))
        return found

    async def _judged(self, person: Person, name: str) -> ModelChosen | ModelLocked | ModelUnknown:
        """Whether the person may choose a model, which changes nothing."""
        spec = self.catalogue.find(name)
        if spec is None:
            return ModelUnknown(name, [each.name for each in self.catalogue.models])
        tier = (await self.overview(person)).tier
        if not self.catalogue.allows(tier, spec):
            return ModelLocked(spec, tier, self._unlocking(tier, spec))
        return ModelChosen(spec)

    async def kept_notices(self, person: Person) -> Sequence[Notice]:
        """Notices that could not be sent, to be shown now; each is handed out once."""
        waiting = await self._store.read(lambda tx: self._has_kept(tx, person))
        if not waiting:
            return ()
        mode, now = self._mode, self._clock.now()
        return await self._store.transact(lambda tx: tx.take_kept(tx.lock_account(person, now).id, mode, now))

    def _has_kept(self, tx: Tx, person: Person) -> bool:
        account = tx.find_account(person)
        return account is not None and tx.has_kept(account.id, self._mode)

    def _overview(self, tx: Tx, person: Person, now: datetime) -> Overview:
        account = tx.find_account(person)
        catalogue, mode = self.catalogue, self._mode
        found = access_of(tx, catalogue, account.id, mode, now) if account else access((), now)
        usage = tx.usage(account.id, now) if account else NOTHING
        share = share_of(tx, catalogue, found, account.id, mode, now, lock=False) if account else None
        tier = share.own if share else catalogue.tier(found.tier)
        record = tx.customer(account.id, mode) if account else None
        told = tx.tier_changes(account.id) if account else ()
        wish = catalogue.find(account.model) if account and account.model else None
        return Overview(
            person=person,
            account=account,
            access=found,
            tier=tier,
            usage=replace(usage, cost_month=share.used) if share else usage,
            resets_at=next_day(now),
            model=wish if wish and catalogue.allows(tier, wish) else catalogue.default(tier),
            subscriptions=tx.subscriptions(account.id, mode) if account else (),
            changes=[each for each in told if each.mode is mode],
            customer=record.customer if record else None,
            mode=mode,
            now=now,
            team=tx.person_of(found.team) if found.team else None,
            grants=tx.grants(account.id, mode) if account else (),
            credits=tx.credits(account.id, mode) if account else (),
            share=share,
        )

    async def _pauses(self) -> Pauses:
        now = self._clock.now()
        return Pauses.of(await self._store.read(lambda tx: tx.pauses(now)))

    def _row(self, overview: Overview, spec: ModelSpec, paused: Pauses) -> ModelRow:
        allowed = self.catalogue.allows(overview.tier, spec)
        offer = None if allowed else self._unlocking(overview.tier, spec)
        return ModelRow(spec, allowed, spec == overview.model, offer, paused.of_model(spec.name))

    def _unlocking(self, tier: Tier, spec: ModelSpec) -> Offer | None:
        return self.catalogue.offer(tier, RefusalReason.MODEL_LOCKED, spec)


NOTHING = UsageFacts(0, (), 0, Micros(0))


def plain(overview: Overview) -> Mapping[str, object]:
    """An overview as JSON-ready values: the answer of `why --json`."""
    sub = overview.access.subscription
    tier, usage = overview.tier, overview.usage
    return {
        "person": str(overview.person),
        "account": overview.account.id if overview.account else None,
        "tier": tier.name,
        "reason": overview.access.reason,
        "until": stamp(overview.access.until),
        "blocked": stamp(overview.account.blocked_at) if overview.account else None,
        "mode": overview.mode,
        "team": str(overview.team) if overview.team else None,
        "stripe_customer_id": overview.customer,
        "stripe_subscription_id": sub.id if sub else None,
        "payment_status": overview.access.payment_status,
        "started_at": stamp(sub.started_at) if sub else None,
        "cancel_at": stamp(sub.cancel_at) if sub else None,
        "interval": sub.interval if sub else None,
        "model": overview.model.name if overview.model else None,
        "limits": {
            "conversations_per_day": gauge(usage.conversations_today, tier.conversations_per_day),
            "requests_per_minute": gauge(len(usage.recent), tier.requests_per_minute),
            "concurrent": gauge(usage.at_once, tier.concurrent),
            "cost_month_micros": gauge(usage.cost_month, tier.cost_ceiling_month),
            "turns_per_conversation": tier.turns_per_conversation,
            "resets_at": stamp(overview.resets_at),
        },
        "changes": [
            {"at": stamp(c.at), "before": c.before, "after": c.after, "reason": c.reason}
            for c in overview.changes
        ],
        "grants": [granted(each, overview.now) for each in overview.grants],
        "credits_left": left(overview.credits, overview.now),
        "credits": [credited(each, overview.now) for each in overview.credits],
    }


def granted(grant: Grant, now: datetime) -> Mapping[str, object]:
    """A grant as JSON-ready values."""
    return {
        "number": grant.number,
        "tier": grant.tier,
        "since": stamp(grant.since),
        "until": stamp(grant.ends),
        "runs": grant.runs(now),
        "revoked": grant.revoked_at is not None,
        "by": f"gift {name_of(grant.gift)}" if grant.gift else grant.made_by,
        "note": grant.note,
    }


def credited(credit: Credit, now: datetime) -> Mapping[str, object]:
    """A credit as JSON-ready values."""
    return {
        "number": credit.number,
        "amount": credit.amount,
        "used": credit.used,
        "left": credit.left(now),
        "until": stamp(credit.until),
        "revoked": credit.revoked_at is not None,
        "by": credit.made_by,
        "note": credit.note,
    }


def gauge(used: int, limit: int | None) -> Mapping[str, int | None]:
    """Used, limit and left; without a limit the last two are None."""
    return {"used": used, "limit": limit, "left": None if limit is None else max(0, limit - used)}


def stamp(moment: datetime | None) -> str | None:
    """ISO 8601, None as it is."""
    return moment.isoformat() if moment else None
