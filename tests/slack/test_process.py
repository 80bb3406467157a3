"""`main.py`, as it is, on a Slack: asked, at its limit, sold something, and ended in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.slack.manifest import manifest
from tests.fakes.slack import ALICE, APP_TOKEN, BOT_TOKEN, GENERAL, SIGNING_SECRET, FakeSlack, signed
from tests.slack.test_conversations import answered

ROOT = Path(__file__).parents[2]
START_SECONDS = 20.0


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def main(folder: Path, variables: Mapping[str, str]) -> AsyncIterator[Process]:
    """The program on a database of its own, once it says that it is ready; killed if it is still there."""
    environ = {"PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{folder}/chat.db", **variables}
    environ["CONFIG"] = str(ROOT / "config.toml")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "main.py"), cwd=folder, env=environ, stdout=PIPE, stderr=STDOUT
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            await ready(process)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ready(process: Process) -> None:
    """Read on until the program is ready; its words if it ends before."""
    said = b""
    assert process.stdout
    while b"is ready" not in said:
        line = await process.stdout.readline()
        assert line, said.decode()
        said += line


async def connected(slack: FakeSlack) -> None:
    """Wait until the program listens to Slack."""
    if slack.posts is None:
        await slack.wait_for(lambda: slack.sockets.open)
        return
    body = b'{"type": "url_verification", "challenge": "there?"}'
    headers = {"Content-Type": "application/json", **signed(body, slack.workspace.now())}
    while (await slack.posts.post(body, headers))[0] != 200:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)


async def ended(process: Process) -> int:
    """Ask the program to end; its exit code."""
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(15):
        await process.communicate()
    return process.returncode or 0


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_main_serves_slack_from_the_first_question_to_the_checkout_link(
    mode: str, tmp_path: Path
) -> None:
    port, http = free_port(), mode == "http"
    url = f"http://127.0.0.1:{port}/slack/events" if http else None
    async with FakeSlack(manifest=manifest("https://bot.test" if http else None), events_url=url) as slack:
        secret = {"SLACK_SIGNING_SECRET": SIGNING_SECRET} if http else {"SLACK_APP_TOKEN": APP_TOKEN}
        variables = {
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "PORT": str(port),
            **secret,
        }
        async with main(tmp_path, variables) as process:
            await connected(slack)
            await slack.slash(ALICE, "/ask", "Hi")
            answer = await slack.wait_for(slack.transcript, 10)
            await slack.wait_for(lambda: "conversation 1 of 10 today" in answer[0].shown, 30)
            await slack.slash(ALICE, "/upgrade", "premium month")
            link = await slack.wait_for(lambda: slack.dms(ALICE))
            assert "SIMULATED" in link[0].shown
            assert link[0].buttons[0]["url"].startswith(f"http://127.0.0.1:{port}/")
            await slack.mention(ALICE, GENERAL, "Bye")
            await slack.wait_for(lambda: len(slack.transcript()) == 3, 10)
            assert await ended(process) == 0
        last = (await answered(slack, GENERAL, 1))[-1]
        assert "conversation" in last.shown
        assert [finding for finding in slack.findings if "503" not in finding] == []
