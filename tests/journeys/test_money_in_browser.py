"""Members and their money in a browser, on simulated payments: trouble, second thoughts, and more of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.journeys.visit import Visit, visiting
from tests.program import free_port, running

pytestmark = pytest.mark.browser


@pytest.fixture
def variables() -> Mapping[str, str]:
    """A port that the links lead to."""
    return {"PORT": str(free_port())}


async def test_a_member_gets_over_a_failed_payment_and_thinks_twice_about_leaving(
    tmp_path: Path, variables: Mapping[str, str]
) -> None:
    base = f"http://127.0.0.1:{variables['PORT']}"
    async with running(tmp_path, variables), visiting(base, tmp_path) as visit:
        await buy(visit, "alice", "Premium", "$8.99")
        portal = await fail(visit)
        await recover(visit, portal)
        await leave_and_come_back(visit)


async def test_members_buy_seats_and_agree_to_pay_for_more_use(
    tmp_path: Path, variables: Mapping[str, str]
) -> None:
    base = f"http://127.0.0.1:{variables['PORT']}"
    async with running(tmp_path, variables), visiting(base, tmp_path) as visit:
        await buy(visit, "bob", "Team", "$29.99")
        await add_seats(visit)
        await buy(visit, "carol", "Pro", "$49.99")
        await go_on_beyond_what_is_included(visit)


async def buy(visit: Visit, person: str, tier: str, price: str) -> None:
    """Become somebody and buy a tier."""
    await visit.become(person)
    await visit.enter("Assistant")
    await visit.hear(f"/upgrade {tier.lower()} month")
    checkout = await visit.follow(visit.page.get_by_role("link", name=f"Pay {price} a month"))
    await checkout.get_by_role("button", name=f"Pay {price}").click()
    await expect(checkout.get_by_role("heading", name=f"{tier} is yours")).to_be_visible()
    await checkout.close()
    await told(visit, f"The {tier} tier is yours")
    await expect(visit.page.locator("#self .tier")).to_have_text(tier)


async def fail(visit: Visit) -> Page:
    """Let a payment fail on the portal's page, and be told until when the tier stays; the portal."""
    billing = await visit.hear("/billing")
    portal = await visit.follow(billing.get_by_role("link", name="Open billing portal"))
    await portal.get_by_role("button", name="Fail a payment").click()
    await expect(portal.get_by_text("past due")).to_be_visible()
    await visit.picture("money-1-portal", portal)
    await visit.page.bring_to_front()  # a browser lets pages wait that nobody looks at
    await told(visit, "A payment for Premium failed. You keep your tier until")
    await expect(await visit.hear("/usage")).to_contain_text("the last payment failed, kept until")
    await visit.picture("money-2-failed")
    return portal


async def recover(visit: Visit, portal: Page) -> None:
    """Give another card, and everything is as it was."""
    await portal.get_by_role("button", name="New card").click()
    await expect(portal.get_by_text("past due")).to_have_count(0)
    await portal.close()
    await told(visit, "Your Premium subscription is paid until")
    await expect(await visit.hear("/usage")).to_contain_text("Premium tier, renews on")


async def leave_and_come_back(visit: Visit) -> None:
    """Cancel with a button, see until when it lasts, and take that back."""
    asked = await visit.hear("/cancel")
    await expect(asked).to_contain_text("Now: nothing. Later: nothing more.")
    await visit.picture("money-3-cancel")
    await asked.get_by_role("button", name="Confirm").click()
    await told(visit, "Your Premium subscription is cancelled. You keep it until")
    await expect(await visit.hear("/usage")).to_contain_text("Premium tier, ends on")
    again = await visit.hear("/resume")
    await expect(again).to_contain_text("Then $8.99 a month")
    await again.get_by_role("button", name="Confirm").click()
    await told(visit, "Your Premium subscription goes on as it is")
    await expect(await visit.hear("/usage")).to_contain_text("Premium tier, renews on")


async def add_seats(visit: Visit) -> None:
    """See what two seats more cost, and buy them."""
    asked = await visit.hear("/seats 7")
    await expect(asked).to_contain_text("Team: 5 → 7 seats, from now on.")
    await expect(asked).to_contain_text("Now: $10, what you have paid already taken off. Then $39.99 a month")
    await visit.picture("money-4-seats")
    await asked.get_by_role("button", name="Confirm").click()
    await told(visit, "Done: Team with 7 seats is yours from now on, for $39.99 a month.")
    await expect(await visit.hear("/usage")).to_contain_text("Seats: 7")


async def go_on_beyond_what_is_included(visit: Visit) -> None:
    """Agree to pay for more use up to a cap, and see what it costs so far."""
    asked = await visit.hear("/overage on 20")
    await expect(asked).to_contain_text(
        "each further $1 costs you $1.25, before tax, and never more than $20"
    )
    await asked.get_by_role("button", name="Confirm").click()
    await told(visit, "Done: when what Pro includes is used up, you go on, for at most $20 a month.")
    usage = await visit.hear("/usage")
    await expect(usage).to_contain_text("Included this month: $0 of $30")
    await expect(usage).to_contain_text("Beyond that: $0 so far of at most $20 a month")
    await visit.picture("money-5-overage")


async def told(visit: Visit, words: str) -> None:
    """Wait until the bot says this."""
    await expect(visit.page.locator(".message.bot", has_text=words).last).to_be_visible()
