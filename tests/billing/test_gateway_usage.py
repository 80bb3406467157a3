"""Metered use: told once however often it is sent, within its hour, and read back by whole hours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from billing.gateway import StripeGateway
from engine.domain import AccountId
from engine.errors import TellOperatorError, TryAgainError
from engine.facts import CustomerId, Mode
from engine.terms import UsageReport
from tests.billing.orders import USAGE_CENTS
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe, FaultKind

EVENTS = "POST /v1/billing/meter_events"
HOUR = timedelta(hours=1)


@pytest.fixture
def metered(fake: FakeStripe) -> FakeStripe:
    """The fake with a meter and pro's metered price."""
    fake.drive.stock({}, usage_cents=USAGE_CENTS)
    return fake


def sealed(clock: FakeClock, customer: str, units: int = 70, seq: int = 0, ago: int = 1) -> UsageReport:
    """A report of the hour so many hours ago, sealed five minutes after it."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0) - ago * HOUR
    return UsageReport(
        identifier=f"test:si_1:{int(hour.timestamp())}:{seq}",
        account=AccountId("account-1"),
        mode=Mode.TEST,
        customer=CustomerId(customer),
        hour=hour,
        units=units,
        sealed_at=hour + HOUR + timedelta(minutes=5),
    )


async def test_a_report_is_counted_once_however_often_it_is_sent(
    metered: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str
) -> None:
    report = sealed(clock, customer)
    await gateway.report_usage(report)
    await gateway.report_usage(report)
    await gateway.report_usage(sealed(clock, customer, units=5, seq=1))
    assert metered.drive.metered(customer) == 75
    sent = [seen.form for seen in metered.log if seen.route == EVENTS]
    assert sent[0]["payload"] == {"stripe_customer_id": customer, "value": "70"}
    late = int((report.hour + HOUR).timestamp()) - 1
    assert (sent[0]["timestamp"], sent[0]["identifier"]) == (str(late), report.identifier)


@pytest.mark.parametrize("kind", [FaultKind.LOSE, FaultKind.CUT])
async def test_a_report_whose_answer_was_lost_is_as_good_as_told(
    metered: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str, kind: FaultKind
) -> None:
    report = sealed(clock, customer)
    metered.faults.add(kind, EVENTS, times=3)
    with pytest.raises(TryAgainError):
        await gateway.report_usage(report)
    await gateway.report_usage(report)
    assert metered.drive.metered(customer) == 70


async def test_a_report_that_stripe_will_never_take_is_the_operators_to_see(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str
) -> None:
    with pytest.raises(TellOperatorError, match="No active meter"):
        await gateway.report_usage(sealed(clock, customer))
    fake.drive.stock({}, usage_cents=USAGE_CENTS)
    with pytest.raises(TellOperatorError, match="35 calendar days"):
        await gateway.report_usage(sealed(clock, customer, ago=36 * 24))
    await gateway.report_usage(sealed(clock, customer))


async def test_the_meter_is_read_by_whole_hours_of_one_customer(
    metered: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str
) -> None:
    other = await gateway.create_customer("account-2", 0)
    for ago, units in ((1, 10), (2, 20), (150, 40)):
        await gateway.report_usage(sealed(clock, customer, units, ago=ago))
    await gateway.report_usage(sealed(clock, other, 999))
    now: datetime = clock.now()

    async def between(first: float, last: float) -> int:
        return await gateway.reported_usage(CustomerId(customer), now - first * HOUR, now - last * HOUR)

    assert await between(200, 0) == 70
    assert await between(2, 0) == 30
    assert await between(2, 1) == 20
    assert await between(1.5, 1) == 20
    assert await between(0.5, 0.5) == 0
    assert metered.count("GET /v1/billing/meters") == 1


async def test_a_meter_that_is_not_there_is_the_operators_to_make(
    gateway: StripeGateway, clock: FakeClock, customer: str
) -> None:
    with pytest.raises(TellOperatorError, match="no active meter for multi_llm_chat_usage"):
        await gateway.reported_usage(CustomerId(customer), clock.now() - HOUR, clock.now())
