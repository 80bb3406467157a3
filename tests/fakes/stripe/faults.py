"""What can go wrong between a client and Stripe, to be laid on routes by tests."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from enum import StrEnum

from tests.fakes.stripe.wire import Json

_KINDS = {401: "invalid_request_error", 403: "invalid_request_error", 409: "idempotency_error"}
_CODES = {409: "idempotency_key_in_use", 429: "rate_limit"}


class FaultKind(StrEnum):
    """STATUS and HANG_UP stop a request before it is done; CUT and LOSE spoil the answer of one that was."""

    DELAY = "delay"
    STATUS = "status"
    HANG_UP = "hang_up"
    CUT = "cut"
    LOSE = "lose"


@dataclass(slots=True, eq=False)
class Fault:
    """One fault on the routes that begin with `route`, for the next `times` requests (None: until lifted).

    Of these routes' requests it meets a `share`.
    """

    kind: FaultKind
    route: str = ""
    times: int | None = 1
    status: int = 503
    delay: float = 0.0
    share: float = 1.0
    gate: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a request has run into it."""

    async def wait(self) -> None:
        """Hold the request up for `delay` seconds and until `gate` opens."""
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(self.delay)

    def body(self) -> Json:
        """The error that a STATUS fault answers."""
        error = {"type": _KINDS.get(self.status, "api_error"), "message": f"Laid on: {self.status}"}
        code = _CODES.get(self.status)
        return {"error": error | ({"code": code} if code else {})}


@dataclass(slots=True)
class Faults:
    """The faults that wait for requests."""

    waiting: list[Fault] = field(default_factory=list)
    _dice: random.Random = field(default_factory=lambda: random.Random(7))

    def add(self, kind: FaultKind, route: str = "", *, times: int | None = 1, status: int = 503) -> Fault:
        """Lay a fault on a route such as `POST /v1/customers`."""
        fault = Fault(kind, route, times, status)
        self.waiting.append(fault)
        return fault

    def storm(self, status: int = 429, route: str = "", *, share: float = 1.0) -> Fault:
        """Answer this status until `lift`: 429 for a storm of limits, 503 for an outage."""
        fault = Fault(FaultKind.STATUS, route, times=None, status=status, share=share)
        self.waiting.append(fault)
        return fault

    def slow(self, seconds: float, route: str = "") -> Fault:
        """Answer late until `lift`."""
        fault = Fault(FaultKind.DELAY, route, times=None, delay=seconds)
        self.waiting.append(fault)
        return fault

    def lift(self, fault: Fault) -> None:
        """End a fault."""
        if fault in self.waiting:
            self.waiting.remove(fault)

    def clear(self) -> None:
        """All is well again."""
        self.waiting.clear()

    def take(self, route: str) -> Fault | None:
        """The first fault for a route, counted down."""
        for fault in self.waiting:
            if route.startswith(fault.route) and self._dice.random() < fault.share:
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.waiting.remove(fault)
                return fault
        return None
