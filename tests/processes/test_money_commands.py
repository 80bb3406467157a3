"""Commands about money as operators meet them: set-up, doctor, figures, and words for what is no order."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fakes.stripe import FakeStripe
from tests.processes.shop import selling
from tests.program import Ended, called

pytestmark = pytest.mark.asyncio(loop_scope="package")

SECRETS = re.compile(r"^STRIPE_WEBHOOK_SECRET=(whsec_\w+,whsec_\w+)$", re.MULTILINE)
NOTHING_TO_PLAY = "Payments are real here: STRIPE_SECRET_KEY is set. Nothing was done.\n"
NO_CUSTOMER = "SIMULATED: local:nobody is no simulated customer. They become one with /upgrade.\n"
IDLE = {
    "forgive local:nobody": "Nothing stands against local:nobody.\n",
    "simulate refund local:nobody": NO_CUSTOMER,
}
NO_ORDERS = {
    "reconcile --retry-dead cus_nobody": "Nothing that was given up has the id cus_nobody",
    "simulate advance 9999w": "The simulated clock moves forward only, and a year at most at once.",
    "stripe-setup": "Set STRIPE_SECRET_KEY first",
}


def posts(stripe: FakeStripe) -> int:
    """How often Stripe was asked to change something."""
    return len([seen for seen in stripe.log if seen.method == "POST"])


async def told(folder: Path, variables: Mapping[str, str], *words: str) -> Ended:
    """What a command says, without a traceback."""
    ended = await called(folder, variables, *words)
    assert "Traceback" not in ended.out + ended.err
    return ended


async def test_a_bare_account_is_set_up_once_and_the_doctor_has_nothing_left_to_mend(tmp_path: Path) -> None:
    async with FakeStripe(stocked=False, livemode=True) as stripe:
        bare = {
            **selling(stripe),
            "STRIPE_SECRET_KEY": "sk_live_fake",
            "APP_URL": "https://chat.example.com",
        }
        ill = await told(tmp_path, bare, "doctor")
        assert ill.code == 1
        assert "red     Stripe         There is no price with the lookup key premium_monthly_v1" in ill.out
        assert "Run `python main.py stripe-setup`." in ill.out
        planned = await told(tmp_path, bare, "stripe-setup", "--dry-run")
        assert (planned.code, posts(stripe)) == (0, 0)
        done = await told(tmp_path, bare, "stripe-setup")
        assert done.code == 0
        assert done.out.startswith("Stripe in live mode (real money):\n")
        assert done.out.startswith(planned.out)
        (secrets,) = SECRETS.findall(done.out)
        made = posts(stripe)
        again, refused = await asyncio.gather(
            told(tmp_path, bare, "stripe-setup"), told(tmp_path, bare, "simulate", "advance", "15d")
        )
        assert again.out.endswith("Nothing to do: the account is as it should be.\n")
        assert "whsec_" not in again.out + again.err
        assert posts(stripe) == made
        assert (refused.code, refused.err) == (2, NOTHING_TO_PLAY)
        well = await told(tmp_path, {**bare, "STRIPE_WEBHOOK_SECRET": secrets}, "doctor")
        assert "green   Stripe         live mode (real money): all that config.toml sells" in well.out
        assert well.out.endswith("1 red. 1 to mend.\n")  # nobody has this address
        assert "https://chat.example.com cannot be reached" in " ".join(well.out.split())
        assert stripe.rejections == []


async def test_orders_that_make_no_sense_or_are_about_nobody_do_nothing_and_say_so(tmp_path: Path) -> None:
    said = await asyncio.gather(*(told(tmp_path, {}, *words.split()) for words in (*NO_ORDERS, *IDLE)))
    refused, idle = said[: len(NO_ORDERS)], said[len(NO_ORDERS) :]
    for words, ended in zip(NO_ORDERS, refused, strict=True):
        assert (ended.code, ended.out) == (2, ""), words
        assert NO_ORDERS[words] in ended.err, words
    assert [(each.code, each.out) for each in idle] == [(0, words) for words in IDLE.values()]
    report = await told(tmp_path, {}, "report", "--json")
    assert set(json.loads(report.out)["tiers"].values()) == {0}
