"""chat.startStream, appendStream and stopStream: text that grows in place, until Slack closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.slack import blocks as block_kit
from tests.fakes.slack.chat import MARKDOWN_LIMIT, as_json, metadata, own, place, thread_root
from tests.fakes.slack.errors import SlackError
from tests.fakes.slack.methods import method
from tests.fakes.slack.state import BOT_USER, Json, Kind, Message, Stream

if TYPE_CHECKING:
    from tests.fakes.slack.server import SlackServer

STREAM_SECONDS = 300.0
"""Slack closes a stream about this long after its start, even while text is coming."""
TEXT = "markdown_text chunks"
SESSION_STATES = (None, "active", "processing", "suspended", "closed")
CHUNKS = {
    "markdown_text": {"text"},
    "plan_update": {"title"},
    "task_update": {"id", "title", "status", "details", "output", "sources"},
    "blocks": {"blocks"},
}
"""The chunks that there are and their keys, beside `type` (slack_sdk.models.messages.chunk)."""


@method(
    "chat.startStream",
    required="channel thread_ts",
    optional=f"{TEXT} recipient_team_id recipient_user_id task_display_mode icon_emoji icon_url username",
    scope="chat:write",
    tier=2,
)
def start(slack: SlackServer, args: Json) -> Json:
    """Begin a streamed reply; outside DMs its recipient has to be named."""
    channel = place(slack, str(args["channel"]))
    if channel.kind is not Kind.DM:
        for name in ("recipient_user_id", "recipient_team_id"):
            if name not in args:
                raise SlackError(f"missing_{name}")
    root = thread_root(slack, channel, str(args["thread_ts"]))
    message = Message(slack.workspace.new_ts(), channel.id, BOT_USER, "", thread_ts=root)
    message.stream, message.stream_until = Stream.RUNNING, slack.workspace.now() + STREAM_SECONDS
    _grow(message, args)
    slack.workspace.add(message)
    slack.workspace.session(channel.id, str(root)).answers()
    return {"channel": channel.id, "ts": message.ts}


@method("chat.appendStream", required="channel ts", optional=TEXT, scope="chat:write", tier=4)
def append(slack: SlackServer, args: Json) -> Json:
    """Add text to a running stream."""
    message = _running(slack, args)
    if not _grow(message, args):
        raise SlackError("no_text")
    slack.workspace.touched(message)
    return {"channel": message.channel, "ts": message.ts}


@method(
    "chat.stopStream",
    required="channel ts",
    optional=f"{TEXT} blocks metadata session_status",
    scope="chat:write",
    tier=2,
)
def stop(slack: SlackServer, args: Json) -> Json:
    """End a stream, with last words and blocks below them."""
    message = _running(slack, args)
    extra = args.get("blocks") or []
    if problems := block_kit.problems(extra):
        raise SlackError("invalid_blocks", *problems)
    if args.get("session_status") not in SESSION_STATES:
        raise SlackError("invalid_arguments", "[ERROR] session_status")
    _grow(message, args)
    message.blocks = [{"type": "markdown", "text": message.text}, *extra] if message.text else list(extra)
    if block_kit.too_long(message.blocks):
        raise SlackError("msg_blocks_too_long")
    message.metadata = metadata(args)
    message.stream = Stream.DONE
    slack.workspace.session(message.channel, str(message.thread_ts)).status = str(
        args.get("session_status", "active")
    )
    slack.workspace.touched(message)
    slack.echo(message)
    return {"channel": message.channel, "ts": message.ts, "message": as_json(message)}


def _running(slack: SlackServer, args: Json) -> Message:
    message = own(slack, args)
    if message.stream is Stream.RUNNING and slack.workspace.now() >= message.stream_until:
        message.stream = Stream.DONE
    if message.stream is Stream.STOPPED:
        raise SlackError("stopped_by_user")
    if message.stream is not Stream.RUNNING:
        raise SlackError("message_not_in_streaming_state")
    return message


def _grow(message: Message, args: Json) -> bool:
    mode = next((name for name in ("markdown_text", "chunks") if args.get(name)), None)
    if (mode and (message.stream_mode or mode) != mode) or (args.get("markdown_text") and args.get("chunks")):
        raise SlackError("streaming_mode_mismatch")
    texts = [str(args.get("markdown_text", ""))]
    for chunk in args.get("chunks") or []:
        _check_chunk(chunk)
        texts.append(str(chunk.get("text", "")))
    if any(len(text) > MARKDOWN_LIMIT for text in texts):
        raise SlackError("msg_too_long")
    message.stream_mode = message.stream_mode or mode
    message.text += "".join(texts)
    return any(texts)


def _check_chunk(chunk: Json) -> None:
    keys = CHUNKS.get(str(chunk.get("type")))
    if keys is None or set(chunk) - keys - {"type"}:
        raise SlackError("invalid_chunks")
    if problems := block_kit.problems(chunk.get("blocks", ())):
        raise SlackError("invalid_blocks", *problems)
