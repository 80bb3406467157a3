"""`main.py`, as it is, in a process of its own: started, ended, killed, and listened to."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
START_SECONDS = 20.0
END_SECONDS = 15.0
CHUNK = 65_536


class Program:
    """The running program and all that it has said."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._said = bytearray()
        self._ready = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    @property
    def said(self) -> str:
        """Everything it printed and logged so far."""
        return self._said.decode()

    async def ready(self) -> None:
        """Wait until it says that it is ready; its words if it ends before."""
        async with asyncio.timeout(START_SECONDS):
            await self._ready.wait()
        assert "is ready" in self.said, self.said

    async def end(self) -> int:
        """Ask it to end in good order; its exit code."""
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(END_SECONDS):
            await self._listening
            return await self._process.wait()

    async def kill(self) -> None:
        """Kill -9, unless it has ended."""
        if self._process.returncode is None:
            self._process.kill()
        await self._listening
        await self._process.wait()

    async def _listen(self) -> None:
        """Take in all that it says, or it would have to wait with its next word."""
        assert self._process.stdout
        while chunk := await self._process.stdout.read(CHUNK):
            self._said += chunk
            if b"is ready" in self._said:
                self._ready.set()
        self._ready.set()


@asynccontextmanager
async def running(folder: Path, variables: Mapping[str, str]) -> AsyncIterator[Program]:
    """The program on a database in a folder, once it says that it is ready; killed if it is still there."""
    process = await asyncio.create_subprocess_exec(
        *command_line(), cwd=folder, env=environment(folder, variables), stdout=PIPE, stderr=STDOUT
    )
    program = Program(process)
    try:
        await program.ready()
        yield program
    finally:
        await program.kill()


async def printed(folder: Path, variables: Mapping[str, str], *words: str) -> str:
    """What the program prints when it is called with these words on the same database."""
    process = await asyncio.create_subprocess_exec(
        *command_line(*words), cwd=folder, env=environment(folder, variables), stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


def command_line(*words: str) -> tuple[str, ...]:
    """How the program is called."""
    return sys.executable, str(ROOT / "main.py"), *words


def environment(folder: Path, variables: Mapping[str, str]) -> Mapping[str, str]:
    """All the variables that the program gets."""
    basic = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url(folder),
        "CONFIG": f"{ROOT}/config.toml",
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
