"""The log's lines: which request each is about, and nothing in them that is secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

from bot.console.logs import HIDDEN, set_up_logging
from engine.tracing import current, traced

SECRETS = (
    "ann@example.com",
    "sk_test_abcdefgh",
    "sk-ant-abcdefgh",
    "rk_live_abcdefgh",
    "whsec_abcdefgh",
    "xoxb-1-abc",
    "xapp-1-abc",
    "AIzaabcdefghijkl",
)


@pytest.fixture
def heard() -> Iterator[io.StringIO]:
    """What is logged as JSON, until the test ends."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    set_up_logging("json")
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    heard = io.StringIO()
    handler.setStream(heard)
    yield heard
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_hidden_in_words_facts_and_tracebacks(heard: io.StringIO, secret: str) -> None:
    log = logging.getLogger("test")
    log.warning("said %s", secret, extra={"why": f"because of {secret}."})
    try:
        int(secret)
    except ValueError:
        log.exception("broken")
    assert secret not in heard.getvalue()
    assert heard.getvalue().count(HIDDEN) == 3


def test_a_token_that_is_sent_is_hidden(heard: io.StringIO) -> None:
    logging.getLogger("test").warning("Authorization: Bearer abc.def-ghi")
    assert "abc" not in heard.getvalue()


async def test_what_a_request_begins_is_logged_under_its_id(heard: io.StringIO) -> None:
    log = logging.getLogger("test")

    async def later() -> None:
        await asyncio.sleep(0)
        log.info("later")

    with traced() as first:
        task = asyncio.create_task(later())
    with traced("abc"):
        log.info("other")
    await task
    log.info("nobody")
    lines = {line["event"]: line for line in map(json.loads, heard.getvalue().splitlines())}
    assert lines["later"]["request"] == first
    assert lines["other"]["request"] == "abc"
    assert "request" not in lines["nobody"]
    assert current() == ""
