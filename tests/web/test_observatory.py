"""What machines ask: whether a process can do its work, and what it has counted."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from engine.budget import Ceilings
from engine.domain import Answered, Micros, RefusalReason, TierName
from engine.errors import TellOperatorError, TryAgainError
from engine.ledger import Tx
from engine.models import Usage
from engine.ports import Clock
from engine.settings import MetricsSettings
from engine.spending import Purpose
from engine.turns import Charge
from engine.vitals import Vitals
from storage.store import Store
from tests.engine.conftest import Hall, collect, last
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.fakes.clock import FakeClock
from tests.web.conftest import Start
from tests.web.test_stripe_route import PATH, SIGNED, Inbox
from webhooks.metrics import Metrics
from webhooks.observatory import Observatory, Pulse, open_observatory
from webhooks.server import serve_signals
from webhooks.site import Site, StripeInbox

T = TypeVar("T")
TOKEN = "fake-metrics-token-of-a-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
WELL = Vitals(2, 3, timedelta(minutes=5), 4, 5, 6, 1)


class Database:
    """Answers with the same figures, or as it is told to."""

    def __init__(self, found: Vitals | None = WELL) -> None:
        self.found = found
        self.reads = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Nobody writes here."""
        raise NotImplementedError

    async def read(self, work: Callable[[Tx], T]) -> T:  # noqa: ARG002 - the port's
        """Wait until it may answer."""
        self.reads += 1
        await self.answers.wait()
        if self.found is None:
            raise TryAgainError("the database is away")
        return self.found  # type: ignore[return-value]


def watched(database: Database, clock: Clock, **gateways: bool) -> Observatory:
    """A process with these gateways."""
    return Observatory(
        Pulse(database, clock, patience=0.01),
        Metrics(),
        TOKEN,
        gateways={name: lambda up=up: up for name, up in gateways.items()},  # type: ignore[misc]
    )


async def ready(start: Start, observatory: Observatory) -> tuple[int, Mapping[str, object]]:
    client = await start(Site("http://127.0.0.1", observatory=observatory))
    async with client.get("/ready") as answer:
        return answer.status, await answer.json()


async def test_a_process_whose_database_and_gateways_answer_is_ready(start: Start, clock: FakeClock) -> None:
    assert await ready(start, watched(Database(), clock, discord=True)) == (200, {"status": "ready"})


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_process_without_its_database_is_not(
    start: Start,
    clock: FakeClock,
    hangs: bool,  # noqa: FBT001 - a row of the table
) -> None:
    database = Database(None)
    if hangs:
        database.answers.clear()
    reasons = ["database: no answer within 2 s"]
    assert await ready(start, watched(database, clock)) == (503, {"status": "not ready", "reasons": reasons})
    database.answers.set()


async def test_a_process_whose_gateway_is_away_is_not(start: Start, clock: FakeClock) -> None:
    told = await ready(start, watched(Database(), clock, discord=True, slack=False))
    assert told == (503, {"status": "not ready", "reasons": ["slack: not connected"]})


async def test_nobody_is_ready_while_customers_wait_too_long_to_be_read(
    start: Start, clock: FakeClock
) -> None:
    late = replace(WELL, waiting=timedelta(minutes=5, seconds=1))
    told = await ready(start, watched(Database(late), clock))
    reasons = ["backlog: 3 to read from Stripe, one for 5 min"]
    assert told == (503, {"status": "not ready", "reasons": reasons})


async def test_however_often_it_is_asked_the_database_is_read_once_at_a_time(clock: FakeClock) -> None:
    database = Database()
    database.answers.clear()
    pulse = Pulse(database, clock, patience=0.01)
    assert await asyncio.gather(*(pulse.take() for _ in range(5))) == [None] * 5
    database.answers.set()
    assert await pulse.take() == WELL
    assert await pulse.take() == WELL
    assert database.reads == 1


async def test_a_database_that_fails_is_not_asked_again_by_everybody(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(None)
    pulse = Pulse(database, clock)
    assert [await pulse.take() for _ in range(5)] == [None] * 5
    assert (database.reads, len(caplog.records)) == (1, 1)


async def test_the_real_database_tells_how_it_stands(store: Store, clock: FakeClock) -> None:
    assert await Pulse(store, clock).take() == Vitals(0, 0, timedelta(0), 0, 0, 0, 0)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": "Bearer \u00fc"},
        {"Cookie": f"token={TOKEN}"},
    ],
)
async def test_metrics_are_for_whoever_has_the_token(
    start: Start, clock: FakeClock, headers: Mapping[str, str]
) -> None:
    client = await start(Site("http://127.0.0.1", observatory=watched(Database(), clock)))
    async with client.get("/metrics", headers=headers) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    async with client.get(f"/metrics?token={TOKEN}") as answer:
        assert answer.status == 401
    async with client.get("/metrics", headers=BEARER) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert answer.headers["Cache-Control"] == "no-store"


