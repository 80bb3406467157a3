"""Processes of `main.py` that begin with everything imported: forked from one that has done nothing else.

An import of all SDKs takes two seconds of a processor, which a suite with a hundred starts has not. What is
forked runs `main.py` as a script, with its own arguments, environment, folder, output and end.
"""

from __future__ import annotations

import array
import asyncio
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
SCRIPT = str(ROOT / "main.py")
LATER = (
    "bot.discord.adapter",
    "bot.discord.checkup",
    "bot.slack.adapter",
    "bot.slack.checkup",
    "bot.slack.oauth",
    "billing.doctor",
    "billing.gateway",
    "billing.catalogue_setup",
    "billing.simulation",
    "providers.anthropic",
    "providers.compatible",
    "providers.gemini",
    "providers.openai",
)
"""What `main.py` imports when it is wanted."""
LONGEST = 1_000_000
BACKLOG = 64
Keeper = tuple[StreamReader, StreamWriter]
"""Tells a process's number and its end; ends it when this is closed."""


class Child:
    """A process of the nursery, as asyncio's `Process` is used here."""

    def __init__(
        self, pid: int, keeper: Keeper, stdout: StreamReader, stderr: StreamReader | None = None
    ) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout = stdout
        self._stderr = stderr
        self._keeper = keeper

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it is known to have ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill -9."""
        self.send_signal(signal.SIGKILL)

    def leave(self) -> None:
        """Wait for it no more, which ends it."""
        self._keeper[1].close()

    async def wait(self) -> int:
        """Its exit code; that of a signal is negative."""
        if self.returncode is None:
            self.returncode = int(await self._keeper[0].readline())
            self.leave()
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """All that it writes until it ends."""
        rest = self._stderr.read() if self._stderr else asyncio.sleep(0, b"")
        out, err = await asyncio.gather(self.stdout.read(), rest)
        await self.wait()
        return out, err


class Nursery:
    """Begins processes for this one; started when it is first wanted."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="nursery-")
        self._address = f"{self._folder.name}/socket"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nursery", self._address],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout
        self._process.stdout.readline()

    def close(self) -> None:
        """End it; what it began has been ended by those who wanted it."""
        self._process.communicate()
        self._folder.cleanup()

    async def begin(
        self, words: Sequence[str], cwd: Path, env: Mapping[str, str], *, apart: bool = False
    ) -> Child:
        """Run `main.py` with these words; what it writes as errors is part of its output unless `apart`."""
        out, err = os.pipe(), os.pipe() if apart else None
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        wanted = json.dumps({"words": words, "cwd": str(cwd), "env": dict(env)}).encode()
        handed = array.array("i", [out[1], err[1] if err else out[1]])
        connection.sendmsg([wanted + b"\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handed)])
        os.close(out[1])
        if err:
            os.close(err[1])
        keeper = await asyncio.open_unix_connection(sock=connection)
        pid = int(await keeper[0].readline())
        return Child(pid, keeper, await reader(out[0]), await reader(err[0]) if err else None)


async def reader(descriptor: int) -> StreamReader:
    """What comes out of a pipe."""
    stream = StreamReader()
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), pipe)
    return stream


def serve(address: str) -> socket.socket | None:
    """Fork a keeper for each wish until nobody holds our input; returns in the program, with its wish."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(BACKLOG)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.write(1, b"ready\n")
        while True:
            ready, _, _ = select.select([listener.fileno(), 0], [], [])
            if 0 in ready:
                return None
            connection, _ = listener.accept()
            if os.fork() == 0:
                return connection
            connection.close()


def keep(connection: socket.socket) -> bool:
    """Fork the program, tell its number and how it ends, and end it if nobody waits for it any more.

    Returns True in the program, which has become what was wished, and False in its keeper.
    """
    wish, handed = received(connection)
    alive, held = os.pipe()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if (pid := os.fork()) == 0:
        connection.close()
        os.close(alive)  # the other end stays open as long as the program lives
        become(wish, handed)
        return True
    os.close(held)
    for descriptor in {*handed, 1}:
        os.close(descriptor)
    connection.sendall(f"{pid}\n".encode())
    ready, _, _ = select.select([alive, connection.fileno()], [], [])
    if alive not in ready:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    try:
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    except OSError:
        return False
    return False


def received(connection: socket.socket) -> tuple[Mapping[str, object], Sequence[int]]:
    """A wish, and where the program's words and errors go."""
    handed = array.array("i")
    data, ancillary, _, _ = connection.recvmsg(LONGEST, socket.CMSG_SPACE(2 * handed.itemsize))
    for _, _, descriptors in ancillary:
        handed.frombytes(descriptors)
    while not data.endswith(b"\n"):
        data += connection.recv(LONGEST)
    return json.loads(data), list(handed)


def become(wish: Mapping[str, object], handed: Sequence[int]) -> None:
    """Take on the folder, environment, arguments and output that were wished."""
    out, err = handed
    nothing = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(old, new)
    for descriptor in {nothing, out, err}:
        os.close(descriptor)
    os.chdir(str(wish["cwd"]))
    os.environ.clear()
    os.environ.update(wish["env"])  # type: ignore[call-overload]
    sys.argv = [SCRIPT, *wish["words"]]  # type: ignore[misc]


def main(address: str) -> None:
    """Import everything, and then do nothing but fork."""
    sys.path.insert(0, str(ROOT))
    for name in ("main", *LATER):
        import_module(name)
    gc.collect()
    gc.freeze()
    connection = serve(address)
    if connection and keep(connection):
        runpy.run_path(SCRIPT, run_name="__main__")
    elif connection:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
