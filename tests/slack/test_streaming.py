"""Answers that Slack streams: what it is sent, when it closes a stream, and where it does not stream."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.letter import settled
from bot.slack.text import harmless
from bot.split import pages
from engine.errors import StreamCutError
from tests.engine.conftest import UNLIMITED, Hall
from tests.fakes.clock import FakeClock
from tests.fakes.slack import ALICE, BOB, GENERAL, FakeSlack, Message
from tests.slack.conftest import Stage, front_of, serving, workspace
from tests.slack.test_conversations import FOOTER, answered

CHATTER = ("One two ", "three four ", "five six ", "seven.")
WHOLE = "One two three four five six seven."


def sent(slack: FakeSlack, method: str) -> str:
    """The text of all successful calls of a streaming method."""
    calls = [call for call in slack.log.of(method) if call.ok]
    return "".join(chunk["text"] for call in calls for chunk in call.args.get("chunks", ()))


async def streamed(stage: Stage, pause: int = 2) -> Message:
    """A question in a channel whose answer is being streamed, and waits before the word numbered `pause`."""
    stage.model.words, stage.model.pause = CHATTER, pause
    await stage.slack.mention(ALICE, GENERAL, "count")
    seen = "".join(CHATTER[:pause]).strip().rpartition(" ")[0]
    return await stage.slack.wait_for(
        lambda: next((m for m in stage.slack.transcript() if m.by_app and seen in m.shown), None)
    )


async def test_an_answer_in_a_thread_is_streamed_piece_by_piece(stage: Stage) -> None:
    slack, model = stage.slack, stage.model
    model.pause = 0
    said = await slack.mention(ALICE, GENERAL, "Hi")
    session = slack.workspace.session(GENERAL, said.ts)
    await slack.wait_for(lambda: session.words)
    assert (session.status, session.initiator, slack.thread(GENERAL, said.ts)) == ("processing", ALICE, [])
    model.go.set()
    answer = (await answered(slack, GENERAL))[0]
    assert answer.shown.startswith("Hello there.\nquick · ")
    assert answer.thread_ts == said.ts
    parts = [sent(slack, f"chat.{name}Stream") for name in ("start", "append", "stop")]
    assert "".join(parts) in {"Hello there.", ""}
    assert slack.log.of("chat.update") == []
    await slack.wait_for(lambda: session.status == "active")
    assert session.words == ""


async def test_each_word_is_sent_once_and_nothing_is_edited(stage: Stage) -> None:
    answer = await streamed(stage)
    stage.model.go.set()
    await answered(stage.slack, GENERAL)
    assert answer.shown.startswith(f"{WHOLE}\n")
    assert "".join(sent(stage.slack, f"chat.{name}Stream") for name in ("start", "append", "stop")) == WHOLE
    assert stage.slack.log.of("chat.update") == stage.slack.log.of("chat.postMessage") == []


async def test_a_thread_in_a_dm_is_named_by_its_question(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.dm(ALICE, "why is\nthe sky blue?")
    dm = slack.workspace.dm(ALICE).id
    await answered(slack, dm)
    assert slack.workspace.session(dm, said.ts).title == "why is the sky blue?"


async def test_slacks_own_stop_button_stops_the_model_for_the_one_who_asked(stage: Stage) -> None:
    slack, model = stage.slack, stage.model
    answer = await streamed(stage)
    await slack.stop_session(ALICE, GENERAL, str(answer.thread_ts))
    await slack.wait_for(lambda: "Stopped." in answer.shown)
    assert answer.shown.startswith("One two three four")
    assert model.closed == 1
    await slack.wait_for(lambda: slack.workspace.session(GENERAL, str(answer.thread_ts)).status == "active")


async def test_another_member_at_slacks_stop_button_stops_nothing(stage: Stage) -> None:
    slack = stage.slack
    answer = await streamed(stage)
    await slack.stop_session(BOB, GENERAL, str(answer.thread_ts))
    stage.model.go.set()
    await answered(slack, GENERAL)
    assert answer.shown.startswith(f"{WHOLE}\nquick · ")


async def test_a_stream_that_slack_closes_goes_on_by_edits_of_the_same_message(
    stage: Stage, clock: FakeClock
) -> None:
    slack = stage.slack
    answer = await streamed(stage)
    clock.advance(timedelta(minutes=6))
    stage.model.go.set()
    await answered(slack, GENERAL)
    assert answer.shown.startswith(f"{WHOLE}\nquick · {FOOTER}")
    assert [m.ts for m in slack.transcript() if m.by_app] == [answer.ts]


async def test_where_a_closed_stream_cannot_be_edited_the_rest_is_a_new_message(
    stage: Stage, clock: FakeClock
) -> None:
    slack = stage.slack
    answer = await streamed(stage)
    before = answer.shown
    slack.faults.fail("chat.update", "block_mismatch")
    clock.advance(timedelta(minutes=6))
    stage.model.go.set()
    rest = (await answered(slack, GENERAL))[-1]
    assert (before + rest.shown).startswith(f"{WHOLE}\nquick · ")
    assert rest.thread_ts == answer.thread_ts


@pytest.mark.parametrize("fault", ["500", "lost", "limited"])
async def test_an_append_that_fails_loses_and_doubles_nothing(stage: Stage, fault: str) -> None:
    slack = stage.slack
    match fault:
        case "500":
            slack.faults.fail("chat.appendStream", "internal_error", status=500)
        case "lost":
            slack.faults.lose_answer("chat.appendStream")
        case _:
            slack.faults.rate_limit("chat.appendStream", retry_after=30)
    stage.model.words = (*CHATTER[:1], *(f"{n} " for n in range(50)), "end.")
    stage.model.pause = 30
    await slack.mention(ALICE, GENERAL, "count")
    await slack.wait_for(lambda: slack.log.of("chat.startStream"))
    stage.model.go.set()
    answer = (await answered(slack, GENERAL))[0]
    assert answer.shown.startswith("One two " + " ".join(str(n) for n in range(50)) + " end.\nquick")


async def test_a_stop_without_an_answer_leaves_the_whole_text_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.LAST_TRIES", (0.01, 0.01, 0.01))
    slack = stage.slack
    answer = await streamed(stage)
    slack.faults.lose_answer("chat.stopStream")
    stage.model.go.set()
    await slack.wait_for(lambda: slack.log.of("chat.update"))
    assert answer.shown.startswith(f"{WHOLE}\nquick · ")
    assert len([m for m in slack.transcript() if m.by_app]) == 1


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("chat.startStream", "channel_type_not_supported"),
        ("chat.startStream", "missing_scope"),
        ("agents.sessions.setStatus", "not_authorized"),
    ],
)
async def test_where_slack_does_not_stream_answers_are_edited_and_it_is_not_asked_again(
    stage: Stage, method: str, error: str
) -> None:
    slack = stage.slack
    slack.faults.fail(method, error, times=None)
    answer = await streamed(stage)
    assert answer.buttons
    stage.model.go.set()
    await answered(slack, GENERAL)
    assert answer.shown.startswith(f"{WHOLE}\n")
    await slack.mention(BOB, GENERAL, "count")
    await answered(slack, GENERAL, 2)
    assert len(slack.log.of(method)) == 1
    assert sent(slack, "chat.startStream") == ""


async def test_a_long_answer_is_several_streamed_messages_that_join_to_the_whole(stage: Stage) -> None:
    slack = stage.slack
    lines = [f"value_{n} = {n}  # <@{BOB}>\n" for n in range(700)]
    stage.model.words = ("```python\n", *lines, "```\n", "Done.")
    said = await slack.mention(ALICE, GENERAL, "write much")
    await answered(slack, GENERAL)
    shown = slack.thread(GENERAL, said.ts)
    assert len(shown) > 2
    assert all(m.shown.count("```") % 2 == 0 for m in shown)
    text = "".join(m.shown for m in shown)
    assert [text.count(f"value_{n} =") for n in range(700)] == [1] * 700


async def test_two_hundred_answers_at_once_stay_within_slacks_tiers(hall: Hall, clock: FakeClock) -> None:
    hall.free(**UNLIMITED)
    hall.one.words = tuple(f"word {n} " for n in range(40))
    async with workspace(clock, http=False) as slack, serving(slack, front_of(hall), clock, http=False):
        slack.faults.enforce_tiers = True
        rooms = [slack.room(f"C0ROOM{number}") for number in range(50)]
        for number in range(200):
            await slack.mention(ALICE, rooms[number % 50], f"question {number}")
        for room in rooms:
            answers = await slack.wait_for(partial(ended, slack, room))
            assert all(answer.shown.count("word 39") == 1 for answer in answers)
        assert slack.findings == []
    assert {call.status for call in slack.log.calls} == {200}


def ended(slack: FakeSlack, room: str) -> list[Message] | None:
    """The four answers of a room once all are complete."""
    found = [m for m in slack.transcript(room) if m.by_app and " today" in m.shown]
    return found if len(found) == 4 else None


GROWING = st.lists(
    st.sampled_from(
        [
            "word ",
            "\n",
            "\n\n",
            "```\n",
            "```py\n",
            "`a` ",
            "[a](https://a.test/b) ",
            "[x] ",
            "<@U0BOB1> ",
            "中文 ",
        ]
    ),
    max_size=60,
)


@given(GROWING, st.integers(120, 300))
def test_what_is_streamed_of_a_page_is_how_the_page_begins_in_the_end(words: list[str], limit: int) -> None:
    whole = "".join(words)
    text, shown = "", []
    for word in words:
        text += word
        if len(text) > limit // 2:
            break
        shown.append(settled(text.strip("\n"), limit))
    final = harmless((pages(whole, limit) or ("",))[0])
    assert [each for each in shown if not final.startswith(each)] == []


async def test_a_page_that_ends_before_what_was_streamed_of_it_is_edited(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("canvas", "letter"):
        monkeypatch.setattr(f"bot.slack.{module}.settled", harmless)
    slack, model = stage.slack, stage.model
    lines = [f"line number {n}\n" for n in range(550)]
    model.words, model.pause = (*lines, "\n", "end " * 400), 540
    said = await slack.mention(ALICE, GENERAL, "write much")
    await slack.wait_for(lambda: [m for m in slack.transcript() if "number 539" in m.shown])
    model.go.set()
    await answered(slack, GENERAL)
    text = "".join(m.shown for m in slack.thread(GENERAL, said.ts))
    assert [text.count(f"number {n}\n") for n in range(549)] == [1] * 549
    assert text.count("end") == 400


async def test_that_a_model_reasons_is_slacks_own_status_and_costs_one_call_more(stage: Stage) -> None:
    slack, model = stage.slack, stage.model
    model.pause, model.thoughts = 0, 9
    said = await slack.mention(ALICE, GENERAL, "Hi")
    session = slack.workspace.session(GENERAL, said.ts)
    await slack.wait_for(lambda: session.words == "is reasoning …")
    assert slack.thread(GENERAL, said.ts) == []
    assert len(slack.log.of("assistant.threads.setStatus")) <= 2
    assert len(slack.log.of("agents.sessions.setStatus")) == 1
    model.go.set()
    answer = (await answered(slack, GENERAL))[0]
    assert "reasoning" not in answer.shown
    await slack.wait_for(lambda: session.status == "active")


async def test_where_slack_does_not_stream_reasoning_is_told_in_the_message(stage: Stage) -> None:
    slack, model = stage.slack, stage.model
    model.pause, model.thoughts = 0, 9
    await slack.slash(ALICE, "/ask", "slowly")
    shown = await slack.wait_for(
        lambda: [m for m in slack.transcript() if m.by_app and "Reasoning …" in m.shown]
    )
    assert len(slack.log.of("chat.update")) <= 1
    model.go.set()
    answer = (await answered(slack, GENERAL))[0]
    assert answer.ts == shown[0].ts
    assert "Reasoning" not in answer.shown


@pytest.mark.parametrize("streams", [True, False])
async def test_an_answer_that_breaks_off_keeps_its_words_and_may_be_asked_again(
    stage: Stage, *, streams: bool
) -> None:
    slack, model = stage.slack, stage.model
    model.errors, model.fail_after = [StreamCutError("cut")], 1
    await (slack.mention(ALICE, GENERAL, "Hi") if streams else slack.slash(ALICE, "/ask", "Hi"))
    answer = (await answered(slack, GENERAL))[0]
    assert "Hello" in answer.shown
    assert "broke off" in answer.shown
    assert [button["text"]["text"] for button in answer.buttons] == ["Ask again", "Other model"]
    assert len(model.seen) == 1
