"""What Slack sends to an app, in Slack's full shapes."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes.shelf import File
from tests.fakes.slack.chat import as_json
from tests.fakes.slack.state import APP, BOT_USER, TEAM, Channel, Json, Kind, Message, User

DOMAIN = "fake"


@dataclass(frozen=True, slots=True)
class Ticket:
    """The short-lived addresses that come with a command or a pressed button."""

    trigger_id: str
    response_url: str


def event_callback(event: Json, number: int, at: float) -> Json:
    """The envelope of one event; `number` makes its id, `at` is unix seconds."""
    return {
        "token": "fake-verification-token",
        "team_id": TEAM,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{number:09d}",
        "event_time": int(at),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-fake-{number}",
    }


def message_event(message: Message, channel: Channel) -> Json:
    """The `message` event for a new message."""
    body = as_json(message) | {
        "channel": channel.id,
        "channel_type": str(channel.kind),
        "event_ts": message.ts,
    }
    return body if message.by_app else body | {"client_msg_id": f"fake-{message.ts}"}


def changed_event(message: Message, channel: Channel, event_ts: str) -> Json:
    """The `message` event for an edit."""
    edited = {k: v for k, v in as_json(message).items() if k != "app_id"}
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": edited | {"edited": {"user": message.user, "ts": event_ts}},
        "channel": channel.id,
        "channel_type": str(channel.kind),
        "ts": event_ts,
        "event_ts": event_ts,
    }


def mention_event(message: Message, channel: Channel) -> Json:
    """The `app_mention` event, which has neither channel type nor subtype."""
    body = message_event(message, channel) | {"type": "app_mention"}
    return {key: value for key, value in body.items() if key not in {"channel_type", "subtype"}}


def file_object(file: File, number: str, url: str) -> Json:
    """A file of a message; who has no right to read files is sent to sign in."""
    kind = file.name.rpartition(".")[2]
    return {
        "id": number,
        "name": file.name,
        "title": file.name,
        "mimetype": file.media_type.partition(";")[0],
        "filetype": kind,
        "pretty_type": kind.upper(),
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "is_public": False,
        "file_access": "visible",
        "url_private": url.replace("/download/", "/"),
        "url_private_download": url,
    }


def home_event(user: User, channel: Channel, tab: str, event_ts: str) -> Json:
    """The `app_home_opened` event; `tab` is `home` or `messages`."""
    return {
        "type": "app_home_opened",
        "user": user.id,
        "channel": channel.id,
        "tab": tab,
        "event_ts": event_ts,
    }


def stopped_event(user: str, channel: str, thread_ts: str, streamed: list[str]) -> Json:
    """The `agent_session_stopped` event, with the streams that Slack ended (docs.slack.dev)."""
    return {
        "type": "agent_session_stopped",
        "channel": channel,
        "thread_ts": thread_ts,
        "user": user,
        "streaming_message_ts": streamed,
        "event_ts": thread_ts,
    }


def slash_command(user: User, channel: Channel, command: str, text: str, ticket: Ticket) -> Json:
    """The form of a slash command."""
    return {
        "token": "fake-verification-token",
        "team_id": TEAM,
        "team_domain": DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel.name if channel.kind is not Kind.PRIVATE else "privategroup",
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": ticket.response_url,
        "trigger_id": ticket.trigger_id,
    }


def message_shortcut(user: User, channel: Channel, message: Message, callback: str, ticket: Ticket) -> Json:
    """What is sent when something is chosen from a message's menu."""
    return {
        "type": "message_action",
        "callback_id": callback,
        "trigger_id": ticket.trigger_id,
        "message_ts": message.ts,
        "response_url": ticket.response_url,
        "message": as_json(message),
        "channel": {"id": channel.id, "name": channel.name},
        "action_ts": message.ts,
        "token": "fake-verification-token",
        **_actor(user),
        "user": {"id": user.id, "name": user.name, "team_id": TEAM},
    }


def view_action(user: User, view: Json, element: Json, ticket: Ticket, value: str | None = None) -> Json:
    """The interaction of something pressed, or chosen from a list, on the Home or in a window.

    Of boxes to tick, `value` is the one that is ticked then, or empty.
    """
    keys = ("type", "action_id", "block_id", "text", "value", "style", "url", "placeholder")
    action = {key: element[key] for key in keys if key in element}
    if value is not None:
        chosen = [each for each in element["options"] if each["value"] == value]
        boxes = element["type"] == "checkboxes"
        action |= {"selected_options": chosen} if boxes else {"selected_option": chosen[0]}
    return {
        "type": "block_actions",
        "container": {"type": "view", "view_id": view["id"]},
        "trigger_id": ticket.trigger_id,
        "view": view,
        "state": {"values": {}},
        "api_app_id": APP,
        "token": "fake-verification-token",
        "actions": [action | {"action_ts": "1.1"}],
        **_actor(user),
    }


def view_submission(user: User, view: Json, values: Json, ticket: Ticket) -> Json:
    """A window that was filled in."""
    return {
        "type": "view_submission",
        "trigger_id": ticket.trigger_id,
        "view": view | {"state": {"values": values}},
        "api_app_id": APP,
        "token": "fake-verification-token",
        **_actor(user),
    }


def _actor(user: User) -> Json:
    """Who did it, and in which workspace."""
    return {
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": TEAM},
        "team": {"id": TEAM, "domain": DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def block_action(user: User, channel: Channel, message: Message, button: Json, ticket: Ticket) -> Json:
    """The interaction of a pressed button."""
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.only_for is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    action = {
        key: button[key]
        for key in ("type", "action_id", "block_id", "text", "value", "style", "url")
        if key in button
    }
    body: Json = {
        "type": "block_actions",
        "api_app_id": APP,
        "token": "fake-verification-token",
        "container": container,
        "trigger_id": ticket.trigger_id,
        **_actor(user),
        "channel": {"id": channel.id, "name": channel.name},
        "state": {"values": {}},
        "response_url": ticket.response_url,
        "actions": [action | {"action_ts": message.ts}],
    }
    return body if message.only_for else body | {"message": as_json(message)}
