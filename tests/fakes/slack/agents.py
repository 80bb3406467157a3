"""agents.sessions.* and assistant.threads.*: what Slack shows of an agent beside its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.slack.chat import place, thread_root
from tests.fakes.slack.errors import SlackError
from tests.fakes.slack.methods import method
from tests.fakes.slack.state import Json, Session

if TYPE_CHECKING:
    from tests.fakes.slack.server import SlackServer

STATES = ("active", "processing", "suspended", "closed")
TITLE_LIMIT = 200
MOST_PROMPTS = 4
MOST_LOADING = 10
WORDS_SECONDS = 120.0
"""Slack takes the words of a status away after two minutes."""
LOOKS = "icon_emoji icon_url username"
STOPPED = "agent_session_stopped"


@method(
    "agents.sessions.setStatus",
    required="status",
    optional=f"channel_id thread_ts title initiator_user_id {LOOKS}",
    scope="chat:write",
)
def sessions_set_status(slack: SlackServer, args: Json) -> Json:
    """Begin a session or say how it stands; Slack shows a button to stop it while it is processing."""
    if not slack.app.agent:
        raise SlackError("not_authorized")
    if args["status"] not in STATES or len(args.get("title", "")) > TITLE_LIMIT:
        raise SlackError("invalid_arguments", "[ERROR] status or title")
    session = _session(slack, args)
    session.status = str(args["status"])
    session.history.append(session.status)
    session.title = session.title or args.get("title")
    session.initiator = session.initiator or args.get("initiator_user_id")
    slack.workspace.pulse.beat()
    answer: Json = {"agent_status": session.status, "title": session.title}
    if STOPPED not in slack.app.events:
        answer["warning"] = f"missing_{STOPPED}_event_subscription"
    return answer


@method(
    "assistant.threads.setStatus",
    required="channel_id thread_ts status",
    optional=f"loading_messages {LOOKS}",
    scope="chat:write",
)
def set_status(slack: SlackServer, args: Json) -> Json:
    """Show what the app is busy with, for two minutes or until it writes."""
    if len(args.get("loading_messages") or ()) > MOST_LOADING:
        raise SlackError("invalid_arguments", "[ERROR] loading_messages")
    session = _session(slack, args)
    session.words, session.words_until = str(args["status"]), slack.workspace.now() + WORDS_SECONDS
    slack.workspace.pulse.beat()
    return {}


@method(
    "assistant.threads.setSuggestedPrompts",
    required="channel_id prompts",
    optional="thread_ts title",
    scope="assistant:write",
)
def set_suggested_prompts(slack: SlackServer, args: Json) -> Json:
    """Offer ready-made questions."""
    prompts = args["prompts"]
    whole = all(set(prompt) == {"title", "message"} and all(prompt.values()) for prompt in prompts)
    if not whole or not 0 < len(prompts) <= MOST_PROMPTS:
        raise SlackError("invalid_arguments", "[ERROR] prompts")
    channel = place(slack, str(args["channel_id"]))
    slack.workspace.prompts[channel.id] = prompts
    slack.workspace.pulse.beat()
    return {}


def _session(slack: SlackServer, args: Json) -> Session:
    channel = place(slack, str(args["channel_id"]))
    root = thread_root(slack, channel, args.get("thread_ts"))
    if root is None:
        raise SlackError("invalid_thread_ts")
    return slack.workspace.session(channel.id, root)
