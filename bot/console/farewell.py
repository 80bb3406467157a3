"""How a command ends: in words when the outside stopped it, quietly when nobody reads on."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterable

from bot.console.words import in_words

UNREAD = 141
"""Exit status of a program whose reader has gone, as the shell gives it to `yes | head`."""


def stopped(errors: Iterable[BaseException]) -> int:
    """Say what of the outside stopped the program; its exit status."""
    found = list(errors)
    if unread() and any(isinstance(each, BrokenPipeError) for each in found):
        raise BrokenPipeError  # our own reader has left, as with `main.py models | head`
    for each in found:
        print(f"Stopped: {in_words(each)}", file=sys.stderr)
    return 1


def unread() -> bool:
    """Whether standard output is a pipe that nobody reads any more."""
    looking = select.poll()
    looking.register(1, 0)  # what is wrong is told unasked
    return bool(looking.poll(0))


def ending(work: Callable[[], int]) -> int:
    """Do the work and say it all; its exit status, or `UNREAD` without a word if nobody reads on."""
    try:
        try:
            return work()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for each in (1, 2):  # what is still in a buffer is written when the interpreter ends
            os.dup2(nowhere, each)
        return UNREAD
