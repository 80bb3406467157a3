"""What the doctor says of Slack: scopes, tokens and addresses, each with what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.slack.checkup import check_slack, check_slack_channels
from bot.slack.manifest import scopes
from engine.channels import Channel
from engine.domain import Platform
from engine.settings import SlackSettings
from storage.store import Store
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.slack import ALICE, TEAM, FakeSlack
from tests.fakes.slack.state import Kind
from tests.slack.conftest import APP_URL, settings_for, workspace
from tests.slack.visiting import slack_app, visiting

HTTP_URL = "http://127.0.0.1:8080"
AWAY = "Slack cannot be asked now"


def less(slack: FakeSlack, *scopes: str) -> None:
    """As if the app had been installed with an older manifest."""
    slack.app = replace(slack.app, scopes=slack.app.scopes - set(scopes))


async def test_an_app_with_all_its_scopes_is_in_order(hall: Hall, clock: FakeClock) -> None:
    async with workspace(clock, http=False) as slack:
        assert await check_slack(settings_for(slack, http=False), HTTP_URL, hall.store) == ([], [])
        assert {call.method for call in slack.log.calls} == {"auth.test", "apps.connections.open"}
        assert slack.findings == []


async def test_missing_scopes_are_named_with_what_to_do(hall: Hall, clock: FakeClock) -> None:
    async with workspace(clock, http=True) as slack:
        less(slack, "im:write", "commands")
        _, [said] = await check_slack(settings_for(slack, http=True), APP_URL, hall.store)
    assert said.startswith(
        "SLACK_BOT_TOKEN: lacks the scopes commands, im:write. Paste what `main.py slack-m"
    )
    assert said.endswith("page App Manifest, and install the app again (Install App).")


async def test_every_workspace_that_has_the_app_is_looked_at(store: Store, clock: FakeClock) -> None:
    async with slack_app(clock) as slack:
        settings = settings_for(slack, http=False, many=True)
        notes, problems = await check_slack(settings, APP_URL, store)
        assert notes == [
            "Slack redirect address, as the manifest has it: https://bot.test/slack/oauth_redirect",
            "No workspace has the Slack app yet; it is installed at https://bot.test/slack/install",
        ]
        assert problems == []
        teams = [slack.team(f"T0{name.upper()}", name) for name in ("Acme", "Best", "Cold")]
        async with visiting(settings, store, clock) as visitor:
            for team in teams:
                await visitor.install(slack, team)
        teams[0].scopes = frozenset(scopes(follow_threads=True)) - {"im:history"}
        slack.end(teams[2])
        notes, problems = await check_slack(settings, APP_URL, store)
        assert "The Slack app is installed in Acme (T0ACME), Best (T0BEST), Cold (T0COLD)" in notes
        assert any("kept in the clear; SLACK_TOKEN_KEY seals" in note for note in notes)
        again = "have it installed there again at https://bot.test/slack/install."
        assert [problem.partition(". ")[0] for problem in problems] == [
            "Slack workspace Acme (T0ACME): lacks the scopes im:history",
            "Slack workspace Cold (T0COLD): its token is not accepted (Slack: account_inactive)",
        ]
        assert all(problem.endswith(again) for problem in problems)
        assert slack.findings == []


async def test_a_sealed_token_without_its_key_is_named(store: Store, clock: FakeClock) -> None:
    async with slack_app(clock) as slack:
        sealing = settings_for(slack, http=False, many=True, keys="k" * 32)
        async with visiting(sealing, store, clock) as visitor:
            await visitor.install(slack, slack.team("T0ACME", "Acme"))
        _, [said] = await check_slack(settings_for(slack, http=False, many=True), APP_URL, store)
    assert said.startswith("Slack workspace Acme: ")
    assert "SLACK_TOKEN_KEY" in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"app_token": SecretStr("xoxb-1")}, "SLACK_APP_TOKEN: is no app-level token (xapp-)"),
        ({"app_token": SecretStr("xapp-wrong")}, "SLACK_APP_TOKEN: is not accepted (Slack: invalid_auth)"),
        ({"bot_token": SecretStr("xoxp-1")}, "Copy the Bot User OAuth Token (xoxb-)"),
        ({"bot_token": SecretStr("xoxe.xoxb-1")}, "Token rotation is on"),
        ({"bot_token": SecretStr("xoxb-wrong")}, "its token is not accepted (Slack: invalid_auth)"),
        (
            {"app_token": None, "signing_secret": SecretStr("s")},
            "APP_URL: http://127.0.0.1:8080 is not https",
        ),
    ],
)
async def test_each_wrong_setting_is_one_sentence_with_its_mend(
    hall: Hall, clock: FakeClock, changes: dict[str, SecretStr | None], words: str
) -> None:
    async with workspace(clock, http=False) as slack:
        settings = replace(settings_for(slack, http=False), **changes)  # type: ignore[arg-type]
        _, [said] = await check_slack(settings, HTTP_URL, hall.store)
    assert words in said


async def test_a_slack_that_is_away_or_silent_is_said_in_one_sentence(
    hall: Hall, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workspace(clock, http=False) as slack:
        settings: SlackSettings = settings_for(slack, http=False)
        away = replace(settings, api_url="http://127.0.0.1:1/api/")
        _, [said] = await check_slack(away, HTTP_URL, hall.store)
        assert said.startswith(AWAY)
        monkeypatch.setattr("bot.slack.checkup.PATIENCE", 0.05)
        gate = slack.faults.hold("auth.test")
        _, [silent] = await check_slack(settings, HTTP_URL, hall.store)
        assert silent.startswith(AWAY)
        gate.set()


async def test_a_connection_that_may_not_be_tried_again_yet_is_no_problem(
    hall: Hall, clock: FakeClock
) -> None:
    async with workspace(clock, http=False) as slack:
        slack.faults.rate_limit("apps.connections.open", retry_after=30)
        assert await check_slack(settings_for(slack, http=False), HTTP_URL, hall.store) == ([], [])


async def test_each_channel_that_is_to_be_told_things_is_looked_at_and_nothing_is_written(
    hall: Hall, clock: FakeClock
) -> None:
    async with workspace(clock, http=False) as slack:
        slack.workspace.add_channel("C0PUBLIC", "public", Kind.PUBLIC, set())
        slack.workspace.add_channel("C0PRIVATE", "private", Kind.PRIVATE, {ALICE})
        room = slack.room("C0ROOM")
        settings = settings_for(slack, http=False)
        ids = (room, "C0PUBLIC", "C0PRIVATE", "C0NONE")
        channels = [Channel(Platform.SLACK, TEAM, each) for each in ids]
        private, none = await check_slack_channels(settings, channels, hall.store)
        assert private.startswith(
            f"slack:{TEAM}/C0PRIVATE: there is no such channel, or it is private. Write /inv"
        )
        assert none.startswith(f"slack:{TEAM}/C0NONE: there is no such channel")
        less(slack, "channels:history")
        assert await check_slack_channels(settings, channels[:1], hall.store) == []
        assert slack.transcript(room) == []


async def test_a_channel_of_a_workspace_that_has_not_the_app_is_named(store: Store, clock: FakeClock) -> None:
    async with slack_app(clock) as slack:
        settings = settings_for(slack, http=False, many=True)
        [said] = await check_slack_channels(settings, [Channel(Platform.SLACK, "T0NONE", "C1")], store)
    assert said.startswith("slack:T0NONE/C1: the app is not in that workspace.")
