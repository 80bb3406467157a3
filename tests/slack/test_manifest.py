"""The generated manifest is one that Slack takes, and has what the bot needs."""

from __future__ import annotations

import json

import pytest

from bot.commands import COMMANDS
from bot.slack.manifest import manifest, manifest_json
from tests.fakes.slack.app import App, manifest_problems


@pytest.mark.parametrize("app_url", [None, "https://chat.example.com/"])
def test_slack_takes_the_manifest(app_url: str | None) -> None:
    assert manifest_problems(manifest(app_url)) == []
    assert json.loads(manifest_json(app_url)) == manifest(app_url)


def test_every_command_of_the_table_is_in_it_with_its_usage() -> None:
    listed = {each["command"]: each for each in manifest()["features"]["slash_commands"]}
    assert list(listed) == [f"/{command.name}" for command in COMMANDS]
    assert listed["/upgrade"]["usage_hint"] == "[tier] [month|year]"


def test_socket_mode_has_no_addresses_and_http_has_one_for_all() -> None:
    assert "http" not in manifest_json()
    assert manifest()["settings"]["socket_mode_enabled"]
    over_http = manifest_json("https://chat.example.com")
    assert over_http.count('"https://chat.example.com/slack/events"') == len(COMMANDS) + 2


@pytest.mark.parametrize("app_url", [None, "https://chat.example.com"])
def test_an_app_for_many_workspaces_says_where_it_is_installed_and_hears_when_it_is_removed(
    app_url: str | None,
) -> None:
    redirect = "https://chat.example.com/slack/oauth_redirect"
    many, one = manifest(app_url, redirect_url=redirect), manifest(app_url)
    assert manifest_problems(many) == []
    assert many["oauth_config"]["redirect_urls"] == [redirect]
    assert many["settings"]["org_deploy_enabled"]
    events = [set(each["settings"]["event_subscriptions"]["bot_events"]) for each in (many, one)]
    assert events[0] - events[1] == {"app_uninstalled", "tokens_revoked"}


def test_the_counterparty_would_notice_a_missing_scope() -> None:
    bare = manifest()
    bare["oauth_config"]["scopes"]["bot"].remove("im:history")
    with pytest.raises(ValueError, match=r"message\.im needs im:history"):
        App.from_manifest(bare)
