"""Seats, codes and tries, as they are kept."""

from __future__ import annotations

from datetime import timedelta

from engine.domain import AccountId, Person, Platform
from engine.facts import Mode
from engine.ledger import Tx
from engine.seats import Invite, Membership
from storage.store import Store
from tests.fakes.clock import NOON

DAY = timedelta(days=1)


async def accounts(store: Store, *names: str) -> list[AccountId]:
    """Accounts of people with these names."""

    def work(tx: Tx) -> list[AccountId]:
        return [tx.lock_account(Person(Platform.LOCAL, "", name), NOON).id for name in names]

    return await store.transact(work)


def joined(tx: Tx, owner: AccountId, *members: AccountId) -> list[bool]:
    """Let these join a team, one after the other."""
    tx.lock_team(owner, Mode.TEST)
    return [tx.seat(member, owner, Mode.TEST, NOON) for member in members]


async def test_places_close_up_and_numbers_stay(store: Store) -> None:
    owner, one, two, three = await accounts(store, "owner", "one", "two", "three")
    assert await store.transact(lambda tx: joined(tx, owner, one, two)) == [True, True]
    assert await store.transact(lambda tx: tx.unseat(one, owner, Mode.TEST))
    assert not await store.transact(lambda tx: tx.unseat(one, owner, Mode.TEST))
    assert await store.transact(lambda tx: joined(tx, owner, three)) == [True]
    members = await store.read(lambda tx: tx.team_members(owner, Mode.TEST))
    assert [(each.account, each.number) for each in members] == [(two, 3), (three, 4)]
    assert await store.read(lambda tx: tx.membership(three, Mode.TEST)) == Membership(owner, 3)
    assert await store.read(lambda tx: tx.membership(owner, Mode.TEST)) is None


async def test_an_account_is_in_one_team_of_a_mode(store: Store) -> None:
    owner, other, member = await accounts(store, "owner", "other", "member")
    assert await store.transact(lambda tx: joined(tx, owner, member)) == [True]
    assert await store.transact(lambda tx: joined(tx, other, member)) == [False]
    assert await store.read(lambda tx: tx.membership(member, Mode.LIVE)) is None


async def test_everybody_in_a_team_is_found_page_by_page(store: Store) -> None:
    owner, *members = await accounts(store, "owner", "one", "two", "three")
    await store.transact(lambda tx: joined(tx, owner, *members))
    first = await store.read(lambda tx: tx.seated(Mode.TEST, "", 2))
    rest = await store.read(lambda tx: tx.seated(Mode.TEST, first[-1], 2))
    assert [*first, *rest] == sorted(members)


async def test_a_code_is_used_once_in_its_time_and_forgotten_after_it(store: Store) -> None:
    owner, one, two = await accounts(store, "owner", "one", "two")

    def work(tx: Tx) -> None:
        for name, days in (("a", 7), ("b", 1)):
            tx.save_invite(Invite(name, owner, Mode.TEST, NOON, NOON + days * DAY))

    await store.transact(work)
    later = NOON + 2 * DAY
    assert not await store.transact(lambda tx: tx.use_invite("b", one, later))
    assert await store.transact(lambda tx: tx.use_invite("a", one, later))
    assert not await store.transact(lambda tx: tx.use_invite("a", two, later))
    assert await store.read(lambda tx: tx.invited_since(owner, Mode.TEST, NOON)) == 2
    await store.transact(lambda tx: tx.forget_invites(owner, Mode.TEST, later))
    assert await store.read(lambda tx: tx.invite("b", Mode.TEST)) is None
    known = await store.read(lambda tx: tx.invite("a", Mode.TEST))
    assert known is not None
    assert known.used_at == later


async def test_tries_are_counted_from_the_first_one_of_an_hour(store: Store) -> None:
    (one,) = await accounts(store, "one")

    async def tried(minutes: int) -> bool:
        now = NOON + timedelta(minutes=minutes)
        return await store.transact(lambda tx: tx.try_code(one, now, now - timedelta(hours=1), 2))

    assert [await tried(minutes) for minutes in (0, 30, 50, 60, 61, 62, 63)] == [
        True, True, False, False, True, True, False,
    ]  # fmt: skip
