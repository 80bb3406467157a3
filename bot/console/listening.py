"""What the operating system tells a process (to end, to read its configuration anew), and what it grants."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType


def on_signals(heard: Mapping[str, Callable[[], None]]) -> None:
    """Call these in the running event loop on signals of that name; what the system lacks never comes."""
    for name, work in heard.items():
        number = getattr(signal, name, None)
        if isinstance(number, signal.Signals):
            listen(number, work)


def listen(number: signal.Signals, work: Callable[[], None]) -> None:
    """Call `work` on one signal; on Windows, whose loops hear none, by way of the interpreter."""
    loop = asyncio.get_running_loop()

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(work)

    try:
        loop.add_signal_handler(number, work)
    except NotImplementedError:
        signal.signal(number, pass_on)


def open_many() -> None:
    """Let this process open as many files as it may: each stream takes one, and many shells give 1,024."""
    try:
        import resource  # noqa: PLC0415 - Windows has none, and no such limit
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # macOS grants less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
