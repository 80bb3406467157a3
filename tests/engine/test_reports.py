"""The operator's figures: exact sums, churn by its definition, and worlds that never mix."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.console.report import duration, in_currency, percent, plain, stats_json, stats_lines
from engine.applying import reconsider
from engine.domain import AccountId, Interval, Micros, Person, Platform, TierName
from engine.facts import (
    CustomerId,
    CustomerRecord,
    Dispute,
    DisputeStage,
    Mode,
    PaymentStatus,
    Subscription,
    SubscriptionId,
)
from engine.figures import FunnelStep, Movement, MovementKind, Reached
from engine.ledger import Tx
from engine.reports import Reports, Revenue, SubscriptionStats, funnel, last_days, median, month
from engine.revenue import Span, Tally, logo_churn, revenue_churn, total
from engine.terms import Policy, UsageHour, UsageReport
from storage.store import Store
from tests.engine.conftest import CATALOGUE, Hall, last
from tests.fakes.clock import NOON, FakeClock

DOLLAR = 1_000_000
YEARLY_PREMIUM, YEARLY_PRO = Fraction(89 * DOLLAR, 12), Fraction(499 * DOLLAR, 12)
OCTOBER, NOVEMBER, DECEMBER = (datetime(2026, each, 1, tzinfo=UTC) for each in (10, 11, 12))
SEPTEMBER = datetime(2026, 9, 15, tzinfo=UTC)
POLICY = Policy()


@dataclass(slots=True)
class Books:
    """Accounts with subscriptions of our making, and what is reported of them."""

    store: Store
    clock: FakeClock
    mode: Mode = Mode.LIVE

    async def account(self, name: str) -> AccountId:
        """An account with a customer."""
        now = self.clock.now()

        def work(tx: Tx) -> AccountId:
            account = tx.lock_account(Person(Platform.LOCAL, "", name), now).id
            if tx.customer(account, self.mode) is None:
                customer = CustomerId(f"cus_{self.mode}_{name}")
                tx.save_customer(CustomerRecord(account, self.mode, customer, 0))
            return account

        return await self.store.transact(work)

    async def has(self, name: str, mrr: Fraction | int = 8_990_000, **changes: object) -> AccountId:
        """Let an account have one subscription, with all that follows from it."""
        account, now = await self.account(name), self.clock.now()
        sub = replace(subscription(name, self.mode, now), mrr=Fraction(mrr), **changes)  # type: ignore[arg-type]

        def work(tx: Tx) -> None:
            locked = tx.lock_account_id(account)
            assert locked
            tx.replace_subscriptions(account, self.mode, [sub], now)
            reconsider(tx, locked, self.mode, now, POLICY)

        await self.store.transact(work)
        return account

    async def move(
        self, name: str, kind: MovementKind, delta: int, at: datetime, *, voluntary: bool = True
    ) -> None:
        """Write a movement down."""
        account = await self.account(name)

        def work(tx: Tx) -> None:
            after = tx.mrr(account, self.mode) + delta
            change = Fraction(delta)
            facts = (account, self.mode, kind, change, after, TierName.PREMIUM, "usd", voluntary, at)
            tx.add_movement(Movement(0, *facts))

        await self.store.transact(work)

    async def stats(
        self, since: datetime | None = None, until: datetime | None = None, markup: str = "0"
    ) -> SubscriptionStats:
        """The figures, of the last 30 days if nothing else is asked."""
        default = last_days(30, self.clock.now())
        reports = Reports(self.store, self.clock, CATALOGUE, self.mode, Decimal(markup))
        return await reports.get_subscription_stats(since or default[0], until or default[1])


def subscription(name: str, mode: Mode, now: datetime) -> Subscription:
    """A running one."""
    return Subscription(
        id=SubscriptionId(f"sub_{mode}_{name}"),
        customer=CustomerId(f"cus_{mode}_{name}"),
        mode=mode,
        status=PaymentStatus.ACTIVE,
        tier=TierName.PREMIUM,
        price="price_1",
        interval=Interval.MONTH,
        quantity=1,
        created_at=now,
        started_at=now,
        period_end=now + timedelta(days=400),
        cancel_at=None,
    )


def dollars(stats: SubscriptionStats) -> Revenue:
    """The revenue in US dollars, the only one there is."""
    (revenue,) = stats.revenues
    return revenue


def exact(*amounts: Fraction | int | None) -> tuple[Fraction | None, ...]:
    """Amounts to be compared, whole ones as fractions."""
    return tuple(each if each is None else Fraction(each) for each in amounts)


@pytest.fixture
def books(store: Store, clock: FakeClock) -> Books:
    """Empty books on each database."""
    return Books(store, clock)


async def test_empty_books_have_figures_without_shares(books: Books) -> None:
    stats = await books.stats()
    revenue = dollars(stats)
    assert exact(revenue.mrr, revenue.arpu, stats.churn.rate, revenue.churn.gross) == exact(
        0, None, None, None
    )
    assert stats.tiers == {TierName.FREE: 0, TierName.PREMIUM: 0}
    assert stats.time_to_upgrade is None
    assert json.loads(json.dumps(stats_json(stats)))["revenue"]["usd"]["arpu"] is None
    assert "MRR now                    $0.00  0 paying, - each" in stats_lines(stats)


async def test_thirds_of_a_cent_are_kept_until_a_thousand_yearly_members_are_summed(books: Books) -> None:
    accounts = [AccountId(f"account-{number}") for number in range(1000)]
    tally = Tally(Span(OCTOBER, DECEMBER))
    tally.add(movement(each, YEARLY_PREMIUM, NOON) for each in accounts)
    assert plain(total(tally.present, "usd")) == "7416.67"
    await books.has("alice", YEARLY_PREMIUM)
    await books.has("bob", YEARLY_PREMIUM)
    await books.has("carol", YEARLY_PRO)
    revenue = dollars(await books.stats())
    assert revenue.mrr == revenue.committed == Fraction(677 * DOLLAR, 12)
    assert plain(revenue.mrr) == "56.42"
    assert plain(revenue.arpu or Fraction(0)) == "18.81"


async def test_trials_bring_nothing_yet_and_are_shown_as_what_they_may_bring(books: Books) -> None:
    end = NOON + timedelta(days=5)
    await books.has("alice", status=PaymentStatus.TRIALING, trial_end=end, trialed=True)
    await books.has("bob", status=PaymentStatus.TRIALING, trial_end=end, trialed=True, cancel_at=end)
    stats = await books.stats()
    revenue = dollars(stats)
    assert exact(revenue.mrr, revenue.committed, revenue.pipeline) == exact(0, 0, 8_990_000)
    assert (stats.trials, revenue.paying, stats.tiers[TierName.PREMIUM]) == (2, 0, 2)
    await books.has("alice", trial_end=end, trialed=True)
    assert dollars(await books.stats()).mrr == 8_990_000


async def test_a_failing_payment_counts_and_is_at_risk_until_the_grace_is_over(books: Books) -> None:
    await books.has("alice")
    await books.has("alice", status=PaymentStatus.PAST_DUE, past_due_since=NOON)
    stats = await books.stats()
    assert exact(dollars(stats).mrr, dollars(stats).at_risk, stats.past_due) == exact(8_990_000, 8_990_000, 1)
    books.clock.advance(timedelta(days=15))
    await books.has("alice", status=PaymentStatus.PAST_DUE, past_due_since=NOON)
    stats = await books.stats()
    assert exact(dollars(stats).mrr, dollars(stats).at_risk, dollars(stats).unrecorded) == exact(0, 0, 0)


async def test_a_pending_cancellation_counts_but_is_not_committed(books: Books) -> None:
    await books.has("alice", cancel_at=NOON + timedelta(days=3))
    await books.has("bob", 1_000_000)
    revenue = dollars(await books.stats())
    assert exact(revenue.mrr, revenue.committed) == exact(9_990_000, 1_000_000)


async def test_free_accounts_are_those_without_a_paid_tier(books: Books) -> None:
    await books.has("alice")
    await books.has("bob", status=PaymentStatus.CANCELED)
    await books.account("carol")
    assert (await books.stats()).tiers == {TierName.FREE: 2, TierName.PREMIUM: 1}


async def test_an_open_dispute_is_counted_and_its_account_pays_nothing(books: Books) -> None:
    account = await books.has("alice")
    dispute = Dispute("dp_1", Mode.LIVE, CustomerId("c"), "ch_1", DisputeStage.OPEN, Micros(1), NOON)
    await books.store.transact(lambda tx: tx.save_dispute(account, dispute, NOON))
    await books.has("alice")
    stats = await books.stats()
    assert exact(stats.disputed, dollars(stats).mrr, stats.tiers[TierName.PREMIUM]) == exact(1, 0, 0)
    assert dollars(stats).churn.opening == 0


async def test_a_month_made_by_hand_has_the_churn_of_its_definition(books: Books) -> None:
    for name in ("stays", "grows", "shrinks", "leaves", "fails", "comes-back"):
        await books.move(name, MovementKind.NEW, 10_000_000, SEPTEMBER)
    await books.move("grows", MovementKind.EXPANSION, 5_000_000, OCTOBER)
    await books.move("shrinks", MovementKind.CONTRACTION, -4_000_000, OCTOBER + timedelta(days=1))
    await books.move("leaves", MovementKind.CHURN, -10_000_000, OCTOBER + timedelta(days=2))
    await books.move("fails", MovementKind.CHURN, -10_000_000, OCTOBER + timedelta(days=3), voluntary=False)
    await books.move("comes-back", MovementKind.CHURN, -10_000_000, OCTOBER + timedelta(days=4))
    await books.move("comes-back", MovementKind.REACTIVATION, 10_000_000, OCTOBER + timedelta(days=9))
    await books.move("new", MovementKind.NEW, 7_000_000, OCTOBER + timedelta(days=5))
    await books.move("too-late", MovementKind.NEW, 3_000_000, NOVEMBER)
    stats = await books.stats(*month("2026-10"))
    revenue, churn = dollars(stats), stats.churn
    assert (churn.opening, churn.voluntary, churn.involuntary, churn.rate) == (6, 1, 1, Fraction(1, 3))
    assert revenue.churn.gross == Fraction(24, 60)
    assert revenue.churn.net == Fraction(19, 60)
    assert exact(revenue.churn.lost_willing, revenue.churn.lost_unwilling) == exact(10_000_000, 10_000_000)
    assert exact(revenue.opening, revenue.closing, revenue.mrr) == exact(60_000_000, 48_000_000, 51_000_000)
    assert [(each.kind, each.count, int(each.total)) for each in revenue.movements] == [
        (MovementKind.NEW, 1, 7_000_000),
        (MovementKind.EXPANSION, 1, 5_000_000),
        (MovementKind.CONTRACTION, 1, -4_000_000),
        (MovementKind.CHURN, 3, -30_000_000),
        (MovementKind.REACTIVATION, 1, 10_000_000),
    ]


async def test_growth_can_outweigh_what_is_lost(books: Books) -> None:
    await books.move("alice", MovementKind.NEW, 10_000_000, SEPTEMBER)
    await books.move("alice", MovementKind.EXPANSION, 40_000_000, OCTOBER)
    churn = dollars(await books.stats(OCTOBER, NOVEMBER)).churn
    assert exact(churn.gross, churn.net) == exact(0, -4)


async def test_after_hundreds_of_random_changes_the_movements_are_the_revenue(books: Books) -> None:
    dice, statuses = random.Random(500), [*PaymentStatus, *[PaymentStatus.ACTIVE] * 4]
    began = books.clock.now()
    pays: dict[str, Fraction] = {}
    for _ in range(250):
        books.clock.advance(timedelta(hours=dice.randrange(1, 30)))
        name, now = f"member-{dice.randrange(12)}", books.clock.now()
        mrr = Fraction(dice.randrange(1, 50_000_000), dice.choice((1, 12, 84)))
        status, paused = dice.choice(statuses), dice.choice((None, None, "void"))
        late = timedelta(days=dice.randrange(20))
        await books.has(name, mrr, status=status, collection_paused=paused, past_due_since=now - late)
        in_grace = status is PaymentStatus.PAST_DUE and late < timedelta(days=14)
        pays[name] = mrr if (status is PaymentStatus.ACTIVE or in_grace) and not paused else Fraction(0)
    split = began + (books.clock.now() - began) / 2
    first, second = await books.stats(began, split), await books.stats(split)
    for each in (dollars(first), dollars(second)):
        assert each.closing - each.opening == sum(moved.total for moved in each.movements)
    assert dollars(first).closing == dollars(second).opening
    assert dollars(second).closing == dollars(second).mrr
    assert dollars(second).mrr == sum(pays.values())


async def test_pages_of_any_length_add_up(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        await books.has(f"member-{number}")
    monkeypatch.setattr("engine.reports.PAGE", 3)
    stats = await books.stats()
    assert exact(dollars(stats).mrr, stats.tiers[TierName.PREMIUM]) == exact(7 * 8_990_000, 7)


async def test_other_worlds_are_shown_marked_and_alone(books: Books) -> None:
    await books.has("alice")
    test, simulated = replace(books, mode=Mode.TEST), replace(books, mode=Mode.SIMULATED)
    await test.has("bob", 1_000_000)
    assert dollars(await books.stats()).mrr == 8_990_000
    assert dollars(await test.stats()).mrr == 1_000_000
    assert dollars(await simulated.stats()).mrr == 0
    assert stats_lines(await books.stats())[0].startswith("2026-")
    assert stats_lines(await test.stats())[0].startswith("TEST MODE")
    assert stats_lines(await simulated.stats())[0].startswith("SIMULATED")


async def test_currencies_are_never_added_up(books: Books) -> None:
    await books.has("alice")
    await books.has("bob", 5_000_000, currency="eur")
    stats = await books.stats()
    assert [(each.currency, int(each.mrr)) for each in stats.revenues] == [
        ("eur", 5_000_000),
        ("usd", 8_990_000),
    ]
    assert any("5.00 EUR" in line for line in stats_lines(stats))


async def test_the_funnel_goes_from_a_limit_to_a_renewal(hall: Hall) -> None:
    books = Books(hall.store, hall.clock, Mode.TEST)
    hall.free(conversations_per_day=1)
    chat = hall.chat()
    for _ in range(3):
        await last(chat, hall.ask())
    account = await books.account("alice")
    for step, hours in ((FunnelStep.CHECKOUT_OPENED, 1), (FunnelStep.ACTIVATED, 3)):
        reached = Reached(account, Mode.TEST, step, hall.clock.now() + timedelta(hours=hours))
        await hall.store.transact(lambda tx, each=reached: tx.reach(each))  # type: ignore[misc]
    hall.clock.advance(timedelta(days=1))
    stats = await books.stats()
    counts = {row.step: exact(row.accounts, row.rate) for row in stats.funnel}
    assert counts[FunnelStep.LIMIT_HIT] == exact(1, None)
    assert counts[FunnelStep.PAYWALL_SHOWN] == exact(1, 1)
    assert counts[FunnelStep.CHECKOUT_OPENED] == exact(1, 1)
    assert stats.time_to_upgrade == timedelta(hours=3)


async def test_metered_use_of_thirty_days_is_sold_at_its_markup(books: Books) -> None:
    account = await books.account("alice")
    hour = UsageHour(account, Mode.LIVE, NOON, Micros(0))
    report = UsageReport("r", account, Mode.LIVE, CustomerId("cus_1"), NOON, 1001, NOON)
    again = replace(report, identifier="again", makes_good=NOON)
    for each in (report, again):
        await books.store.transact(lambda tx, one=each: tx.seal(hour, NOON, one))  # type: ignore[misc]
    stats = await books.stats(markup="1.25")
    assert stats.usage_revenue == 1_251_250
    books.clock.advance(timedelta(days=31))
    assert (await books.stats(markup="1.25")).usage_revenue == 0


def movement(account: AccountId, delta: Fraction, at: datetime, currency: str = "usd") -> Movement:
    """One of no particular kind."""
    kind = MovementKind.NEW if delta > 0 else MovementKind.CHURN
    return Movement(1, account, Mode.LIVE, kind, delta, delta, TierName.PREMIUM, currency, True, at)  # noqa: FBT003


MOVEMENTS = st.lists(
    st.builds(
        movement,
        st.sampled_from([AccountId(name) for name in "abc"]),
        st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=84),
        st.datetimes(OCTOBER.replace(tzinfo=None), DECEMBER.replace(tzinfo=None), timezones=st.just(UTC)),
        st.sampled_from(["usd", "eur"]),
    ),
    max_size=30,
)


@given(MOVEMENTS)
def test_movements_of_a_span_are_the_difference_of_its_ends(movements: Iterable[Movement]) -> None:
    tally = Tally(Span(OCTOBER + timedelta(days=15), NOVEMBER + timedelta(days=15)))
    tally.add(movements)
    for currency in ("usd", "eur"):
        moved = sum(each.total for each in tally.moved(currency))
        assert total(tally.opening, currency) + moved == total(tally.closing, currency)
        churn = revenue_churn(tally, currency)
        assert churn.reduced >= 0
        assert churn.grown >= 0
    assert 0 <= logo_churn(tally).lost <= logo_churn(tally).opening


def test_the_median_is_the_middle() -> None:
    hours = [timedelta(hours=each) for each in (1, 2, 10, 20)]
    assert median(hours[:3]) == timedelta(hours=2)
    assert median(hours) == timedelta(hours=6)


def test_steps_are_shares_of_the_step_before() -> None:
    rows = funnel([(FunnelStep.PAYWALL_SHOWN, 3), (FunnelStep.LIMIT_HIT, 4)])
    assert [row.step for row in rows] == list(FunnelStep)
    assert rows[1].rate == Fraction(3, 4)


def test_a_month_is_named_by_year_and_number() -> None:
    assert month("2026-12") == (DECEMBER, datetime(2027, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="not a month"):
        month("2026-13")


def test_figures_are_written_for_the_eye() -> None:
    assert in_currency(Fraction(1_234_567_895_000), "usd") == "$1,234,567.90"
    assert in_currency(Fraction(-5_000), "usd") == "-$0.01"
    assert in_currency(Fraction(-4_999), "usd") == "$0.00"
    assert in_currency(None, "usd") == "-"
    assert percent(Fraction(1, 8)) == "12.5 %"
    assert [duration(timedelta(minutes=each)) for each in (5, 65, 1500)] == ["5 min", "1 h 5 min", "1 d 1 h"]
