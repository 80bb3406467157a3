"""files.*: an address to bring a file to, and the message that shows it once it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.slack.chat import place
from tests.fakes.slack.errors import SlackError
from tests.fakes.slack.methods import method
from tests.fakes.slack.state import BOT_USER, Json, Message

if TYPE_CHECKING:
    from tests.fakes.slack.server import SlackServer


@method("files.info", required="file", optional="count cursor limit page", scope="files:read", tier=4)
def info(slack: SlackServer, args: Json) -> Json:
    """What a file is."""
    file = slack.workspace.files.get(str(args["file"]))
    if file is None:
        raise SlackError("file_not_found")
    return {"file": file, "comments": []}


@method(
    "files.getUploadURLExternal",
    required="filename length",
    optional="alt_txt snippet_type",
    scope="files:write",
    tier=4,
)
def upload_url(slack: SlackServer, args: Json) -> Json:
    """An address for one file of a known length."""
    file = f"F{slack.workspace.number()}"
    slack.workspace.uploads[file] = (str(args["filename"]), int(args["length"]), None)
    return {"upload_url": f"{slack.address}/upload/{file}", "file_id": file}


@method(
    "files.completeUploadExternal",
    required="files",
    optional="channel_id thread_ts initial_comment blocks",
    scope="files:write",
    tier=4,
)
def complete(slack: SlackServer, args: Json) -> Json:
    """Show files that are there in a channel."""
    channel = place(slack, str(args["channel_id"]))
    for each in args["files"]:
        _, length, content = slack.workspace.uploads.get(each["id"], ("", 0, None))
        if content is None or len(content) != length:
            raise SlackError("file_not_found")
    message = Message(slack.workspace.new_ts(), channel.id, BOT_USER, str(args.get("initial_comment", "")))
    message.metadata = {"files": [each["id"] for each in args["files"]]}
    slack.workspace.add(message)
    return {"files": args["files"]}
