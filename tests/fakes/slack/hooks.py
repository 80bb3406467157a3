"""response_url: five answers within thirty minutes to a command or a pressed button."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.slack.chat import POST_LIMIT, content, thread_root
from tests.fakes.slack.errors import SlackError
from tests.fakes.slack.methods import flag
from tests.fakes.slack.state import BOT_USER, Json, Message

if TYPE_CHECKING:
    from tests.fakes.slack.server import SlackServer

USES = 5
SECONDS = 30 * 60


@dataclass(slots=True)
class Hook:
    """One response_url; `message` is what `replace_original` replaces: what was `pressed`, if anything."""

    channel: str
    user: str
    until: float
    message: Message | None = None
    uses: int = 0
    pressed: bool = False


def respond(slack: SlackServer, hook: Hook, args: Json) -> Json:
    """Do what was posted to a response_url."""
    if slack.workspace.now() > hook.until:
        raise SlackError("expired_url")
    if hook.uses >= USES:
        raise SlackError("used_url")
    hook.uses += 1
    if flag(args, "delete_original"):
        return _delete(slack, hook)
    text, blocks = content(args, POST_LIMIT)
    if flag(args, "replace_original") and hook.message is not None:
        hook.message.text, hook.message.blocks = text, blocks
        slack.workspace.touched(hook.message)
        return {"ok": True}
    channel = slack.workspace.channels[hook.channel]
    root = thread_root(slack, channel, args.get("thread_ts"))
    private = args.get("response_type", "ephemeral") == "ephemeral"
    message = Message(slack.workspace.new_ts(), hook.channel, BOT_USER, text, blocks, root)
    message.only_for = hook.user if private else None
    slack.workspace.add(message)
    if not hook.pressed:
        hook.message = message
    return {"ok": True}


def _delete(slack: SlackServer, hook: Hook) -> Json:
    if hook.message is not None:
        slack.workspace.channels[hook.channel].messages.pop(hook.message.ts, None)
        slack.workspace.pulse.beat()
    return {"ok": True}
