"""Questions and answers in Slack, over Socket Mode and over signed HTTP."""

from __future__ import annotations

from tests.fakes.slack import ALICE, BOB, GENERAL, PRIVATE, FakeSlack, Message
from tests.slack.conftest import Stage

FOOTER = "conversation 1 of 3 today"


def stoppable(message: Message) -> bool:
    """Whether it is still being written."""
    return any(button["text"]["text"] == "Stop" for button in message.buttons)


async def answered(slack: FakeSlack, channel: str, count: int = 1) -> list[Message]:
    """The bot's messages of a channel once that many are complete."""

    def complete() -> list[Message] | None:
        found = [
            m for m in slack.transcript(channel) if m.by_app and " today" in m.shown and not stoppable(m)
        ]
        return found if len(found) >= count else None

    return await slack.wait_for(complete)


async def test_ask_is_answered_in_the_channel_and_a_mention_in_its_thread_goes_on(stage: Stage) -> None:
    slack = stage.slack
    await slack.slash(ALICE, "/ask", "why is the sky blue?")
    first = (await answered(slack, GENERAL))[0]
    assert first.thread_ts is None
    assert first.shown.startswith(f"<@{ALICE}> asked: why is the sky blue?\nHello there.\nquick · {FOOTER}")
    await slack.mention(ALICE, GENERAL, "and at dusk?", thread_ts=first.ts)
    second = (await answered(slack, GENERAL, 2))[1]
    assert second.thread_ts == first.ts
    assert f"{FOOTER} · turn 2 of 5" in second.shown
    assert [m.text for m in stage.model.seen[1].messages] == [
        "why is the sky blue?",
        "Hello there.",
        "and at dusk?",
    ]


