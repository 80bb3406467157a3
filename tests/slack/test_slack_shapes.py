"""The counterparty's payloads have no field that Slack's published samples lack."""

from __future__ import annotations

import json

import pytest

from tests.fakes.slack import ALICE, BOT_USER, GENERAL, published
from tests.fakes.slack.methods import METHODS
from tests.fakes.slack.payloads import (
    Ticket,
    block_action,
    changed_event,
    event_callback,
    home_event,
    mention_event,
    message_event,
    message_shortcut,
    slash_command,
    view_submission,
)
from tests.fakes.slack.state import Channel, Json, Kind, Message, User

pytestmark = pytest.mark.skipif(
    not published.SAMPLES.exists(), reason="Slack's published samples are not at hand"
)

USER, CHANNEL = User(ALICE, "alice"), Channel(GENERAL, "general", Kind.PUBLIC, {ALICE, BOT_USER})
TICKET = Ticket("1.1.fake", "http://127.0.0.1/response/1")
BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go", "block_id": "b"}
POSTED = Message("1.000001", GENERAL, BOT_USER, "hi", [{"type": "actions", "elements": [BUTTON]}])
WINDOW = {"id": "V1", "type": "modal"}
WRITTEN = Message("1.000002", GENERAL, ALICE, "hi")
SENT: dict[str, Json] = {
    "events/AppMentionPayload": event_callback(mention_event(WRITTEN, CHANNEL), 1, 1.0),
    "events/MessagePayload": event_callback(message_event(WRITTEN, CHANNEL), 2, 1.0),
    "events/MessageChangedPayload": event_callback(changed_event(POSTED, CHANNEL, "1.000003"), 3, 1.0),
    "events/AppHomeOpenedPayload": event_callback(home_event(USER, CHANNEL, "home", "1.000004"), 4, 1.0),
    "events/AppUninstalledPayload": event_callback({"type": "app_uninstalled"}, 5, 1.0),
    "events/TokensRevokedPayload": event_callback(
        {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER]}}, 6, 1.0
    ),
    "app-backend/slash-commands/SlashCommandPayload": slash_command(USER, CHANNEL, "/ask", "hi", TICKET),
    "app-backend/interactive-components/BlockActionPayload": block_action(
        USER, CHANNEL, POSTED, BUTTON, TICKET
    ),
    "app-backend/interactive-components/MessageShortcutPayload": message_shortcut(
        USER, CHANNEL, WRITTEN, "ask-about", TICKET
    ),
    "app-backend/views/ViewSubmissionPayload": view_submission(USER, WINDOW, {}, TICKET),
}
FREE = {"state", "text", "value"}
"""Keys whose values are not looked into."""


@pytest.mark.parametrize("name", SENT)
def test_every_field_is_one_that_slack_sends(name: str) -> None:
    sample = json.loads((published.SAMPLES / f"{name}.json").read_text())
    assert sorted(unknown(SENT[name], sample)) == []


def unknown(ours: Json, theirs: Json, path: str = "") -> set[str]:
    """Paths of ours that the sample has not."""
    found = {f"{path}{key}" for key in ours if key not in theirs}
    for key, value in ours.items():
        sample = theirs.get(key)
        if isinstance(value, dict) and isinstance(sample, dict) and key not in FREE:
            found |= unknown(value, sample, f"{path}{key}.")
    return found


@pytest.mark.skipif(not published.TIERS.exists(), reason="Slack's table of rate limits is not at hand")
def test_every_method_has_the_rate_limit_that_slack_gives_it() -> None:
    known = {name: method.tier for name, method in METHODS.items() if name in published.tiers()}
    assert known == {name: published.tiers()[name] for name in known}
    assert {"chat.startStream", "chat.stopStream", "chat.appendStream", "chat.update"} <= known.keys()


def test_the_description_of_the_web_api_is_used_where_it_is_at_hand() -> None:
    assert published.problems("chat.update", {"channel": GENERAL, "text": "x"}) == [
        "chat.update: ts is missing"
    ]
