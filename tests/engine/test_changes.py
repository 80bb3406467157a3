"""Changes of a running subscription: proposed with their price, confirmed by their person, done once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from engine.changes import Changes, Confirmed, Expired, NotYours, Proposed, Refused
from engine.checkout import Blocked
from engine.domain import AccountId, Interval, Micros, Person, TierName
from engine.errors import TryAgainError
from engine.facts import DisputeStage
from engine.simulated import SimulatedDeed
from engine.terms import ChangeKind, ChangeOrder, ChangeResult, ChangeState, ProposalId, Timing
from engine.wishes import Obstacle
from storage.store import Store
from tests.bot.counter import Counter, simulated_counter
from tests.engine.conftest import ALICE, BOB
from tests.fakes.clock import FakeClock


@pytest.fixture
def counter(store: Store, clock: FakeClock) -> Counter:
    """A counter over the simulated Stripe."""
    return simulated_counter(store, clock)


async def proposed(
    counter: Counter,
    kind: ChangeKind = ChangeKind.SWITCH,
    tier: TierName | None = None,
    interval: Interval | None = None,
    quantity: int | None = None,
) -> Proposed:
    """A proposal to Alice."""
    found = await counter.changes.propose(ALICE, kind, tier, interval, quantity)
    assert isinstance(found, Proposed), found
    return found


async def obstacle(counter: Counter, kind: ChangeKind, *wish: object) -> Obstacle:
    """Why nothing is proposed to Alice."""
    found = await counter.changes.propose(ALICE, kind, *wish)  # type: ignore[arg-type]
    assert isinstance(found, Refused), found
    return found.obstacle


async def confirmed(counter: Counter, found: Proposed, person: Person = ALICE) -> Confirmed:
    """What becomes of a proposal that is confirmed."""
    outcome = await counter.changes.confirm(person, found.proposal.id)
    assert isinstance(outcome, Confirmed), outcome
    return outcome


async def test_an_upgrade_keeps_the_interval_and_costs_the_difference_at_once(counter: Counter) -> None:
    sub = await counter.buy(TierName.PREMIUM)
    found = await proposed(counter, tier=TierName.PRO)
    preview = found.proposal.preview
    assert (preview.timing, preview.due_now, preview.recurring) == (Timing.NOW, 41_000_000, 49_990_000)
    assert found.proposal.wish.interval is Interval.MONTH
    assert found.first_due == sub.period_end
    assert (await counter.read()).tier is TierName.PREMIUM
    outcome = await confirmed(counter, found)
    assert (outcome.result.state, outcome.shown) == (ChangeState.DONE, True)
    assert (await counter.subscriptions.access(ALICE)).tier is TierName.PRO


async def test_a_year_begins_anew_and_is_due_again_a_year_later(counter: Counter) -> None:
    await counter.buy(TierName.PREMIUM)
    found = await proposed(counter, interval=Interval.YEAR)
    assert found.proposal.wish.tier is TierName.PREMIUM
    assert found.first_due == counter.clock.now().replace(year=2027)
    await confirmed(counter, found)
    assert (await counter.subscription()).interval is Interval.YEAR


@pytest.mark.parametrize(
    ("bought", "wish"),
    [
        ((TierName.PRO, Interval.MONTH), (TierName.PREMIUM, None)),
        ((TierName.PREMIUM, Interval.YEAR), (None, Interval.MONTH)),
    ],
)
async def test_less_is_planned_for_the_end_of_what_is_paid(
    counter: Counter,
    bought: tuple[TierName, Interval],
    wish: tuple[TierName | None, Interval | None],
) -> None:
    sub = await counter.buy(*bought)
    found = await proposed(counter, ChangeKind.SWITCH, *wish)
    assert (found.proposal.preview.due_now, found.first_due) == (0, sub.period_end)
    outcome = await confirmed(counter, found)
    assert (outcome.result.state, outcome.shown) == (ChangeState.PLANNED, True)
    planned = (await counter.subscription()).planned
    assert planned is not None
    assert planned.at == sub.period_end
    assert (await counter.subscriptions.access(ALICE)).tier is bought[0]


async def test_seats_are_added_at_once_and_taken_away_at_the_end(counter: Counter) -> None:
    sub = await counter.buy(TierName.TEAM)
    assert sub.quantity == 5
    more = await proposed(counter, ChangeKind.SEATS, quantity=8)
    assert (more.proposal.preview.due_now, more.proposal.preview.recurring) == (15_000_000, 44_990_000)
    await confirmed(counter, more)
    assert (await counter.subscription()).quantity == 8
    fewer = await proposed(counter, ChangeKind.SEATS, quantity=6)
    assert (await confirmed(counter, fewer)).result.state is ChangeState.PLANNED
    assert (await counter.subscription()).quantity == 8


async def test_seats_stay_when_a_team_is_paid_by_the_year(counter: Counter) -> None:
    await counter.buy(TierName.TEAM)
    await confirmed(counter, await proposed(counter, ChangeKind.SEATS, quantity=8))
    found = await proposed(counter, interval=Interval.YEAR)
    assert found.proposal.wish.quantity == 8
    assert found.proposal.preview.recurring == 449_000_000


async def test_a_cancellation_leaves_the_paid_time_and_can_be_taken_back(counter: Counter) -> None:
    sub = await counter.buy(TierName.PREMIUM)
    ending = await confirmed(counter, await proposed(counter, ChangeKind.CANCEL))
    assert ending.shown
    assert (await counter.subscription()).cancel_at == sub.period_end
    assert (await counter.subscriptions.access(ALICE)).tier is TierName.PREMIUM
    assert await obstacle(counter, ChangeKind.CANCEL) is Obstacle.ALREADY_SO
    assert await obstacle(counter, ChangeKind.SWITCH, TierName.PRO) is Obstacle.ENDING
    assert (await confirmed(counter, await proposed(counter, ChangeKind.RESUME))).shown
    assert (await counter.subscription()).cancel_at is None


async def test_asking_for_what_one_has_takes_back_what_would_change_it(counter: Counter) -> None:
    await counter.buy(TierName.PRO)
    await confirmed(counter, await proposed(counter, tier=TierName.PREMIUM))
    assert await obstacle(counter, ChangeKind.SWITCH, TierName.PREMIUM) is Obstacle.ALREADY_SO
    assert await obstacle(counter, ChangeKind.SWITCH, TierName.TEAM) is Obstacle.PLANNED
    back = await proposed(counter, tier=TierName.PRO)
    assert back.proposal.wish.kind is ChangeKind.RESUME
    assert (await confirmed(counter, back)).shown
    assert (await counter.subscription()).planned is None


async def test_free_is_had_by_cancelling(counter: Counter) -> None:
    await counter.buy(TierName.PREMIUM)
    found = await proposed(counter, tier=TierName.FREE)
    assert found.proposal.wish.kind is ChangeKind.CANCEL


async def test_nothing_is_proposed_without_a_subscription(counter: Counter) -> None:
    for kind in (ChangeKind.SWITCH, ChangeKind.SEATS, ChangeKind.CANCEL, ChangeKind.RESUME):
        assert await obstacle(counter, kind, TierName.PRO) is Obstacle.NOTHING_RUNNING


@pytest.mark.parametrize(
    ("bought", "kind", "wish", "why"),
    [
        (TierName.PREMIUM, ChangeKind.SWITCH, (TierName.PREMIUM,), Obstacle.ALREADY_SO),
        (TierName.PREMIUM, ChangeKind.SEATS, (None, None, 3), Obstacle.NO_EXTRA_SEATS),
        (TierName.TEAM, ChangeKind.SEATS, (None, None, 4), Obstacle.TOO_FEW_SEATS),
        (TierName.TEAM, ChangeKind.SEATS, (None, None, 501), Obstacle.TOO_MANY_SEATS),
        (TierName.TEAM, ChangeKind.SEATS, (None, None, 5), Obstacle.ALREADY_SO),
        (TierName.PREMIUM, ChangeKind.RESUME, (), Obstacle.NOTHING_TO_RESUME),
    ],
)
async def test_what_cannot_be_is_refused_with_its_reason(
    counter: Counter, bought: TierName, kind: ChangeKind, wish: tuple[object, ...], why: Obstacle
) -> None:
    await counter.buy(bought)
    assert await obstacle(counter, kind, *wish) is why


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        (SimulatedDeed.FAIL_PAYMENT, Obstacle.PAYMENT_FAILING),
        (SimulatedDeed.EXPIRE, Obstacle.NOTHING_RUNNING),
    ],
)
async def test_nothing_is_proposed_while_payments_fail_or_all_is_over(
    counter: Counter, deed: SimulatedDeed, why: Obstacle
) -> None:
    await counter.buy(TierName.PREMIUM)
    await counter.play(deed)
    assert await obstacle(counter, ChangeKind.SWITCH, TierName.PRO) is why


@pytest.mark.parametrize("stage", [DisputeStage.OPEN, DisputeStage.LOST])
async def test_nothing_is_proposed_nor_sold_while_a_payment_is_disputed(
    counter: Counter, stage: DisputeStage
) -> None:
    await counter.buy(TierName.PREMIUM)
    await counter.dispute(stage)
    assert await obstacle(counter, ChangeKind.SWITCH, TierName.PRO) is Obstacle.DISPUTED
    assert await counter.checkout.upgrade(ALICE, TierName.PRO, Interval.MONTH) == Blocked()


async def test_an_inquiry_is_in_nobodys_way(counter: Counter) -> None:
    await counter.buy(TierName.PREMIUM)
    await counter.dispute(DisputeStage.INQUIRY)
    await proposed(counter, tier=TierName.PRO)


async def test_a_proposal_is_its_persons_alone(counter: Counter) -> None:
    await counter.buy(TierName.PREMIUM)
    found = await proposed(counter, tier=TierName.PRO)
    assert await counter.changes.confirm(BOB, found.proposal.id) == NotYours()
    assert await counter.changes.confirm(ALICE, ProposalId("nonsense")) == NotYours()
    assert not await counter.changes.decline(BOB, found.proposal.id)
    assert (await confirmed(counter, found)).shown


async def test_a_proposal_lasts_five_minutes(counter: Counter, clock: FakeClock) -> None:
    await counter.buy(TierName.PREMIUM)
    found = await proposed(counter, tier=TierName.PRO)
    clock.advance(timedelta(minutes=5))
    assert isinstance(await counter.changes.confirm(ALICE, found.proposal.id), Expired)
    assert (await counter.subscription()).tier is TierName.PREMIUM


async def test_a_declined_proposal_cannot_be_confirmed(counter: Counter) -> None:
    await counter.buy(TierName.PREMIUM)
    found = await proposed(counter, tier=TierName.PRO)
    assert await counter.changes.decline(ALICE, found.proposal.id)
    assert isinstance(await counter.changes.confirm(ALICE, found.proposal.id), Expired)


class Recording:
    """A billing that notes its orders, and may break before or after one."""

    def __init__(self, counter: Counter) -> None:
        self._billing = counter.simulated
        self.orders: list[ChangeOrder] = []
        self.breaks: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._billing, name)

    async def change_subscription(self, order: ChangeOrder) -> ChangeResult:
        """Note the order and pass it on."""
        self.orders.append(order)
        broken = self.breaks.pop(0) if self.breaks else ""
        if broken == "before":
            raise TryAgainError("lost on the way")
        result = await self._billing.change_subscription(order)
        if broken == "after":
            raise TryAgainError("lost on the way back")
        return result


def recording(counter: Counter, flushed: list[AccountId] | None = None) -> tuple[Changes, Recording]:
    """Changes whose orders are noted."""
    billing = Recording(counter)

    async def flush(account: AccountId) -> None:
        if flushed is not None:
            flushed.append(account)

    found = Changes(
        counter.store,
        counter.clock,
        billing,  # type: ignore[arg-type]
        counter.catalogue,
        counter.subscriptions,
        flush,
    )
    return found, billing


async def test_a_second_press_is_the_same_order_with_the_same_result(counter: Counter) -> None:
    await counter.buy(TierName.PREMIUM)
    found = await proposed(counter, tier=TierName.PRO)
    changes, billing = recording(counter)
    first, second = await asyncio.gather(
        changes.confirm(ALICE, found.proposal.id), changes.confirm(ALICE, found.proposal.id)
    )
    third = await changes.confirm(ALICE, found.proposal.id)
    assert {order.key for order in billing.orders} == {f"chg-{found.proposal.id}"}
    assert isinstance(third, Confirmed)
    assert isinstance(first, Confirmed)
    assert isinstance(second, Confirmed)
    assert {each.result.state for each in (first, second, third)} == {ChangeState.DONE}
    assert len(billing.orders) <= 2


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_call_that_broke_is_made_good_by_pressing_again(counter: Counter, moment: str) -> None:
    await counter.buy(TierName.PREMIUM)
    found = await proposed(counter, tier=TierName.PRO)
    changes, billing = recording(counter)
    billing.breaks = [moment]
    with pytest.raises(TryAgainError):
        await changes.confirm(ALICE, found.proposal.id)
    outcome = await changes.confirm(ALICE, found.proposal.id)
    assert isinstance(outcome, Confirmed)
    assert (outcome.result.state, outcome.shown) == (ChangeState.DONE, True)
    assert billing.orders[0].key == billing.orders[-1].key


async def test_a_confirmed_order_is_not_sent_again_once_its_key_may_be_forgotten(
    counter: Counter, clock: FakeClock
) -> None:
    await counter.buy(TierName.PREMIUM)
    found = await proposed(counter, tier=TierName.PRO)
    changes, billing = recording(counter)
    billing.breaks = ["before"]
    with pytest.raises(TryAgainError):
        await changes.confirm(ALICE, found.proposal.id)
    clock.advance(timedelta(hours=13))
    assert isinstance(await changes.confirm(ALICE, found.proposal.id), Expired)
    assert len(billing.orders) == 1


async def test_of_two_proposals_at_once_the_second_is_outdated(counter: Counter) -> None:
    await counter.buy(TierName.PREMIUM)
    pro, team = await proposed(counter, tier=TierName.PRO), await proposed(counter, tier=TierName.TEAM)
    assert (await confirmed(counter, pro)).shown
    outcome = await confirmed(counter, team)
    assert (outcome.result.state, outcome.shown) == (ChangeState.OUTDATED, False)
    assert (await counter.subscription()).tier is TierName.PRO
    assert isinstance(await counter.changes.confirm(ALICE, team.proposal.id), Expired)


async def test_the_same_proposal_made_twice_is_carried_out_once(counter: Counter) -> None:
    await counter.buy(TierName.PREMIUM)
    one, two = await proposed(counter, tier=TierName.PRO), await proposed(counter, tier=TierName.PRO)
    changes, billing = recording(counter)
    outcomes = [await changes.confirm(ALICE, each.proposal.id) for each in (one, two)]
    assert all(isinstance(each, Confirmed) and each.shown for each in outcomes)
    assert len(billing.orders) == 1


async def test_a_declined_card_leaves_the_old_tier_and_says_where_to_pay(counter: Counter) -> None:
    await counter.buy(TierName.PREMIUM)
    found = await proposed(counter, tier=TierName.PRO)
    await counter.refuse_card()
    outcome, again = await confirmed(counter, found), await confirmed(counter, found)
    assert (outcome.result.state, outcome.shown) == (ChangeState.PAYMENT_NEEDED, False)
    assert outcome.result == again.result
    assert outcome.result.pay_url is not None
    assert (await counter.read()).tier is TierName.PREMIUM
    assert await obstacle(counter, ChangeKind.SWITCH, TierName.TEAM) is Obstacle.PAYMENT_PENDING
    await counter.simulated.pay_invoice(outcome.result.pay_url.rpartition("/")[2])
    await counter.read()
    paid = await confirmed(counter, found)
    assert (paid.result.state, paid.shown) == (ChangeState.DONE, True)


async def test_use_is_reported_before_the_item_that_carries_it_goes(counter: Counter) -> None:
    await counter.buy(TierName.PRO)
    await counter.meter.agree(ALICE, Micros(20_000_000))
    flushed: list[AccountId] = []
    changes, _ = recording(counter, flushed)
    seats = await changes.propose(ALICE, ChangeKind.SWITCH, None, Interval.YEAR)
    assert isinstance(seats, Proposed)
    await changes.confirm(ALICE, seats.proposal.id)
    assert flushed == []
    down = await changes.propose(ALICE, ChangeKind.SWITCH, TierName.PREMIUM)
    assert isinstance(down, Proposed)
    await changes.confirm(ALICE, down.proposal.id)
    assert flushed == [down.proposal.account]
