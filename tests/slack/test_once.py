"""Slack is answered at once and each thing once: whatever models do, Slack repeats, or processes share."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from engine.domain import Person, Platform
from engine.ledger import Tx
from storage.store import Store, open_store
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.pulse import PATIENCE
from tests.fakes.slack import ALICE, GENERAL, TEAM, Delivery, FakeSlack
from tests.slack.conftest import Stage, front_of, serving, workspace
from tests.slack.test_conversations import answered

AT_ONCE = 3.0
"""Seconds after which Slack shows an error, or sends an event again."""


async def used(store: Store, clock: FakeClock) -> int:
    """How many conversations Alice had today."""

    def work(tx: Tx) -> int:
        account = tx.find_account(Person(Platform.SLACK, TEAM, ALICE))
        return tx.conversations_on(account.id, clock.now().date()) if account else 0

    return await store.read(work)


async def ask_in_every_way(slack: FakeSlack) -> list[Delivery]:
    """A command, a mention and a direct message; what Slack sent for them."""
    return [
        await slack.slash(ALICE, "/ask", "Hi"),
        *(await slack.mention(ALICE, GENERAL, "Hi")).deliveries,
        *(await slack.dm(ALICE, "Hi")).deliveries,
    ]


async def three_answers(slack: FakeSlack) -> None:
    """Wait for the answers to those, and for no more than those."""
    await answered(slack, GENERAL, 2)
    await answered(slack, slack.workspace.dm(ALICE).id)


async def test_all_is_acknowledged_while_the_model_says_nothing(stage: Stage) -> None:
    slack, model = stage.slack, stage.model
    model.pause = 0
    sent = await ask_in_every_way(slack)
    await slack.slash(ALICE, "/plans")
    plans = await slack.wait_for(lambda: next((m for m in slack.ephemerals(ALICE) if m.buttons), None))
    sent.append(await slack.press(ALICE, plans, str(plans.buttons[0]["action_id"])))
    assert max(delivery.took for delivery in sent) < AT_ONCE
    assert {delivery.status for delivery in sent} == {200}
    async with asyncio.timeout(PATIENCE):
        while len(model.seen) < 3:  # noqa: ASYNC110 - the model tells nobody
            await asyncio.sleep(0)
    assert model.closed == 0
    model.go.set()
    await three_answers(slack)


async def test_what_slack_repeats_is_answered_and_counted_once(stage: Stage) -> None:
    slack, model = stage.slack, stage.model
    model.pause = 1
    sent = await ask_in_every_way(slack)
    for delivery in sent:
        again = await slack.redeliver(delivery, reason="http_timeout")
        doubled = await slack.deliver(delivery.kind, delivery.payload, envelope=delivery.envelope_id)
        assert (again.retry, again.status, doubled.status) == (1, 200, 200)
    model.go.set()
    await three_answers(slack)
    for delivery in sent:
        await slack.redeliver(delivery)
    await slack.slash(ALICE, "/usage")
    await slack.wait_for(lambda: slack.ephemerals(ALICE))
    assert len(model.seen) == 3
    assert await used(stage.hall.store, stage.hall.clock) == 3


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_two_processes_that_both_hear_everything_give_one_answer_and_one_count(
    mode: str, hall: Hall, clock: FakeClock, database_url: str
) -> None:
    http = mode == "http"
    async with workspace(clock, http=http) as slack, AsyncExitStack() as stack:
        addresses: list[str] = []
        for _ in range(2):
            store = await open_store(database_url, clock)
            stack.push_async_callback(store.close)
            front = front_of(Hall(store, clock, hall.one, hall.two, hall.catalogue))
            await stack.enter_async_context(serving(slack, front, clock, http=http))
            addresses += [slack.posts.url] if slack.posts else []
        if slack.posts:
            slack.posts.also = tuple(addresses[:1])
        slack.sockets.copies = True
        await ask_in_every_way(slack)
        await three_answers(slack)
        assert slack.findings == []
    assert len(hall.one.seen) == 3
    assert await used(hall.store, clock) == 3
