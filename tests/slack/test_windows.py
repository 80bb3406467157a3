"""What is not said in a channel: the App Home, asking about a message from its menu, and suggestions."""

from __future__ import annotations

from bot.slack.home import mrkdwn
from bot.slack.seldom import Seldom
from engine.domain import AccountId, TierName
from engine.facts import Mode
from engine.notices import Notice, NoticeId, NoticeKind
from tests.fakes.slack import ALICE, BOB, GENERAL, OUTSIDE, FakeSlack
from tests.fakes.slack import blocks as block_kit
from tests.fakes.slack.views import element
from tests.slack.conftest import Stage
from tests.slack.test_changes import MEMBER, bought
from tests.slack.test_conversations import answered

NOTHING: dict[str, object] = {}


async def at_home(slack: FakeSlack, user: str, words: str) -> str:
    """What a user's Home shows once it has these words."""

    def shown() -> str | None:
        view = slack.workspace.homes.get(user)
        text = block_kit.shown(view["blocks"]) if view else ""
        return text if words in text else None

    return await slack.wait_for(shown)


async def test_the_home_tells_how_a_member_stands(stage: Stage) -> None:
    slack = stage.slack
    await slack.dm(ALICE, "Hi")
    await answered(slack, slack.workspace.dm(ALICE).id)
    await slack.open_home(ALICE)
    shown = await at_home(slack, ALICE, "Conversations today: 1 of 3")
    assert shown.startswith("*Free* tier")
    assert "counted anew at 25 November" in shown
    before = len(slack.dms(BOB))
    await slack.open_home(BOB)
    await at_home(slack, BOB, "Conversations today: 0 of 3")
    assert len(slack.dms(BOB)) == before


async def test_a_model_is_chosen_at_home_and_a_locked_one_offers_its_tier(stage: Stage) -> None:
    slack = stage.slack
    await slack.open_home(ALICE)
    await at_home(slack, ALICE, "Model: quick")
    select, _ = element(slack.workspace.homes[ALICE], "press:model")
    locked = next(each for each in select["options"] if each["text"]["text"].startswith("🔒"))
    other = next(each for each in select["options"] if each not in (locked, select["initial_option"]))
    await slack.press_view(ALICE, "press:model", other["value"])
    await at_home(slack, ALICE, f"From now on *{other['value']}* answers you.")
    await slack.press_view(ALICE, "press:model", locked["value"])
    window = await slack.window(ALICE)
    assert "is not part of the Free tier" in window.shown
    buttons = [button["action_id"] for button in block_kit.buttons(window.view["blocks"])]
    assert [name for name in buttons if name.startswith("press:upgrade:")]


async def test_what_is_bought_at_home_is_sent_as_a_key_by_dm_and_followed_in_one_window(stage: Stage) -> None:
    slack = stage.slack
    await slack.open_home(ALICE)
    await at_home(slack, ALICE, "Model: quick")
    await slack.press_view(ALICE, "press:plans")
    window = await slack.window(ALICE)
    await slack.wait_for(lambda: "a month" in window.shown)
    upgrade = block_kit.buttons(window.view["blocks"])[0]["action_id"]
    await slack.press_view(ALICE, upgrade, window=window)
    await slack.wait_for(lambda: "direct message" in window.shown)
    assert slack.dms(ALICE)[-1].buttons[0]["url"]
    assert list(slack.workspace.windows.values()) == [window]


async def test_the_home_is_renewed_after_a_notice_if_the_member_looks_at_it(stage: Stage) -> None:
    slack = stage.slack
    await slack.open_home(ALICE)
    await at_home(slack, ALICE, "*Free* tier")
    await bought(stage)
    notice = Notice(
        NoticeId("n"),
        "premium:activated:1",
        AccountId("a"),
        Mode.LIVE,
        MEMBER,
        NoticeKind.ACTIVATED,
        TierName.PREMIUM,
        stage.hall.clock.now(),
    )
    await stage.bot.messenger.deliver(notice, again=False)
    await at_home(slack, ALICE, "*Premium* tier")


