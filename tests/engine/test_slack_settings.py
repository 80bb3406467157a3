"""Slack's variables: one workspace by its token or many by OAuth; each half of that is told with its mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.settings import SlackSettings
from tests.engine.test_config import problems, settings

OAUTH = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "fake-client-secret"}
HTTP = {"SLACK_SIGNING_SECRET": "fake-signing-secret"}
KEY = "k" * 32


def test_oauth_needs_no_token_and_knows_its_addresses(tmp_path: Path) -> None:
    sealing = {"SLACK_TOKEN_KEY": f"{KEY}, {KEY}old", "APP_URL": "https://chat.example.com/"}
    loaded = settings(tmp_path, **OAUTH, **HTTP, **sealing)
    slack = loaded.slack
    assert isinstance(slack, SlackSettings)
    assert slack.oauth
    assert slack.bot_token is None
    assert slack.oauth.install_url == "https://chat.example.com/slack/install"
    assert slack.oauth.redirect_url == "https://chat.example.com/slack/oauth_redirect"
    assert [key.get_secret_value() for key in slack.oauth.token_keys] == [KEY, f"{KEY}old"]
    assert "fake-client-secret" not in repr(loaded)
    assert KEY not in repr(loaded)
    assert not loaded.playground.on
    assert any("Payments are SIMULATED" in remark for remark in loaded.remarks)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SLACK_CLIENT_ID": "1.2", **HTTP}, ["SLACK_CLIENT_SECRET: is missing"]),
        ({"SLACK_CLIENT_SECRET": "s", **HTTP}, ["SLACK_CLIENT_ID: is missing"]),
        ({"SLACK_TOKEN_KEY": KEY}, ["_ID: is missing", "_SECRET: is missing", "without a way to receive"]),
        (OAUTH, ["SLACK_CLIENT_ID: is set without a way to receive events. Set SLACK_APP_TOKEN"]),
        ({**OAUTH, **HTTP, "SLACK_BOT_TOKEN": "xoxb-1"}, ["SLACK_BOT_TOKEN: is set beside SLACK_CLIENT_ID"]),
        ({**OAUTH, **HTTP, "SLACK_TOKEN_KEY": f"{KEY},short"}, ["SLACK_TOKEN_KEY: is shorter than 32"]),
        (HTTP, ["SLACK_BOT_TOKEN: is missing", "or for many workspaces"]),
        (
            {"SLACK_BOT_TOKEN": "xoxb-1"},
            ["SLACK_BOT_TOKEN: is set without a way", "SLACK_SIGNING_SECRET (HTTP)"],
        ),
    ],
)
def test_each_half_set_group_is_told_with_its_mend(
    tmp_path: Path, variables: dict[str, str], said: list[str]
) -> None:
    told = problems(tmp_path, **variables)
    assert [words for words in said if words not in told] == []
    assert len(told.splitlines()) == (3 if "SLACK_TOKEN_KEY" in variables and len(variables) == 1 else 1)
