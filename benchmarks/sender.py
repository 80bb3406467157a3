"""Delivers signed events as Stripe does, under ever new ids, over connections that stay open."""

from __future__ import annotations

import asyncio
import json
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from urllib.parse import urlsplit

from tests.fakes.stripe import SECRET, sign

LOST = (OSError, asyncio.IncompleteReadError)
"""What a killed server does to a delivery."""


class Sender:
    """One more connection whenever all are busy."""

    def __init__(self, url: str, bodies: list[str]) -> None:
        self._address = urlsplit(url)
        self._events = [json.loads(body) for body in bodies]
        self._free: list[tuple[StreamReader, StreamWriter]] = []
        self._all: list[StreamWriter] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, bodies: list[str]) -> AsyncIterator[Sender]:
        """A sender of these events to the server at a URL; closes what it opened."""
        sender = cls(url, bodies)
        try:
            yield sender
        finally:
            for writer in sender._all:
                writer.close()

    async def send(self, number: int) -> bool:
        """Deliver an event, wait for its acknowledgement, and tell whether the server did not know it."""
        event = self._events[number % len(self._events)]
        body = json.dumps({**event, "id": f"evt_bench{number}"}).encode()
        reader, writer = self._free.pop() if self._free else await self._connection()
        head = (
            "POST /stripe/webhook HTTP/1.1",
            f"Host: {self._address.netloc}",
            f"Content-Length: {len(body)}",
            f"Stripe-Signature: {sign(body, [SECRET], int(time.time()))}",
        )
        writer.write("\r\n".join((*head, "", "")).encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(answer.decode())
        lengths = [line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        told = json.loads(await reader.readexactly(int(lengths[0].partition(b":")[2])))
        self._free.append((reader, writer))
        return bool(told["changed"])

    async def offer(self, rate: float, seconds: float, numbers: count[int]) -> list[float]:
        """Deliver so many a second, whether acknowledged or not; seconds that each took since it was due."""
        begun, times = time.perf_counter(), list[float]()

        async def one(due: float) -> None:
            await self.send(next(numbers))
            times.append(time.perf_counter() - due)

        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                due = begun + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(one(due))
        return times

    async def acknowledged(self, callers: int, numbers: count[int]) -> set[int]:
        """Keep so many in flight until the server is gone; what it acknowledged."""
        known: set[int] = set()

        async def caller() -> None:
            try:
                while True:
                    number = next(numbers)
                    await self.send(number)
                    known.add(number)
            except LOST:
                return

        await asyncio.gather(*(caller() for _ in range(callers)))
        return known

    async def _connection(self) -> tuple[StreamReader, StreamWriter]:
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        self._all.append(writer)
        return reader, writer
