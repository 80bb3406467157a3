"""The program as it starts without the suite's nursery, and what the nursery's processes share with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from tests.fakes.pulse import PATIENCE
from tests.nursery import SCRIPT
from tests.program import called, environment, nursery


async def test_the_program_starts_and_ends_with_nothing_imported_before(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, cwd=tmp_path, env=environment(tmp_path, {}), stdout=PIPE, stderr=STDOUT
    )
    assert process.stdout
    async with asyncio.timeout(PATIENCE):
        said = await process.stdout.readuntil(b"is ready at")
        process.send_signal(signal.SIGTERM)
        rest, _ = await process.communicate()
    assert process.returncode == 0, (said + rest).decode()


async def test_a_process_of_the_nursery_has_its_own_folder_environment_and_end(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PG_PREPARED_STATEMENTS=perhaps\n")
    ended = await called(tmp_path, {"APP_URL": "here"}, "doctor")
    assert ended.code == 2
    assert "PG_PREPARED_STATEMENTS: " in ended.out
    assert "APP_URL: 'here' is no address" in ended.out
    assert ended.err == ""


async def test_a_process_of_the_nursery_ends_with_those_who_wanted_it(tmp_path: Path) -> None:
    child = await nursery().begin((), tmp_path, environment(tmp_path, {}))
    await child.stdout.readuntil(b"is ready at")
    os.kill(child.pid, 0)
    child.leave()
    async with asyncio.timeout(PATIENCE):
        await child.stdout.read()
