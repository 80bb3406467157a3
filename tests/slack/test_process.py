"""`main.py`, as it is, on a Slack: asked, at its limit, sold something, and ended in good order."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.slack.manifest import manifest
from tests.fakes.slack import ALICE, GENERAL, FakeSlack
from tests.fakes.slack.teams import SlackApp
from tests.program import called, free_port, running
from tests.slack.conftest import APP_URL
from tests.slack.test_conversations import answered
from tests.slack.visiting import Visitor


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
            answer = await slack.wait_for(slack.transcript)
            await slack.wait_for(lambda: "conversation 1 of 10 today" in answer[0].shown)
            await slack.slash(ALICE, "/upgrade", "premium month")
            link = await slack.wait_for(lambda: slack.dms(ALICE))
            assert "SIMULATED" in link[0].shown
            assert link[0].buttons[0]["url"].startswith(f"http://127.0.0.1:{port}/")
            await slack.mention(ALICE, GENERAL, "Bye")
            await slack.wait_for(lambda: len(slack.transcript()) == 3)
            assert await program.end() == 0
        last = (await answered(slack, GENERAL, 1))[-1]
        assert "conversation" in last.shown
        gone = ("503", "could not be posted", "never acknowledged")  # what Slack tells of our last words
        assert [each for each in slack.findings if not any(words in each for words in gone)] == []


async def test_main_serves_workspaces_that_install_the_app_and_the_doctor_looks_at_each(
    tmp_path: Path,
) -> None:
    port = free_port()
    described = manifest(None, redirect_url=f"{APP_URL}/slack/oauth_redirect")
    async with SlackApp(described) as slack:
        acme = slack.team("T0ACME", "Acme")
        given = {**slack.variables, "PORT": str(port), "APP_URL": APP_URL, "SLACK_TOKEN_KEY": "k" * 32}
        async with running(tmp_path, given) as program, ClientSession() as session:
            await slack.connected()
            await program.heard("workspaces install it at https://bot.test/slack/install")
            visitor = Visitor(session, f"http://127.0.0.1:{port}")
            assert "Installed in Acme" in (await visitor.install(slack, acme)).text
            await acme.slash(ALICE, "/ask", "Thanks!")
            await slack.wait_for(lambda: any("1 of 10 today" in m.shown for m in acme.transcript()))
            await acme.slash(ALICE, "/usage")
            await slack.wait_for(lambda: all(each.acked_at for each in slack.log.deliveries))
            assert await program.end() == 0
            assert acme.token not in program.said
        well = await called(tmp_path, given, "doctor")
        assert "The Slack app is installed in Acme (T0ACME)" in well.out
        assert "green   Slack          tokens and scopes are as the manifest wants them" in well.out
        assert well.out.endswith("1 red. 1 to mend.\n")  # nobody has this address
        assert acme.token not in well.out
        assert slack.findings == []
