"""Tiers without payment: until when, beside what is bought, and how they are noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.applying import reconsider
from engine.catalogue import access, entitled, held, seats_of
from engine.domain import AccountId, Answered, Interval, Refusal, TierName
from engine.facts import AccessReason, Mode, PaymentStatus, Subscription
from engine.giving import LONGEST, Objection
from engine.grants import Grant, spell
from engine.ledger import Tx
from engine.notices import NoticeKind
from engine.overage import MeterOffer, offer
from engine.reports import Reports, last_days
from engine.seats import Holdings, Seat
from engine.teams import Roster
from engine.terms import Policy
from tests.bot.counter import simulated_counter
from tests.engine.club import PRO, SELLING, TEAM_SUB, Club, somebody
from tests.engine.conftest import ALICE, BOB, Hall
from tests.engine.largesse import DAY, OPERATOR, Largesse
from tests.engine.test_catalogue import NOW, PREMIUM_SUB

CAROL = somebody("carol")
ME = AccountId("me")
NOBODY = access((), NOW)
RANK = SELLING.rank
GIVEN = (TierName.PREMIUM, TierName.TEAM, TierName.PRO)


def gave(tier: TierName, since: float, until: float, revoked: float | None = None) -> Grant:
    """A grant by days from now."""
    ended = None if revoked is None else NOW + revoked * DAY
    return Grant(ME, Mode.TEST, 1, tier, NOW + since * DAY, NOW + until * DAY, NOW, "", revoked_at=ended)


@pytest.fixture
def house(hall: Hall) -> Largesse:
    """A house that gives, on each database."""
    return Largesse(Club(hall))


# ---- The rule ----


@pytest.mark.parametrize(
    ("grants", "tier", "reason", "days"),
    [
        ([gave(TierName.PRO, -1, 2)], TierName.PRO, AccessReason.GRANTED, 2),
        ([gave(TierName.PRO, 0, 2)], TierName.PRO, AccessReason.GRANTED, 2),
        ([gave(TierName.PRO, 1, 2)], TierName.FREE, AccessReason.NO_SUBSCRIPTION, None),
        ([gave(TierName.PRO, -2, 0)], TierName.FREE, AccessReason.GRANT_OVER, None),
        ([gave(TierName.PRO, -2, 5, revoked=-1)], TierName.FREE, AccessReason.GRANT_OVER, None),
        ([gave(TierName.PRO, -2, 5, revoked=1)], TierName.PRO, AccessReason.GRANTED, 1),
        ([gave(TierName.PREMIUM, 0, 9), gave(TierName.TEAM, 0, 2)], TierName.TEAM, AccessReason.GRANTED, 2),
        (
            [gave(TierName.PREMIUM, 0, 2), gave(TierName.PREMIUM, 2, 4)],
            TierName.PREMIUM,
            AccessReason.GRANTED,
            4,
        ),
        (
            [gave(TierName.PREMIUM, 0, 2), gave(TierName.PREMIUM, 3, 4)],
            TierName.PREMIUM,
            AccessReason.GRANTED,
            2,
        ),
        (
            [gave(TierName.PREMIUM, 0, 5), gave(TierName.PREMIUM, 1, 2)],
            TierName.PREMIUM,
            AccessReason.GRANTED,
            5,
        ),
    ],
)
def test_a_grant_gives_its_tier_from_its_beginning_until_its_end(
    grants: Sequence[Grant], tier: TierName, reason: AccessReason, days: float | None
) -> None:
    found = held(NOBODY, grants, RANK, NOW)
    assert (found.tier, found.reason, found.subscription) == (tier, reason, None)
    assert found.until == (None if days is None else NOW + days * DAY)


def test_of_a_grant_and_an_equal_subscription_the_subscription_counts() -> None:
    own = access([PREMIUM_SUB], NOW)
    assert held(own, [gave(TierName.PREMIUM, 0, 9)], RANK, NOW) == own
    assert held(own, [gave(TierName.TEAM, 0, 9)], RANK, NOW).reason is AccessReason.GRANTED


def test_that_a_grant_is_over_is_not_said_to_whoever_bought_something_since() -> None:
    ended = replace(PREMIUM_SUB, status=PaymentStatus.CANCELED, ended_at=NOW - DAY)
    over = [gave(TierName.PRO, -9, -5)]
    assert held(access([ended], NOW), over, RANK, NOW).reason is AccessReason.ENDED
    earlier = replace(ended, ended_at=NOW - 7 * DAY)
    assert held(access([earlier], NOW), over, RANK, NOW).reason is AccessReason.GRANT_OVER
    unpaid = replace(PREMIUM_SUB, status=PaymentStatus.UNPAID)
    assert held(access([unpaid], NOW), over, RANK, NOW).reason is AccessReason.NOT_PAID


def test_a_seat_gives_what_its_owner_was_given_and_waits_beyond_the_seats_that_the_tier_has() -> None:
    def seat(place: int, *grants: Grant) -> Seat:
        return Seat(AccountId("owner"), place, Holdings(grants=grants))

    given_team = gave(TierName.TEAM, 0, 3)
    assert seats_of(SELLING, held(NOBODY, [given_team], RANK, NOW)) == SELLING.tier(TierName.TEAM).seats == 3
    found = entitled(SELLING, NOBODY, seat(3, given_team), NOW)
    assert (found.tier, found.reason, found.until) == (TierName.TEAM, AccessReason.SEAT, NOW + 3 * DAY)
    assert entitled(SELLING, NOBODY, seat(4, given_team), NOW).reason is AccessReason.SEAT_WAITING
    assert entitled(SELLING, NOBODY, seat(2, given_team), NOW + 3 * DAY).reason is AccessReason.SEAT_ENDED


sometimes = st.integers(-6, 6)
some_grants = st.lists(
    st.builds(gave, st.sampled_from(GIVEN), sometimes, sometimes, st.none() | sometimes), max_size=5
)
some_subs: st.SearchStrategy[list[Subscription]] = st.lists(
    st.builds(
        lambda tier, end: replace(TEAM_SUB, tier=tier, cancel_at=NOW + end * DAY),
        st.sampled_from(GIVEN),
        sometimes,
    ),
    max_size=1,
)


@given(some_subs, some_grants, st.none() | st.tuples(st.integers(2, 4), some_subs, some_grants), sometimes)
def test_access_is_the_best_of_subscription_grants_and_seat_at_every_moment(
    subs: list[Subscription],
    grants: list[Grant],
    seated: tuple[int, list[Subscription], list[Grant]] | None,
    day: int,
) -> None:
    now = NOW + day * DAY

    def best_of(bought: list[Subscription], given_: list[Grant]) -> TierName:
        giving = [sub.tier for sub in bought if sub.tier and sub.cancel_at and now < sub.cancel_at]
        ends = [(each, min(each.until, each.revoked_at or each.until)) for each in given_]
        giving += [each.tier for each, end in ends if each.since <= now < end]
        return max(giving, key=RANK, default=TierName.FREE)

    reach = [best_of(subs, grants)]
    seat = None
    if seated:
        place, their_subs, their_grants = seated
        seat = Seat(AccountId("owner"), place, Holdings(tuple(their_subs), grants=tuple(their_grants)))
        theirs = best_of(their_subs, their_grants)
        reach += [theirs] if theirs is TierName.TEAM and place <= 3 else []
    found = entitled(SELLING, access(subs, now), seat, now, grants)
    assert found.tier is max(reach, key=RANK)
    if found.until and found.tier is not TierName.FREE:
        again = entitled(SELLING, access(subs, found.until - DAY / 24), seat, found.until - DAY / 24, grants)
        assert RANK(again.tier) >= RANK(found.tier)


@given(some_grants, sometimes)
def test_a_spell_has_no_gap_and_cannot_be_longer(grants: list[Grant], day: int) -> None:
    now = NOW + day * DAY
    found = spell(grants, RANK, now)
    if found is None:
        assert not any(each.runs(now) for each in grants)
        return
    hours = [found.since + number * DAY / 2 for number in range(int((found.until - found.since) / (DAY / 2)))]
    assert all(any(each.tier is found.tier and each.runs(at) for each in grants) for at in hours)
    assert not any(each.tier is found.tier and each.runs(found.until) for each in grants)


def test_nothing_that_was_given_alone_is_metered() -> None:
    found = held(NOBODY, [gave(TierName.PRO, 0, 9)], RANK, NOW)
    assert offer(found, PRO, Policy(metered_markup=2).metered_markup, NOW) is MeterOffer.GIVEN  # type: ignore[arg-type]


# ---- Giving and taking back ----


async def test_a_grant_is_used_at_once_written_down_and_told_once(house: Largesse) -> None:
    club = house.club
    assert isinstance(await club.asks(BOB), Refusal)
    found = await house.grant(BOB, TierName.PREMIUM, 30, "for the test")
    assert (found.grant.number, found.access.tier, found.met) == (1, TierName.PREMIUM, True)
    assert isinstance(await club.asks(BOB), Answered)
    assert await house.told(BOB) == [("granted", "premium")]
    assert await house.changes(BOB) == [("free", "premium", "granted")]
    (entry,) = await house.audit()
    assert (entry.actor, entry.deed, entry.subject) == (OPERATOR, "grant", "local:bob")
    assert entry.detail == "premium until 2026-12-24 12:00 UTC (for the test)"


async def test_somebody_never_seen_can_be_given_a_tier(house: Largesse) -> None:
    assert not (await house.grant(CAROL, TierName.PRO, 1)).met
    assert (await house.club.access(CAROL)).tier is TierName.PRO


@pytest.mark.parametrize(
    ("tier", "after", "objection"),
    [
        (TierName.FREE, DAY, Objection.NOT_A_TIER),
        (TierName.PRO, timedelta(0), Objection.PAST),
        (TierName.PRO, -DAY, Objection.PAST),
        (TierName.PRO, LONGEST + DAY, Objection.TOO_FAR),
    ],
)
async def test_what_makes_no_sense_is_not_given(
    house: Largesse, tier: TierName, after: timedelta, objection: Objection
) -> None:
    now = house.club.hall.clock.now()
    assert await house.giving().grant(OPERATOR, BOB, tier, now + after) is objection
    assert not await house.audit()


async def test_a_member_without_any_customer_is_told_before_the_end_and_at_the_end(house: Largesse) -> None:
    await house.grant(BOB, TierName.PREMIUM, 30)
    await house.pass_days(26.9)
    assert await house.told(BOB) == [("granted", "premium")]
    await house.pass_days(0.2)
    await house.pass_days(0.2)
    assert await house.told(BOB) == [("granted", "premium"), ("grant_ending", "premium")]
    await house.pass_days(3)
    assert (await house.told(BOB))[2:] == [("grant_ended", "premium")]
    assert (await house.changes(BOB))[1:] == [("premium", "free", "grant_over")]
    assert (await house.club.access(BOB)).reason is AccessReason.GRANT_OVER


async def test_a_short_grant_is_not_announced_to_end_as_soon_as_it_begins(house: Largesse) -> None:
    await house.grant(BOB, TierName.PREMIUM, 3)
    await house.pass_days(2.9)
    assert await house.told(BOB) == [("granted", "premium")]


async def test_a_grant_that_is_extended_ends_when_the_longer_one_does(house: Largesse) -> None:
    await house.grant(BOB, TierName.PREMIUM, 10)
    await house.grant(BOB, TierName.PREMIUM, 40)
    await house.pass_days(20)
    assert (await house.club.access(BOB)).tier is TierName.PREMIUM
    assert await house.told(BOB) == [("granted", "premium")] * 2
    await house.pass_days(21)
    assert [kind for kind, _ in (await house.told(BOB))[2:]] == ["grant_ended"]


async def test_the_better_of_two_grants_counts_and_the_other_goes_on_after_it(house: Largesse) -> None:
    await house.grant(BOB, TierName.PREMIUM, 60)
    await house.grant(BOB, TierName.PRO, 10)
    assert (await house.club.access(BOB)).tier is TierName.PRO
    await house.pass_days(11)
    assert (await house.club.access(BOB)).tier is TierName.PREMIUM
    assert await house.changes(BOB) == [
        ("free", "premium", "granted"),
        ("premium", "pro", "granted"),
        ("pro", "premium", "granted"),
    ]
    assert (await house.told(BOB))[-1] == ("granted", "premium")


async def test_one_grant_or_all_are_revoked_at_once_and_the_member_is_told(house: Largesse) -> None:
    for tier in (TierName.PREMIUM, TierName.TEAM, TierName.PRO):
        await house.grant(BOB, tier, 30)
    one = await house.giving().revoke(OPERATOR, BOB, 3)
    assert not isinstance(one, Objection)
    assert [each.tier for each in one] == [TierName.PRO]
    assert (await house.club.access(BOB)).tier is TierName.TEAM
    rest = await house.giving().revoke(OPERATOR, BOB)
    assert not isinstance(rest, Objection)
    assert len(rest) == 2
    assert (await house.club.access(BOB)).tier is TierName.FREE
    assert (await house.told(BOB))[-1][0] == "grant_ended"
    assert [each.deed.value for each in await house.audit()][3:] == ["revoke"] * 3
    assert await house.giving().revoke(OPERATOR, BOB) is Objection.NOTHING
    assert await house.giving().revoke(OPERATOR, CAROL) is Objection.NOTHING


async def test_what_was_given_in_one_mode_is_nothing_in_another(house: Largesse) -> None:
    await Largesse(house.club, Mode.LIVE).grant(BOB, TierName.PRO, 30)
    assert (await house.club.access(BOB)).tier is TierName.FREE
    assert await house.giving().revoke(OPERATOR, BOB) is Objection.NOTHING


async def test_a_granted_team_lets_people_in_and_puts_them_out_when_it_ends(house: Largesse) -> None:
    await house.grant(ALICE, TierName.TEAM, 10)
    assert isinstance(await house.club.joins(BOB), Roster)
    assert (await house.club.access(BOB)).reason is AccessReason.SEAT
    assert isinstance(await house.club.asks(BOB), Answered)
    await house.pass_days(11)
    assert (await house.club.access(BOB)).reason is AccessReason.SEAT_ENDED
    assert ("team_ended", "free") in await house.told(BOB)


async def test_an_account_with_a_grant_is_counted_by_its_tier_and_brings_nothing(house: Largesse) -> None:
    await house.grant(BOB, TierName.PRO, 30)
    await house.grant(ALICE, TierName.TEAM, 30)
    await house.club.joins(CAROL)
    clock = house.club.hall.clock
    reports = Reports(house.club.store, clock, SELLING, Mode.TEST)
    stats = await reports.get_subscription_stats(*last_days(30, clock.now()))
    assert {name.value: count for name, count in stats.tiers.items()} == {
        "free": 0,
        "premium": 0,
        "team": 2,
        "pro": 1,
    }
    assert stats.granted == 2
    (dollars,) = stats.revenues
    assert dollars.mrr == 0
    assert dollars.paying == 0
    assert not any(each.accounts for each in stats.funnel)


# ---- Beside what is bought ----


async def bought(house: Largesse, *subs: Subscription) -> None:
    """Let Bob have these subscriptions, with all that follows."""
    await house.club.has(BOB, *subs)
    now = house.club.hall.clock.now()

    def work(tx: Tx) -> None:
        reconsider(tx, tx.lock_account(BOB, now), Mode.TEST, now, Policy())

    await house.club.store.transact(work)


async def test_a_tier_that_is_bought_beside_an_equal_grant_is_recorded_and_welcomed(house: Largesse) -> None:
    await house.grant(BOB, TierName.PREMIUM, 30)
    await bought(house, PREMIUM_SUB)
    assert await house.changes(BOB) == [("free", "premium", "granted"), ("premium", "premium", "active")]
    assert (await house.told(BOB))[1:] == [("activated", "premium")]
    await bought(house, replace(PREMIUM_SUB, status=PaymentStatus.CANCELED))
    assert (await house.changes(BOB))[2:] == [("premium", "premium", "granted")]
    assert (await house.told(BOB))[2:] == [("granted", "premium")]


async def test_a_subscription_below_a_grant_is_what_is_left_when_that_ends(house: Largesse) -> None:
    await bought(house, replace(PREMIUM_SUB, mrr=Fraction(8), period_end=NOW + 90 * DAY))
    await house.grant(BOB, TierName.PRO, 5)
    assert (await house.club.access(BOB)).tier is TierName.PRO
    await house.pass_days(6)
    assert (await house.club.access(BOB)).reason is AccessReason.ACTIVE
    assert (await house.changes(BOB))[1:] == [("premium", "pro", "granted"), ("pro", "premium", "active")]
    assert (await house.told(BOB))[-1] == ("changed", "premium")
    account = await house.club.account(BOB)
    assert len(await house.club.store.read(lambda tx: tx.account_movements(account, Mode.TEST))) == 1


@pytest.mark.parametrize(
    ("given_tier", "sold"), [("premium", "premium"), ("pro", "premium"), ("premium", "pro")]
)
async def test_whoever_was_given_a_tier_is_sold_one_subscription_and_no_second(
    hall: Hall, given_tier: str, sold: str
) -> None:
    counter = simulated_counter(hall.store, hall.clock)
    giving, tier = counter.affairs.giving, TierName(sold)
    await giving.grant(OPERATOR, ALICE, TierName(given_tier), hall.clock.now() + 30 * DAY)
    offered = await counter.affairs.buy(ALICE, sold, "month")
    assert offered.direct
    sub = await counter.buy(tier)
    assert sub.tier is tier
    again = await counter.checkout.upgrade(ALICE, tier, Interval.MONTH)
    assert type(again).__name__ == "AlreadySubscribed"
    account = await hall.store.read(lambda tx: tx.find_account(ALICE))
    assert account
    told = [each.kind for each in await hall.store.read(lambda tx: tx.notices(account.id))]
    assert sorted(told) == [NoticeKind.ACTIVATED, NoticeKind.GRANTED]
    movements = await hall.store.read(lambda tx: tx.account_movements(account.id, Mode.SIMULATED))
    assert len(movements) == 1
