"""Makes all checks at once, and shows what they found as lights with the mend for each."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import textwrap
from argparse import Namespace
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from engine.checkup import Finding, Light
from engine.environment import Problem

WIDTH = 110
COLOURS = {Light.GREEN: "32", Light.YELLOW: "33", Light.RED: "31"}
NOTHING = "Nothing to mend."
UNSEEN = Finding(
    "Configuration",
    Light.YELLOW,
    "nothing else was checked, since it needs the configuration",
    "Mend it, then run this again.",
)


def misconfigured(problems: Sequence[Problem], arguments: Namespace) -> int:
    """Say why the configuration cannot be used: the doctor by lights, every other command in a list."""
    if arguments.command != "doctor":
        print("The configuration needs mending:", *problems, sep="\n  - ", file=sys.stderr)
        return 2
    reds = [Finding("Configuration", Light.RED, f"{each.where}: {each.what}", each.mend) for each in problems]
    found = [*reds, UNSEEN]
    if not arguments.json:
        tell(found)
    concluded(found, as_json=arguments.json)
    return 2


async def diagnose(checks: Sequence[Coroutine[object, object, list[Finding]]], *, as_json: bool) -> int:
    """Make the checks at once and print each in its turn; 1 if anything is red."""
    tasks = [asyncio.ensure_future(each) for each in checks]
    found: list[Finding] = []
    try:
        for task in tasks:
            findings = await task
            found += findings
            if not as_json:
                tell(findings)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return concluded(found, as_json=as_json)


def concluded(found: Sequence[Finding], *, as_json: bool) -> int:
    """Say how it stands altogether; 1 if anything is red."""
    red = any(each.light is Light.RED for each in found)
    print(json.dumps(in_json(found), indent=2) if as_json else summary(found))
    return int(red)


def tell(findings: Sequence[Finding]) -> None:
    """Print findings, in colour on a terminal that wants it."""
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for each in mended_once(findings):
        print("\n".join(lines(each, coloured=coloured)), flush=True)


def mended_once(findings: Sequence[Finding]) -> Iterator[Finding]:
    """The findings; where one mend is for several in a row, it stands below the last of them."""
    for each, after in zip_longest(findings, findings[1:]):
        same = after and (each.area, each.light, each.mend) == (after.area, after.light, after.mend)
        yield replace(each, mend="") if same else each


def lines(finding: Finding, *, coloured: bool = False) -> Iterator[str]:
    """One finding: its light, where, what is so; and the mend below."""
    light = f"{finding.light:<8}"
    indent = " " * (len(light) + 15)
    shown = f"\x1b[{COLOURS[finding.light]}m{light}\x1b[0m" if coloured else light
    words = textwrap.wrap(finding.what, WIDTH - len(indent), break_long_words=False) or [""]
    yield f"{shown}{finding.area:<15}{words[0]}"
    for line in words[1:]:
        yield f"{indent}{line}"
    for line in textwrap.wrap(finding.mend, WIDTH - len(indent), break_long_words=False):
        yield f"{indent}{line}"


def summary(found: Sequence[Finding]) -> str:
    """How many of each light, and whether anything is to be mended."""
    counts = Counter(each.light for each in found)
    told = ", ".join(f"{counts[light]} {light}" for light in Light)
    red = counts[Light.RED]
    return f"{told}. {f'{red} to mend.' if red else NOTHING}"


def in_json(found: Sequence[Finding]) -> dict[str, object]:
    """The same for scripts."""
    counts = Counter(each.light for each in found)
    return {
        "ok": not counts[Light.RED],
        "counts": {light: counts[light] for light in Light},
        "findings": [
            {"area": each.area, "light": each.light, "what": each.what, "mend": each.mend} for each in found
        ],
    }
