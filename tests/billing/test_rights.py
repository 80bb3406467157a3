"""Every call that billing makes is covered by a right that the guide tells operators to give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from billing.reading import LISTED
from billing.rights import PROBES, Right
from billing.snapshots import EXPANDED
from tests.pages import read_pages

BILLING = Path(__file__).parents[2] / "billing"
CALL = re.compile(r"([a-z0-9_.]+)(?<!_http)\.([a-z_]+)_async\b")
BEGINNINGS = {
    "schedules": "subscription_schedules.",
    "usage": "billing.",
}
"""What `self._api` stands for, where it is less than all of `v1`."""
PASSED = {"service": ("disputes", "charges", "refunds"), "destinations": ("event_destinations",)}
"""What calls made through a name are about."""

RIGHTS = {
    "billing.meter_events": Right.METER_EVENTS,
    "billing.meters": Right.METERS,
    "billing.meters.event_summaries": Right.METERS,
    "billing_portal.configurations": Right.PORTAL,
    "billing_portal.sessions": Right.PORTAL,
    "charges": Right.CHARGES,
    "checkout.sessions": Right.CHECKOUT,
    "coupons": Right.COUPONS,
    "customers": Right.CUSTOMERS,
    "disputes": Right.DISPUTES,
    "event_destinations": Right.DESTINATIONS,
    "events": Right.EVENTS,
    "invoice_payments": Right.INVOICES,
    "invoices": Right.INVOICES,
    "payment_methods": Right.PAYMENT_METHODS,
    "prices": Right.PRICES,
    "products": Right.PRODUCTS,
    "refunds": Right.CHARGES,
    "subscription_schedules": Right.SUBSCRIPTIONS,
    "subscriptions": Right.SUBSCRIPTIONS,
    "webhook_endpoints": Right.ENDPOINTS,
}
"""Which right each of the SDK's services needs (docs.stripe.com/keys/permissions-reference)."""
EXPANSIONS = {
    "coupon": Right.COUPONS,
    "customer": Right.CUSTOMERS,
    "default_payment_method": Right.PAYMENT_METHODS,
    "discounts": Right.COUPONS,
    "latest_invoice": Right.INVOICES,
    "schedule": Right.SUBSCRIPTIONS,
}
INLINE = {"data", "invoice_settings", "source"}
"""Parts of a path that are no objects of their own."""
READS = frozenset({"list", "retrieve", "search"})


def services(module: str, chain: str) -> tuple[str, ...]:
    """The services that a chain of names in a module leads to."""
    for known in ("sdk.v1.", "sdk.v2.core."):
        if known in chain:
            return (chain.partition(known)[2],)
    if chain.startswith("self._api"):
        inner = chain.removeprefix("self._api").lstrip(".")
        return ((BEGINNINGS.get(module, "") + inner).rstrip("."),)
    return PASSED[chain]


def calls() -> Iterator[tuple[bool, Right, bool]]:
    """Every call: whether the set-up makes it, the right it needs, and whether that is to write."""
    for path in sorted(BILLING.glob("*.py")):
        for chain, verb in CALL.findall(path.read_text()):
            for service in services(path.stem, chain):
                yield path.stem.startswith("setup_"), RIGHTS[service], verb not in READS


def told() -> dict[str, tuple[str, str]]:
    """The guide's table: what the bot and the set-up are given of each right."""
    [guide] = [page for page in read_pages(BILLING.parent) if str(page.path) == "docs/billing.md"]
    section = guide.section("Rights of a restricted key")
    rows = (line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `"))
    return {cells[0].strip(" `"): (cells[1].strip(), cells[2].strip()) for cells in rows}


@pytest.mark.parametrize("right", Right)
def test_a_right_is_given_for_every_call_and_writes_only_where_something_is_written(right: Right) -> None:
    needs = {(by_setup, writes) for by_setup, needed, writes in calls() if needed is right}
    running, setting_up = told()[right]
    assert needs
    assert running in {"Read", "Write"}  # the doctor reads with the bot's key what the set-up made
    assert (running == "Write") == ((False, True) in needs)
    assert (setting_up == "Write") == ((True, True) in needs)


def test_what_subscriptions_are_expanded_by_can_be_read() -> None:
    steps = {step for path in (*EXPANDED, *LISTED) for step in path.split(".")} - INLINE
    assert {EXPANSIONS[step] for step in steps} <= {Right(name) for name in told()}
    assert {Right.COUPONS, Right.PAYMENT_METHODS} <= {right for right, _ in PROBES}