async def test_a_message_is_asked_about_from_its_menu_and_answered_in_its_thread(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.say(BOB, GENERAL, "The mitochondrion is\nthe powerhouse.")
    await slack.shortcut(ALICE, said.message)
    window = await slack.window(ALICE)
    assert window.shown.startswith("The mitochondrion is")
    assert (await slack.submit(window, question={"value": "Is that so?"})).took < 1
    answer = (await answered(slack, GENERAL))[0]
    assert answer.thread_ts == said.ts
    assert answer.shown.startswith(f"<@{ALICE}> asked: Is that so?\nHello there.")
    prompt = stage.model.seen[0].messages[-1].text
    assert prompt.startswith("Is that so?\n\nbob wrote this message.")
    assert prompt.endswith("> The mitochondrion is\n> the powerhouse.")
    await slack.say(ALICE, GENERAL, "Why?", thread_ts=said.ts)
    await answered(slack, GENERAL, 2)
    assert len(stage.model.seen[1].messages) == 3


async def test_asked_privately_or_where_the_bot_is_not_the_answer_is_the_askers_alone(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.say(BOB, GENERAL, "x" * 7000)
    await slack.shortcut(ALICE, said.message)
    chosen = {"selected_options": [{"value": "private"}]}
    await slack.submit(await slack.window(ALICE), question={"value": None}, private=chosen)
    seen = await slack.wait_for(lambda: [m for m in slack.ephemerals(ALICE) if "Hello there." in m.shown])
    assert "Explain this message." in seen[0].shown
    assert "x" * 7000 in stage.model.seen[0].messages[-1].text.replace("\n> ", "")
    assert slack.thread(GENERAL, said.ts) == []
    there = slack.write(BOB, OUTSIDE, "elsewhere")
    slack.app = slack.app.without("chat:write.public")
    await slack.shortcut(ALICE, there)
    await slack.submit(await slack.window(ALICE), question={"value": "And?"})
    await slack.wait_for(
        lambda: [m for m in slack.ephemerals(ALICE) if m.channel == OUTSIDE and "Hello" in m.shown]
    )
    assert slack.transcript(OUTSIDE) == [there]


async def test_suggestions_are_offered_in_the_messages_of_the_app(stage: Stage) -> None:
    slack = stage.slack
    await slack.open_home(ALICE, "messages")
    dm = slack.workspace.dm(ALICE).id
    prompts = await slack.wait_for(lambda: slack.workspace.prompts.get(dm))
    assert {"title": "What can you do?", "message": "What can you help me with?"} in prompts
    await slack.open_home(ALICE, "messages")
    await slack.open_home(BOB, "messages")
    await slack.wait_for(lambda: slack.workspace.prompts.get(slack.workspace.dm(BOB).id))
    assert len(slack.log.of("assistant.threads.setSuggestedPrompts")) == 2
    assert slack.dms(ALICE) == []


def test_what_is_done_seldom_is_remembered_of_few() -> None:
    now = [0.0]
    seldom = Seldom(lambda: now[0], 10, most=2)
    assert [seldom.due(name) for name in ("a", "a", "b")] == [True, False, True]
    now[0] = 10
    assert [seldom.due(name) for name in ("a", "c", "b")] == [True, True, True]


def test_our_own_markdown_is_shown_on_the_home_as_slack_writes_it() -> None:
    assert mrkdwn("**a & b** [c](https://d.test/?e) `f`") == "*a &amp; b* <https://d.test/?e|c> `f`"


async def test_who_sees_answers_and_the_language_are_decided_at_home(stage: Stage) -> None:
    slack = stage.slack
    await slack.open_home(ALICE)
    await at_home(slack, ALICE, "You have given none.")
    await slack.press_view(ALICE, "press:private", "on")
    await at_home(slack, ALICE, "Only you see the answers")
    box, _ = element(slack.workspace.homes[ALICE], "press:private")
    assert box["initial_options"] == box["options"]
    await slack.slash(ALICE, "/ask", "why?")
    await slack.wait_for(lambda: [m for m in slack.ephemerals(ALICE) if "Hello there." in m.shown])
    await slack.press_view(ALICE, "press:private", "")
    await at_home(slack, ALICE, "Everybody sees the answers")
    select, _ = element(slack.workspace.homes[ALICE], "press:language")
    assert select["initial_option"]["value"] == "auto"
    await slack.press_view(ALICE, "press:language", "de")
    await at_home(slack, ALICE, "In welcher Sprache")
    select, _ = element(slack.workspace.homes[ALICE], "press:language")
    assert select["initial_option"]["text"]["text"] == "Deutsch"


async def test_instructions_are_written_in_a_window_that_tells_what_is_too_long(stage: Stage) -> None:
    slack = stage.slack
    await slack.open_home(ALICE)
    await at_home(slack, ALICE, "You have given none.")
    await slack.press_view(ALICE, "press:language", "fr")
    await at_home(slack, ALICE, "Tes consignes")
    await slack.press_view(ALICE, "press:instructions")
    window = await slack.window(ALICE)
    await slack.submit(window, instructions={"value": "é" * 1001})
    assert window.errors["instructions"].startswith("C'est trop long : les consignes ont 1000 caractères")
    assert (await slack.submit(window, instructions={"value": "  Réponds\nen rimes.  "})).took < 1
    await at_home(slack, ALICE, "Réponds en rimes.")
    assert slack.workspace.windows == {}
    await slack.press_view(ALICE, "press:instructions")
    again = await slack.window(ALICE)
    assert again.view["blocks"][0]["element"]["initial_value"] == "Réponds\nen rimes."
    await slack.submit(again, instructions={"value": None})
    await at_home(slack, ALICE, "Tu n'en as donné aucune.")
