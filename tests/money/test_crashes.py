"""Kill -9 between any two steps of a payment."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

HERE = Path(__file__).parents[2]
ONCE = {"changes": 1, "notices": 1, "shown": 1, "subscriptions": 1, "sold": 1}


async def test_a_payment_killed_at_any_step_ends_in_one_tier_change_and_one_notice(tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.money.crashing", str(tmp_path)),
        cwd=HERE,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await child.communicate()
    lives = [json.loads(line) for line in printed.splitlines()]
    assert child.returncode == 0
    killed = [life for life in lives if life["ended"] == -signal.SIGKILL]
    assert len(killed) >= 20
    for life in lives:
        assert life["went_on"] == 0, life
        assert {name: life[name] for name in ONCE} == ONCE, life
