"""Writes the shipped configuration with other limits and a model of the test's own."""

from __future__ import annotations

import re
from pathlib import Path

from tests.fakes.stripe import SECRET, FakeStripe
from tests.fakes.vendor_wire import WIRES, Count, Vendor
from tests.fakes.vendors import Act, FakeVendors
from tests.fakes.vendors import Script as Steps
from tests.program import ROOT

WIRE = WIRES[Vendor.OPENAI]
NEAR_KEY = "near-key-fake"
ROWS = """
[providers.near]
kind = "openai-compatible"
base_url = "{url}"
api_key_env = "NEAR_API_KEY"

[models.quick]
provider = "near"
id = "quick-1"
class = "everyday"
context = 32_000
max_output = 2048
price = {{ input = 0.01, output = 0.04 }}
"""


def configured(folder: Path, base_url: str) -> dict[str, str]:
    """The variables for a house whose only model is at `base_url`, with no limit of pace for free members."""
    shipped = (ROOT / "config.toml").read_text()
    for name in ("requests_per_minute", "concurrent"):
        shipped, changed = re.subn(rf"^{name} = .*\n", "", shipped, count=1, flags=re.MULTILINE)
        assert changed == 1
    config = folder / "config.toml"
    config.write_text(shipped + ROWS.format(url=base_url))
    return {"CONFIG": str(config), "NEAR_API_KEY": NEAR_KEY}


def says(*words: str) -> list[bytes]:
    """A vendor's stream of these words."""
    return [WIRE.start(Count()), *(WIRE.word(word) for word in words), WIRE.stop("stop", Count())]


def house(folder: Path, vendors: FakeVendors) -> dict[str, str]:
    """The variables of a house on a database of its own."""
    variables = configured(folder, vendors.base_url(Vendor.OPENAI))
    return {**variables, "DATABASE_URL": f"sqlite:///{folder}/chat.db"}


def selling(stripe: FakeStripe) -> dict[str, str]:
    """The variables of a house that sells through this Stripe."""
    return {
        "STRIPE_SECRET_KEY": "sk_test_fake",
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": stripe.base_url,
    }


SLOWLY: Steps = [WIRE.start(Count()), WIRE.word("Forty"), *[Act.PAUSE] * 6, *says("-two.")[1:]]
SILENT: Steps = [WIRE.start(Count()), Act.STALL]
ENDLESS: Steps = [WIRE.start(Count()), WIRE.word("Forty"), Act.STALL]
