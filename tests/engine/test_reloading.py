"""The configuration is read anew as a whole: what may change is taken over, or nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.alerts import Alert, AlertKind
from engine.config import load_settings
from engine.domain import TierName
from engine.errors import TryAgainError
from engine.reloading import LASTING, Reloading
from engine.settings import Settings
from engine.tracing import current, traced
from storage.store import Store
from tests.fakes.clock import FakeClock
from tests.fakes.pulse import PATIENCE

FILE = """
system_prompt = "{prompt}"
[tiers.free]
[tiers.premium]
price_month = {price}
[billing]
trial_days = {trial}
[models.m]
provider = "demo"
id = "demo-guide"
class = "everyday"
context = 1000
max_output = 100
"""
STRIPE = {"STRIPE_SECRET_KEY": "sk_test_fake", "STRIPE_WEBHOOK_SECRET": "whsec_fake"}
Write = Callable[..., None]


class Desktop:
    """A file and an environment that are edited while the program runs."""

    def __init__(self, path: Path, store: Store, clock: FakeClock) -> None:
        self.path = path
        self.environ = {"CONFIG": str(path), **STRIPE}
        self.write()
        self.taken: list[Settings] = []
        self.reloading = Reloading(store, clock, self.read(), self.read)
        self.reloading.refits.append(self.taken.append)

    def read(self) -> Settings:
        """What is written down now."""
        return load_settings(self.environ)

    def write(self, prompt: str = "Be brief.", price: str = "8.99", trial: str = "0") -> None:
        """Edit the file."""
        self.path.write_text(FILE.format(prompt=prompt, price=price, trial=trial))


@pytest.fixture
def desktop(tmp_path: Path, store: Store, clock: FakeClock) -> Desktop:
    """One on each database in turn."""
    return Desktop(tmp_path / "config.toml", store, clock)


async def alerts(store: Store, clock: FakeClock) -> list[Alert]:
    """What was raised and not taken yet."""
    return list(await store.transact(lambda tx: tx.address_alerts((), (), clock.now(), 100)))


async def test_what_may_change_is_handed_to_all_who_asked(
    desktop: Desktop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    desktop.write(prompt="Sing.")
    assert (await desktop.reloading.reload()).taken
    (fresh,) = desktop.taken
    assert fresh.system_prompt == "Sing."
    assert fresh is desktop.reloading.settings
    record = next(each for each in caplog.records if each.message == "configuration taken over")
    assert vars(record)["changed"] == ["system_prompt"]


@pytest.mark.parametrize("wrong", ['{"', '"\ncolour = 1\n[x]\ny = "', "\udcff"])
async def test_a_wrong_file_changes_nothing_and_is_reported_with_all_its_problems(
    desktop: Desktop, store: Store, clock: FakeClock, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    before = desktop.reloading.settings
    desktop.path.write_bytes(
        FILE.format(prompt=wrong, price="-1", trial="0").encode(errors="surrogateescape")
    )
    assert not (await desktop.reloading.reload()).taken
    assert desktop.taken == []
    assert desktop.reloading.settings is before
    (alert,) = await alerts(store, clock)
    assert (alert.kind, alert.subject) == (AlertKind.CONFIG_REFUSED, "config.toml")
    record = next(each for each in caplog.records if each.levelname == "ERROR")
    assert "\n".join(vars(record)["problems"]) == alert.detail


async def test_an_environment_file_that_cannot_be_read_is_a_wrong_one_too(
    desktop: Desktop, store: Store, clock: FakeClock
) -> None:
    def broken() -> Settings:
        raise UnicodeDecodeError("utf-8", b"x", 0, 1, "in .env")

    reloading = Reloading(store, clock, desktop.read(), broken)
    assert not (await reloading.reload()).taken
    assert len(await alerts(store, clock)) == 1


async def test_several_processes_asked_together_report_a_wrong_file_once(
    desktop: Desktop, store: Store, clock: FakeClock
) -> None:
    desktop.path.write_text("x")
    other = Reloading(store, clock, desktop.reloading.settings, desktop.read)
    await asyncio.gather(desktop.reloading.reload(), other.reload())
    assert len(await alerts(store, clock)) == 1


async def test_what_needs_a_restart_is_named_each_time_and_not_taken_over(
    desktop: Desktop, caplog: pytest.LogCaptureFixture
) -> None:
    old = desktop.reloading.settings
    desktop.write(trial="9")
    desktop.environ |= {"PORT": "9999", "DISCORD_TOKEN": "fake", "STRIPE_SECRET_KEY": "sk_test_other"}
    for _ in range(2):
        caplog.clear()
        assert (await desktop.reloading.reload()).taken
        assert {name: getattr(desktop.taken[-1], name) for name in LASTING} == {
            name: getattr(old, name) for name in LASTING
        }
        record = next(each for each in caplog.records if "restart" in each.message)
        named = " ".join(vars(record)["waiting"])
        for word in ("PORT", "Discord", "Stripe", "[billing]"):
            assert word in named
        assert "DATABASE_URL" not in named
        assert "fake" not in str(vars(record))


async def test_a_changed_price_of_a_tier_is_a_reason_to_set_stripe_up(
    desktop: Desktop, caplog: pytest.LogCaptureFixture
) -> None:
    desktop.write(price="9.99")
    await desktop.reloading.reload()
    assert desktop.taken[0].tiers[TierName.PREMIUM].price_month == 9_990_000
    assert "prices of tiers have changed: run main.py stripe-setup" in caplog.messages


async def test_a_vendor_that_cannot_be_loaded_afterwards_ends_nothing(
    desktop: Desktop, caplog: pytest.LogCaptureFixture
) -> None:
    async def away() -> None:
        raise TryAgainError("away")

    desktop.reloading.afterwards.append(away)
    assert (await desktop.reloading.reload()).taken
    assert "a vendor cannot be asked" in caplog.messages


async def test_it_is_read_anew_each_time_it_is_asked_for(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.reloading.CALM", 0.0)
    asked, heard = asyncio.Event(), asyncio.Event()
    desktop.reloading.refits.append(lambda _: heard.set())
    running = asyncio.create_task(desktop.reloading.run(asked))
    for prompt in ("Sing.", "Hum."):
        desktop.write(prompt=prompt)
        heard.clear()
        asked.set()
        await asyncio.wait_for(heard.wait(), PATIENCE)
    running.cancel()
    assert [fresh.system_prompt for fresh in desktop.taken] == ["Sing.", "Hum."]


async def test_what_is_logged_of_it_has_the_id_of_who_asked_or_one_of_its_own(desktop: Desktop) -> None:
    ids: list[str] = []
    desktop.reloading.refits.append(lambda _: ids.append(current()))
    await desktop.reloading.reload()
    with traced("asked-by"):
        await desktop.reloading.reload()
    own, asked = ids
    assert own
    assert asked == "asked-by"
    assert current() == ""


def test_every_field_that_lasts_is_one_of_the_settings() -> None:
    settings = load_settings({})
    assert replace(settings, **{name: getattr(settings, name) for name in LASTING}) == settings
