"""A question's way from admission to settlement."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from datetime import timedelta

import pytest

from engine.admission import LEASE
from engine.domain import (
    Answered,
    ChatEvent,
    Delta,
    Duplicate,
    Failed,
    FailureReason,
    Refusal,
    RefusalReason,
    Started,
)
from engine.errors import ContentRefusedError, LateError, TellOperatorError, TryAgainError
from engine.ledger import Tx
from engine.models import Finish, Role, Usage
from tests.engine.conftest import ALICE, BOB, Hall, collect, last
from tests.fakes.models import Scripted


async def used(hall: Hall) -> int:
    """Alice's counted conversations today."""

    def work(tx: Tx) -> int:
        account = tx.find_account(ALICE)
        return tx.usage(account.id, hall.clock.now()).conversations_today if account else 0

    return await hall.store.read(work)


async def test_an_answer_streams_and_ends_with_its_counts(hall: Hall) -> None:
    events = await collect(hall.chat(), hall.ask())
    assert [type(event) for event in events] == [Started, Delta, Delta, Answered]
    answered = events[-1]
    assert isinstance(answered, Answered)
    assert (answered.text, answered.finish) == ("Hello there.", Finish.END)
    assert (answered.standing.conversations_today, answered.standing.conversations_limit) == (1, 3)


async def test_a_message_is_answered_once_however_often_it_comes(hall: Hall) -> None:
    chat, other = hall.chat(), hall.chat("process-2")
    asks = [hall.ask(key="slack:event:1") for _ in range(6)]
    ends = await asyncio.gather(*(last(each, ask) for each, ask in zip([chat, other] * 3, asks, strict=True)))
    assert sum(isinstance(end, Answered) for end in ends) == 1
    assert sum(isinstance(end, Duplicate) for end in ends) == 5
    assert await used(hall) == 1


async def test_the_conversation_after_the_last_is_refused_with_when_and_an_offer(hall: Hall) -> None:
    chat = hall.chat()
    for _ in range(3):
        assert isinstance(await last(chat, hall.ask()), Answered)
    refused = await last(chat, hall.ask())
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.CONVERSATIONS
    assert refused.until is not None
    assert refused.until.isoformat() == "2026-11-25T00:00:00+00:00"
    assert refused.offer is not None
    assert refused.offer.tier == "premium"


async def test_a_new_utc_day_brings_new_conversations(hall: Hall) -> None:
    hall.free(conversations_per_day=1)
    chat = hall.chat()
    await last(chat, hall.ask())
    hall.clock.advance(timedelta(hours=12))
    assert isinstance(await last(chat, hall.ask()), Answered)


async def test_follow_ups_are_turns_of_one_conversation_and_know_what_was_said(hall: Hall) -> None:
    chat = hall.chat()
    await last(chat, hall.ask("My name is Ada", anchors=("local:thread:1",)))
    end = await last(chat, hall.ask("What is my name?", anchors=("local:thread:1",)))
    assert isinstance(end, Answered)
    assert (end.standing.conversations_today, end.standing.turn) == (1, 2)
    said = [(message.role, message.text) for message in hall.one.seen[-1].messages]
    assert said == [
        (Role.USER, "My name is Ada"),
        (Role.ASSISTANT, "Hello there."),
        (Role.USER, "What is my name?"),
    ]


async def test_two_people_at_one_place_have_conversations_of_their_own(hall: Hall) -> None:
    chat = hall.chat()
    await last(chat, hall.ask("Alice's secret", anchors=("local:thread:1",)))
    await last(chat, hall.ask("What did she say?", BOB, anchors=("local:thread:1",)))
    assert [message.text for message in hall.one.seen[-1].messages] == ["What did she say?"]


async def test_a_full_conversation_is_refused(hall: Hall) -> None:
    hall.free(turns_per_conversation=2, requests_per_minute=None)
    chat = hall.chat()
    for _ in range(2):
        await last(chat, hall.ask(anchors=("local:dm:alice",)))
    refused = await last(chat, hall.ask(anchors=("local:dm:alice",)))
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.TURNS


async def test_a_dm_starts_anew_after_twelve_idle_hours(hall: Hall) -> None:
    chat = hall.chat()
    await last(chat, hall.ask(anchors=("local:dm:alice",), dm=True))
    hall.clock.advance(timedelta(hours=11))
    going_on = await last(chat, hall.ask(anchors=("local:dm:alice",), dm=True))
    hall.clock.advance(timedelta(hours=12))
    anew = await last(chat, hall.ask(anchors=("local:dm:alice",), dm=True))
    assert isinstance(going_on, Answered)
    assert going_on.standing.turn == 2
    assert isinstance(anew, Answered)
    assert anew.standing.turn == 1


