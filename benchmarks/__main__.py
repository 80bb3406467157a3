"""Runs the benches: all of them, or those named; each in a process and a time of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
LONGEST = 300.0
"""Seconds that one bench may take."""

CHILD = """
import asyncio, inspect
from benchmarks.bench_{name} import main
result = main()
if inspect.iscoroutine(result):
    asyncio.run(result)
"""


def found() -> list[str]:
    """The name of every bench: `admit` is benchmarks/bench_admit.py with a `main`, async or not."""
    return sorted(file.stem.removeprefix("bench_") for file in HERE.glob("bench_*.py"))


def run(name: str) -> bool:
    """Let a bench print its table; False if it failed or took too long."""
    print(f"\n== {name}", flush=True)
    began = time.monotonic()
    command = [sys.executable, "-c", CHILD.format(name=name)]
    try:
        well = subprocess.run(command, cwd=HERE.parent, timeout=LONGEST, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        well = False
    print(f"   ({'' if well else 'failed after '}{time.monotonic() - began:.1f} s)", flush=True)
    return well


def main(asked: list[str]) -> int:
    """Run the benches that were asked for; 1 when one fails or is unknown."""
    benches = found()
    unknown = [name for name in asked if name not in benches]
    if unknown:
        print(f"No bench named {', '.join(unknown)}; there are: {', '.join(benches) or 'none'}.")
        return 1
    outcomes = [run(name) for name in asked or benches]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
