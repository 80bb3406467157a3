"""The small routes, and what every answer has in common."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from datetime import timedelta

import pytest

from engine.errors import TryAgainError
from engine.pauses import Pause
from engine.ports import HttpAnswer, HttpRequest
from tests.fakes.clock import NOON
from tests.web.conftest import Start
from webhooks.server import serve
from webhooks.site import Part, Site

SITE = Site("http://127.0.0.1")
PAGE = {"Accept": "text/html"}


class Slack:
    """Keeps what it is handed, and answers as Slack's challenge wants it."""

    def __init__(self, status: int = 200) -> None:
        self.calls: list[HttpRequest] = []
        self.status = status
        self.trouble: Exception | None = None

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """Answer in JSON."""
        if self.trouble:
            raise self.trouble
        self.calls.append(request)
        return HttpAnswer(self.status, '{"challenge": "\u00fc"}', "application/json; charset=utf-8")


async def test_health_says_ok_and_nothing_else(start: Start) -> None:
    client = await start(SITE)
    async with client.get("/health") as answer:
        assert answer.status == 200
        assert await answer.json() == {"status": "ok"}
    async with client.head("/health") as answer:
        assert answer.status == 200


async def test_the_front_page_tells_what_is_on(start: Start) -> None:
    parts = (
        Part("Discord", on=False, note="set DISCORD_TOKEN"),
        Part("Playground", on=True, link="/playground"),
    )
    client = await start(Site("http://127.0.0.1", parts=parts))
    async with client.get("/", headers=PAGE) as answer:
        text = await answer.text()
    assert "set DISCORD_TOKEN" in text
    assert '<a href="/playground">Playground</a>' in text


async def test_the_front_page_tells_what_is_paused_but_not_why(start: Start) -> None:
    async def pauses() -> Sequence[Pause]:
        return [Pause("all", NOON, NOON + timedelta(hours=2), "secret"), Pause("model:quick", NOON)]

    client = await start(Site("http://127.0.0.1", pauses=pauses))
    async with client.get("/", headers=PAGE) as answer:
        text = await answer.text()
    assert "All answers are paused until 2026-11-24 14:00 UTC." in text
    assert "The model quick is paused." in text
    assert "secret" not in text


async def test_the_front_page_is_served_while_the_database_is_away(start: Start) -> None:
    async def pauses() -> Sequence[Pause]:
        raise TryAgainError("away")

    client = await start(Site("http://127.0.0.1", pauses=pauses))
    async with client.get("/", headers=PAGE) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("way", ["success", "cancel"])
async def test_the_older_return_address_leads_to_its_page(start: Start, way: str) -> None:
    client = await start(SITE)
    async with client.get(f"/?billing={way}&session_id=cs_1", allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"] == f"/billing/{way}?session_id=cs_1"


async def test_slack_is_handed_each_call_as_raw_as_it_came(start: Start) -> None:
    slack = Slack()
    client = await start(Site("http://127.0.0.1", slack=slack))
    async with client.post(
        "/slack/events?a=%20b", data=b"\xff{", headers={"X-Slack-Signature": "v0"}
    ) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert await answer.json() == {"challenge": "\u00fc"}
    call = slack.calls[0]
    assert (call.method, call.path, call.query, call.body) == ("POST", "/slack/events", "a=%20b", b"\xff{")
    assert call.headers["X-Slack-Signature"] == "v0"


async def test_slack_is_asked_to_come_again_when_we_cannot_take_a_call(start: Start) -> None:
    slack = Slack()
    slack.trouble = TryAgainError("database is away")
    client = await start(Site("http://127.0.0.1", slack=slack))
    async with client.post("/slack/events", data=b"{}") as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "1"


async def test_without_slack_its_route_says_that_it_is_off(start: Start) -> None:
    client = await start(SITE)
    async with client.post("/slack/events", data=b"{}") as answer:
        assert answer.status == 404
        assert "SLACK_SIGNING_SECRET" in (await answer.json())["error"]


async def test_an_unknown_address_is_answered_in_words_to_people_and_in_json_to_programs(
    start: Start,
) -> None:
    client = await start(SITE)
    async with client.get("/nowhere", headers=PAGE) as answer:
        assert answer.status == 404
        assert "<h1>" in await answer.text()
    async with client.get("/nowhere") as answer:
        assert await answer.json() == {"error": "There is nothing at this address."}


async def test_what_a_visitor_sends_is_shown_as_text_and_never_as_markup(start: Start) -> None:
    client = await start(SITE)
    async with client.get("/billing/success?session_id=%22%3E%3Cscript%3E", headers=PAGE) as answer:
        assert "<script>" not in await answer.text()


@pytest.mark.parametrize("path", ["/", "/health", "/nowhere", "/static/tokens.css", "/playground"])
async def test_every_answer_keeps_browsers_careful(start: Start, path: str) -> None:
    client = await start(SITE)
    async with client.get(path, headers=PAGE) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "aiohttp" not in answer.headers["Server"]


async def test_files_outside_the_static_folder_cannot_be_read(start: Start) -> None:
    client = await start(SITE)
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/static/..%2fserver.py", "/static/"):
        async with client.get(path) as answer:
            assert answer.status in {403, 404}


async def test_the_access_log_holds_routes_and_no_queries(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "webhooks.access")
    client = await start(SITE)
    await client.get("/billing/success?session_id=cs_secret")
    await client.get("/no%0Awhere?token=secret")
    lines = [record.getMessage() for record in caplog.records if record.name == "webhooks.access"]
    assert lines == ["GET /billing/success 200", "GET /no%0Awhere 404"]
    assert caplog.records[-1].__dict__["status"] == 404


async def test_a_port_that_is_taken_is_an_error_that_can_be_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address already in use"):
            async with serve(SITE, "127.0.0.1", taken.getsockname()[1]):
                pass


@pytest.mark.parametrize(("status", "knocks"), [(200, []), (503, []), (401, ["/slack/events"])])
async def test_a_call_that_slack_did_not_sign_is_a_knock(
    start: Start, status: int, knocks: list[str]
) -> None:
    heard: list[str] = []

    async def knocked(door: str) -> None:
        heard.append(door)

    client = await start(Site("http://127.0.0.1", slack=Slack(status), knocked=knocked))
    async with client.post("/slack/events", data=b"{}") as answer:
        assert answer.status == status
    assert heard == knocks
