"""Starts processes of tests.storage.process and talks to them."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import AsyncExitStack

from tests.fakes.pulse import PATIENCE


class Children:
    """Processes that end with the test; each speaks in lines."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def start(self, command: str, url: str) -> Process:
        """Start one on a database; it is killed at the end if it still runs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.storage.process", command, url, stdin=PIPE, stdout=PIPE
        )
        self._stack.push_async_callback(end, process)
        return process

    async def together(self, command: str, url: str) -> list[str]:
        """Start two, let both go at once when they are ready, and hear what each has to say."""
        processes = await asyncio.gather(self.start(command, url), self.start(command, url))
        assert [await line(process) for process in processes] == ["ready", "ready"]
        await asyncio.gather(*map(go, processes))
        return [await line(process) for process in processes]


async def end(process: Process) -> None:
    """Kill a process that has not ended, and collect it."""
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def line(process: Process) -> str:
    """The next line that a process says."""
    assert process.stdout
    async with asyncio.timeout(PATIENCE):
        return (await process.stdout.readline()).decode().strip()


async def go(process: Process) -> None:
    """Tell a process that waits to go on."""
    assert process.stdin
    process.stdin.write(b"go\n")
    await process.stdin.drain()
