"""Seconds from `main.py run` until it says that it is ready, beside an empty Python and the imports alone."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from tests.program import ROOT, called, running

RUNS = 5


async def start(folder: Path) -> None:
    """A start on a database that is there already."""
    async with running(folder, {}):
        return


async def command(folder: Path) -> None:
    """A command from beginning to end."""
    await called(folder, {}, "why", "local:alice")


async def imports(_: Path) -> None:
    """Python with every module that a start without keys reads."""
    await python("import main")


async def nothing(_: Path) -> None:
    """Python alone."""
    await python("pass")


async def python(code: str) -> None:
    """Run some Python in the folder of main.py, with nothing of our own environment."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, env={})
    if await child.wait():
        raise RuntimeError(code)


WAYS: dict[str, Callable[[Path], Awaitable[None]]] = {
    "floor: an empty Python": nothing,
    "floor: the imports": imports,
    "main.py why": command,
    "main.py run, until it is ready": start,
}


async def main() -> None:
    """Measure and print a table."""
    print(f"Start: seconds, medians of {RUNS}; the first start, which makes the database, is not counted")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        for way, act in WAYS.items():
            await act(folder)
            times = [await timed(act, folder) for _ in range(RUNS)]
            print(f"{way:<34} {median(times):>6.2f}   worst {max(times):.2f}")


async def timed(act: Callable[[Path], Awaitable[None]], folder: Path) -> float:
    """Seconds that something takes."""
    begun = time.perf_counter()
    await act(folder)
    return time.perf_counter() - begun


if __name__ == "__main__":
    asyncio.run(main())
