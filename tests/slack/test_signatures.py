"""POST /slack/events takes what Slack signed, and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.slack import ALICE, FakeSlack, signed
from tests.slack.conftest import front_of, serving, workspace
from tests.slack.test_conversations import answered

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BODY = json.dumps({"type": "url_verification", "token": "t", "challenge": "echo me"}).encode()


@pytest.fixture
async def slack(hall: Hall, clock: FakeClock) -> AsyncIterator[FakeSlack]:
    """A workspace that sends signed HTTP to the bot."""
    async with workspace(clock, http=True) as fake, serving(fake, front_of(hall), clock, http=True):
        yield fake


async def post(slack: FakeSlack, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    assert slack.posts is not None
    return await slack.posts.post(body, headers)


async def test_the_address_is_verified_by_its_challenge(slack: FakeSlack) -> None:
    status, text = await post(slack, BODY, {**JSON, **signed(BODY, slack.workspace.now())})
    assert (status, json.loads(text)) == (200, {"challenge": "echo me"})


@pytest.mark.parametrize("late", [-301, 301])
async def test_a_timestamp_five_minutes_off_is_refused(slack: FakeSlack, late: int) -> None:
    headers = signed(BODY, slack.workspace.now() + late)
    assert (await post(slack, BODY, {**JSON, **headers}))[0] == 401


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", "²", "9" * 400])
async def test_a_timestamp_that_is_no_number_is_refused(slack: FakeSlack, timestamp: str) -> None:
    assert (await post(slack, BODY, {**JSON, **signed(BODY, timestamp)}))[0] == 401


async def test_what_was_not_signed_with_our_secret_is_refused(slack: FakeSlack) -> None:
    now = slack.workspace.now()
    good = signed(BODY, now)
    assert (await post(slack, BODY, {**JSON, **signed(BODY, now, "other")}))[0] == 401
    assert (await post(slack, BODY + b" ", {**JSON, **good}))[0] == 401
    assert (await post(slack, BODY, {**JSON, **good, "X-Slack-Signature": "v0=ü"}))[0] == 401
    assert (await post(slack, BODY, JSON))[0] == 401


async def test_an_unsigned_ssl_check_is_refused_like_anything_unsigned(slack: FakeSlack) -> None:
    assert (await post(slack, b"ssl_check=1&token=t", FORM))[0] == 401


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"[]", b"null", b'{"type": "event_callback"}'])
async def test_signed_bodies_that_are_no_event_are_no_server_error(slack: FakeSlack, body: bytes) -> None:
    status, _ = await post(slack, body, {**JSON, **signed(body, slack.workspace.now())})
    assert 400 <= status < 500


@pytest.mark.parametrize("form", [{}, {"payload": "{"}, {"payload": "[]"}, {"command": "/unknown"}])
async def test_signed_forms_that_are_no_call_are_no_server_error(
    slack: FakeSlack, form: dict[str, str]
) -> None:
    body = urlencode(form).encode()
    status, _ = await post(slack, body, {**FORM, **signed(body, slack.workspace.now())})
    assert 400 <= status < 500


async def test_a_retry_with_its_headers_is_answered_once(slack: FakeSlack, hall: Hall) -> None:
    said = await slack.dm(ALICE, "Hi")
    again = await slack.redeliver(said.deliveries[0], reason="http_timeout")
    await answered(slack, slack.workspace.dm(ALICE).id)
    assert (again.status, len(hall.one.seen)) == (200, 1)