async def test_new_lets_the_next_message_start_anew(hall: Hall) -> None:
    chat = hall.chat()
    await last(chat, hall.ask(anchors=("local:dm:alice",), dm=True))
    await chat.forget(ALICE, ["local:dm:alice"])
    end = await last(chat, hall.ask(anchors=("local:dm:alice",), dm=True))
    assert isinstance(end, Answered)
    assert end.standing.turn == 1


async def test_questions_quicker_than_the_rate_are_refused_until_the_oldest_is_a_minute_old(
    hall: Hall,
) -> None:
    hall.free(conversations_per_day=None, requests_per_minute=2)
    chat = hall.chat()
    await last(chat, hall.ask())
    hall.clock.advance(timedelta(seconds=20))
    await last(chat, hall.ask())
    refused = await last(chat, hall.ask())
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.RATE
    assert refused.until == hall.clock.now() + timedelta(seconds=40)
    hall.clock.set(refused.until)
    assert isinstance(await last(chat, hall.ask()), Answered)


async def test_one_answer_at_once_means_one(hall: Hall) -> None:
    hall.one = Scripted(pause=1)
    chat = hall.chat()
    async with aclosing(chat.ask(hall.ask())) as events:
        await anext(events)
        refused = await last(chat, hall.ask())
        assert isinstance(refused, Refusal)
        assert refused.reason is RefusalReason.CONCURRENT
        hall.one.go.set()
        assert isinstance([event async for event in events][-1], Answered)
    assert isinstance(await last(chat, hall.ask()), Answered)


async def test_a_locked_model_is_refused_with_the_tier_that_has_it(hall: Hall) -> None:
    refused = await last(hall.chat(), hall.ask(model="deep"))
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.MODEL_LOCKED
    assert refused.offer is not None
    assert refused.offer.tier == "premium"


async def test_an_unknown_model_and_an_empty_question_are_refused_and_not_counted(hall: Hall) -> None:
    chat = hall.chat()
    unknown = await last(chat, hall.ask(model="gtp"))
    empty = await last(chat, hall.ask("  "))
    assert isinstance(unknown, Refusal)
    assert unknown.choices == ("quick", "spare", "deep")
    assert isinstance(empty, Refusal)
    assert empty.reason is RefusalReason.EMPTY
    assert await used(hall) == 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TryAgainError("overloaded"), FailureReason.BUSY),
        (LateError("late"), FailureReason.TIMEOUT),
        (TellOperatorError("bad key"), FailureReason.BROKEN),
        (ContentRefusedError("no"), FailureReason.REFUSED),
    ],
)
async def test_a_failure_before_any_text_is_not_counted(
    hall: Hall, error: TryAgainError, reason: FailureReason
) -> None:
    hall.one = Scripted(errors=[error] * 4)
    hall.two = Scripted(errors=[error] * 4)
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Failed)
    assert (end.reason, end.counted) == (reason, False)
    assert await used(hall) == 0


async def test_a_stream_without_its_end_is_a_failure_that_keeps_the_text(hall: Hall) -> None:
    hall.one = Scripted(finish=None)
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Failed)
    assert (end.reason, end.text, end.counted) == (FailureReason.CUT, "Hello there.", True)


async def test_an_answer_without_a_word_is_a_failure(hall: Hall) -> None:
    hall.one = Scripted(words=())
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Failed)
    assert not end.counted


async def test_an_overloaded_model_is_tried_again_before_its_fallback(hall: Hall) -> None:
    hall.one = Scripted(errors=[TryAgainError("busy")])
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Answered)
    assert end.model == "quick"


async def test_the_fallback_answers_and_is_named(hall: Hall) -> None:
    hall.one = Scripted(errors=[TryAgainError("busy"), TryAgainError("busy")])
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Answered)
    assert (end.model, end.asked_model) == ("spare", "quick")


async def test_nothing_is_tried_again_once_text_was_seen(hall: Hall) -> None:
    hall.one = Scripted(errors=[TryAgainError("cut")], fail_after=1)
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Failed)
    assert end.text == "Hello "
    assert len(hall.one.seen) == 1
    assert not hall.two.seen


async def test_a_long_wait_asked_for_by_a_vendor_is_not_waited(hall: Hall) -> None:
    hall.one = Scripted(errors=[TryAgainError("busy", retry_after=60)])
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Answered)
    assert end.model == "spare"


async def test_stop_ends_the_models_request_and_keeps_what_was_said(hall: Hall) -> None:
    hall.one = Scripted(pause=1)
    chat = hall.chat()
    events: list[ChatEvent] = []
    async with aclosing(chat.ask(hall.ask())) as stream:
        async for event in stream:
            events.append(event)
            if isinstance(event, Delta):
                turn = events[0].turn  # type: ignore[union-attr]
                assert not await chat.stop(turn, BOB)
                assert await chat.stop(turn, ALICE)
    end = events[-1]
    assert isinstance(end, Failed)
    assert (end.reason, end.text, end.counted) == (FailureReason.STOPPED, "Hello ", True)
    assert hall.one.closed == 1


