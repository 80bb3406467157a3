"""What was bought in simulation is marked as such, counts for no figure, and for nothing once there is a key.

Shown elsewhere: the words of each command over the simulation (tests/bot/test_affairs.py), its clock and
fates (tests/billing/test_simulated*.py), and reports that never mix worlds (tests/engine/test_reports.py).
"""

from __future__ import annotations

import pytest

from bot.commands import BY_NAME
from bot.front import Front, Request
from engine.catalogue import Catalogue
from engine.checkout import CheckoutLink, NothingToManage
from engine.domain import Interval, TierName
from engine.facts import Mode
from engine.figures import MovementKind
from engine.reports import Reports, last_days
from engine.subscriptions import Subscriptions
from tests.billing.conftest import TIERS
from tests.bot.counter import Counter, open_counter, simulated_counter
from tests.engine.conftest import ALICE, Hall
from tests.money.conftest import Till
from tests.money.scenarios.people import buys, customer, movements, mrr, notices

MARK = "SIMULATED"
COMMANDS: tuple[tuple[str, dict[str, str]], ...] = (
    ("upgrade", {"tier": "pro"}),
    ("upgrade", {"tier": "premium", "interval": "year"}),
    ("cancel", {}),
    ("billing", {}),
    ("plans", {}),
)


@pytest.fixture
async def simulated(till: Till) -> Counter:
    """A process without a key on the till's database, at which Alice has bought premium."""
    counter = simulated_counter(till.store, till.clock)
    await counter.buy(TierName.PREMIUM)
    return counter


def front(till: Till, counter: Counter) -> Front:
    """The bot at a counter."""
    hall = Hall(till.store, till.clock)
    hall.catalogue = counter.catalogue
    return counter.front(hall)


async def test_every_command_about_money_is_marked_in_simulation_and_only_there(
    till: Till, simulated: Counter
) -> None:
    await buys(till, ALICE)
    real = open_counter(till.store, till.clock, till.gateway, simulated.catalogue)
    for name, options in COMMANDS:
        request = Request(ALICE, BY_NAME[name], options, "local:1")
        for counter in (simulated, real):
            said = (await front(till, counter).run(request))[-1]
            assert (MARK in (said.direct or said).text) == (counter is simulated), name


async def test_a_key_makes_simulated_purchases_count_for_nothing(till: Till, simulated: Counter) -> None:
    (bought,) = await notices(till, ALICE)
    assert bought.simulated
    assert await mrr(till, ALICE, Mode.SIMULATED) > 0
    assert await till.tier() is TierName.FREE
    assert isinstance(await till.checkout.portal(ALICE), NothingToManage)
    assert isinstance(await till.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH), CheckoutLink)
    assert await customer(till, ALICE) != await customer(till, ALICE, Mode.SIMULATED)
    assert (await simulated.subscriptions.access(ALICE)).tier is TierName.PREMIUM


async def test_simulated_money_is_in_no_figure_of_real_money(till: Till, simulated: Counter) -> None:
    await buys(till, ALICE, TierName.PRO)
    assert simulated.subscriptions.simulated
    for mode, amount in ((Mode.TEST, 49_990_000), (Mode.SIMULATED, 8_990_000), (Mode.LIVE, 0)):
        reports = Reports(till.store, till.clock, Catalogue(TIERS, ()), mode)
        stats = await reports.get_subscription_stats(*last_days(30, till.clock.now()))
        assert stats.mode is mode
        assert [int(each.mrr) for each in stats.revenues] == [amount]
    moved = await movements(till, ALICE)
    assert [each.kind for each in moved] == [MovementKind.NEW]


async def test_a_process_with_a_key_does_no_work_of_the_simulation(till: Till, simulated: Counter) -> None:
    known, now = await simulated.subscription(), till.clock.now()
    await till.store.transact(lambda tx: tx.mark_dirty(Mode.SIMULATED, known.customer, now))
    await till.settle()
    await till.reconcile.run()
    await till.settle()
    assert [seen for seen in till.stripe.log if known.customer in str(seen.form)] == []
    waiting = Subscriptions(till.store, till.clock, simulated.billing)
    assert await waiting.work() == 1
    assert (await simulated.subscriptions.access(ALICE)).tier is TierName.PREMIUM
