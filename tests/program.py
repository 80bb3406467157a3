"""`main.py`, as it is, in a process of its own: started, ended, killed, and listened to."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.nursery import Child, Nursery

ROOT = Path(__file__).parents[1]
START_SECONDS = 60.0
END_SECONDS = 15.0
CHUNK = 65_536
READY = re.compile(r"is ready at (\S+)(?: \(port (\d+)\))?\n")


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ran to its end: its exit code and all it wrote."""

    code: int
    out: str
    err: str


class Program:
    """The running program and all that it has said."""

    def __init__(self, process: Child) -> None:
        self._process = process
        self._said = bytearray()
        self._ended = False
        self._news = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen())

    @property
    def said(self) -> str:
        """Everything it printed and logged so far."""
        return self._said.decode(errors="replace")

    @property
    def url(self) -> str:
        """Where it is served, once it is ready."""
        found = READY.search(self.said)
        assert found, self.said
        return f"http://127.0.0.1:{found[2]}" if found[2] else found[1]

    async def heard(self, pattern: str | re.Pattern[str]) -> None:
        """Wait until it has said this; AssertionError with its words if it ends before."""
        async with asyncio.timeout(START_SECONDS), self._news:
            await self._news.wait_for(lambda: self._ended or re.search(pattern, self.said))
        assert re.search(pattern, self.said), self.said

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM, within: float = END_SECONDS) -> int:
        """Ask it to end in good order; its exit code."""
        self.tell(number)
        async with asyncio.timeout(within):
            await asyncio.wait({self._listening})  # which goes on if this is given up
            return await self._process.wait()

    async def kill(self) -> None:
        """Kill -9, unless it has ended."""
        if self._process.returncode is None:
            self._process.kill()
        await self._listening
        await self._process.wait()

    async def _listen(self) -> None:
        """Take in all that it says, or it would have to wait with its next word."""
        while not self._ended:
            chunk = await self._process.stdout.read(CHUNK)
            async with self._news:
                self._said += chunk
                self._ended = not chunk
                self._news.notify_all()


@asynccontextmanager
async def running(folder: Path, variables: Mapping[str, str]) -> AsyncIterator[Program]:
    """The program on a database in a folder, once it says that it is ready; killed if it is still there."""
    process = await nursery().begin((), folder, environment(folder, variables))
    program = Program(process)
    try:
        await program.heard(READY)
        yield program
    finally:
        await program.kill()


async def called(folder: Path, variables: Mapping[str, str], *words: str) -> Ended:
    """What the program says when it is called with these words, and how it ends."""
    process = await nursery().begin(words, folder, environment(folder, variables), apart=True)
    try:
        async with asyncio.timeout(START_SECONDS):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def printed(folder: Path, variables: Mapping[str, str], *words: str) -> str:
    """What the program prints when it is called with these words on the same database."""
    ended = await called(folder, variables, *words)
    assert ended.code == 0, ended.err
    return ended.out


@cache
def nursery() -> Nursery:
    """Where this process's programs begin."""
    return Nursery()


def environment(folder: Path, variables: Mapping[str, str]) -> Mapping[str, str]:
    """All the variables that the program gets."""
    basic = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url(folder),
        "CONFIG": f"{ROOT}/config.toml",
        "PORT": "0",
    }
    return {**basic, **variables}


def database_url(folder: Path) -> str:
    """The database in a folder."""
    return f"sqlite:///{folder}/chat.db"


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
