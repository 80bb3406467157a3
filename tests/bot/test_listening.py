"""Signals, also where the system or its loop knows fewer of them, and as many files as there may be."""

from __future__ import annotations

import asyncio
import resource
import signal

import pytest

from bot.console.listening import on_signals, open_many


async def test_a_system_without_that_signal_starts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    loop = asyncio.get_running_loop()

    def never(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(loop, "add_signal_handler", never)
    monkeypatch.delattr(signal, "SIGHUP")
    before = signal.getsignal(signal.SIGUSR1)
    try:
        on_signals({"SIGUSR1": lambda: heard.append("stop"), "SIGHUP": lambda: heard.append("anew")})
        signal.raise_signal(signal.SIGUSR1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == ["stop"]


def test_a_process_opens_as_many_files_as_it_is_granted() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 900), hard))
    try:
        open_many()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
