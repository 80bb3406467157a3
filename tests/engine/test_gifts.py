"""Gift codes: made once, redeemed once, and never guessed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from engine.codes import TRIES_AN_HOUR, digest_of, new_code
from engine.domain import TierName
from engine.facts import AccessReason, Mode
from engine.gifts import MOST_AT_ONCE, Redeemed, Unredeemed
from engine.giving import Objection
from engine.grants import Gift, GiftState
from storage.store import open_store
from tests.engine.club import Club, somebody
from tests.engine.conftest import ALICE, BOB, Hall
from tests.engine.largesse import DAY, OPERATOR, Largesse
from tests.engine.test_catalogue import NOW, PREMIUM_SUB
from tests.fakes.clock import FakeClock


@pytest.fixture
def house(hall: Hall) -> Largesse:
    """A house that gives, on each database."""
    return Largesse(Club(hall))


async def test_a_code_gives_its_tier_for_its_days_and_the_member_did_it(house: Largesse) -> None:
    code = await house.code(TierName.PREMIUM, 30)
    found = await house.gifts().redeem(BOB, code.lower().replace("-", " "))
    assert isinstance(found, Redeemed)
    assert (found.access.tier, found.access.until) == (TierName.PREMIUM, NOW + 30 * DAY)
    assert await house.changes(BOB) == [("free", "premium", "granted")]
    assert await house.told(BOB) == []
    made, redeemed = await house.audit()
    assert (made.deed, made.detail, made.actor) == ("gift", "1 of premium for 30 days", OPERATOR)
    assert (redeemed.deed, redeemed.actor.name, redeemed.subject) == (
        "redeem",
        "local:bob",
        digest_of(code)[:8],
    )


async def test_nothing_of_a_code_but_its_digest_is_kept(house: Largesse) -> None:
    code = await house.code()
    await house.gifts().redeem(BOB, code)
    account = await house.club.account(BOB)
    kept = (
        await house.club.store.read(lambda tx: tx.gifts(Mode.TEST, 9)),
        await house.club.store.read(lambda tx: tx.grants(account, Mode.TEST)),
        await house.audit(),
    )
    assert all(part not in str(kept) for part in code.split("-"))
    assert len(code.replace("-", "")) * 5 == 80


async def test_of_twenty_who_use_a_code_at_once_in_two_processes_one_has_it(
    house: Largesse, database_url: str
) -> None:
    code, people = await house.code(), [somebody(f"guest{number}") for number in range(20)]
    async with await open_store(database_url, FakeClock()) as other:
        both = house.gifts(), house.gifts(other)
        found = await asyncio.gather(
            *(both[number % 2].redeem(each, code) for number, each in enumerate(people))
        )
    assert sum(isinstance(each, Redeemed) for each in found) == 1
    assert {each for each in found if not isinstance(each, Redeemed)} == {Unredeemed.USED}
    tiers = [(await house.club.access(each)).tier for each in people]
    assert tiers.count(TierName.PREMIUM) == 1


async def test_one_person_who_uses_a_code_twice_at_once_has_its_days_once(
    house: Largesse, database_url: str
) -> None:
    code = await house.code()
    async with await open_store(database_url, FakeClock()) as other:
        found = await asyncio.gather(
            house.gifts().redeem(BOB, code),
            house.gifts(other).redeem(BOB, code),
            house.gifts().redeem(BOB, code),
        )
    assert sorted(map(str, (each for each in found if isinstance(each, Unredeemed)))) == ["yours", "yours"]
    assert (await house.club.access(BOB)).until == NOW + 30 * DAY


async def test_what_is_wrong_with_a_code_is_said(house: Largesse) -> None:
    gifts = house.gifts()
    used, void = await house.code(), await house.code()
    (old,) = await gifts.make(OPERATOR, TierName.PRO, 5, expires=NOW + DAY)
    assert isinstance(await gifts.redeem(ALICE, used), Redeemed)
    await gifts.void(OPERATOR, void)
    house.club.hall.clock.advance(DAY)
    found = [await gifts.redeem(BOB, each) for each in (used, void, str(old), new_code())]
    assert found == [Unredeemed.USED, Unredeemed.VOID, Unredeemed.EXPIRED, Unredeemed.UNKNOWN]
    assert await gifts.redeem(ALICE, used) is Unredeemed.YOURS
    assert (await house.club.access(BOB)).tier is TierName.FREE


async def test_guessing_ends_after_ten_tries_an_hour_with_codes_of_teams_among_them(house: Largesse) -> None:
    code = await house.code()
    for _ in range(TRIES_AN_HOUR // 2):
        assert await house.gifts().redeem(BOB, new_code()) is Unredeemed.UNKNOWN
        await house.club.teams().join(BOB, new_code())
    assert await house.gifts().redeem(BOB, code) is Unredeemed.TOO_MANY_TRIES
    house.club.hall.clock.advance(timedelta(minutes=61))
    assert isinstance(await house.gifts().redeem(BOB, code), Redeemed)


async def test_days_are_added_after_those_that_were_given_before(house: Largesse) -> None:
    await house.grant(BOB, TierName.PREMIUM, 10)
    found = await house.gifts().redeem(BOB, await house.code(TierName.PREMIUM, 30))
    assert isinstance(found, Redeemed)
    assert (found.grant.since, found.access.until) == (NOW + 10 * DAY, NOW + 40 * DAY)
    found = await house.gifts().redeem(BOB, await house.code(TierName.PREMIUM, 30))
    assert isinstance(found, Redeemed)
    assert found.access.until == NOW + 70 * DAY
    await house.pass_days(39)
    assert await house.told(BOB) == [("granted", "premium")]
    assert len(await house.changes(BOB)) == 1


async def test_days_after_a_grant_that_was_revoked_begin_at_once(house: Largesse) -> None:
    await house.grant(BOB, TierName.PREMIUM, 10)
    await house.giving().revoke(OPERATOR, BOB)
    found = await house.gifts().redeem(BOB, await house.code())
    assert isinstance(found, Redeemed)
    assert found.access.until == NOW + 30 * DAY


async def test_a_better_tier_begins_at_once_and_a_lesser_one_when_the_better_is_over(house: Largesse) -> None:
    await house.grant(BOB, TierName.TEAM, 10)
    later = await house.gifts().redeem(BOB, await house.code(TierName.PREMIUM, 5))
    assert isinstance(later, Redeemed)
    assert (later.grant.since, later.access.tier) == (NOW + 10 * DAY, TierName.TEAM)
    now = await house.gifts().redeem(BOB, await house.code(TierName.PRO, 5))
    assert isinstance(now, Redeemed)
    assert (now.grant.since, now.access.tier) == (NOW, TierName.PRO)
    await house.pass_days(11)
    assert (await house.club.access(BOB)).tier is TierName.PREMIUM
    assert (await house.told(BOB))[-1] == ("granted", "premium")


async def test_a_code_stays_good_where_a_subscription_or_seat_gives_as_much(house: Largesse) -> None:
    code = await house.code(TierName.PREMIUM)
    await house.club.has(BOB, PREMIUM_SUB)
    assert await house.gifts().redeem(BOB, code) is Unredeemed.HAVE_AS_MUCH
    assert isinstance(await house.gifts().redeem(BOB, await house.code(TierName.PRO)), Redeemed)
    await house.grant(ALICE, TierName.TEAM, 30)
    carol = somebody("carol")
    await house.club.joins(carol)
    assert await house.gifts().redeem(carol, code) is Unredeemed.HAVE_AS_MUCH
    assert isinstance(await house.gifts().redeem(somebody("dave"), code), Redeemed)


async def test_a_code_stays_good_where_somebody_blocked_tries_it(house: Largesse) -> None:
    code, account = await house.code(), await house.club.account(BOB)
    await house.club.store.transact(lambda tx: tx.block(account, NOW, ""))
    assert await house.gifts().redeem(BOB, code) is Unredeemed.BLOCKED
    assert isinstance(await house.gifts().redeem(ALICE, code), Redeemed)


async def test_the_list_tells_what_became_of_each_code(house: Largesse) -> None:
    gifts = house.gifts()
    used, void, open_ = await house.code(), await house.code(), await house.code()
    await gifts.make(OPERATOR, TierName.PRO, 5, expires=NOW + DAY)
    await gifts.redeem(BOB, used)
    found = await gifts.void(OPERATOR, digest_of(void)[:8].upper())
    assert isinstance(found, Gift)
    assert await gifts.void(OPERATOR, used) is Objection.NOTHING
    assert await gifts.void(OPERATOR, void) is Objection.NOTHING
    now = house.club.hall.clock.advance(DAY)
    listed = {each.digest: each for each in await gifts.listed(OPERATOR)}
    states = {each: listed[digest_of(each)].state(now) for each in (used, void, open_)}
    assert states == {used: GiftState.USED, void: GiftState.VOID, open_: GiftState.OPEN}
    assert listed[digest_of(used)].person == BOB
    assert [each.state(now) for each in listed.values() if each.tier is TierName.PRO] == [GiftState.EXPIRED]


async def test_what_a_code_gave_can_be_revoked(house: Largesse) -> None:
    await house.gifts().redeem(BOB, await house.code())
    await house.giving().revoke(OPERATOR, BOB)
    assert (await house.club.access(BOB)).reason is AccessReason.GRANT_OVER


@pytest.mark.parametrize(
    ("tier", "days", "count", "expires", "objection"),
    [
        (TierName.FREE, 5, 1, None, Objection.NOT_A_TIER),
        (TierName.PRO, 5, 0, None, Objection.TOO_MANY),
        (TierName.PRO, 5, MOST_AT_ONCE + 1, None, Objection.TOO_MANY),
        (TierName.PRO, 0, 1, None, Objection.TOO_FAR),
        (TierName.PRO, 5, 1, NOW, Objection.PAST),
    ],
)
async def test_codes_that_make_no_sense_are_not_made(
    house: Largesse, tier: TierName, days: int, count: int, expires: object, objection: Objection
) -> None:
    found = await house.gifts().make(OPERATOR, tier, days, count, expires)  # type: ignore[arg-type]
    assert found is objection
    assert not await house.audit()


async def test_a_code_of_another_mode_is_unknown(house: Largesse) -> None:
    code = await Largesse(house.club, Mode.LIVE).code()
    assert await house.gifts().redeem(BOB, code) is Unredeemed.UNKNOWN
