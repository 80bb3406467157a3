"""chat.*: posting, editing, deleting and private replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.fakes.slack import blocks as block_kit
from tests.fakes.slack.errors import SlackError
from tests.fakes.slack.methods import method
from tests.fakes.slack.state import APP, BOT, BOT_USER, TEAM, Channel, Json, Kind, Message, Stream

if TYPE_CHECKING:
    from tests.fakes.slack.server import SlackServer

POST_LIMIT = 40_000
UPDATE_LIMIT = 4_000
MARKDOWN_LIMIT = 12_000
CONTENT = "text blocks markdown_text attachments parse link_names"


def place(slack: SlackServer, channel: str) -> Channel:
    """The channel that the app may write to; a user's id stands for the DM with them."""
    if channel in slack.workspace.users:
        return open_dm(slack, channel)
    found = slack.workspace.channels.get(channel)
    if found is None or (found.kind is not Kind.PUBLIC and BOT_USER not in found.members):
        raise SlackError("channel_not_found")
    if BOT_USER not in found.members and "chat:write.public" not in slack.app.scopes:
        raise SlackError("not_in_channel")
    if found.archived:
        raise SlackError("is_archived")
    return found


def open_dm(slack: SlackServer, user: str) -> Channel:
    """The DM with a user, unless they cannot be written to."""
    known = slack.workspace.users.get(user)
    if known is None:
        raise SlackError("user_not_found")
    if known.dm_error:
        raise SlackError(known.dm_error)
    if not slack.app.messages_tab:
        raise SlackError("messages_tab_disabled")
    return slack.workspace.dm(user)


def content(args: Json, limit: int) -> tuple[str, list[Json]]:
    """The text and blocks of a message, checked."""
    text, blocks = str(args.get("text", "")), args.get("blocks") or []
    markdown = args.get("markdown_text")
    if markdown is not None:
        return _markdown(str(markdown), conflict=bool(text or blocks))
    if not text and not blocks:
        raise SlackError("no_text")
    if len(text) > limit:
        raise SlackError("msg_too_long")
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if problems := block_kit.problems(blocks):
        raise SlackError("invalid_blocks", *problems)
    if block_kit.too_long(blocks):
        raise SlackError("msg_blocks_too_long")
    return text, blocks


def _markdown(text: str, *, conflict: bool) -> tuple[str, list[Json]]:
    if conflict:
        raise SlackError("markdown_text_conflict")
    if len(text) > MARKDOWN_LIMIT:
        raise SlackError("msg_too_long")
    return text, [{"type": "markdown", "text": text}]


def metadata(args: Json) -> Json | None:
    """A message's metadata, checked."""
    given = args.get("metadata")
    if given is None:
        return None
    if not isinstance(given, Mapping) or set(given) != {"event_type", "event_payload"}:
        raise SlackError("invalid_metadata_format")
    if not isinstance(given["event_payload"], Mapping):
        raise SlackError("invalid_metadata_format")
    return dict(given)


def thread_root(slack: SlackServer, channel: Channel, thread_ts: str | None) -> str | None:
    """The parent that a reply names."""
    if thread_ts is None:
        return None
    parent = channel.messages.get(str(thread_ts))
    if parent is None or parent.only_for:
        raise SlackError("thread_not_found")
    if parent.thread_ts not in {None, parent.ts}:
        slack.log.find("thread_ts names a reply, not the parent of its thread")
    return parent.thread_ts or parent.ts


def as_json(message: Message) -> Json:
    """A message in the shape of Slack's answers and events."""
    body: dict[str, Any] = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": TEAM,
    }
    if message.blocks:
        body["blocks"] = message.blocks
    if message.files:
        body |= {"subtype": "file_share", "files": message.files, "upload": False}
    if message.thread_ts:
        body["thread_ts"] = message.thread_ts
    if message.by_app:
        body |= {"bot_id": BOT, "app_id": APP}
    return body


def written(slack: SlackServer, channel: Channel, args: Json, limit: int = POST_LIMIT) -> Message:
    """The message that a call describes, not yet in its channel."""
    text, blocks = content(args, limit)
    root = thread_root(slack, channel, args.get("thread_ts"))
    message = Message(slack.workspace.new_ts(), channel.id, BOT_USER, text, blocks, root)
    message.metadata = metadata(args)
    return message


def own(slack: SlackServer, args: Json) -> Message:
    """The app's own message that a call names."""
    channel = place(slack, str(args["channel"]))
    message = channel.messages.get(str(args["ts"]))
    if message is None or message.only_for:
        raise SlackError("message_not_found")
    return message


@method(
    "chat.postMessage",
    required="channel",
    optional=f"{CONTENT} thread_ts reply_broadcast metadata mrkdwn unfurl_links unfurl_media",
    scope="chat:write",
    tier=4,
)
def post_message(slack: SlackServer, args: Json) -> Json:
    """Say something where everybody in the channel sees it."""
    channel = place(slack, str(args["channel"]))
    message = slack.workspace.add(written(slack, channel, args))
    if session := slack.workspace.sessions.get((channel.id, str(message.thread_ts))):
        session.words = ""
    slack.echo(message)
    return {"channel": channel.id, "ts": message.ts, "message": as_json(message)}


@method(
    "chat.update", required="channel ts", optional=f"{CONTENT} metadata reply_broadcast", scope="chat:write"
)
def update(slack: SlackServer, args: Json) -> Json:
    """Change one of the app's messages; text without blocks takes the blocks away."""
    message = own(slack, args)
    if not message.by_app:
        raise SlackError("cant_update_message")
    if message.stream is Stream.RUNNING and slack.workspace.now() < message.stream_until:
        raise SlackError("streaming_state_conflict")
    message.text, message.blocks = content(args, UPDATE_LIMIT)
    message.metadata = metadata(args) or message.metadata
    slack.workspace.touched(message)
    slack.echo(message, changed=True)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": as_json(message)}


@method("chat.delete", required="channel ts", scope="chat:write")
def delete(slack: SlackServer, args: Json) -> Json:
    """Take one of the app's messages away."""
    message = own(slack, args)
    if not message.by_app:
        raise SlackError("cant_delete_message")
    del slack.workspace.channels[message.channel].messages[message.ts]
    slack.workspace.pulse.beat()
    return {"channel": message.channel, "ts": message.ts}


@method(
    "chat.postEphemeral", required="channel user", optional=f"{CONTENT} thread_ts", scope="chat:write", tier=4
)
def post_ephemeral(slack: SlackServer, args: Json) -> Json:
    """Say something that only one member of the channel sees, until they reload."""
    channel = place(slack, str(args["channel"]))
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    if args["user"] not in channel.members:
        raise SlackError("user_not_in_channel")
    message = written(slack, channel, args)
    message.only_for = str(args["user"])
    if message.thread_ts and not any(m.thread_ts == message.thread_ts for m in channel.messages.values()):
        slack.log.find("an ephemeral message in a thread without answers is shown to nobody")
    slack.workspace.add(message)
    return {"message_ts": message.ts}
