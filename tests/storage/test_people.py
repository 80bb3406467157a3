"""Accounts and the people they belong to."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from engine.acquaintance import STRANGER, Acquaintance
from engine.domain import AccountId, Person, Platform
from engine.ledger import Tx
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN


async def test_a_person_gets_an_account_on_first_sight_and_keeps_it(store: Store) -> None:
    made = await store.transact(lambda tx: tx.lock_account(BEN, NOON))
    assert (made.person, made.model, made.created_at) == (BEN, None, NOON)
    assert await store.transact(lambda tx: tx.lock_account(BEN, NOON + timedelta(days=1))) == made
    assert await store.transact(lambda tx: tx.lock_account_id(made.id)) == made
    assert await store.read(lambda tx: tx.find_account(BEN)) == made


async def test_people_who_differ_only_by_workspace_or_platform_have_accounts_of_their_own(
    store: Store,
) -> None:
    people = [
        Person(Platform.SLACK, "T1", "U1"),
        Person(Platform.SLACK, "T2", "U1"),
        Person(Platform.DISCORD, "", "U1"),
        Person(Platform.LOCAL, "", "U1"),
    ]
    made = await store.transact(lambda tx: [tx.lock_account(person, NOON) for person in people])
    assert len({account.id for account in made}) == 4
    assert [account.person for account in made] == people


async def test_many_who_meet_a_person_at_once_make_one_account(store: Store) -> None:
    made = await asyncio.gather(*(store.transact(lambda tx: tx.lock_account(ANN, NOON)) for _ in range(20)))
    assert len({account.id for account in made}) == 1


async def test_nobody_is_found_or_locked_by_an_id_that_was_never_seen(store: Store) -> None:
    assert await store.read(lambda tx: tx.find_account(ANN)) is None
    assert await store.transact(lambda tx: tx.lock_account_id(AccountId("none"))) is None


async def test_the_chosen_model_is_remembered_until_it_is_unset(store: Store) -> None:
    def work(tx: Tx) -> list[str | None]:
        owner = tx.lock_account(ANN, NOON).id
        seen = []
        for model in ("demo", None):
            tx.set_model(owner, model)
            seen.append(tx.lock_account(ANN, NOON).model)
        return seen

    assert await store.transact(work) == ["demo", None]


async def test_languages_are_remembered_for_those_who_have_an_account(store: Store) -> None:
    async def known(person: Person) -> Acquaintance | None:
        return await store.read(lambda tx: tx.acquaintance(person))

    await store.transact(lambda tx: tx.set_locale(BEN, "fr"))
    assert await known(BEN) is None
    account = await store.transact(lambda tx: tx.lock_account(BEN, NOON).id)
    assert await known(BEN) == STRANGER
    await store.transact(lambda tx: tx.set_locale(BEN, "fr"))
    await store.transact(lambda tx: tx.set_language(account, "de"))
    assert await known(BEN) == Acquaintance("de", "fr")
    await store.transact(lambda tx: tx.set_language(account, None))
    assert await known(BEN) == Acquaintance(None, "fr")


async def test_an_account_is_welcomed_once_however_many_ask_at_once(store: Store) -> None:
    account = await store.transact(lambda tx: tx.lock_account(ANN, NOON).id)
    firsts = await asyncio.gather(*(store.transact(lambda tx: tx.welcome(account, NOON)) for _ in range(10)))
    assert sorted(firsts) == [*[False] * 9, True]
    found = await store.read(lambda tx: tx.acquaintance(ANN))
    assert found == Acquaintance(welcomed=True)
