"""Where the app is installed, and what is under way in browsers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.domain import Platform
from engine.installations import Installation
from engine.ledger import Tx
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import MINUTE

SECOND = timedelta(seconds=1)
ACME = Installation(
    Platform.SLACK, "T1", "Acme", "", "U1BOT", "B1", "xoxb-1", "chat:write,commands", "U1ADA", NOON
)
ORG = replace(ACME, place="E1", organisation="E1", token="xoxb-2", installed_at=NOON + SECOND, org_wide=True)


async def test_an_installation_is_found_by_its_place_and_replaced_by_the_next_of_that_place(
    store: Store,
) -> None:
    again = replace(ACME, token="xoxb-3", name="Acme Inc.", installed_at=NOON + MINUTE)

    def work(tx: Tx) -> list[Installation]:
        for each in (ACME, ORG):
            tx.save_installation(each)
        assert tx.installation(Platform.SLACK, "T1") == ACME
        assert tx.installation(Platform.SLACK, "E1") == ORG
        assert tx.installation(Platform.SLACK, "T2") is None
        assert tx.installation(Platform.DISCORD, "T1") is None
        tx.save_installation(again)
        return list(tx.installations(Platform.SLACK))

    assert await store.transact(work) == [ORG, again]


async def test_an_installation_newer_than_its_uninstallation_stays(store: Store) -> None:
    def work(tx: Tx) -> list[bool]:
        for each in (ACME, ORG):
            tx.save_installation(each)
        times = (NOON, NOON + SECOND, NOON + SECOND)
        return [tx.drop_installation(Platform.SLACK, "T1", each) for each in times]

    assert await store.transact(work) == [False, True, False]
    assert await store.read(lambda tx: list(tx.installations(Platform.SLACK))) == [ORG]


async def test_a_state_is_good_once_and_not_for_ever(store: Store) -> None:
    def work(tx: Tx) -> list[bool]:
        for state in ("first", "second", "third"):
            tx.begin_install(state, NOON + MINUTE)
        found = [tx.end_install("first", NOON), tx.end_install("first", NOON), tx.end_install("x", NOON)]
        return [*found, tx.end_install("second", NOON + MINUTE)]

    assert await store.transact(work) == [True, False, False, False]
    assert await store.transact(lambda tx: tx.forget_installs(NOON)) == 0
    assert await store.transact(lambda tx: tx.forget_installs(NOON + MINUTE)) == 2
