"""Socket Mode's side of the fake: single-use addresses, envelopes, acknowledgements, disconnects."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from tests.fakes.slack.state import APP

if TYPE_CHECKING:
    from tests.fakes.slack.log import Delivery, Log

CONNECTION_SECONDS = 3600


class Sockets:
    """The open Socket Mode connections; each envelope goes to one of them in turn."""

    def __init__(self, log: Log) -> None:
        self.open: list[web.WebSocketResponse] = []
        self._log = log
        self._tickets: set[str] = set()
        self._sent: dict[str, Delivery] = {}
        self._turn = 0
        self._spoilt = 0
        self.copies = False
        """Whether each envelope goes to every connection, as seen of Slack at times."""

    def ticket(self, number: int) -> str:
        """A ticket for one connection."""
        ticket = f"ticket-{number}"
        if self._spoilt:
            self._spoilt -= 1
        else:
            self._tickets.add(ticket)
        return ticket

    def spoil_tickets(self, count: int) -> None:
        """Let the next addresses be refused, as Slack does when one is used too late."""
        self._spoilt = count

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Keep one connection until either side ends it."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPForbidden(text="this address was used before")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json(self._hello())
        self.open.append(socket)
        self._log.sockets_opened += 1
        self._log.pulse.beat()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(message.data)
        finally:
            self.open.remove(socket)
            self._log.pulse.beat()
        return socket

    async def send(self, delivery: Delivery) -> None:
        """Send an envelope down one connection, waiting for one to be open."""
        await self._log.pulse.until(lambda: self.open)
        self._sent[delivery.envelope_id] = delivery
        self._turn += 1
        envelope = {
            "envelope_id": delivery.envelope_id,
            "payload": delivery.payload,
            "type": delivery.kind,
            "accepts_response_payload": delivery.kind != "events_api",
        }
        if delivery.kind == "events_api":
            envelope |= {"retry_attempt": delivery.retry, "retry_reason": delivery.reason}
        for socket in list(self.open) if self.copies else [self.open[self._turn % len(self.open)]]:
            await socket.send_json(envelope)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every client to come back on a new connection, as Slack does about every hour."""
        for socket in list(self.open):
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}})

    async def drop(self) -> None:
        """Break every connection."""
        for socket in list(self.open):
            await socket.close()

    def _acknowledged(self, text: str) -> None:
        body = json.loads(text)
        delivery = self._sent.get(body.get("envelope_id", ""))
        if delivery is None:
            self._log.find(f"acknowledged an unknown envelope: {text[:80]}")
            return
        self._log.acked(delivery, asyncio.get_running_loop().time(), 200, body.get("payload"))

    def _hello(self) -> dict[str, object]:
        return {
            "type": "hello",
            "num_connections": len(self.open) + 1,
            "debug_info": {"host": "fake", "approximate_connection_time": CONNECTION_SECONDS},
            "connection_info": {"app_id": APP},
        }
