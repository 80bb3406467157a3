"""What the hall tells the log and the operator: outcomes and figures, never what anybody wrote."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from engine.alerts import Alert, AlertKind
from engine.answering import Answering
from engine.domain import Duplicate, Refusal
from engine.errors import OutsideError
from engine.meters import Meter, Unmetered
from engine.turns import Settlement

log = logging.getLogger("engine")

QUOTE = 12
"""So many characters in a row from a conversation are a quotation."""


class Signals:
    """Logs and counts each step of a question; content stays out. `meter` may be set before any comes."""

    def __init__(self) -> None:
        self.meter: Meter = Unmetered()

    def admitted(self, outcome: object) -> None:
        """A question was decided about."""
        if isinstance(outcome, Refusal):
            self.meter.refused(outcome.reason, outcome.tier)
            log.info("refused", extra={"reason": outcome.reason.value, "tier": outcome.tier.value})
        elif isinstance(outcome, Duplicate):
            self.meter.repeated()
            log.info("duplicate")
        else:
            self.meter.admitted(len(outcome) if isinstance(outcome, Sequence) else 1)

    def settled(self, answering: Answering, settlement: Settlement, *, counted: bool) -> None:
        """A turn came to its end."""
        usage = settlement.usage
        log.info(
            "settled",
            extra={
                "turn": answering.admission.turn,
                "model": settlement.model,
                "outcome": settlement.outcome,
                "counted": counted,
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "cost_micros": settlement.cost,
            },
        )
        begun, first = answering.admission.admitted_at, answering.spoke_at
        self.meter.answered(settlement, first - begun if first else None, settlement.settled_at - begun)
        for spec, error in answering.draft.faults:
            self.meter.failed(spec.name, type(error).__name__)
            log.warning("model failed", extra={"model": spec.name, "error": type(error).__name__})
        for spec, error in answering.broken():
            why = without_quotes(str(error), answering)
            log.error("model needs the operator", extra={"model": spec.name, "why": why})

    def storage_away(self, error: OutsideError) -> None:
        """The database could not be reached."""
        log.warning("database away", extra={"why": str(error)})


def complaints(answering: Answering, now: datetime) -> Sequence[Alert]:
    """What of an answer the operator has to mend: told once for each model and day."""
    kind = AlertKind.VENDOR_BROKEN
    return [
        Alert(f"{kind}:{spec.name}:{now.date()}", kind, spec.name, now, without_quotes(str(error), answering))
        for spec, error in answering.broken()
    ]


def without_quotes(words: str, answering: Answering) -> str:
    """A vendor's words; only what comes before its message, if that repeats what somebody wrote."""
    asked = [message.text for route in answering.admission.routes for message in route.completion.messages]
    pieces = (words[start : start + QUOTE] for start in range(max(1, len(words) - QUOTE + 1)))
    return words.partition(":")[0] if any(piece in text for piece in pieces for text in asked) else words
