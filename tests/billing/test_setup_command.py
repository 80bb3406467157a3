"""The command that sets Stripe up: what it says, and what it does with secrets and failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing.catalogue_setup import set_up
from engine.config import load_settings
from engine.settings import Settings
from tests.billing.test_setup import APP_URL
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe, FaultKind

CONFIG = """
[billing]
metered_markup = 1.25
[tiers.free]
[tiers.premium]
price_month = 8.99
"""


def settings_for(bare: FakeStripe, tmp_path: Path, more_tiers: str = "", **more: str) -> Settings:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG + more_tiers)
    given = {"STRIPE_SECRET_KEY": "rk_test_fake", "STRIPE_API_BASE": bare.base_url, "APP_URL": APP_URL}
    return load_settings({"CONFIG": str(config), **given, **more}, setting_up=True)


async def test_the_command_says_what_it_does_and_prints_secrets_once(
    bare: FakeStripe, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings, said = settings_for(bare, tmp_path), list[str]()
    assert await set_up(settings, clock, dry_run=True, say=said.append) == 0
    assert said[0] == "Stripe in test mode:"
    assert "  create price premium_monthly_v1: 8.99 USD a month" in said
    assert bare.world.rows("price") == []
    assert await set_up(settings, clock, dry_run=False, say=said.append) == 0
    [[secret]] = bare.world.endpoint_secrets.values()
    assert f"STRIPE_WEBHOOK_SECRET={secret}" in said
    assert secret not in caplog.text
    said.clear()
    assert await set_up(settings, clock, dry_run=False, say=said.append) == 0
    assert said == ["Stripe in test mode:", "Nothing to do: the account is as it should be."]


async def test_a_new_secret_does_not_displace_those_in_use(
    bare: FakeStripe, clock: FakeClock, tmp_path: Path
) -> None:
    said = list[str]()
    settings = settings_for(bare, tmp_path, STRIPE_WEBHOOK_SECRET="whsec_fake")
    assert await set_up(settings, clock, dry_run=False, say=said.append) == 0
    assert any("Leave those that are set already" in line for line in said)
    assert "whsec_fake" not in "\n".join(said)


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("GET /v1/prices", "lacks the right Prices: Read"),
        ("POST /v1/products", "lacks the right Products: Write"),
    ],
)
async def test_a_right_that_a_restricted_key_lacks_is_named(
    bare: FakeStripe, clock: FakeClock, tmp_path: Path, missing: str, told: str
) -> None:
    bare.api.rights.restrict("rk_test_fake", missing)
    said = list[str]()
    assert await set_up(settings_for(bare, tmp_path), clock, dry_run=False, say=said.append) == 1
    assert told in "\n".join(said)


async def test_secrets_that_came_up_before_a_failure_are_printed_all_the_same(
    bare: FakeStripe, clock: FakeClock, tmp_path: Path
) -> None:
    settings = settings_for(bare, tmp_path, "[tiers.pro]\nprice_month = 49.99\n")
    bare.faults.add(FaultKind.HANG_UP, "POST /v2", times=None)
    said = list[str]()
    assert await set_up(settings, clock, dry_run=False, say=said.append) == 1
    assert any(line.startswith("STRIPE_WEBHOOK_SECRET=whsec_") for line in said)
    assert any("run this again" in line for line in said)


async def test_without_a_key_there_is_nothing_to_set_up(clock: FakeClock) -> None:
    said = list[str]()
    assert await set_up(load_settings({}), clock, dry_run=False, say=said.append) == 1
    assert "STRIPE_SECRET_KEY is not set" in said[0]
