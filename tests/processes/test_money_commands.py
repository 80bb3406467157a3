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
FORGIVEN = "Nothing stands against local:nobody.\n"
NO_CUSTOMER = "SIMULATED: local:nobody is no simulated customer. They become one with /upgrade.\n"
NO_ORDERS = {
    "forgive alice": "discord:ID, slack:TEAM/ID or local:NAME",
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
        assert "mend  There is no price with the lookup key premium_monthly_v1." in ill.out
        assert "Run `python main.py stripe-setup`." in ill.out
        planned = await told(tmp_path, bare, "stripe-setup", "--dry-run")
        assert (planned.code, posts(stripe)) == (0, 0)
        done = await told(tmp_path, bare, "stripe-setup")
        assert done.code == 0
        assert done.out.startswith("Stripe in live mode (real money):\n")
        assert done.out.startswith(planned.out)
        (secrets,) = SECRETS.findall(done.out)
        made = posts(stripe)
        again = await told(tmp_path, bare, "stripe-setup")
        assert again.out.endswith("Nothing to do: the account is as it should be.\n")
        assert "whsec_" not in again.out + again.err
        assert posts(stripe) == made
        well = await told(tmp_path, {**bare, "STRIPE_WEBHOOK_SECRET": secrets}, "doctor")
        assert well.code == 0, well.out
        assert well.out.endswith("All that was checked is in order.\n")
        assert stripe.rejections == []


async def test_what_is_no_order_is_answered_with_what_is(tmp_path: Path) -> None:
    await told(tmp_path, {}, "migrate")
    said = await asyncio.gather(*(told(tmp_path, {}, *words.split()) for words in NO_ORDERS))
    for words, ended in zip(NO_ORDERS, said, strict=True):
        assert (ended.code, ended.out) == (2, ""), words
        assert NO_ORDERS[words] in ended.err, words


async def test_nobody_plays_with_the_clock_where_payments_are_real(tmp_path: Path) -> None:
    async with FakeStripe() as stripe:
        refused = await told(tmp_path, selling(stripe), "simulate", "advance", "15d")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "Payments are real here: STRIPE_SECRET_KEY is set. Nothing was done.\n"


async def test_orders_about_somebody_unknown_do_nothing_and_say_so(tmp_path: Path) -> None:
    await told(tmp_path, {}, "migrate")
    orders = ("forgive local:nobody", "simulate refund local:nobody", "reconcile --retry-dead")
    said = await asyncio.gather(*(told(tmp_path, {}, *each.split()) for each in orders))
    assert [each.code for each in said] == [0] * 3
    assert [each.out for each in said] == [FORGIVEN, NO_CUSTOMER, "Nothing was given up.\n"]
    report = await told(tmp_path, {}, "report", "--json")
    assert set(json.loads(report.out)["tiers"].values()) == {0}
