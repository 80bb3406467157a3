"""Counts for Prometheus: what this process does, and how the whole house stands when it is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from engine.domain import RefusalReason, TierName
from engine.turns import Settlement
from engine.vitals import Vitals

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series beside each counter that only says when it began

PREFIX = "multi_llm_chat"
TO_WORDS = (0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60)
TO_THE_END = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)
"""Bounds of the histograms, in seconds."""
LAG_EVERY = 0.5
NOT_KNOWN = float("nan")


class Metrics:
    """`engine.meters.Meter` on a registry of its own; the figures of webhooks are counted here, too."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.families: dict[str, tuple[str, tuple[str, ...]]] = {}
        """Our own by name, with kind and labels."""
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._count_questions()
        self._count_answers()
        self._count_machinery()
        self._count_house()

    def _count_questions(self) -> None:
        self._admitted = self._counter("questions_admitted", "Questions that may be answered")
        self._refused = self._counter("questions_refused", "Questions refused", "reason", "tier")
        self._repeated = self._counter("questions_repeated", "Questions that came a second time")

    def _count_answers(self) -> None:
        self._begun = self._counter("answers_begun", "Answers begun: one for each model of a comparison")
        self._answers = self._counter("answers", "Answers that came to their end", "model", "outcome")
        self._first = self._histogram(
            "first_word_seconds", "From admission to the first word", TO_WORDS, "model"
        )
        self._took = self._histogram("answer_seconds", "From admission to the end", TO_THE_END, "model")
        self._tokens = self._counter(
            "tokens", "Tokens charged; cached ones are part of input", "model", "kind"
        )
        self._cost = self._counter("cost_dollars", "What vendors charge, in USD", "model")
        self._failures = self._counter("model_failures", "Requests to models that failed", "model", "error")

    def _count_machinery(self) -> None:
        self._events = self._counter("webhook_events", "Webhook calls of Stripe", "type", "outcome")
        self._webhook = self._histogram("webhook_seconds", "From a webhook's call to our answer", QUICK)
        self._units = self._histogram(
            "transaction_seconds", "Units of work, their wait included", QUICK, "kind"
        )
        self._broken = self._counter("transactions_failed", "Units of work that were not done", "kind")
        self._lag = self._histogram("event_loop_lag_seconds", "How late the event loop woke up", QUICK)

    def _count_house(self) -> None:
        self._gateway = self._gauge("gateway_connected", "Whether a chat platform is connected", "platform")
        self._database = self._gauge("database_up", "Whether the database answers")
        self._held = self._gauge("held_turns", "Answers being written, in all processes")
        self._backlog = self._gauge("sync_backlog", "Customers to be read from Stripe")
        self._oldest = self._gauge("sync_oldest_seconds", "For how long the oldest of them is due")
        self._dead = self._gauge("dead_letters", "What was given up until it is retried")
        self._notices = self._gauge("notices_owed", "Notices that members are owed")
        self._alerts = self._gauge("alerts_owed", "Alerts that operators are owed")
        self._circuits = self._gauge("circuits_open", "Models that are left alone because they keep failing")
        self._ceilings = self._gauge(
            "ceiling_spent_ratio", "Which part of a ceiling is spent in its day or month", "ceiling"
        )

    def admitted(self, turns: int) -> None:
        """Count."""
        self._admitted.inc()
        self._begun.inc(turns)

    def refused(self, reason: RefusalReason, tier: TierName) -> None:
        """Count."""
        self._refused.labels(reason.value, tier.value).inc()

    def repeated(self) -> None:
        """Count."""
        self._repeated.inc()

    def answered(self, settlement: Settlement, first_word: timedelta | None, took: timedelta) -> None:
        """Count, and time; tokens and cost are those of every request that was made for it."""
        model = settlement.model
        self._answers.labels(model, str(settlement.outcome)).inc()
        self._took.labels(model).observe(took.total_seconds())
        if first_word is not None:
            self._first.labels(model).observe(first_word.total_seconds())
        for charge in settlement.charges:
            usage = charge.usage
            self._tokens.labels(charge.model, "input").inc(usage.input_tokens)
            self._tokens.labels(charge.model, "cached_input").inc(usage.cached_input_tokens)
            self._tokens.labels(charge.model, "output").inc(usage.output_tokens)
            self._cost.labels(charge.model).inc((charge.cost or 0) / 1_000_000)

    def failed(self, model: str, error: str) -> None:
        """Count."""
        self._failures.labels(model, error).inc()

    def transacted(self, kind: str, seconds: float, *, done: bool) -> None:
        """Time, and count what was not done."""
        self._units.labels(kind).observe(seconds)
        if not done:
            self._broken.labels(kind).inc()

    def webhook(self, kind: str, outcome: str, seconds: float) -> None:
        """A call of Stripe's was answered; `kind` is the event's type, once it is known to be Stripe's."""
        self._events.labels(kind, outcome).inc()
        self._webhook.observe(seconds)

    async def watch_loop(self) -> None:
        """Time how late the event loop wakes us up, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            self._lag.observe(max(0.0, loop.time() - due))

    def exposition(self, vitals: Vitals | None, gateways: Mapping[str, bool]) -> bytes:
        """Everything in Prometheus' text format; without `vitals` the database did not answer."""
        for platform, connected in gateways.items():
            self._gateway.labels(platform).set(connected)
        self._database.set(vitals is not None)
        self._held.set(vitals.held_turns if vitals else NOT_KNOWN)
        self._backlog.set(vitals.backlog if vitals else NOT_KNOWN)
        self._oldest.set(vitals.waiting.total_seconds() if vitals else NOT_KNOWN)
        self._dead.set(vitals.dead_letters if vitals else NOT_KNOWN)
        self._notices.set(vitals.notices_owed if vitals else NOT_KNOWN)
        self._alerts.set(vitals.alerts_owed if vitals else NOT_KNOWN)
        self._circuits.set(vitals.circuits_open if vitals else NOT_KNOWN)
        self._ceilings.clear()
        for scope, part in (vitals.ceilings if vitals else {}).items():
            self._ceilings.labels(scope).set(part)
        return generate_latest(self.registry)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        self.families[f"{PREFIX}_{name}_total"] = ("counter", labels)
        return Counter(f"{PREFIX}_{name}", about, labels, registry=self.registry)

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        self.families[f"{PREFIX}_{name}"] = ("gauge", labels)
        return Gauge(f"{PREFIX}_{name}", about, labels, registry=self.registry)

    def _histogram(self, name: str, about: str, bounds: tuple[float, ...], *labels: str) -> Histogram:
        self.families[f"{PREFIX}_{name}"] = ("histogram", labels)
        return Histogram(f"{PREFIX}_{name}", about, labels, buckets=bounds, registry=self.registry)