async def test_a_mention_is_answered_in_a_thread_and_goes_on_there(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.mention(ALICE, GENERAL, "why is grass green?")
    await answered(slack, GENERAL)
    await slack.mention(ALICE, GENERAL, "always?", thread_ts=said.ts)
    await answered(slack, GENERAL, 2)
    assert [m.thread_ts for m in slack.thread(GENERAL, said.ts)] == [said.ts] * 3
    assert len(stage.model.seen[1].messages) == 3
    assert stage.model.seen[0].messages[0].text == "why is grass green?"


async def test_a_dm_is_one_conversation_until_a_new_one_is_wished_for(stage: Stage) -> None:
    slack = stage.slack
    dm = slack.workspace.dm(ALICE).id
    await slack.dm(ALICE, "Hi")
    await answered(slack, dm)
    await slack.dm(ALICE, "Go on")
    await answered(slack, dm, 2)
    await slack.slash(ALICE, "/new", channel=dm)
    await slack.wait_for(lambda: slack.ephemerals(ALICE))
    await slack.dm(ALICE, "Something else")
    last = (await answered(slack, dm, 3))[-1]
    assert [len(completion.messages) for completion in stage.model.seen] == [1, 3, 1]
    assert "conversation 2 of 3 today" in last.shown
    asked = [m.ts for m in slack.dms(ALICE) if not m.by_app]
    assert [m.thread_ts for m in slack.dms(ALICE) if m.by_app] == asked


async def test_a_thread_in_a_dm_goes_on_with_the_message_it_hangs_on(stage: Stage) -> None:
    slack = stage.slack
    dm = slack.workspace.dm(ALICE).id
    said = await slack.dm(ALICE, "Hi")
    await answered(slack, dm)
    await slack.dm(ALICE, "Go on", thread_ts=said.ts)
    assert (await answered(slack, dm, 2))[-1].thread_ts == said.ts
    await slack.slash(ALICE, "/ask", "Something else", channel=dm)
    command = (await answered(slack, dm, 3))[-1]
    await slack.dm(ALICE, "Go on", thread_ts=command.ts)
    assert (await answered(slack, dm, 4))[-1].thread_ts == command.ts
    assert [len(completion.messages) for completion in stage.model.seen] == [1, 3, 1, 3]


async def test_two_people_in_one_thread_have_conversations_of_their_own(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.mention(ALICE, GENERAL, "my secret is 7")
    await answered(slack, GENERAL)
    await slack.mention(BOB, GENERAL, "what is the secret?", thread_ts=said.ts)
    answers = await answered(slack, GENERAL, 2)
    assert [m.text for m in stage.model.seen[1].messages] == ["what is the secret?"]
    assert FOOTER in answers[1].shown


async def test_an_event_that_comes_again_is_answered_once(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.mention(ALICE, GENERAL, "Hi")
    command = await slack.slash(ALICE, "/ask", "Hi")
    await answered(slack, GENERAL, 2)
    for delivery in (*said.deliveries, command):
        await slack.redeliver(delivery)
    await slack.mention(BOB, GENERAL, "Hi")
    await answered(slack, GENERAL, 3)
    assert len(stage.model.seen) == 3


async def test_acknowledgements_do_not_wait_for_a_slow_model(stage: Stage) -> None:
    slack, model = stage.slack, stage.model
    model.pause = 0
    command = await slack.slash(ALICE, "/ask", "slowly")
    said = await slack.dm(ALICE, "slowly")
    await slack.wait_for(lambda: len(model.seen) == 2)
    assert max(d.took for d in (command, *said.deliveries)) < 1
    thinking = await slack.wait_for(lambda: [m for m in slack.transcript() if m.by_app])
    assert "Thinking …" in thinking[0].shown
    model.go.set()
    assert (await answered(slack, GENERAL))[0].ts == thinking[0].ts


async def test_a_long_answer_is_split_with_its_code_fences_whole(stage: Stage) -> None:
    slack = stage.slack
    line = "value = 1  # a line of code\n"
    stage.model.words = ("```python\n", *(line * 50 for _ in range(20)), "```\n", "Done.")
    await slack.slash(ALICE, "/ask", "write much")
    await answered(slack, GENERAL)
    pages = [m for m in slack.transcript() if m.by_app]
    assert len(pages) == 4
    assert {m.thread_ts for m in pages[1:]} == {pages[0].ts}
    assert all(m.shown.count("```") % 2 == 0 for m in pages)
    assert sum(m.shown.count(line.strip()) for m in pages) == 1000
    assert pages[-1].shown.rpartition("\n")[2].startswith("quick · ")


async def test_nothing_a_model_writes_pings_anybody(stage: Stage) -> None:
    slack = stage.slack
    stage.model.words = ("<!channel> ", f"<@{BOB}> <!here> ", "<!doctype html> List<@Nullable T>")
    await slack.mention(ALICE, GENERAL, "shout")
    shown = (await answered(slack, GENERAL))[0]
    assert not [live for live in ("<!channel>", "<!here>", f"<@{BOB}>") if live in shown.shown + shown.text]
    assert "<!doctype html> List<@Nullable T>" in shown.shown


async def test_stop_is_for_the_one_who_asked(stage: Stage) -> None:
    slack, model = stage.slack, stage.model
    model.pause = 1
    await slack.slash(ALICE, "/ask", "tell me")
    await model.waiting.wait()
    answer = await slack.wait_for(lambda: next((m for m in slack.transcript() if "Hello" in m.shown), None))
    action = answer.buttons[0]["action_id"]
    await slack.press(BOB, answer, action)
    await slack.press(ALICE, answer, action)
    await slack.wait_for(lambda: "Stopped." in answer.shown)
    assert model.closed == 1


async def test_where_the_bot_may_not_write_the_answer_is_private(stage: Stage) -> None:
    slack = stage.slack
    await slack.slash(ALICE, "/ask", "why?", channel=PRIVATE)
    seen = await slack.wait_for(lambda: found if len(found := slack.ephemerals(ALICE)) == 2 else None)
    assert "only you will see this answer" in seen[0].shown
    assert "Hello there." in seen[1].shown
    assert slack.transcript(PRIVATE) == []