async def test_a_reader_that_goes_away_before_any_text_costs_the_member_nothing(hall: Hall) -> None:
    hall.one = Scripted(pause=0)
    chat = hall.chat()
    reading = asyncio.create_task(collect(chat, hall.ask()))
    await hall.one.waiting.wait()
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    assert hall.one.closed == 1
    assert await used(hall) == 0
    hall.one = Scripted()
    assert isinstance(await last(hall.chat(), hall.ask()), Answered)


async def test_closing_lets_answers_finish_and_takes_no_more(hall: Hall) -> None:
    hall.one = Scripted(pause=1)
    chat = hall.chat()
    async with aclosing(chat.ask(hall.ask())) as events:
        await anext(events)
        closing = asyncio.create_task(chat.close(grace=5))
        await asyncio.sleep(0)
        refused = await last(chat, hall.ask())
        assert isinstance(refused, Refusal)
        assert refused.reason is RefusalReason.CLOSING
        hall.one.go.set()
        assert isinstance([event async for event in events][-1], Answered)
    await closing


async def test_closing_tells_an_answer_that_takes_too_long_and_releases_it(hall: Hall) -> None:
    hall.one = Scripted(pause=0)
    chat = hall.chat()

    async def read() -> ChatEvent:
        return await last(chat, hall.ask())

    reading = asyncio.create_task(read())
    await hall.one.waiting.wait()
    await chat.close(grace=0.01)
    end = await reading
    assert isinstance(end, Failed)
    assert (end.reason, end.counted) == (FailureReason.CLOSING, False)
    assert await used(hall) == 0


async def test_holds_of_a_process_that_is_gone_run_out(hall: Hall) -> None:
    hall.one = Scripted(pause=0)
    gone = asyncio.create_task(collect(hall.chat("gone"), hall.ask()))
    await hall.one.waiting.wait()
    hall.clock.advance(LEASE + timedelta(seconds=1))
    assert isinstance(await last(hall.chat("other"), hall.ask(model="spare")), Answered)
    gone.cancel()
    with suppress(asyncio.CancelledError):
        await gone


async def test_renewed_holds_go_on_counting(hall: Hall) -> None:
    hall.one = Scripted(pause=0)
    chat = hall.chat()
    reading = asyncio.create_task(collect(chat, hall.ask()))
    await hall.one.waiting.wait()
    hall.clock.advance(LEASE - timedelta(seconds=1))
    await chat.renew()
    hall.clock.advance(LEASE - timedelta(seconds=1))
    refused = await last(chat, hall.ask(model="spare"))
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.CONCURRENT
    hall.one.go.set()
    await reading


async def test_the_months_cost_is_what_tokens_cost(hall: Hall) -> None:
    hall.one = Scripted(usage=Usage(input_tokens=1000, cached_input_tokens=400, output_tokens=50))
    await last(hall.chat(), hall.ask())

    def work(tx: Tx) -> int:
        return tx.usage(tx.lock_account(ALICE, hall.clock.now()).id, hall.clock.now()).cost_month

    assert await hall.store.transact(work) == 600 + 40 + 200


async def test_a_free_member_at_the_months_ceiling_is_refused_until_next_month(hall: Hall) -> None:
    hall.one = Scripted(usage=Usage(499_000, 0, 0))
    chat = hall.chat()
    await last(chat, hall.ask())
    refused = await last(chat, hall.ask())
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.COST
    assert refused.until is not None
    assert refused.until.isoformat() == "2026-12-01T00:00:00+00:00"
    assert refused.offer is not None


async def test_fifty_questions_at_once_get_exactly_what_is_left(hall: Hall) -> None:
    hall.free(requests_per_minute=None, concurrent=None)
    chats = [hall.chat("process-1"), hall.chat("process-2")]
    asks = [hall.ask() for _ in range(50)]
    ends = await asyncio.gather(*(last(chats[i % 2], ask) for i, ask in enumerate(asks)))
    assert sum(isinstance(end, Answered) for end in ends) == 3
    refused = [end.reason for end in ends if isinstance(end, Refusal)]
    assert refused == [RefusalReason.CONVERSATIONS] * 47
    assert await used(hall) == 3


async def test_a_stream_that_ends_without_a_word_or_an_end_is_followed_by_the_fallback(hall: Hall) -> None:
    hall.one = Scripted(words=(), finish=None)
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Answered)
    assert end.model == "spare"
