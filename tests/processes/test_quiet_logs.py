"""What a run leaves in its log: that things happened, never what anybody wrote, nor a key, nor a payload."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.fakes.stripe import SECRET, FakeStripe, sign
from tests.fakes.vendors import FakeVendors, Reply
from tests.processes.script import Meet, Message
from tests.processes.shop import NEAR_KEY, WIRE, house, says
from tests.program import Program, running

pytestmark = pytest.mark.asyncio(loop_scope="package")

PROMPT = "Where do quokkas sleep"
ANSWER = "Below mulberries"
KEY = "sk_test_fake"
SCRAP = "scrap-of-a-payload"


def broken(status: int) -> Reply:
    """A vendor's error that repeats what it was sent, as some do."""
    return Reply(status, WIRE.refusal(status, "odd", f"Key {NEAR_KEY} may not ask '{PROMPT}'."))


async def bought(meet: Meet, program: Program, stripe: FakeStripe) -> Message:
    """Upgrade with the button of a refusal, pay, and wait for the notice."""
    alice = meet(program.url, "alice")
    (refused,) = [each for each in await alice.messages() if "Upgrade" in str(each["buttons"])]
    await alice.press(refused, "Upgrade")
    await alice.until(lambda seen: any(stripe.base_url in str(each) for each in seen.values()))
    stripe.drive.pay(stripe.world.rows("checkout.session")[0]["id"])
    seen = await alice.until(lambda seen: any(each["id"].startswith("notice-") for each in seen.values()))
    return next(each for each in seen.values() if each["id"].startswith("notice-"))


async def scraps(program: Program) -> list[int]:
    """Send the webhook what is not Stripe's: unsigned, signed with another secret, signed but not JSON."""
    body = f'{{"id": "{SCRAP}"'.encode()
    url, statuses = f"{program.url}/stripe/webhook", []
    async with ClientSession() as session:
        for secret in (None, "whsec_other", SECRET):
            headers = {"Stripe-Signature": sign(body, [secret], int(time.time()))} if secret else {}
            async with session.post(url, data=body, headers=headers) as answer:
                statuses.append(answer.status)
    return statuses


def private(stripe: FakeStripe) -> list[str]:
    """What must not be in a log: words, keys, addresses that are keys, and pieces of what Stripe sends."""
    own = [PROMPT, ANSWER, NEAR_KEY, KEY, SECRET, SCRAP]
    return [*own, stripe.base_url, '"data":', '"object":', "livemode", "client_reference_id"]


def one_request_each(program: Program) -> bool:
    """Whether each question can be followed by its request through the rooms, and no two have the same."""
    lines = [json.loads(line) for line in program.said.splitlines() if line.startswith("{")]
    begun = [line["request"] for line in lines if line["event"] == "taken"]
    ended = [line["request"] for line in lines if line["event"] in {"settled", "refused"}]
    served = [line for line in lines if line["logger"] == "webhooks.access"]
    assert len(ended) >= 14
    assert all(line["request"] for line in served)
    return len(set(begun)) == len(begun) and set(ended) <= set(begun)


async def test_a_run_logs_no_word_no_key_and_no_payload(
    tmp_path: Path, meet: Meet, vendors: FakeVendors
) -> None:
    async with FakeStripe() as stripe:
        money = {
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": stripe.base_url,
            "LOG_FORMAT": "json",
        }
        async with running(tmp_path, {**house(tmp_path, vendors), **money}) as program:
            stripe.deliver_to(f"{program.url}/stripe/webhook")
            alice = meet(program.url, "alice")
            for status in (500, 400, 401):
                vendors.plays(broken(status))
                assert (await alice.answer(f"/ask {PROMPT}?"))["state"] == "failed"
            vendors.plays(says(ANSWER, "."))
            answers = await asyncio.gather(*(alice.answer(f"/ask {PROMPT}?") for _ in range(10)))
            assert {each["text"] for each in answers} == {f"{ANSWER}."}
            assert "10 conversations a day" in (await alice.answer(f"/ask {PROMPT}?"))["text"]
            assert "Premium" in (await bought(meet, program, stripe))["text"]
            assert await scraps(program) == [400, 400, 400]
            assert await program.end() == 0
            words = private(stripe)
    assert '"event": "settled"' in program.said
    assert re.search(r"[\w.+-]+@[\w-]+\.\w+", program.said) is None
    assert one_request_each(program)
    assert "Traceback" not in program.said
    assert [word for word in words if word in program.said] == []
