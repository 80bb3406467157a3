"""Changing a subscription from chat, word for word, over the simulated Stripe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.commands import BY_NAME
from bot.front import Front, Request
from bot.reply import Reply
from engine.domain import Interval, Person, TierName
from engine.facts import DisputeStage, Mode
from engine.figures import FunnelStep
from engine.simulated import SimulatedDeed
from tests.bot.counter import Counter, simulated_counter
from tests.engine.conftest import ALICE, BOB, Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.fakes.clock import FakeClock

SIMULATED = "**SIMULATED**: no real money moves.\n\n"


class Desk:
    """Commands and buttons at a counter; what is said is remembered as the reply to press on."""

    def __init__(self, counter: Counter, front: Front) -> None:
        self.counter = counter
        self.front = front
        self.last = Reply("")

    async def run(self, name: str, who: Person = ALICE, **options: str) -> str:
        """The words of the last reply to a command, without the mark of the simulation."""
        return self._said(await self.front.run(Request(who, BY_NAME[name], options, "local:1")))

    async def press(self, label: str, who: Person = ALICE, on: Reply | None = None) -> str:
        """The same of a pressed button."""
        button = next(each for each in (on or self.last).buttons if each.label.startswith(label))
        assert button.action is not None
        return self._said(await self.front.press(who, button.action))

    def _said(self, replies: Sequence[Reply]) -> str:
        self.last = replies[-1]
        assert self.last.private
        shown = self.last.direct or self.last
        assert len(shown.text) < 2000
        return shown.text.removeprefix(SIMULATED)


@pytest.fixture
def desk(hall: Hall) -> Desk:
    """A desk over all four tiers."""
    counter = simulated_counter(hall.store, hall.clock)
    hall.catalogue = counter.catalogue
    return Desk(counter, counter.front(hall))


async def test_an_upgrade_says_what_it_costs_now_and_later_and_is_made_by_one_press(desk: Desk) -> None:
    await desk.counter.buy(TierName.PREMIUM)
    words = await desk.run("upgrade", tier="pro")
    assert words == (
        "**Premium → Pro**, from now on.\n"
        "Now: $41, what you have paid already taken off. Then $49.99 a month, from 24 December 2026.\n"
        "Confirm until 12:05 UTC."
    )
    assert [button.label for button in desk.last.buttons] == ["Confirm", "Not now"]
    done = await desk.press("Confirm")
    assert done == "Done: **Pro** is yours from now on, for $49.99 a month. `/usage` shows what it gives."


async def test_paying_by_the_year_says_when_the_next_year_is_due(desk: Desk) -> None:
    await desk.counter.buy(TierName.PREMIUM)
    words = await desk.run("upgrade", tier="premium", interval="year")
    assert words.startswith("**Premium by the month → Premium by the year**, from now on.\nNow: $80.01")
    assert "Then $89 a year, from 24 November 2027." in words


async def test_a_downgrade_is_planned_shown_and_taken_back(desk: Desk) -> None:
    await desk.counter.buy(TierName.PRO)
    words = await desk.run("upgrade", tier="premium")
    assert words.startswith(
        "**Pro → Premium**, from 24 December 2026. Until then everything stays as it is.\n"
        "Now: nothing. Then $8.99 a month, from 24 December 2026."
    )
    assert (await desk.press("Confirm")).startswith("Planned: **Premium** from 24 December 2026.")
    assert "Planned: Premium, from 24 December 2026. `/resume` takes that back" in await desk.run("usage")
    assert "Take that back first" in await desk.run("upgrade", tier="team")
    assert (await desk.press("Take it back")).startswith("Your **Pro** subscription goes on as it is.\n")
    assert await desk.press("Confirm") == "Done: your **Pro** subscription goes on as it is."
    assert "Planned" not in await desk.run("usage")


async def test_seats_are_counted_offered_and_shown(desk: Desk) -> None:
    await desk.counter.buy(TierName.TEAM)
    assert "Say how many" in await desk.run("seats")
    words = await desk.run("seats", count="8")
    assert words.startswith("**Team: 5 → 8 seats**, from now on.\nNow: $15,")
    assert "Then $44.99 a month, from 24 December 2026." in words
    assert (await desk.press("Confirm")).startswith("Done: **Team** with 8 seats is yours")
    assert "Seats: 8" in await desk.run("usage")
    assert "includes 5 seats" in await desk.run("seats", count="4")
    assert "operator" in await desk.run("seats", count="999999")


async def test_a_cancellation_is_confirmed_dated_and_taken_back(desk: Desk) -> None:
    await desk.counter.buy(TierName.PREMIUM)
    words = await desk.run("cancel")
    assert words.startswith("Your **Premium** subscription ends on 24 December 2026. You keep it until then;")
    assert "Now: nothing. Later: nothing more." in words
    assert (await desk.press("Confirm")).startswith("Your **Premium** subscription ends on 24 December 2026.")
    shown = await desk.run("usage")
    assert "**Premium** tier, ends on 24 December 2026\nCancelled: `/resume` takes that back" in shown
    assert "It is so already" in await desk.run("cancel")
    assert "Take that back first" in await desk.run("upgrade", tier="pro")
    await desk.run("resume")
    assert "goes on as it is" in await desk.press("Confirm")
    assert "renews on 24 December 2026" in await desk.run("usage")
    assert "nothing to take back" in await desk.run("resume")


async def test_not_now_leaves_everything_as_it_is(desk: Desk) -> None:
    await desk.counter.buy(TierName.PREMIUM)
    await desk.run("upgrade", tier="pro")
    offer = desk.last
    assert await desk.press("Not now") == "Everything stays as it is."
    assert "That offer is over" in await desk.press("Confirm", on=offer)
    assert (await desk.counter.read()).tier is TierName.PREMIUM


async def test_an_expired_offer_leads_to_a_new_one(desk: Desk, clock: FakeClock) -> None:
    await desk.counter.buy(TierName.PREMIUM)
    await desk.run("upgrade", tier="pro")
    clock.advance(timedelta(minutes=6))
    assert "That offer is over, and nothing was changed." in await desk.press("Confirm")
    assert "**Premium → Pro**" in await desk.press("Look anew")
    assert "Done" in await desk.press("Confirm")


async def test_an_overtaken_offer_leads_to_a_new_one(desk: Desk) -> None:
    await desk.counter.buy(TierName.PREMIUM)
    await desk.run("upgrade", tier="pro")
    old = desk.last
    await desk.run("upgrade", tier="team")
    await desk.press("Confirm")
    assert "has changed since" in await desk.press("Confirm", on=old)
    assert "**Team → Pro**" in await desk.press("Look anew")


async def test_pressing_twice_says_the_same_and_charges_once(desk: Desk) -> None:
    await desk.counter.buy(TierName.PREMIUM)
    await desk.run("upgrade", tier="pro")
    offer = desk.last
    assert await desk.press("Confirm", on=offer) == await desk.press("Confirm", on=offer)


async def test_nobody_else_can_confirm_or_decline(desk: Desk) -> None:
    await desk.counter.buy(TierName.PREMIUM)
    await desk.run("upgrade", tier="pro")
    offer = desk.last
    assert "whoever asked" in await desk.press("Confirm", BOB, on=offer)
    await desk.press("Not now", BOB, on=offer)
    assert "Done" in await desk.press("Confirm", on=offer)


async def test_a_declined_card_keeps_the_tier_and_sends_the_invoice_by_dm(desk: Desk) -> None:
    await desk.counter.buy(TierName.PREMIUM)
    await desk.run("upgrade", tier="pro")
    await desk.counter.refuse_card()
    words = await desk.press("Confirm")
    assert "You keep **Premium** as it is" in words
    assert desk.last.direct is not None
    assert "http" not in desk.last.text
    assert desk.last.direct.buttons[0].label == "Pay the invoice"
    assert "A change waits for its payment" in await desk.run("usage")
    assert "waits for its payment" in await desk.run("upgrade", tier="team")
    await desk.run("billing")
    assert desk.last.direct.buttons[0].label == "Pay the open invoice"


async def test_a_failing_payment_leads_to_the_portal_and_its_invoice(desk: Desk) -> None:
    await desk.counter.buy(TierName.PREMIUM)
    await desk.counter.play(SimulatedDeed.FAIL_PAYMENT)
    words = await desk.run("upgrade", tier="pro")
    assert "the last payment failed, kept until 8 December 2026" in words
    assert "never charged twice" in words
    assert "Changes can follow" in await desk.run("cancel")
    await desk.press("Open billing portal")
    assert desk.last.direct is not None
    labels = [button.label for button in desk.last.direct.buttons]
    assert labels == ["Pay the open invoice", "Open billing portal"]
    assert "mend it with `/billing`" in await desk.run("usage")


async def test_whoever_disputes_a_payment_is_told_and_can_buy_nothing(desk: Desk) -> None:
    await desk.counter.buy(TierName.PREMIUM)
    await desk.counter.dispute(DisputeStage.OPEN)
    assert "disputed at your bank" in await desk.run("upgrade", tier="pro")
    assert "disputed at your bank" in await desk.run("cancel")
    assert "a payment is disputed" in await desk.run("usage")


@pytest.mark.parametrize("name", ["cancel", "resume"])
async def test_without_a_subscription_there_is_nothing_to_change(desk: Desk, name: str) -> None:
    assert "no subscription that could be changed" in await desk.run(name)
    assert "**Premium**" in await desk.press("Compare plans")


async def test_plans_offer_what_is_paid_as_often_as_now(desk: Desk) -> None:
    await desk.counter.buy(TierName.PREMIUM, Interval.YEAR)
    await desk.run("plans")
    assert [button.action for button in desk.last.buttons] == ["upgrade:team:year", "upgrade:pro:year"]
    assert "**Premium → Team**" in await desk.press("Team")


async def test_plans_tell_what_seats_there_are(desk: Desk) -> None:
    assert "· 5 seats, more at $5 a month each ·" in await desk.run("plans")


async def test_cancelling_does_not_forgive_what_was_used_beyond_pro(desk: Desk) -> None:
    await desk.counter.buy(TierName.PRO)
    await desk.run("overage", switch="on", cap="20")
    await desk.press("Confirm")
    assert "nothing more but what you have used beyond" in await desk.run("cancel")


async def test_use_beyond_pro_is_explained_agreed_to_and_ended(desk: Desk) -> None:
    assert "Only **Pro**" in await desk.run("overage")
    await desk.counter.buy(TierName.PRO)
    assert "Beyond that: off" in await desk.run("overage")
    assert "Say the most" in await desk.run("overage", switch="on")
    words = await desk.run("overage", switch="on", cap="20")
    assert "Pro includes $30 of model cost a month. Beyond that, each further $1 costs you $1.25" in words
    assert "never more than $20 in a month" in words
    assert "for at most $20 a month" in await desk.press("Confirm")
    shown = await desk.run("usage")
    assert "Included this month: $0 of $30" in shown
    assert "Beyond that: $0 so far of at most $20 a month, new on 1 December 2026" in shown
    assert "never more than $12.50" in await desk.run("overage", switch="on", cap="12.50")
    await desk.run("overage")
    assert "is off" in await desk.press("Switch it off")
    assert "Beyond that: off" in await desk.run("usage")


@pytest.mark.parametrize(
    "action", ["confirm:x", "decline:x", "seats:x", "overage:on:x", "overage:on:0", "nothing:x"]
)
async def test_buttons_nobody_made_do_no_harm(desk: Desk, action: str) -> None:
    await desk.counter.buy(TierName.PRO)
    for reply in await desk.front.press(ALICE, action):
        assert reply.text
    assert (await desk.counter.subscription()).metered_item is None


async def test_shown_prices_and_opened_checkouts_count_in_the_funnel_once(desk: Desk) -> None:
    for _ in range(2):
        await desk.run("plans")
        await desk.press("Premium")
    now = desk.counter.clock.now()
    reached = await desk.counter.store.read(
        lambda tx: dict(tx.reached(Mode.SIMULATED, now, now + timedelta(seconds=1)))
    )
    assert (reached[FunnelStep.PAYWALL_SHOWN], reached[FunnelStep.CHECKOUT_OPENED]) == (1, 1)