async def test_metrics_are_off_unless_they_are_asked_for(
    start: Start, store: Store, clock: FakeClock
) -> None:
    off = open_observatory(MetricsSettings(None, None), store, clock)
    assert off.metrics is None
    assert off.duties() == []
    client = await start(Site("http://127.0.0.1", observatory=off))
    async with client.get("/metrics", headers={"Authorization": "Bearer None"}) as answer:
        assert answer.status == 404
        assert "METRICS_TOKEN" in (await answer.json())["error"]
    async with client.get("/ready") as answer:
        assert answer.status == 200


async def test_with_a_port_of_their_own_the_main_one_does_not_have_them(
    start: Start, store: Store, clock: FakeClock
) -> None:
    own = open_observatory(MetricsSettings(0, None), store, clock)
    client = await start(Site("http://127.0.0.1", observatory=own))
    async with client.get("/metrics") as answer:
        assert answer.status == 404
    async with serve_signals(own, "127.0.0.1") as port, ClientSession(f"http://127.0.0.1:{port}") as there:
        for path in ("/metrics", "/ready", "/health"):
            async with there.get(path) as answer:
                assert answer.status == 200
        for path in ("/", "/admin", "/playground", "/stripe/webhook"):
            async with there.get(path) as answer:
                assert answer.status == 404


async def test_a_port_of_their_own_asks_for_the_token_if_there_is_one(clock: FakeClock) -> None:
    own = replace(watched(Database(), clock), port=0)
    async with serve_signals(own, "127.0.0.1") as port, ClientSession(f"http://127.0.0.1:{port}") as there:
        async with there.get("/metrics") as answer:
            assert answer.status == 401
        async with there.get("/metrics", headers=BEARER) as answer:
            assert answer.status == 200


Samples = Mapping[str, float]


