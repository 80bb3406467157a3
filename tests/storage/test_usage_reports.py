"""Sealed metered use on its way to Stripe."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from engine.domain import AccountId
from engine.errors import GiveUpError
from engine.facts import Mode
from engine.ledger import Tx
from engine.terms import UsageReport
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account, report, seal

LATER = NOON + MINUTE
HOUR = 60 * MINUTE


def take(tx: Tx, now: datetime, limit: int = 10, owner: AccountId | None = None) -> list[UsageReport]:
    """Claim some for a minute."""
    return list(tx.claim_reports(Mode.TEST, now, now + MINUTE, limit, owner))


async def test_a_report_is_claimed_by_one_until_its_lease_runs_out_and_tells_of_earlier_tries(
    store: Store,
) -> None:
    def work(tx: Tx) -> None:
        made = replace(report(account(tx)), makes_good=NOON - HOUR)
        seal(tx, made)
        tried = replace(made, attempts=1, tried_at=NOON)
        again = replace(made, attempts=2, tried_at=NOON)
        times = (NOON - MINUTE, NOON, NOON, LATER, LATER + MINUTE)
        assert [take(tx, now) for now in times] == [[], [made], [], [tried], [again]]

    await store.transact(work)


async def test_reports_are_claimed_oldest_hour_first_and_only_in_their_mode(store: Store) -> None:
    def work(tx: Tx) -> list[list[str]]:
        owner = account(tx)
        seal(tx, report(owner, "new", NOON), report(owner, "old", NOON - HOUR))
        seal(tx, replace(report(owner, "live"), mode=Mode.LIVE))
        return [[each.identifier for each in take(tx, NOON)], [each.identifier for each in take(tx, NOON)]]

    assert await store.transact(work) == [["old", "new"], []]


async def test_the_reports_of_one_account_are_taken_though_not_due_but_not_from_under_a_lease(
    store: Store,
) -> None:
    def work(tx: Tx) -> list[list[str]]:
        ann, ben = account(tx, ANN), account(tx, BEN)
        seal(tx, report(ann, "ann's"), report(ann, "another"), report(ben, "ben's"))
        take(tx, NOON)
        tx.report_later("ann's", NOON + HOUR, "away")
        tx.report_later("ben's", NOON + HOUR, "away")
        tries = [
            take(tx, NOON),
            take(tx, NOON, owner=ann),
            take(tx, NOON, owner=ann),
            take(tx, NOON, owner=ben),
        ]
        return [[each.identifier for each in some] for some in tries]

    assert await store.transact(work) == [[], ["ann's"], [], ["ben's"]]


async def test_a_report_can_be_put_off_until_it_is_sent_or_refused(store: Store) -> None:
    def work(tx: Tx) -> list[list[str]]:
        owner = account(tx)
        seal(tx, *(report(owner, name) for name in ("sent", "dead", "later")))
        take(tx, NOON)
        tx.report_sent("sent", NOON)
        tx.report_dead("dead", "no meter")
        for name in ("sent", "dead", "later"):
            tx.report_later(name, NOON + 5 * MINUTE, "away")
        tx.report_dead("sent", "too late")
        later = [[each.identifier for each in take(tx, NOON + m * MINUTE)] for m in (4, 5)]
        return [*later, [each.identifier for each in take(tx, NOON + HOUR, owner=owner)]]

    assert await store.transact(work) == [[], ["later"], ["later"]]


async def test_reports_are_read_by_the_hour_they_tell_of_or_make_good_with_what_became_of_them(
    store: Store,
) -> None:
    def work(tx: Tx) -> None:
        ann, ben = account(tx, ANN), account(tx, BEN)
        owed, sent, dead = (report(ann, name) for name in ("owed", "sent", "dead"))
        good = replace(report(ann, "good", NOON + 5 * HOUR), makes_good=NOON)
        others = [report(ann, "early", NOON - HOUR), report(ann, "late", NOON + HOUR), report(ben, "ben's")]
        seal(tx, owed, sent, dead, good, *others, replace(report(ann, "live"), mode=Mode.LIVE))
        tx.report_sent("sent", LATER)
        tx.report_dead("dead", "no meter")
        found = list(tx.usage_reports(ann, Mode.TEST, NOON, NOON + HOUR))
        assert found == [replace(dead, dead=True), owed, replace(sent, sent_at=LATER), good]

    await store.transact(work)


async def test_reports_are_numbered_within_their_hour_and_never_sealed_twice(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        owner = account(tx)
        numbers = []
        for name in ("first", "second", "third"):
            numbers.append(tx.next_report_number(owner, Mode.TEST, NOON))
            seal(tx, report(owner, name))
        return [*numbers, tx.next_report_number(owner, Mode.TEST, LATER)]

    assert await store.transact(work) == [0, 1, 2, 0]
    with pytest.raises(GiveUpError):
        await store.transact(lambda tx: seal(tx, report(account(tx), "first")))


async def test_revenue_units_are_those_sealed_in_a_span_whatever_became_of_them(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        owner = account(tx)
        seal(
            tx, report(owner, "owed"), report(owner, "dead"), replace(report(owner, "late"), sealed_at=LATER)
        )
        seal(tx, replace(report(owner, "live"), mode=Mode.LIVE))
        tx.report_dead("dead", "no meter")
        spans = [(NOON, LATER), (NOON, LATER + MINUTE), (LATER + MINUTE, NOON + timedelta(days=1))]
        return [tx.usage_revenue_units(Mode.TEST, since, until) for since, until in spans]

    assert await store.transact(work) == [14, 21, 0]


async def test_many_who_claim_at_once_take_each_report_once(store: Store) -> None:
    owner = await store.transact(account)
    await store.transact(lambda tx: seal(tx, *(report(owner, f"{number}") for number in range(20))))
    taken = await asyncio.gather(
        *(store.transact(lambda tx: take(tx, NOON, 4)) for _ in range(6)),
        *(store.transact(lambda tx: take(tx, NOON, 4, owner)) for _ in range(6)),
    )
    names = [each.identifier for some in taken for each in some]
    assert len(names) == len(set(names))
    names += [each.identifier for each in await store.transact(lambda tx: take(tx, NOON, 20))]
    assert len(names) == len(set(names)) == 20
