"""From a fresh clone to the first member who pays, as an operator types it."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from engine.environment import from_dotenv
from tests.fakes.stripe import FakeStripe
from tests.processes.script import Meet
from tests.program import ROOT, called, environment, running

pytestmark = pytest.mark.asyncio(loop_scope="package")

ANSWERS = ("", "", "", "", "", "https://chat.example.com", "sk_test_fake", "local:olga")
"""No vendor's key, no chat platform; an address, Stripe, and an operator."""


async def typed(folder: Path, variables: dict[str, str], answers: tuple[str, ...]) -> tuple[int, str]:
    """What `main.py init` says to answers that are piped in."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "main.py"), "init"),
        cwd=folder,
        env={**environment(folder, variables), "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate("".join(f"{each}\n" for each in answers).encode())
    return process.returncode or 0, out.decode()


async def test_an_operator_gets_from_nothing_to_a_paying_member(tmp_path: Path, meet: Meet) -> None:
    for name in ("config.toml", ".env.example"):
        shutil.copy(ROOT / name, tmp_path / name)
    async with FakeStripe(stocked=False) as stripe:
        seam = {"STRIPE_API_BASE": stripe.base_url, "CONFIG": "config.toml"}
        code, said = await typed(tmp_path, seam, ANSWERS)
        assert "APP_URL, STRIPE_SECRET_KEY, ADMIN_IDS, PROMPT_KEY (made for you)" in said
        assert "red     Stripe" in said
        assert "stripe-setup" in said
        assert code == 1
        done = await called(tmp_path, seam, "stripe-setup", "--save")
        assert (done.code, "whsec_" in done.out) == (0, False)
        secrets = from_dotenv(tmp_path / ".env")["STRIPE_WEBHOOK_SECRET"]
        well = await called(tmp_path, seam, "doctor")
        assert "green   Stripe         test mode: all that config.toml sells is set up there" in well.out
        async with running(tmp_path, {**seam, "PLAYGROUND": "1", "APP_URL": "http://127.0.0.1:1"}) as program:
            stripe.deliver_to(f"{program.url}/stripe/webhook", secrets.partition(",")[0])
            olga = meet(program.url, "olga")
            await olga.say("/upgrade premium month")
            await olga.until(lambda seen: any(stripe.base_url in str(each) for each in seen.values()))
            stripe.drive.pay(str(stripe.world.rows("checkout.session")[0]["id"]))
            await olga.noticed("tier is yours")
            assert await olga.tier() == "premium"
            assert await program.end() == 0
        told = await called(tmp_path, seam, "report", "--json")
        assert '"paying": 1' in told.out
        assert stripe.rejections == []
