"""`main.py`, as it is, on a Slack: asked, at its limit, sold something, and ended in good order."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.slack.manifest import manifest
from tests.fakes.slack import ALICE, GENERAL, FakeSlack
from tests.program import free_port, running
from tests.slack.test_conversations import answered


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_main_serves_slack_from_the_first_question_to_the_checkout_link(
    mode: str, tmp_path: Path
) -> None:
    port, http = free_port(), mode == "http"
    url = f"http://127.0.0.1:{port}/slack/events" if http else None
    async with FakeSlack(manifest=manifest("https://bot.test" if http else None), events_url=url) as slack:
        async with running(tmp_path, {**slack.variables, "PORT": str(port)}) as program:
            await slack.connected()
            await slack.slash(ALICE, "/ask", "Thanks!")
            answer = await slack.wait_for(slack.transcript, 10)
            await slack.wait_for(lambda: "conversation 1 of 10 today" in answer[0].shown, 30)
            await slack.slash(ALICE, "/upgrade", "premium month")
            link = await slack.wait_for(lambda: slack.dms(ALICE))
            assert "SIMULATED" in link[0].shown
            assert link[0].buttons[0]["url"].startswith(f"http://127.0.0.1:{port}/")
            await slack.mention(ALICE, GENERAL, "Bye")
            await slack.wait_for(lambda: len(slack.transcript()) == 3, 10)
            assert await program.end() == 0
        last = (await answered(slack, GENERAL, 1))[-1]
        assert "conversation" in last.shown
        assert [finding for finding in slack.findings if "503" not in finding] == []
