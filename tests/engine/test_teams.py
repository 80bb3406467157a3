"""Seats in a team: who gets one, what it gives, and how exactly many there are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.catalogue import access, entitled, seats_of
from engine.codes import TRIES_AN_HOUR, digest_of, new_code
from engine.domain import AccountId, Answered, Person, Refusal, RefusalReason, TierName
from engine.facts import AccessReason, Claims, Dispute, DisputeStage, Mode, PaymentStatus, Subscription
from engine.members import plain
from engine.notices import NoticeKind
from engine.reports import Reports, last_days
from engine.seats import Holdings, Seat
from engine.teams import (
    INVITES_A_DAY,
    Invited,
    Obstacle,
    Roster,
)
from storage.store import open_store
from tests.engine.club import PRO, SELLING, SLACKER, TEAM, TEAM_SUB, Club, somebody
from tests.engine.conftest import ALICE, BOB, Hall
from tests.engine.test_catalogue import NOW, PREMIUM_SUB
from tests.fakes.clock import FakeClock

CAROL, DAVE, ERIN = map(somebody, ("carol", "dave", "erin"))
OWNER = AccountId("owner")
NOBODY = access((), NOW)
OWN: Mapping[str, Subscription] = {
    "premium": PREMIUM_SUB,
    "team": TEAM_SUB,
    "pro": replace(PREMIUM_SUB, tier=TierName.PRO),
}


@pytest.fixture
async def club(hall: Hall) -> Club:
    """Alice has bought a team with three seats."""
    club = Club(hall)
    await club.has(ALICE, TEAM_SUB)
    return club


def seat(place: int = 2, sub: Subscription | None = TEAM_SUB, claims: Claims | None = None) -> Seat:
    """A place in a team whose owner has that subscription."""
    return Seat(OWNER, place, Holdings((sub,) if sub else (), claims or Claims()))


# ---- The rule ----


@pytest.mark.parametrize(
    ("sub", "seats"),
    [
        (TEAM_SUB, 3),
        (replace(TEAM_SUB, quantity=8), 8),
        (replace(TEAM_SUB, quantity=1), 3),
        (PREMIUM_SUB, 1),
        (replace(PREMIUM_SUB, quantity=9), 1),
        (replace(TEAM_SUB, status=PaymentStatus.CANCELED), 1),
    ],
)
def test_there_are_as_many_seats_as_were_bought_and_never_fewer_than_the_price_includes(
    sub: Subscription, seats: int
) -> None:
    assert seats_of(SELLING, access([sub], NOW)) == seats


@pytest.mark.parametrize(
    ("given", "tier", "reason"),
    [
        (seat(2), TierName.TEAM, AccessReason.SEAT),
        (seat(3), TierName.TEAM, AccessReason.SEAT),
        (seat(4), TierName.FREE, AccessReason.SEAT_WAITING),
        (seat(2, None), TierName.FREE, AccessReason.SEAT_ENDED),
        (seat(2, replace(TEAM_SUB, status=PaymentStatus.CANCELED)), TierName.FREE, AccessReason.SEAT_ENDED),
        (seat(2, OWN["pro"]), TierName.FREE, AccessReason.SEAT_ENDED),
        (seat(2, replace(TEAM_SUB, cancel_at=NOW)), TierName.FREE, AccessReason.SEAT_ENDED),
        (
            seat(2, replace(TEAM_SUB, status=PaymentStatus.PAST_DUE, past_due_since=NOW)),
            TierName.TEAM,
            AccessReason.SEAT,
        ),
    ],
)
def test_a_seat_gives_what_its_owner_has_as_long_as_there_is_room(
    given: Seat, tier: TierName, reason: AccessReason
) -> None:
    found = entitled(SELLING, NOBODY, given, NOW)
    assert (found.tier, found.reason, found.team, found.subscription) == (tier, reason, OWNER, None)


def test_a_seat_ends_when_the_owners_subscription_does() -> None:
    leaving = replace(TEAM_SUB, cancel_at=NOW + timedelta(days=2))
    assert entitled(SELLING, NOBODY, seat(2, leaving), NOW).until == leaving.cancel_at
    assert entitled(SELLING, NOBODY, seat(2, leaving), NOW + timedelta(days=2)).tier is TierName.FREE


@pytest.mark.parametrize("stage", [DisputeStage.OPEN, DisputeStage.LOST])
def test_a_disputed_payment_of_the_owners_takes_every_seat(stage: DisputeStage) -> None:
    dispute = Dispute("dp", Mode.TEST, TEAM_SUB.customer, "ch", stage, TEAM.price_month, NOW)
    found = entitled(SELLING, NOBODY, seat(claims=Claims((dispute,))), NOW)
    assert (found.tier, found.reason) == (TierName.FREE, AccessReason.SEAT_ENDED)


@pytest.mark.parametrize(("name", "seated"), [("premium", True), ("team", False), ("pro", False)])
def test_of_a_seat_and_an_own_subscription_the_higher_rank_counts(name: str, *, seated: bool) -> None:
    own = access([OWN[name]], NOW)
    found = entitled(SELLING, own, seat(), NOW)
    assert found == own if not seated else found.reason is AccessReason.SEAT


def test_a_waiting_seat_takes_nothing_away_from_an_own_subscription() -> None:
    own, owing = access([PREMIUM_SUB], NOW), access([replace(PREMIUM_SUB, status=PaymentStatus.UNPAID)], NOW)
    assert entitled(SELLING, own, seat(9), NOW) == own
    assert entitled(SELLING, owing, seat(9), NOW).reason is AccessReason.NOT_PAID


def test_without_a_seat_nothing_changes() -> None:
    assert entitled(SELLING, NOBODY, None, NOW) is NOBODY


# ---- Joining ----


async def test_whoever_joins_is_answered_by_the_models_of_the_team(club: Club) -> None:
    refused = await club.asks(BOB)
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.MODEL_LOCKED
    assert isinstance(await club.joins(BOB), Roster)
    assert isinstance(await club.asks(BOB), Answered)


async def test_a_member_of_the_other_platform_joins_like_any_other(club: Club) -> None:
    assert isinstance(await club.joins(SLACKER), Roster)
    overview = await club.overview(SLACKER)
    assert (overview.tier.name, overview.team) == (TierName.TEAM, ALICE)
    assert plain(overview)["reason"] == "seat"
    assert plain(overview)["team"] == "local:alice"


async def test_a_code_is_good_once_and_for_seven_days(club: Club) -> None:
    code, late = await club.code(), await club.code()
    typed = code.lower().replace("-", " ").replace("o", "0").replace("i", "1")
    assert isinstance(await club.teams().join(BOB, typed), Roster)
    assert await club.teams().join(CAROL, code) is Obstacle.WRONG_CODE
    club.hall.clock.advance(timedelta(days=7))
    await club.has(ALICE, replace(TEAM_SUB, period_end=None))
    assert await club.teams().join(CAROL, late) is Obstacle.WRONG_CODE
    assert await club.seats() == [("alice", False), ("bob", False)]


def test_codes_are_long_and_differ_and_only_their_digest_is_kept() -> None:
    codes = {new_code() for _ in range(100)}
    assert len(codes) == 100
    assert {len(code.replace("-", "")) for code in codes} == {16}
    assert all(code not in digest_of(code) for code in codes)


async def test_guessing_ends_after_ten_tries_an_hour(club: Club) -> None:
    code = await club.code()
    for _ in range(TRIES_AN_HOUR):
        assert await club.teams().join(BOB, new_code()) is Obstacle.WRONG_CODE
    assert await club.teams().join(BOB, code) is Obstacle.TOO_MANY_TRIES
    assert isinstance(await club.teams().join(CAROL, code), Roster)
    club.hall.clock.advance(timedelta(minutes=61))
    assert isinstance(await club.joins(BOB), Roster)


async def test_an_owner_makes_twenty_codes_a_day_and_none_for_a_full_team(club: Club) -> None:
    for _ in range(INVITES_A_DAY):
        await club.code()
    assert await club.teams().invite(ALICE) is Obstacle.TOO_MANY_CODES
    club.hall.clock.advance(timedelta(days=1, minutes=1))
    code = await club.code()
    await club.joins(BOB)
    await club.joins(CAROL)
    assert await club.teams().invite(ALICE) is Obstacle.FULL
    assert await club.teams().join(DAVE, code) is Obstacle.NO_ROOM
    await club.teams().leave(BOB)
    assert isinstance(await club.teams().join(DAVE, code), Roster)


async def test_nobody_is_in_two_teams_or_in_their_own(club: Club) -> None:
    await club.has(DAVE, TEAM_SUB)
    await club.joins(BOB)
    assert await club.joins(BOB, DAVE) is Obstacle.IN_ANOTHER
    assert await club.joins(BOB) is Obstacle.JOINED_ALREADY
    assert await club.joins(ALICE) is Obstacle.OWN_TEAM
    assert await club.joins(DAVE) is Obstacle.OWNS_ONE


async def test_only_who_has_seats_to_give_invites(club: Club) -> None:
    await club.joins(BOB)
    await club.has(CAROL, PREMIUM_SUB)
    assert await club.teams().invite(BOB) is Obstacle.NOT_OWNER
    assert await club.teams().invite(CAROL) is Obstacle.NO_TEAM
    assert await club.teams().invite(DAVE) is Obstacle.NO_TEAM


async def test_a_code_of_a_team_that_is_no_more_lets_nobody_in(club: Club) -> None:
    code = await club.code()
    await club.has(ALICE)
    assert await club.teams().join(BOB, code) is Obstacle.NO_ROOM
    assert (await club.access(BOB)).reason is AccessReason.NO_SUBSCRIPTION


async def test_the_last_seats_go_to_exactly_as_many_as_there_are(club: Club, database_url: str) -> None:
    people = [somebody(f"guest-{number}") for number in range(12)]
    codes = [await club.code() for _ in people]
    async with await open_store(database_url, FakeClock()) as other:
        teams = [club.teams(store) for store in (club.store, other)]
        found = await asyncio.gather(
            *(
                teams[n % 2].join(person, code)
                for n, (person, code) in enumerate(zip(people, codes, strict=True))
            )
        )
    assert sorted(map(str, (each for each in found if isinstance(each, Obstacle)))) == ["no_room"] * 10
    assert [waiting for _, waiting in await club.seats()] == [False] * 3


async def test_one_code_used_by_two_at_once_seats_one(club: Club, database_url: str) -> None:
    code = await club.code()
    async with await open_store(database_url, FakeClock()) as other:
        found = await asyncio.gather(
            club.teams().join(BOB, code),
            club.teams(other).join(CAROL, code),
            club.teams().join(BOB, code),
        )
    assert len([each for each in found if isinstance(each, Roster)]) == 1
    assert len(await club.seats()) == 2


async def test_one_person_who_joins_two_teams_at_once_is_in_one(club: Club, database_url: str) -> None:
    await club.has(DAVE, TEAM_SUB)
    codes = [await club.code(), await club.code(DAVE)]
    async with await open_store(database_url, FakeClock()) as other:
        found = await asyncio.gather(club.teams().join(BOB, codes[0]), club.teams(other).join(BOB, codes[1]))
    assert sum(isinstance(each, Roster) for each in found) == 1
    assert len(await club.seats()) + len(await club.seats(DAVE)) == 3


# ---- Leaving, and fewer seats ----


async def test_who_leaves_is_on_their_own_again(club: Club) -> None:
    await club.joins(BOB)
    assert await club.teams().leave(BOB) == ALICE
    assert (await club.access(BOB)).tier is TierName.FREE
    assert await club.teams().leave(BOB) is Obstacle.NO_TEAM
    assert await club.teams().leave(ALICE) is Obstacle.OWNER_STAYS
    assert await club.seats() == [("alice", False)]


@pytest.mark.parametrize("who", [BOB, 2])
async def test_the_owner_takes_somebody_out_who_is_told(club: Club, who: Person | int) -> None:
    await club.joins(BOB)
    await club.joins(CAROL)
    found = await club.teams().remove(ALICE, who)
    assert isinstance(found, Roster)
    assert [(each.person, each.number) for each in found.people] == [(ALICE, 1), (CAROL, 3)]
    account = await club.account(BOB)
    (told,) = await club.store.read(lambda tx: tx.notices(account))
    assert (told.kind, told.person) == (NoticeKind.SEAT_TAKEN, BOB)
    assert (await club.access(BOB)).tier is TierName.FREE
    assert isinstance(await club.joins(BOB), Roster)
    assert isinstance(found, Roster)


async def test_nobody_else_is_taken_out(club: Club) -> None:
    await club.joins(BOB)
    assert await club.teams().remove(ALICE, CAROL) is Obstacle.NOT_MEMBER
    assert await club.teams().remove(ALICE, 7) is Obstacle.NOT_MEMBER
    assert await club.teams().remove(ALICE, 1) is Obstacle.OWNER_STAYS
    assert await club.teams().remove(ALICE, ALICE) is Obstacle.OWNER_STAYS
    assert await club.teams().remove(BOB, ALICE) is Obstacle.NOT_OWNER
    assert await club.teams().remove(CAROL, BOB) is Obstacle.NO_TEAM
    assert (await club.access(BOB)).tier is TierName.TEAM


async def test_with_fewer_seats_the_newest_wait_until_there_is_room(club: Club) -> None:
    await club.has(ALICE, replace(TEAM_SUB, quantity=5))
    for person in (BOB, CAROL, DAVE, ERIN):
        await club.joins(person)
    await club.has(ALICE, TEAM_SUB)
    assert await club.seats() == [
        ("alice", False), ("bob", False), ("carol", False), ("dave", True), ("erin", True),
    ]  # fmt: skip
    assert (await club.access(DAVE)).reason is AccessReason.SEAT_WAITING
    assert isinstance(await club.asks(DAVE), Refusal)
    assert isinstance(await club.asks(CAROL), Answered)
    await club.teams().leave(BOB)
    assert (await club.access(DAVE)).reason is AccessReason.SEAT
    assert (await club.access(ERIN)).reason is AccessReason.SEAT_WAITING


async def test_all_seats_rest_with_the_subscription_and_come_back_with_it(club: Club) -> None:
    await club.joins(BOB)
    await club.has(ALICE, replace(TEAM_SUB, status=PaymentStatus.CANCELED))
    assert (await club.access(BOB)).reason is AccessReason.SEAT_ENDED
    assert (await club.overview(BOB)).tier.name is TierName.FREE
    roster = await club.teams().shown(ALICE)
    assert isinstance(roster, Roster)
    assert (roster.seats, roster.owned, [each.waiting for each in roster.people]) == (0, True, [False, True])
    seen = await club.teams().shown(BOB)
    assert isinstance(seen, Roster)
    assert (seen.seats, seen.owned, seen.owner) == (0, False, ALICE)
    await club.has(ALICE, TEAM_SUB)
    assert (await club.access(BOB)).reason is AccessReason.SEAT


async def test_a_member_keeps_a_better_plan_and_falls_back_on_the_seat(club: Club) -> None:
    await club.joins(BOB)
    await club.has(BOB, OWN["pro"])
    assert (await club.access(BOB)).tier is TierName.PRO
    await club.has(BOB, PREMIUM_SUB)
    assert (await club.access(BOB)).tier is TierName.TEAM
    await club.has(BOB)
    assert (await club.access(BOB)).reason is AccessReason.SEAT


async def test_who_buys_a_team_while_in_another_owns_the_one_and_keeps_the_seat_beside_it(
    club: Club,
) -> None:
    await club.joins(BOB)
    await club.has(BOB, TEAM_SUB)
    await club.joins(CAROL, BOB)
    roster = await club.teams().shown(BOB)
    assert isinstance(roster, Roster)
    assert (roster.owner, roster.beside, roster.taken) == (BOB, ALICE, 2)
    assert (await club.access(CAROL)).tier is TierName.TEAM
    await club.has(BOB)
    assert (await club.access(BOB)).reason is AccessReason.SEAT
    assert (await club.access(CAROL)).reason is AccessReason.SEAT_ENDED


async def test_members_see_themselves_and_no_other_member(club: Club) -> None:
    await club.joins(BOB)
    await club.joins(CAROL)
    roster = await club.teams().shown(CAROL)
    assert isinstance(roster, Roster)
    assert [each.person for each in roster.people] == [CAROL]


async def test_the_limits_of_the_tier_hold_for_each_seat(club: Club) -> None:
    club.catalogue = replace(
        SELLING,
        tiers={**SELLING.tiers, TierName.TEAM: replace(TEAM, requests_per_minute=2), TierName.PRO: PRO},
    )
    await club.joins(BOB)
    for person in (ALICE, BOB):
        assert isinstance(await club.asks(person), Answered)
        assert isinstance(await club.asks(person), Answered)
        refused = await club.asks(person)
        assert isinstance(refused, Refusal)
        assert refused.reason is RefusalReason.RATE


async def test_the_operator_sees_a_tier_for_each_seat_and_the_revenue_once(club: Club) -> None:
    await club.has(ALICE, replace(TEAM_SUB, mrr=29_990_000))  # type: ignore[arg-type]
    await club.joins(BOB)
    await club.has(CAROL, PREMIUM_SUB)
    await club.joins(CAROL)
    await club.account(DAVE)
    reports = Reports(club.store, club.hall.clock, club.catalogue, Mode.TEST)
    stats = await reports.get_subscription_stats(*last_days(30, club.hall.clock.now()))
    assert stats.tiers == {
        TierName.FREE: 1, TierName.PREMIUM: 0, TierName.TEAM: 3, TierName.PRO: 0,
    }  # fmt: skip
    assert stats.revenues[0].unrecorded == 29_990_000


async def test_teams_of_another_mode_are_no_teams_here(club: Club) -> None:
    found = await club.joins(BOB)
    assert isinstance(found, Roster)
    account = await club.account(BOB)
    assert await club.store.read(lambda tx: tx.membership(account, Mode.LIVE)) is None
    invited = await club.teams().invite(ALICE)
    assert isinstance(invited, Invited)
    assert await club.store.read(lambda tx: tx.invite(digest_of(invited.code), Mode.LIVE)) is None
