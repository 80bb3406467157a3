"""Customers, checkout attempts, subscriptions and tier changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from engine.domain import AccountId, TierName
from engine.errors import GiveUpError
from engine.facts import (
    AccessReason,
    AttemptStatus,
    CheckoutAttempt,
    CustomerId,
    CustomerRecord,
    Mode,
    Planned,
    SessionId,
    Subscription,
    TierChange,
)
from engine.ledger import Tx
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account, attempt, subscription

CUSTOMER = CustomerId("cus_1")
LATER = NOON + MINUTE


async def test_an_account_has_one_customer_in_each_mode(store: Store) -> None:
    def work(tx: Tx) -> tuple[object, ...]:
        owner = account(tx)
        made = CustomerRecord(owner, Mode.TEST, CUSTOMER, 0)
        tx.save_customer(made)
        assert tx.customer(owner, Mode.TEST) == made
        assert tx.customer(owner, Mode.LIVE) is None
        return tx.account_of(Mode.TEST, CUSTOMER) == owner, tx.account_of(Mode.LIVE, CUSTOMER)

    assert await store.transact(work) == (True, None)


async def test_a_customer_record_is_replaced_and_the_old_customer_becomes_a_stranger(store: Store) -> None:
    def work(tx: Tx) -> AccountId | None:
        owner = account(tx)
        tx.save_customer(CustomerRecord(owner, Mode.TEST, CUSTOMER, 0))
        tx.save_customer(CustomerRecord(owner, Mode.TEST, None, 1))
        assert tx.customer(owner, Mode.TEST) == CustomerRecord(owner, Mode.TEST, None, 1)
        return tx.account_of(Mode.TEST, CUSTOMER)

    assert await store.transact(work) is None


async def test_that_a_trial_was_used_is_part_of_the_record(store: Store) -> None:
    def work(tx: Tx) -> list[CustomerRecord | None]:
        owner = account(tx)
        records = [CustomerRecord(owner, Mode.TEST, CUSTOMER, 0, at) for at in (NOON, LATER, None)]
        found = []
        for record in records:
            tx.save_customer(record)
            found.append(tx.customer(owner, Mode.TEST))
        assert found == records
        return found

    await store.transact(work)


async def test_a_deleted_customer_is_remembered_as_former_and_makes_room_for_another(store: Store) -> None:
    def work(tx: Tx) -> None:
        owner = account(tx)
        record = CustomerRecord(owner, Mode.TEST, CUSTOMER, 3, NOON)
        tx.save_customer(record)
        for _ in range(2):
            tx.retire_customer(record, LATER)
        assert tx.customer(owner, Mode.TEST) == CustomerRecord(owner, Mode.TEST, None, 4, NOON)
        assert tx.account_of(Mode.TEST, CUSTOMER) is None
        assert tx.former_customer(Mode.TEST, CUSTOMER) == owner
        assert tx.former_customer(Mode.LIVE, CUSTOMER) is None
        tx.save_customer(CustomerRecord(owner, Mode.TEST, CustomerId("cus_2"), 4, NOON))
        tx.retire_customer(record, LATER)
        assert tx.account_of(Mode.TEST, CustomerId("cus_2")) == owner

    await store.transact(work)


async def test_customers_are_known_that_belong_or_belonged_to_an_account(store: Store) -> None:
    former, current, foreign = (CustomerId(f"cus_{name}") for name in ("former", "current", "foreign"))

    def work(tx: Tx) -> tuple[Mapping[CustomerId, bool], Mapping[CustomerId, bool]]:
        owner = account(tx)
        tx.save_customer(CustomerRecord(owner, Mode.TEST, former, 0))
        tx.retire_customer(CustomerRecord(owner, Mode.TEST, former, 0), NOON)
        tx.save_customer(CustomerRecord(owner, Mode.TEST, current, 1))
        everyone = [former, current, foreign]
        return tx.known_customers(Mode.TEST, everyone), tx.known_customers(Mode.LIVE, everyone)

    assert await store.transact(work) == ({former: False, current: True}, {})


async def test_accounts_are_looked_at_when_their_moment_has_come_longest_due_first(store: Store) -> None:
    def work(tx: Tx) -> list[list[AccountId]]:
        ann, ben = account(tx, ANN), account(tx, BEN)
        for person in (ann, ben):
            for mode in (Mode.TEST, Mode.LIVE):
                tx.save_customer(CustomerRecord(person, mode, None, 0))
        tx.look_again(ann, Mode.TEST, LATER)
        tx.look_again(ben, Mode.TEST, NOON)
        tx.save_customer(CustomerRecord(ann, Mode.TEST, CUSTOMER, 0))
        due = [list(tx.due_to_look(Mode.TEST, now, 9)) for now in (NOON - MINUTE, NOON, LATER)]
        assert due == [[], [ben], [ben, ann]]
        assert list(tx.due_to_look(Mode.TEST, LATER, 1)) == [ben]
        assert list(tx.due_to_look(Mode.LIVE, LATER, 9)) == []
        tx.look_again(ben, Mode.TEST, None)
        assert list(tx.due_to_look(Mode.TEST, LATER, 9)) == [ann]
        return due

    await store.transact(work)


async def test_two_accounts_cannot_have_the_same_customer(store: Store) -> None:
    def work(tx: Tx) -> None:
        for person in (ANN, BEN):
            tx.save_customer(CustomerRecord(account(tx, person), Mode.TEST, CUSTOMER, 0))

    with pytest.raises(GiveUpError):
        await store.transact(work)


async def test_two_accounts_may_both_have_no_customer_yet(store: Store) -> None:
    def work(tx: Tx) -> None:
        for person in (ANN, BEN):
            tx.save_customer(CustomerRecord(account(tx, person), Mode.TEST, None, 0))

    await store.transact(work)


async def test_an_attempt_is_found_while_open_by_its_session_and_as_the_latest(store: Store) -> None:
    def work(tx: Tx) -> list[CheckoutAttempt | None]:
        owner = account(tx)
        made = attempt(owner)
        tx.save_attempt(made)
        with_session = replace(made, session=SessionId("cs_1"), url="https://pay.example/cs_1")
        found = [tx.open_attempt(owner, Mode.TEST), tx.attempt_of(SessionId("cs_1"))]
        tx.save_attempt(with_session)
        assert found == [made, None]
        assert tx.open_attempt(owner, Mode.LIVE) is None
        open_one, of_session = tx.open_attempt(owner, Mode.TEST), tx.attempt_of(SessionId("cs_1"))
        assert open_one == of_session == with_session
        tx.close_attempts(owner, Mode.TEST, AttemptStatus.COMPLETE)
        assert tx.latest_attempt(owner, Mode.TEST) == replace(with_session, status=AttemptStatus.COMPLETE)
        return [tx.open_attempt(owner, Mode.TEST), tx.latest_attempt(owner, Mode.LIVE)]

    assert await store.transact(work) == [None, None]


async def test_the_latest_attempt_is_the_newest_whatever_became_of_it(store: Store) -> None:
    def work(tx: Tx) -> str | None:
        owner = account(tx)
        newest = attempt(owner, "newest", NOON + MINUTE)
        tx.save_attempt(replace(newest, status=AttemptStatus.EXPIRED))
        tx.save_attempt(attempt(owner, "older"))
        found = tx.latest_attempt(owner, Mode.TEST)
        return found.id if found else None

    assert await store.transact(work) == "newest"


async def test_an_account_cannot_have_two_open_attempts_in_a_mode(store: Store) -> None:
    def one_in_each_mode(tx: Tx) -> None:
        for mode in Mode:
            tx.save_attempt(replace(attempt(account(tx), f"in {mode}"), mode=mode))

    await store.transact(one_in_each_mode)
    with pytest.raises(GiveUpError):
        await store.transact(lambda tx: tx.save_attempt(attempt(account(tx), "second")))


async def test_a_subscription_is_read_back_as_it_was_stored(store: Store) -> None:
    full = subscription()
    bare = replace(
        subscription("sub_2"),
        tier=None,
        interval=None,
        period_end=None,
        cancel_at=None,
        trial_end=None,
        collection_paused=None,
        latest_invoice=None,
        past_due_since=None,
        open_invoice=None,
        pay_url=None,
        metered_item=None,
        schedule=None,
        planned=None,
        change_pending=False,
        trialed=False,
        card_expires=None,
        ended_at=None,
        end_reason=None,
    )
    end_planned = replace(subscription("sub_3"), planned=Planned(None, None, 0, NOON))

    def work(tx: Tx) -> set[Subscription]:
        tx.replace_subscriptions(account(tx), Mode.TEST, [full, bare, end_planned], NOON)
        return set(tx.subscriptions(account(tx), Mode.TEST))

    assert await store.transact(work) == {full, bare, end_planned}


async def test_subscriptions_become_exactly_what_was_read_newest_first(store: Store) -> None:
    old, new = subscription("sub_old"), subscription("sub_new", NOON + MINUTE)

    def work(tx: Tx) -> list[list[Subscription]]:
        owner, seen = account(tx), []
        for truth in ([old], [old, new], [new], []):
            tx.replace_subscriptions(owner, Mode.TEST, truth, NOON)
            tx.replace_subscriptions(owner, Mode.LIVE, [], NOON)
            seen.append(list(tx.subscriptions(owner, Mode.TEST)))
        return seen

    assert await store.transact(work) == [[old], [new, old], [new], []]


async def test_stored_facts_are_read_by_id_in_pages_over_all_accounts(store: Store) -> None:
    def work(tx: Tx) -> list[list[tuple[AccountId, Subscription]]]:
        ann, ben = account(tx, ANN), account(tx, BEN)
        tx.replace_subscriptions(ann, Mode.TEST, [subscription("sub_3"), subscription("sub_1")], NOON)
        tx.replace_subscriptions(ben, Mode.TEST, [subscription("sub_2")], NOON)
        tx.replace_subscriptions(ben, Mode.LIVE, [replace(subscription("sub_4"), mode=Mode.LIVE)], NOON)
        pages = [list(tx.known_subscriptions(Mode.TEST, after, 2)) for after in ("", "sub_2", "sub_3")]
        named = [(ann, subscription("sub_1")), (ben, subscription("sub_2")), (ann, subscription("sub_3"))]
        assert pages == [named[:2], named[2:], []]
        return pages

    await store.transact(work)


async def test_tier_changes_are_numbered_within_account_and_mode(store: Store) -> None:
    def change(owner: AccountId, mode: Mode, minutes: int) -> TierChange:
        at = NOON + minutes * MINUTE
        return TierChange(0, owner, mode, TierName.FREE, TierName.PRO, AccessReason.ACTIVE, at)

    def work(tx: Tx) -> tuple[list[int], bool]:
        ann, ben = account(tx, ANN), account(tx, BEN)
        wanted = [change(ann, Mode.TEST, 1), change(ann, Mode.SIMULATED, 2), change(ben, Mode.TEST, 3)]
        added = [tx.add_tier_change(each) for each in [*wanted, change(ann, Mode.TEST, 4)]]
        return [each.number for each in added], list(tx.tier_changes(ann)) == [added[0], added[1], added[3]]

    assert await store.transact(work) == ([1, 1, 1, 2], True)
