"""What the app did, call by call, and what was wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.fakes.pulse import Pulse
from tests.fakes.slack.state import Json

SECONDS_TO_ACK = 3.0
"""Slack shows the member an error, or sends the event again, after this long."""


@dataclass(frozen=True, slots=True)
class Call:
    """One Web API or response_url call and its answer."""

    at: float
    method: str
    args: Json
    answer: Json
    status: int = 200

    @property
    def ok(self) -> bool:
        """Whether Slack did it."""
        return bool(self.answer.get("ok"))


@dataclass(slots=True)
class Delivery:
    """Something Slack sent to the app; times are of the loop's monotonic clock, in seconds."""

    kind: str
    payload: Json
    envelope_id: str
    sent_at: float
    retry: int = 0
    reason: str = ""
    acked_at: float | None = None
    status: int | None = None
    answer: Json | None = None

    @property
    def took(self) -> float:
        """Seconds until the app acknowledged; infinite if it never did."""
        return float("inf") if self.acked_at is None else self.acked_at - self.sent_at


@dataclass(slots=True)
class Log:
    """Calls from the app, deliveries to it, and findings against it, oldest first."""

    pulse: Pulse
    calls: list[Call] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    sockets_opened: int = 0

    def called(self, call: Call) -> None:
        """Note a call."""
        self.calls.append(call)
        self.pulse.beat()

    def find(self, finding: str) -> None:
        """Note something a correct app would not do."""
        self.findings.append(finding)
        self.pulse.beat()

    def acked(self, delivery: Delivery, at: float, status: int, answer: Json | None) -> None:
        """Note an acknowledgement, and whether it was late or not one."""
        if delivery.acked_at is not None:
            return
        delivery.acked_at, delivery.status, delivery.answer = at, status, answer
        if delivery.took > SECONDS_TO_ACK:
            self.find(f"{delivery.kind} acknowledged after {delivery.took:.1f} s, more than {SECONDS_TO_ACK}")
        self.pulse.beat()

    def of(self, method: str) -> list[Call]:
        """The calls of one method."""
        return [call for call in self.calls if call.method == method]
