"""What the buttons below an answer do on Discord."""

from __future__ import annotations

from engine.domain import TurnId
from engine.errors import StreamCutError
from engine.models import Finish
from tests.discord.conftest import Stage, front_of, serving, streaming

FOOTER = "conversation 1 of 3 today"


async def test_an_answer_is_written_anew_or_by_another_model_below_the_first(stage: Stage) -> None:
    stage.discord.slash("alice", "ask", {"prompt": "Hi"})
    (first,) = await stage.shown()
    stage.model.words = ("Hello ", "again.")
    pressed = stage.discord.press("alice", first, first.button("Regenerate")["custom_id"])
    second = (await stage.shown(count=2))[1]
    assert second.text.startswith("Hello again.\n")
    assert second is pressed.messages[0]
    assert not pressed.private()
    assert first.text.startswith("Hello there.\n")
    offered = stage.discord.press("alice", second, second.button("Other model")["custom_id"])
    choices = await stage.discord.answered(offered)
    assert offered.private()
    third = stage.discord.press("alice", choices, choices.button("spare")["custom_id"])
    await stage.discord.world.pulse.until(lambda: any("spare · " in text for text in third.texts()))
    assert not third.private()
    used = stage.discord.slash("bob", "ask", {"prompt": "Hi", "private": "on"})
    await stage.discord.world.pulse.until(lambda: any(" today" in text for text in used.texts()))
    offered = stage.discord.press("bob", used.messages[0], used.messages[0].button("Other")["custom_id"])
    choices = await stage.discord.answered(offered)
    hidden = stage.discord.press("bob", choices, choices.button("spare")["custom_id"])
    await stage.discord.world.pulse.until(lambda: any("spare · " in text for text in hidden.texts()))
    assert hidden.private()


async def test_an_answer_that_was_cut_goes_on_also_after_a_restart(stage: Stage) -> None:
    stage.model.finish = Finish.LENGTH
    stage.discord.dm("alice", "Hi")
    (first,) = await stage.told("alice", 1, FOOTER)
    await stage.discord.gateway.drop(forget=True, code=1001)
    stage.model.words, stage.model.finish = ("and so on.",), Finish.END
    async with serving(stage.discord, await front_of(stage.hall)):
        stage.discord.press("alice", first, first.button("Continue")["custom_id"])
        second = (await stage.told("alice", 2, " today"))[1]
        assert second.text.startswith("and so on.\n")


async def test_an_answer_of_a_lost_process_is_mended_with_its_text(stage: Stage) -> None:
    stage.model.pause = 1
    stage.discord.say("alice", "general", "Hi", mention_bot=True)
    message = await streaming(stage)
    stop = message.button("Stop")["custom_id"]
    place = f"{message.channel.id}/{message.id}/{stage.discord.world.user('alice').id}"
    await stage.bot.messenger.mend(place, TurnId("of another answer"))
    assert message.button("Stop")
    await stage.bot.messenger.mend(place, TurnId(stop.rpartition(":")[2]))
    assert message.text == (
        "Hello\nI was stopped before this was finished. The button asks again.\n-# failed"
    )
    assert [button["label"] for button in message.buttons()] == ["Ask again", "Other model"]
    stage.model.go.set()
    await stage.shown()


async def test_an_answer_that_breaks_off_keeps_its_words_and_may_be_asked_again(stage: Stage) -> None:
    stage.model.errors, stage.model.fail_after = [StreamCutError("cut")], 1
    stage.discord.say("alice", "general", "Hi", mention_bot=True)
    (message,) = await stage.shown()
    assert "Hello" in message.text
    assert "broke off" in message.text
    assert [button["label"] for button in message.buttons()] == ["Ask again", "Other model"]
    assert len(stage.model.seen) == 1
