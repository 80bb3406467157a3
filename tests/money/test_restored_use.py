"""A backup does not know what was reported after it was made, and Stripe is not told of it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from engine.facts import Mode
from storage.note import Note
from tests.engine.conftest import ALICE
from tests.money.test_metering import CAP, REPORTS, Shop, owed
from tests.money.test_metering import policy as policy  # noqa: PLC0414 - a fixture
from tests.money.test_metering import shop as shop  # noqa: PLC0414 - a fixture
from tests.storage.backing import ADA
from tests.storage.planting import Value, executing

DAYS = timedelta(days=3)
TABLES = ("usage_report", "usage_event")


@dataclass(frozen=True)
class Copied:
    """What a backup has of metered use."""

    url: str
    rows: dict[str, Sequence[Sequence[Value]]]

    async def restore(self, shop: Shop) -> None:
        """Let the database be the backup, with all that a restore writes into it."""
        execute = executing(self.url)
        for table, rows in self.rows.items():
            execute(f"DELETE FROM {table}", ())  # noqa: S608 - of the list above
            for row in rows:
                execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
        await Note(ADA, Path("chat.db"), shop.till.clock).write(shop.till.store)


def copied(url: str) -> Copied:
    """A backup, made now."""
    execute = executing(url)
    return Copied(url, {table: execute(f"SELECT * FROM {table}", ()) for table in TABLES})  # noqa: S608


@pytest.mark.parametrize("later", [timedelta(hours=2), DAYS])
async def test_use_that_was_not_sealed_then_is_not_told_again(
    shop: Shop, database_url: str, later: timedelta
) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(5000)
    backup = copied(database_url)
    await shop.use(4000)
    await shop.hour_passes()
    assert shop.told() == 9
    await shop.till.pass_time(later)
    await backup.restore(shop)
    await shop.till.settle()
    await shop.hour_passes()
    assert (shop.told(), await owed(shop)) == (9, 0)


async def test_a_report_that_was_not_sent_then_is_not_told_again(shop: Shop, database_url: str) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(5000)
    outage = shop.till.stripe.faults.storm(503, REPORTS)
    await shop.hour_passes()
    backup = copied(database_url)
    shop.till.stripe.faults.lift(outage)
    await shop.till.pass_time(DAYS)
    assert shop.told() == 5
    await backup.restore(shop)
    await shop.till.settle()
    assert (shop.told(), await owed(shop)) == (5, 0)


async def test_one_that_nobody_had_tried_to_send_is_not_told_again(shop: Shop, database_url: str) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(5000)
    shop.till.clock.advance(timedelta(minutes=66))
    assert await shop.dispatch.seal() == 1
    backup = copied(database_url)
    await shop.till.settle()
    assert shop.told() == 5
    await shop.till.pass_time(DAYS)
    await backup.restore(shop)
    await shop.till.settle()
    assert (shop.told(), await owed(shop)) == (5, 0)


async def test_what_stripe_never_got_is_told_after_a_restore(shop: Shop, database_url: str) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(5000)
    shop.till.clock.advance(timedelta(minutes=66))
    assert await shop.dispatch.seal() == 1
    await shop.use(3000)
    backup = copied(database_url)
    shop.till.clock.advance(DAYS)
    await backup.restore(shop)
    await shop.till.settle()
    assert (shop.told(), await owed(shop)) == (8, 0)


async def test_new_use_after_a_restore_is_told_as_ever(shop: Shop, database_url: str) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(5000)
    backup = copied(database_url)
    await shop.hour_passes()
    await shop.till.pass_time(DAYS)
    await backup.restore(shop)
    await shop.use(2000)
    await shop.hour_passes()
    assert (shop.told(), await owed(shop)) == (7, 0)


async def test_one_that_was_given_up_then_and_sent_since_is_not_told_again(
    shop: Shop, database_url: str
) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(5000)
    store, clock = shop.till.store, shop.till.clock
    clock.advance(timedelta(minutes=66))
    await shop.dispatch.seal()
    now = clock.now()
    since, until = now - timedelta(days=1), now + timedelta(hours=1)
    (report,) = await store.read(lambda tx: tx.usage_reports(shop.account, Mode.TEST, since, until))
    await store.transact(lambda tx: tx.report_dead(report.identifier, "refused"))
    backup = copied(database_url)

    async def try_again() -> None:
        await store.transact(lambda tx: tx.retry_dead(Mode.TEST, clock.now()))
        await shop.till.settle()

    await try_again()
    assert shop.told() == 5
    await shop.till.pass_time(DAYS)
    await backup.restore(shop)
    await try_again()
    assert (shop.told(), await owed(shop)) == (5, 0)
