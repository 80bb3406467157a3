"""Whether payments are real, and whether Stripe has all that is sold."""

from __future__ import annotations

from billing.till import Till
from engine.checkup import Finding, good, worth_knowing, wrong
from engine.facts import Mode
from engine.settings import Settings

AREA = "Stripe"
SIMULATED = (
    "payments are SIMULATED. Set STRIPE_SECRET_KEY and run `python main.py stripe-setup` to take real ones; "
    "docs/billing.md has the steps."
)


async def check_money(settings: Settings, till: Till) -> list[Finding]:
    """Keys, rights, clock, prices, portal and endpoints, asked of Stripe."""
    if settings.stripe is None:
        return [worth_knowing(AREA, SIMULATED)]
    from billing.doctor import notes_on  # noqa: PLC0415 - the SDK is for those who use it

    found = [wrong(AREA, words) for words in await till.billing.verify_stripe_config()]
    if not found:
        real = " (real money)" if till.billing.mode is Mode.LIVE else ""
        found = [good(AREA, f"{till.billing.mode} mode{real}: all that config.toml sells is set up there")]
    notes = notes_on(settings.stripe, settings.server.app_url)
    return [*found, *(worth_knowing(AREA, note) for note in notes)]