def read(metrics: Metrics, vitals: Vitals | None = WELL, **gateways: bool) -> Samples:
    """Our samples as Prometheus reads them: by name and the values of their labels."""
    families = text_string_to_metric_families(metrics.exposition(vitals, gateways).decode())
    return {
        " ".join((sample.name.removeprefix("multi_llm_chat_"), *sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("multi_llm_chat_") and not sample.name.endswith("_bucket")
    }


async def test_a_question_is_counted_from_its_admission_to_its_cost(hall: Hall, clock: FakeClock) -> None:
    metrics = Metrics()
    chat = hall.chat()
    chat.signals.meter = metrics
    hall.one.pause = 0
    asked = hall.ask("What is it?")
    answering = asyncio.create_task(last(chat, asked))
    await hall.one.waiting.wait()
    clock.advance(timedelta(seconds=2))
    hall.one.go.set()
    answered = await answering
    assert isinstance(answered, Answered)
    await collect(chat, asked)
    seen = read(metrics)
    assert seen["questions_admitted_total"] == seen["answers_begun_total"] == 1
    assert seen["questions_repeated_total"] == 1
    assert seen["answers_total quick end"] == 1
    assert (seen["first_word_seconds_sum quick"], seen["first_word_seconds_count quick"]) == (2, 1)
    assert (seen["answer_seconds_sum quick"], seen["answer_seconds_count quick"]) == (2, 1)
    usage = answered.usage
    assert seen["tokens_total input quick"] == usage.input_tokens > 0
    assert seen["tokens_total output quick"] == usage.output_tokens > 0
    spent = usage.input_tokens * 1 + usage.output_tokens * 4  # micro-dollars at the catalogue's price
    assert seen["cost_dollars_total quick"] == pytest.approx(spent / 1_000_000)


async def test_what_is_refused_or_fails_is_counted_by_its_reason(hall: Hall) -> None:
    hall.free(requests_per_minute=1)
    hall.one.errors = [TellOperatorError("no such key")]
    hall.two.errors = [TellOperatorError("no such key")]
    metrics = Metrics()
    chat = hall.chat()
    chat.signals.meter = metrics
    for _ in range(3):
        await last(chat, hall.ask())
    seen = read(metrics)
    assert seen["questions_refused_total rate free"] == 1
    assert seen["model_failures_total TellOperatorError quick"] == 1
    assert seen["model_failures_total TellOperatorError spare"] == 1
    assert seen["answers_total spare broken"] == 1
    assert "first_word_seconds_count spare" not in seen


def test_every_refusal_can_be_counted() -> None:
    metrics = Metrics()
    for reason in RefusalReason:
        metrics.refused(reason, TierName.FREE)
    assert sum(value for name, value in read(metrics).items() if "refused" in name) == len(RefusalReason)


async def test_webhooks_are_counted_by_what_became_of_them(start: Start, clock: FakeClock) -> None:
    inbox, observatory = Inbox(), watched(Database(), clock)
    site = Site("http://127.0.0.1", stripe=StripeInbox(inbox.parse, inbox.receive), observatory=observatory)
    client = await start(site)
    for body, headers in ((b"evt_1", SIGNED), (b"evt_1", SIGNED), (b"[]", SIGNED), (b"evt_2", {})):
        await client.post(PATH, data=body, headers=headers)
    inbox.trouble = TryAgainError("away")
    await client.post(PATH, data=b"evt_3", headers=SIGNED)
    assert observatory.metrics
    seen = read(observatory.metrics)
    assert {name: value for name, value in seen.items() if name.startswith("webhook_events")} == {
        "webhook_events_total stored invoice.paid": 1,
        "webhook_events_total nothing_new invoice.paid": 1,
        "webhook_events_total failed invoice.paid": 1,
        "webhook_events_total bad_payload unknown": 1,
        "webhook_events_total bad_signature unknown": 1,
    }
    assert seen["webhook_seconds_count"] == 5


async def test_units_of_work_are_timed_and_those_not_done_are_counted(store: Store) -> None:
    metrics = Metrics()
    store.meter = metrics

    def broken(_tx: Tx) -> None:
        raise ValueError("no")

    await store.read(lambda tx: tx.circuits())
    await store.transact(lambda tx: tx.circuits())
    with pytest.raises(ValueError, match="no"):
        await store.transact(broken)
    await asyncio.sleep(0)
    seen = read(metrics)
    assert seen["transaction_seconds_count read"] == 1
    assert seen["transaction_seconds_count write"] == 2
    assert seen["transactions_failed_total write"] == 1
    assert "transactions_failed_total read" not in seen


async def test_how_the_house_stands_is_told_and_unknown_while_the_database_is_away() -> None:
    seen = read(Metrics(), discord=True, slack=False)
    assert (seen["gateway_connected discord"], seen["gateway_connected slack"]) == (1, 0)
    figures = {
        "database_up": 1,
        "held_turns": 2,
        "sync_backlog": 3,
        "sync_oldest_seconds": 300,
        "dead_letters": 4,
        "notices_owed": 5,
        "alerts_owed": 6,
        "circuits_open": 1,
    }
    assert {name: seen[name] for name in figures} == figures
    away = read(Metrics(), None)
    assert away["database_up"] == 0
    assert all(math.isnan(away[name]) for name in figures if name != "database_up")


async def test_which_part_of_each_ceiling_is_spent_is_told_while_there_is_one(
    store: Store, clock: FakeClock
) -> None:
    pulse = Pulse(store, clock)
    ceilings = Ceilings(Micros(1_000_000), None, {"one": Micros(0)})
    pulse.ceilings = lambda: ceilings
    charge, now = Charge("quick", "one", Usage(1, 1), Micros(250_000)), clock.now()
    await store.transact(lambda tx: tx.charge_house(charge, Purpose.SUMMARY, now))
    metrics = Metrics()
    seen = read(metrics, await pulse.take())
    assert (seen["ceiling_spent_ratio bot"], seen["ceiling_spent_ratio vendor:one"]) == (0.25, 1)
    assert "ceiling_spent_ratio free" not in seen
    assert not any(name.startswith("ceiling") for name in read(metrics, WELL))


@asynccontextmanager
async def running(metrics: Metrics) -> AsyncIterator[None]:
    task = asyncio.create_task(metrics.watch_loop())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_the_event_loop_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.metrics.LAG_EVERY", 0.001)
    metrics = Metrics()
    async with running(metrics):
        while read(metrics)["event_loop_lag_seconds_count"] < 2:  # noqa: ASYNC110 - what is waited for is a count
            await asyncio.sleep(0.001)


def test_no_label_is_about_a_member() -> None:
    named = {label for _, labels in Metrics().families.values() for label in labels}
    assert named == {"reason", "tier", "model", "outcome", "kind", "error", "type", "platform", "ceiling"}
