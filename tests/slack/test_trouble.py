"""The bot in a Slack that limits, fails, disconnects or forgets what it said."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from bot.slack.adapter import SlackBot
from engine.domain import Person, Platform
from engine.errors import TellOperatorError
from engine.settings import SlackSettings
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.pulse import PATIENCE
from tests.fakes.slack import ALICE, APP_TOKEN, BOT_TOKEN, GENERAL, TEAM
from tests.slack.conftest import BRISK, Stage, front_of, serving, workspace
from tests.slack.test_conversations import answered


async def test_a_rate_limited_post_is_repeated(stage: Stage) -> None:
    slack = stage.slack
    slack.faults.rate_limit("chat.postMessage", retry_after=0)
    await slack.slash(ALICE, "/ask", "Hi")
    await answered(slack, GENERAL)
    assert [call.status for call in slack.log.of("chat.postMessage")] == [429, 200]


async def test_a_rate_limited_edit_on_the_way_is_skipped_and_the_last_text_comes(stage: Stage) -> None:
    slack, model = stage.slack, stage.model
    model.pause = 1
    slack.faults.rate_limit("chat.update", times=1, retry_after=30)
    await slack.slash(ALICE, "/ask", "Hi")
    await slack.wait_for(lambda: slack.log.of("chat.update"))
    model.go.set()
    assert "Hello there." in (await answered(slack, GENERAL))[0].shown
    assert [call.status for call in slack.log.of("chat.update")] == [429, 200]


async def test_the_last_text_comes_although_slack_is_away_for_a_moment(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.LAST_TRIES", (0.01, 0.01, 0.01))
    slack = stage.slack
    slack.faults.fail("chat.update", "internal_error", times=3)
    await slack.slash(ALICE, "/ask", "Hi")
    assert "Hello there." in (await answered(slack, GENERAL))[0].shown


async def test_an_answer_at_the_top_of_a_channel_is_written_anew_if_it_is_deleted_and_goes_on(
    stage: Stage,
) -> None:
    slack, model = stage.slack, stage.model
    model.pause = 1
    await slack.slash(ALICE, "/ask", "Hi")
    answer = await slack.wait_for(lambda: next((m for m in slack.transcript() if "Hello" in m.shown), None))
    del slack.workspace.channels[GENERAL].messages[answer.ts]
    model.go.set()
    again = (await answered(slack, GENERAL))[0]
    assert "Hello there." in again.shown
    place = f"slack:{TEAM}/{GENERAL}/{again.ts}"
    async with asyncio.timeout(PATIENCE):
        while not await stage.front.chat.follows(Person(Platform.SLACK, TEAM, ALICE), [place]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_edits_by_others_and_messages_of_bots_are_not_questions(stage: Stage) -> None:
    slack = stage.slack
    dm = slack.workspace.dm(ALICE)
    edited = {"type": "message", "subtype": "message_changed", "channel": dm.id, "channel_type": "im"}
    edited |= {"ts": "1.1", "event_ts": "1.1", "user": ALICE, "text": "new"}
    other = {"type": "message", "channel": dm.id, "channel_type": "im", "bot_id": "B0OTHER", "text": "beep"}
    other |= {"ts": "1.2", "event_ts": "1.2", "user": "U0OTHERBOT"}
    for event in (edited, other):
        assert (await slack.event(event)).status == 200
    assert (await slack.open_home(ALICE, "messages")).status == 200
    await slack.dm(ALICE, "Hi")
    await answered(slack, dm.id)
    assert len(stage.model.seen) == 1


async def test_two_processes_that_hear_the_same_event_answer_once(hall: Hall, clock: FakeClock) -> None:
    async with workspace(clock, http=False) as slack:
        first, second = front_of(hall), front_of(hall)
        async with serving(slack, first, clock, http=False), serving(slack, second, clock, http=False):
            await slack.wait_for(lambda: len(slack.sockets.open) == 2)
            said = await slack.mention(ALICE, GENERAL, "Hi")
            await slack.redeliver(said.deliveries[0])
            await answered(slack, GENERAL)
            await slack.dm(ALICE, "Hi")
            await answered(slack, slack.workspace.dm(ALICE).id)
        assert [len(completion.messages) for completion in hall.one.seen] == [1, 1]
        assert len([m for m in slack.transcript() if m.by_app]) == 1


async def test_variables_of_slacks_own_frameworks_in_the_environment_change_nothing(
    hall: Hall, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("BOT_TOKEN", "APP_TOKEN", "SIGNING_SECRET", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"SLACK_{name}", "another")
    async with workspace(clock, http=False) as slack, serving(slack, front_of(hall), clock, http=False):
        await slack.dm(ALICE, "Hi")
        await answered(slack, slack.workspace.dm(ALICE).id)
        assert slack.findings == []
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []


async def test_the_bot_comes_back_after_slack_hangs_up(hall: Hall, clock: FakeClock) -> None:
    async with workspace(clock, http=False) as slack, serving(slack, front_of(hall), clock, http=False):
        await slack.sockets.disconnect()
        await slack.wait_for(lambda: slack.log.sockets_opened == 2 and len(slack.sockets.open) == 1)
        await slack.dm(ALICE, "Hi")
        await answered(slack, slack.workspace.dm(ALICE).id)


async def test_a_connection_that_stays_away_is_given_a_new_address(
    hall: Hall, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.socket_mode.WATCH_EVERY", 0.05)
    monkeypatch.setattr("bot.slack.socket_mode.PING_EVERY", 0.05)
    async with workspace(clock, http=False) as slack, serving(slack, front_of(hall), clock, http=False):
        slack.sockets.spoil_tickets(1)
        await slack.sockets.drop()
        await slack.wait_for(lambda: slack.log.sockets_opened == 2)


async def test_an_answer_in_flight_is_finished_before_the_bot_goes(hall: Hall, clock: FakeClock) -> None:
    hall.one.pause = 1
    async with workspace(clock, http=False) as slack:
        front = front_of(hall)
        async with serving(slack, front, clock, http=False):
            await slack.mention(ALICE, GENERAL, "Hi")
            await hall.one.waiting.wait()
            closing = asyncio.create_task(front.chat.close(0.05))
        await closing
        assert "I had to restart" in (await answered(slack, GENERAL))[0].shown


@pytest.mark.parametrize(("bot_token", "app_token"), [("xoxb-wrong", APP_TOKEN), (BOT_TOKEN, "xapp-wrong")])
async def test_a_token_that_slack_does_not_accept_is_for_the_operator(
    hall: Hall, clock: FakeClock, bot_token: str, app_token: str
) -> None:
    async with workspace(clock, http=False) as slack:
        settings = SlackSettings(SecretStr(bot_token), SecretStr(app_token), None, slack.api_url)
        bot = SlackBot(settings, front_of(hall), clock, BRISK)
        with pytest.raises(TellOperatorError, match="invalid_auth"):
            await bot.run()


async def test_ten_answers_at_once_stay_within_slacks_tiers(hall: Hall, clock: FakeClock) -> None:
    hall.free(requests_per_minute=None, concurrent=None, conversations_per_day=None)
    hall.one.words = tuple(f"word {n} " for n in range(200))
    async with workspace(clock, http=False) as slack, serving(slack, front_of(hall), clock, http=False):
        slack.faults.enforce_tiers = True
        for number in range(10):
            await slack.mention(ALICE, GENERAL, f"question {number}")
        answers = await answered(slack, GENERAL, 10)
    assert all("word 199" in answer.shown for answer in answers)
    assert {call.status for call in slack.log.calls} == {200}
