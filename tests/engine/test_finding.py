"""Operators find members by what they know of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.audit import Actor, Deed, Origin
from engine.domain import AccountId, Person, Platform, TierName
from engine.facts import (
    AccessReason,
    CustomerId,
    CustomerRecord,
    Mode,
    PaymentStatus,
    TierChange,
)
from engine.finding import MOST, Finding, brief
from engine.ledger import Tx
from engine.members import Members
from engine.seeking import Sought, SoughtKind
from storage.seeking import query
from storage.statements import FOLDER, split_named
from storage.store import Store
from tests.engine.conftest import ALICE, BOB, CATALOGUE
from tests.fakes.clock import NOON, FakeClock
from tests.storage.makers import subscription

SHELL = Actor("console:root", Origin.CONSOLE)
CAROL = Person(Platform.SLACK, "T1", "alice")


@pytest.fixture
def finding(store: Store, clock: FakeClock) -> Finding:
    """Looks among members in test mode."""
    return Finding(store, clock, Members(store, clock, CATALOGUE, Mode.TEST))


async def found(finding: Finding, text: str) -> list[str]:
    """Who is found."""
    return [str(each.person) for each in await finding.find(SHELL, Sought.parse(text))]


def meet(tx: Tx, person: Person, at: timedelta = timedelta(0)) -> AccountId:
    return tx.lock_account(person, NOON + at).id


def subscribe(tx: Tx, person: Person, name: str, status: PaymentStatus, tier: TierName) -> None:
    """A subscription that goes on, and the change that it was told by."""
    account, customer = meet(tx, person), CustomerId(f"cus_{name}")
    tx.save_customer(CustomerRecord(account, Mode.TEST, customer, 0))
    made = replace(
        subscription(f"sub_{name}"),
        status=status,
        tier=tier,
        customer=customer,
        collection_paused=None,
        ended_at=None,
    )
    tx.replace_subscriptions(account, Mode.TEST, (made,), NOON)
    told = TierChange(0, account, Mode.TEST, TierName.FREE, tier, AccessReason.ACTIVE, NOON)
    tx.add_tier_change(told)


def people(tx: Tx) -> None:
    """Alice pays, Bob's payment is late, and Carol, who has Alice's id on another platform, does neither."""
    subscribe(tx, ALICE, "alice", PaymentStatus.ACTIVE, TierName.PREMIUM)
    subscribe(tx, BOB, "bob", PaymentStatus.UNPAID, TierName.PREMIUM)
    meet(tx, CAROL, timedelta(minutes=1))


async def test_members_are_found_by_what_is_known_of_them(finding: Finding, store: Store) -> None:
    await store.transact(people)
    account = await store.transact(lambda tx: meet(tx, ALICE))
    assert await found(finding, "local:alice") == ["local:alice"]
    assert await found(finding, " slack:T1/alice ") == ["slack:T1/alice"]
    assert sorted(await found(finding, "alice")) == ["local:alice", "slack:T1/alice"]
    assert await found(finding, account) == ["local:alice"]
    assert await found(finding, "cus_alice") == ["local:alice"]
    assert await found(finding, "sub_bob") == ["local:bob"]
    assert await found(finding, "status:unpaid") == ["local:bob"]
    assert await found(finding, "status:active") == ["local:alice"]
    for nobody in (
        "local:carol",
        "nobody",
        "cus_nobody",
        "sub_nobody",
        "0" * 32,
        "status:canceled",
        "tier:pro",
    ):
        assert await found(finding, nobody) == []


async def test_a_tier_is_that_of_now_whatever_was_told_last(finding: Finding, store: Store) -> None:
    await store.transact(people)
    assert await found(finding, "tier:premium") == ["local:alice"]
    assert await found(finding, "Tier:FREE") == ["slack:T1/alice"]
    bob = await store.transact(lambda tx: meet(tx, BOB))
    over = TierChange(0, bob, Mode.TEST, TierName.PREMIUM, TierName.FREE, AccessReason.GRACE_OVER, NOON)
    await store.transact(lambda tx: tx.add_tier_change(over))
    assert await found(finding, "tier:free") == ["slack:T1/alice", "local:bob"]
    assert await found(finding, "tier:premium") == ["local:alice"]


async def test_a_former_customer_still_leads_to_its_account(finding: Finding, store: Store) -> None:
    def work(tx: Tx) -> None:
        record = CustomerRecord(meet(tx, ALICE), Mode.TEST, CustomerId("cus_old"), 0)
        tx.save_customer(record)
        tx.retire_customer(record, NOON)

    await store.transact(work)
    assert await found(finding, "cus_old") == ["local:alice"]


async def test_what_is_of_another_mode_finds_nobody(store: Store, clock: FakeClock) -> None:
    await store.transact(people)
    live = Finding(store, clock, Members(store, clock, CATALOGUE, Mode.LIVE))
    for text in ("cus_alice", "sub_bob", "status:unpaid", "tier:premium"):
        assert await found(live, text) == []


async def test_at_most_twenty_are_shown_the_newest_first(finding: Finding, store: Store) -> None:
    def crowd(tx: Tx) -> None:
        for number in range(MOST + 5):
            meet(tx, Person(Platform.LOCAL, "", f"m{number}"), timedelta(seconds=number))

    await store.transact(crowd)
    assert await found(finding, "tier:free") == [f"local:m{number}" for number in range(MOST + 4, 4, -1)]


async def test_one_who_is_found_is_told_with_tier_reason_and_cost(finding: Finding, store: Store) -> None:
    await store.transact(people)
    (alice,) = await finding.find(SHELL, Sought.parse("cus_alice"))
    told = brief(alice)
    assert told["account"]
    assert {name: told[name] for name in ("person", "tier", "reason", "cost_month_micros")} == {
        "person": "local:alice",
        "tier": "premium",
        "reason": "active",
        "cost_month_micros": 0,
    }


async def test_each_look_is_written_down(finding: Finding, store: Store) -> None:
    await found(finding, "tier:pro")
    (entry,) = await store.read(lambda tx: tx.deeds(None, 9))
    assert (entry.actor, entry.deed, entry.detail) == (SHELL, Deed.FIND, "tier:pro")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tier:gold", "is no tier"),
        ("status:Past Due", "is no status"),
        ("", "nobody can be found by"),
        ("alice@example.com", "nobody can be found by"),
        ("irc:alice", "is not a person"),
        ("x" * 65, "nobody can be found by"),
    ],
)
def test_what_nobody_can_be_found_by_is_explained(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Sought.parse(text)


EVERY = [
    *(Sought(kind, "x") for kind in SoughtKind if kind not in {SoughtKind.TIER, SoughtKind.PERSON}),
    Sought(SoughtKind.TIER, TierName.FREE),
    Sought(SoughtKind.TIER, TierName.PRO),
]


@pytest.mark.parametrize("sought", EVERY, ids=query)
def test_no_look_reads_through_all_members(sought: Sought, migrated_file: Path) -> None:
    text = (FOLDER / "seeking.sql").read_text(encoding="utf-8")
    sql = dict(split_named(text, "seeking.sql"))[query(sought)]
    with closing(sqlite3.connect(migrated_file)) as connection:
        params = {"value": "x", "mode": "test", "most": 20}
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
    through = [step for step in plan if step.startswith("SCAN") and "account_by_time" not in step]
    assert through == []
    assert not [step for step in plan if "TEMP B-TREE" in step]
