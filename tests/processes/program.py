"""`main.py` as a process that a test starts, listens to and ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
READY = re.compile(r"ready at \S+?(?: \(port (\d+)\))?\n")


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ran to its end: its exit code and all it wrote."""

    code: int
    out: str
    err: str


class Program:
    """A server that is running."""

    def __init__(self, process: Process, variables: Mapping[str, str]) -> None:
        self.process = process
        self.url = ""
        self._port = variables.get("PORT", "0")
        self._output = ""
        self._ended = False
        self._news = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen())

    @property
    def output(self) -> str:
        """All it has written so far."""
        return self._output

    async def ready(self) -> None:
        """Wait until it takes requests; AssertionError with its words if it ends before."""
        found = await self.heard(READY)
        self.url = f"http://127.0.0.1:{found[1] or self._port}"

    async def heard(self, pattern: str | re.Pattern[str]) -> re.Match[str]:
        """Wait until it has written this; AssertionError with its words if it ends before."""
        async with asyncio.timeout(START_SECONDS), self._news:
            await self._news.wait_for(lambda: self._ended or re.search(pattern, self._output))
        found = re.search(pattern, self._output)
        assert found, self._output
        return found

    async def end(self, number: signal.Signals = signal.SIGTERM, within: float = 15.0) -> int:
        """Ask it to end, wait until it has; its exit code."""
        self.process.send_signal(number)
        async with asyncio.timeout(within):
            await self._listening
            return await self.process.wait()

    async def kill(self) -> None:
        """End it at once, if it still runs, and hear it out."""
        if self.process.returncode is None:
            self.process.kill()
        await self._listening
        await self.process.wait()

    async def _listen(self) -> None:
        assert self.process.stdout
        while line := await self.process.stdout.readline():
            await self._hear(line.decode())
        self._ended = True
        await self._hear("")

    async def _hear(self, words: str) -> None:
        async with self._news:
            self._output += words
            self._news.notify_all()


async def spawn(folder: Path, variables: Mapping[str, str], *arguments: str, err: int = STDOUT) -> Process:
    """Start main.py in a folder with these variables and nothing of ours."""
    environ = {"PATH": os.environ["PATH"], "CONFIG": str(ROOT / "config.toml"), **variables}
    program = (sys.executable, str(ROOT / "main.py"), *arguments)
    return await asyncio.create_subprocess_exec(*program, cwd=folder, env=environ, stdout=PIPE, stderr=err)


@asynccontextmanager
async def running(folder: Path, variables: Mapping[str, str], *arguments: str) -> AsyncIterator[Program]:
    """A server on a free port, ready; killed at the end if it still runs."""
    asked = {"PORT": "0", **variables}
    program = Program(await spawn(folder, asked, *arguments), asked)
    try:
        await program.ready()
        yield program
    finally:
        await program.kill()


async def command(folder: Path, variables: Mapping[str, str], *arguments: str) -> Ended:
    """Run a command to its end."""
    process = await spawn(folder, {"PORT": "0", **variables}, *arguments, err=PIPE)
    try:
        async with asyncio.timeout(START_SECONDS):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode or 0, out.decode(), err.decode())
