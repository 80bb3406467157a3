"""What the operating system tells a process: to end, or to read its configuration anew."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
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
