"""A month of made-up life: told by the seed alone, and true in every figure that is kept twice."""

from __future__ import annotations

import io
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from bot.console import demo
from bot.console.arguments import command_line
from engine.alerts import AlertKind
from engine.audit import Deed, Origin
from engine.catalogue import Catalogue
from engine.charts import Days
from engine.config import load_settings
from engine.demo.clock import PlayedClock
from engine.demo.fates import Step, dealt
from engine.demo.life import Plot
from engine.domain import Interval, Scope, TierName
from engine.facts import Mode
from engine.figures import Movement, MovementKind
from engine.ledger import Tx
from engine.panels import Panels
from engine.spending import Entry, monthly, scopes
from engine.tallies import Delivery
from engine.turns import CallEnd
from gate.house import open_house
from storage.store import open_store
from tests.billing.conftest import TIERS
from tests.engine.conftest import ALICE
from tests.fakes.clock import FakeClock
from tests.postgres import PostgresServer
from tests.program import database_url, running
from tests.storage.agreeing import MARKUP, agree, health_agrees
from tests.storage.makers import rows

pytestmark = pytest.mark.asyncio(loop_scope="module")

TODAY = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
DONE = frozenset(
    {
        *(Deed.WHY, Deed.STATS, Deed.DEAD_LETTERS, Deed.RETRY, Deed.ANNOUNCE),
        *(Deed.BLOCK, Deed.UNBLOCK, Deed.PAUSE, Deed.RESUME, Deed.GRANT, Deed.REVOKE),
        *(Deed.GIFT, Deed.VOID, Deed.REDEEM, Deed.CREDIT, Deed.UNCREDIT),
    }
)
"""Deeds of which the story has some."""
PLOT = Plot(days=8, members=60, seed=7, until=TODAY)
SMALL = Plot(days=2, members=20, seed=3, until=TODAY)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is found in a database after a story."""

    said: str
    url: str
    accounts: int
    entries: Sequence[Entry]
    movements: Sequence[Movement]
    mrr: Fraction
    purses: Mapping[tuple[str, str], int]
    subscriptions: Counter[tuple[TierName | None, Interval | None]]
    differences: int

    @property
    def figures(self) -> tuple[object, ...]:
        """What does not depend on the names that were drawn."""
        costs = Counter[str]()
        for entry in self.entries:
            costs[entry.charge.model] += entry.charge.cost or 0
        moved = Counter((each.kind, each.tier, each.delta) for each in self.movements)
        return self.said.splitlines()[-6], self.accounts, costs, moved, self.mrr, self.subscriptions


async def told(url: str, plot: Plot) -> Facts:
    """Tell a story into the database at `url`, and read it."""
    options = {"--database": url, "--days": plot.days, "--members": plot.members, "--seed": plot.seed}
    words = [str(word) for pair in options.items() for word in pair]
    arguments, said = command_line().parse_args(["demo-data", *words]), io.StringIO()
    with redirect_stdout(said):
        assert await demo.demo_data(arguments, load_settings({}), plot.until, open_house) == 0
    settings = demo.settings_of_demo(arguments, load_settings({}))
    async with open_house(settings, PlayedClock(plot.until)) as house:
        found = await house.money.reconcile.compare()
        stats = await house.office.reports.get_subscription_stats(plot.since, plot.until)
        read = await house.store.read(lambda tx: facts(tx, plot))
        return replace(
            read, said=said.getvalue(), url=url, mrr=stats.revenues[0].mrr, differences=len(found.differences)
        )


def facts(tx: Tx, plot: Plot) -> Facts:
    """What can be read at once."""
    entries = tx.entries(plot.first, plot.until + timedelta(days=1))
    counted = {(each, entry.began_at) for entry in entries for each in scopes(entry.charge, entry.purse)}
    known = [sub for _, sub in tx.known_subscriptions(Mode.SIMULATED, "", 1000)]
    return Facts(
        said="",
        url="",
        accounts=tx.count_accounts(),
        entries=entries,
        movements=tx.movements(Mode.SIMULATED, None, 10_000),
        mrr=Fraction(0),
        purses={period(scope, at): tx.purse(scope, at).taken for scope, at in counted},
        subscriptions=Counter((sub.tier, sub.interval) for sub in known),
        differences=0,
    )


def period(scope: Scope, at: datetime) -> tuple[str, str]:
    return scope, f"{at:%Y-%m}" if monthly(scope) else f"{at:%Y-%m-%d}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """One story for all who only look."""
    return await told(f"sqlite:///{tmp_path_factory.mktemp('story')}/demo.db", PLOT)


async def test_there_are_all_tiers_both_intervals_and_all_that_moves_revenue(story: Facts) -> None:
    assert story.accounts <= PLOT.members
    assert {tier for tier, _ in story.subscriptions} == set(TierName) - {TierName.FREE}
    assert {interval for _, interval in story.subscriptions} == set(Interval)
    assert {each.tier for each in story.entries} >= set(TierName)
    kinds = {each.kind for each in story.movements}
    assert kinds >= {MovementKind.NEW, MovementKind.CHURN}
    assert len({each.charge.provider for each in story.entries}) == 3


async def test_what_can_become_of_a_subscription_becomes_of_some() -> None:
    fates = dealt(Random(1))
    steps = {turning.step for _ in range(80) for turning in next(fates)}
    assert steps == set(Step) - {Step.METER, Step.SEATS}  # these go with a tier


async def test_every_purse_holds_what_the_ledger_says(story: Facts) -> None:
    sums = Counter[tuple[str, str]]()
    for entry in story.entries:
        for scope in scopes(entry.charge, entry.purse):
            sums[period(scope, entry.began_at)] += entry.charge.cost or 0
    assert sums.total() > 0
    assert story.purses == sums


async def test_movements_add_up_to_the_revenue_of_today_which_stripe_confirms(story: Facts) -> None:
    assert sum(each.delta for each in story.movements) == story.mrr > 0
    assert story.differences == 0


async def test_every_figure_of_the_dashboard_is_what_the_rows_say(story: Facts) -> None:
    clock, wares = PlayedClock(TODAY), Catalogue(TIERS, ())
    async with await open_store(story.url, clock) as store:
        await agree(store, story.url, clock, wares, Mode.SIMULATED, 2 * PLOT.days)
        panels = Panels(store, clock, wares, Mode.SIMULATED, MARKUP)
        span, query = panels.back(PLOT.days), cache(partial(rows, story.url))
        await health_agrees(panels, query, Mode.SIMULATED, span)
        models = (await panels.vendors(24 * PLOT.days)).lines
    assert {end for line in models for end in line.ends} >= {CallEnd.ANSWERED, CallEnd.CUT, CallEnd.LATE}
    assert all(line.first.p95 and line.total.p95 for line in models if CallEnd.ANSWERED in line.ends)


async def test_every_page_for_operators_has_something_to_show(story: Facts) -> None:
    async with await open_store(story.url, PlayedClock(TODAY)) as store:
        entries = await store.read(lambda tx: tx.deeds(None, 100))
        letters = await store.read(lambda tx: tx.dead_letters(Mode.SIMULATED))
        blocked = await store.read(lambda tx: tx.blocked())
        sent = await store.read(lambda tx: tx.announcements(9))
        owners = await store.read(lambda tx: tx.granted_accounts(Mode.SIMULATED, TODAY, "", 9))
        found = (
            await Panels(store, PlayedClock(TODAY), Catalogue(TIERS, ()), Mode.SIMULATED).webhooks(
                Days.back(PLOT.days, TODAY)
            )
        ).whole
    assert {each.deed for each in entries} >= DONE
    assert {each.actor.origin for each in entries} >= {Origin.LOCAL, Origin.CONSOLE, Origin.DASHBOARD}
    assert len(blocked) == len(sent) == 1
    assert letters
    assert owners
    assert found.deliveries[Delivery.TAKEN] > found.deliveries[Delivery.AWAY] >= 5
    assert found.deliveries[Delivery.SIGNATURE] == 4
    alerts = {kind for (kind,) in rows(story.url, "SELECT kind FROM alert")}
    assert alerts >= {AlertKind.PAYMENT, AlertKind.DEAD_LETTER, AlertKind.VENDOR_DOWN, AlertKind.VENDOR_BACK}


async def test_nothing_happens_after_today_and_something_on_every_day(story: Facts) -> None:
    assert max(entry.at for entry in story.entries) <= TODAY
    days = {entry.began_at.date() for entry in story.entries}
    assert days == {(TODAY - timedelta(days=back)).date() for back in range(PLOT.days)}


@pytest.mark.postgres
async def test_the_same_seed_tells_the_same_on_any_database(tmp_path: Path, postgres: PostgresServer) -> None:
    postgres.create("story")
    first = await told(postgres.url("story"), SMALL)
    again = await told(f"sqlite:///{tmp_path}/a.db", SMALL)
    assert first.figures == again.figures


async def test_a_bot_that_starts_on_it_finds_everything_in_order(tmp_path: Path) -> None:
    url = database_url(tmp_path)
    before = await told(url, replace(SMALL, until=datetime.now(UTC)))
    assert f"export DATABASE_URL={url} " in before.said
    async with running(tmp_path, {}) as program:
        await program.heard("reconciled")
        assert await program.end() == 0
    assert '"differences": {}' in program.said
    async with await open_store(url, FakeClock()) as store:
        after = await store.read(lambda tx: facts(tx, SMALL))
    assert (after.subscriptions, after.movements) == (before.subscriptions, before.movements)


async def test_a_database_with_accounts_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    async with await open_store(url, FakeClock()) as store:
        await store.transact(lambda tx: tx.lock_account(ALICE, TODAY))
        arguments = command_line().parse_args(["demo-data", "--database", url])
        assert await demo.demo_data(arguments, load_settings({}), TODAY, open_house) == 2
        assert await store.read(lambda tx: tx.count_accounts()) == 1
    assert "has accounts in it" in capsys.readouterr().err


async def test_what_goes_wrong_after_the_story_is_heard_again() -> None:
    log = logging.getLogger("tests.story")
    log.setLevel(logging.INFO)
    with demo.silenced(log):
        assert not log.isEnabledFor(logging.ERROR)
    assert log.level == logging.INFO


async def test_it_never_meets_stripe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}
    arguments = command_line().parse_args(["demo-data", "--database", f"sqlite:///{tmp_path}/chat.db"])
    assert await demo.demo_data(arguments, load_settings(keys), TODAY, open_house) == 2
    assert "STRIPE_SECRET_KEY is set" in capsys.readouterr().err
    assert not (tmp_path / "chat.db").exists()
