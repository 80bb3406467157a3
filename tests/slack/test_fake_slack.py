"""The Slack counterparty is one that the real SDKs accept, and as strict as Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import (
    ALICE,
    APP_TOKEN,
    BOB,
    BOT_TOKEN,
    BOT_USER,
    GENERAL,
    OUTSIDE,
    PRIVATE,
    TEAM,
    FakeSlack,
)

Body = dict[str, Any]
Ack = Callable[[], Awaitable[None]]


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@pytest_asyncio.fixture
async def client(slack: FakeSlack) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        retries: list[AsyncRetryHandler] = [AsyncRateLimitErrorRetryHandler(max_retry_count=1)]
        yield AsyncWebClient(BOT_TOKEN, slack.api_url, session=session, retry_handlers=retries)


@pytest_asyncio.fixture
async def bolt(slack: FakeSlack, client: AsyncWebClient) -> AsyncIterator[AsyncApp]:
    """A Bolt app on Socket Mode that remembers what it hears."""
    app = AsyncApp(client=client, signing_secret="unused")
    web_client = AsyncWebClient(APP_TOKEN, slack.api_url)
    handler = AsyncSocketModeHandler(app, APP_TOKEN, web_client=web_client, ping_interval=0.2)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    yield app
    await handler.close_async()  # type: ignore[no-untyped-call]


async def error_of(call: Awaitable[object]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_bolt_takes_a_command_and_answers_through_its_response_url(
    slack: FakeSlack, bolt: AsyncApp
) -> None:
    @bolt.command("/plans")
    async def plans(ack: Ack, respond: Callable[[str], Awaitable[None]]) -> None:
        await ack()
        await respond("free, premium")

    delivery = await slack.slash(ALICE, "/plans")
    answers = await slack.wait_for(lambda: slack.ephemerals(ALICE))
    assert (delivery.took < 1, answers[0].shown, slack.ephemerals(BOB)) == (True, "free, premium", [])
    assert slack.findings == []


async def test_a_mention_reaches_bolt_as_mention_and_as_message_with_ids_of_their_own(
    slack: FakeSlack, bolt: AsyncApp
) -> None:
    heard: list[Body] = []

    @bolt.event("app_mention")
    async def mention(body: Body) -> None:
        heard.append(body)

    @bolt.event("message")
    async def message(body: Body) -> None:
        heard.append(body)

    said = await slack.mention(ALICE, GENERAL, "hello")
    await slack.wait_for(lambda: len(heard) == 2)
    assert {body["event"]["ts"] for body in heard} == {said.ts}
    assert len({body["event_id"] for body in heard}) == 2


async def test_a_pressed_button_comes_with_its_message_and_a_way_to_answer(
    slack: FakeSlack, bolt: AsyncApp
) -> None:
    @bolt.action("again")
    async def again(ack: Ack, body: Body, respond: Callable[..., Awaitable[None]]) -> None:
        await ack()
        await respond(text=f"pressed {body['message']['ts']}", replace_original=True)

    button = {"type": "button", "text": {"type": "plain_text", "text": "Again"}, "action_id": "again"}
    blocks: list[Body] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": "Hm"}},
        {"type": "actions", "elements": [button]},
    ]
    await bolt.client.chat_postMessage(channel=GENERAL, text="Hm", blocks=blocks)
    message = slack.transcript()[-1]
    await slack.press(BOB, message, "again")
    await slack.wait_for(lambda: message.shown == f"pressed {message.ts}")
    assert slack.findings == []


async def test_bolt_comes_back_after_a_disconnect(slack: FakeSlack, bolt: AsyncApp) -> None:
    heard: list[str] = []

    @bolt.event("message")
    async def message(event: Body) -> None:
        heard.append(event["text"])

    await slack.sockets.disconnect()
    await slack.wait_for(lambda: slack.log.sockets_opened == 2 and len(slack.sockets.open) == 1)
    await slack.dm(ALICE, "still there?")
    await slack.wait_for(lambda: heard == ["still there?"])


async def test_the_bots_own_posts_and_edits_are_told_to_it(slack: FakeSlack, bolt: AsyncApp) -> None:
    posted = await bolt.client.chat_postMessage(channel=GENERAL, text="one")
    await bolt.client.chat_update(channel=GENERAL, ts=str(posted["ts"]), text="two")
    await slack.wait_for(lambda: len([d for d in slack.log.deliveries if d.acked_at]) == 2)
    first, second = (d.payload["event"] for d in slack.log.deliveries)
    assert (first["user"], second["subtype"]) == (BOT_USER, "message_changed")


async def test_long_texts_and_malformed_blocks_are_refused_and_found(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    ts = str((await client.chat_postMessage(channel=GENERAL, text="x" * 12_000))["ts"])
    assert await error_of(client.chat_update(channel=GENERAL, ts=ts, text="x" * 4_001)) == "msg_too_long"
    many = [{"type": "divider"}] * 51
    assert await error_of(client.chat_postMessage(channel=GENERAL, text="x", blocks=many)) == "invalid_blocks"
    markdown = [{"type": "markdown", "text": "x" * 12_001}]
    assert (
        await error_of(client.chat_postMessage(channel=GENERAL, text="x", blocks=markdown))
        == "invalid_blocks"
    )
    button = {
        "type": "button",
        "text": {"type": "mrkdwn", "text": "Go"},
        "action_id": "go",
        "value": "v" * 2_001,
    }
    wrong = [{"type": "actions", "elements": [button]}]
    assert (
        await error_of(client.chat_postMessage(channel=GENERAL, text="x", blocks=wrong)) == "invalid_blocks"
    )
    assert len(slack.findings) == 4


async def test_unknown_methods_and_missing_arguments_are_found(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    assert await error_of(client.api_call("chat.shout", json={})) == "unknown_method"
    assert (
        await error_of(client.api_call("chat.update", json={"channel": GENERAL, "text": "x"}))
        == "invalid_arguments"
    )
    assert len(slack.findings) == 2 + ("chat.update: ts is missing" in slack.findings)


async def test_the_bot_posts_only_where_it_may(slack: FakeSlack, client: AsyncWebClient) -> None:
    assert (await client.chat_postMessage(channel=OUTSIDE, text="hi"))["ok"]
    assert await error_of(client.chat_postMessage(channel=PRIVATE, text="hi")) == "channel_not_found"
    assert (
        await error_of(client.chat_postEphemeral(channel=OUTSIDE, user=ALICE, text="hi")) == "not_in_channel"
    )
    slack.close_dms(BOB)
    assert await error_of(client.conversations_open(users=BOB)) == "user_disabled"
    assert slack.findings == []


async def test_history_gives_metadata_back_when_asked(slack: FakeSlack, client: AsyncWebClient) -> None:
    dm = (await client.conversations_open(users=ALICE))["channel"]["id"]
    metadata = {"event_type": "notice", "event_payload": {"key": "n1"}}
    await client.chat_postMessage(channel=dm, text="Welcome", metadata=metadata)
    plain = await client.conversations_history(channel=dm)
    full = await client.conversations_history(channel=dm, include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == metadata
    assert slack.findings == []


async def test_a_stream_grows_needs_a_recipient_and_refuses_edits_meanwhile(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    said = slack.write(ALICE, GENERAL, "hi").ts
    assert (
        await error_of(client.chat_startStream(channel=GENERAL, thread_ts=said))
        == "missing_recipient_user_id"
    )
    streamer = await client.chat_stream(
        channel=GENERAL, thread_ts=said, recipient_user_id=ALICE, recipient_team_id=TEAM, buffer_size=1
    )
    await streamer.append(markdown_text="Hel")
    await streamer.append(markdown_text="lo")
    edit = client.chat_update(channel=GENERAL, ts=str(streamer.ts), text="no")
    assert await error_of(edit) == "streaming_state_conflict"
    await streamer.stop(markdown_text="!")
    assert slack.thread(GENERAL, said)[0].shown == "Hello!"


async def test_a_stream_is_closed_by_slack_after_five_minutes(
    client: AsyncWebClient, slack: FakeSlack
) -> None:
    said = slack.write(ALICE, GENERAL, "hi").ts
    started = await client.chat_startStream(
        channel=GENERAL, thread_ts=said, recipient_user_id=ALICE, recipient_team_id=TEAM, markdown_text="a"
    )
    stream = slack.thread(GENERAL, said)[0]
    stream.stream_until = slack.workspace.now()
    append = client.chat_appendStream(channel=GENERAL, ts=str(started["ts"]), markdown_text="b")
    assert await error_of(append) == "message_not_in_streaming_state"
    assert (await client.chat_update(channel=GENERAL, ts=str(started["ts"]), text="ab"))["ok"]


async def test_a_rate_limited_call_succeeds_when_it_is_repeated(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.faults.rate_limit("chat.postMessage", retry_after=0)
    assert (await client.chat_postMessage(channel=GENERAL, text="hi"))["ok"]
    assert [call.status for call in slack.log.of("chat.postMessage")] == [429, 200]


async def test_a_lost_answer_leaves_the_message_posted(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=GENERAL, text="hi")
    assert [message.shown for message in slack.transcript()] == ["hi"]


async def test_a_response_url_works_five_times(slack: FakeSlack) -> None:
    url = slack.ticket(slack.workspace.channels[GENERAL], ALICE).response_url
    async with aiohttp.ClientSession() as session:
        answers = []
        for _ in range(6):
            async with session.post(url, json={"text": "hi"}) as answer:
                answers.append(answer.status)
    assert answers == [200] * 5 + [404]


async def test_the_fake_can_be_steered_over_http(slack: FakeSlack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=GENERAL, text="hi")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{slack.address}/_control/transcript") as answer:
            assert [message["shown"] for message in await answer.json()] == ["hi"]
        async with session.post(f"{slack.address}/_control/close_dms", json={"user": BOB}) as answer:
            assert answer.status == 200
    assert await error_of(client.conversations_open(users=BOB)) == "user_disabled"
