"""Methods that read, open or decorate: conversations, users, auth, views and assistant threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.slack.app import APP_TOKEN
from tests.fakes.slack.chat import as_json, open_dm
from tests.fakes.slack.errors import SlackError
from tests.fakes.slack.methods import flag, method
from tests.fakes.slack.state import BOT, BOT_USER, TEAM, Channel, Json, Kind, Message

if TYPE_CHECKING:
    from tests.fakes.slack.server import SlackServer

READ_SCOPES = {
    Kind.PUBLIC: "channels:history",
    Kind.PRIVATE: "groups:history",
    Kind.GROUP: "mpim:history",
    Kind.DM: "im:history",
}
PAGE = "cursor latest oldest limit inclusive include_all_metadata"


@method("auth.test", tier=4)
def auth_test(slack: SlackServer, args: Json) -> Json:
    """Who the token belongs to."""
    del args
    return {
        "url": "https://fake.slack.test/",
        "team": "Fake",
        "user": slack.workspace.users[BOT_USER].name,
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


@method("apps.connections.open", tier=1, token=APP_TOKEN)
def connections_open(slack: SlackServer, args: Json) -> Json:
    """An address for one Socket Mode connection."""
    del args
    return {"url": slack.socket_url()}


@method("conversations.open", optional="users channel return_im prevent_creation", scope="im:write")
def conversations_open(slack: SlackServer, args: Json) -> Json:
    """Open the DM with one user."""
    users = str(args.get("users", ""))
    if not users:
        raise SlackError("users_list_not_supplied")
    return {"no_op": False, "already_open": False, "channel": {"id": open_dm(slack, users).id}}


@method("conversations.history", required="channel", optional=PAGE)
def conversations_history(slack: SlackServer, args: Json) -> Json:
    """Top-level messages of a channel, newest first."""
    channel = _readable(slack, args)
    top = [m for m in channel.messages.values() if m.only_for is None and m.thread_ts in {None, m.ts}]
    return _page(list(reversed(top)), args)


@method("conversations.replies", required="channel ts", optional=PAGE)
def conversations_replies(slack: SlackServer, args: Json) -> Json:
    """A thread, its parent first."""
    channel, root = _readable(slack, args), str(args["ts"])
    if root not in channel.messages:
        raise SlackError("thread_not_found")
    found = [m for m in channel.messages.values() if root in {m.ts, m.thread_ts} and m.only_for is None]
    page = _page([m for m in found if m.ts != root], args)
    return page | {"messages": [as_json(channel.messages[root]), *page["messages"]]}


@method("conversations.info", required="channel", optional="include_locale include_num_members")
def conversations_info(slack: SlackServer, args: Json) -> Json:
    """What a channel is."""
    channel = _known(slack, args)
    kinds = {"is_channel": Kind.PUBLIC, "is_group": Kind.PRIVATE, "is_mpim": Kind.GROUP, "is_im": Kind.DM}
    body: Json = {"id": channel.id, "name": channel.name, "is_member": BOT_USER in channel.members}
    return {"channel": body | {name: channel.kind is kind for name, kind in kinds.items()}}


@method("users.info", required="user", optional="include_locale", scope="users:read", tier=4)
def users_info(slack: SlackServer, args: Json) -> Json:
    """Who somebody is."""
    user = slack.workspace.users.get(str(args["user"]))
    if user is None:
        raise SlackError("user_not_found")
    profile = {"real_name": user.name, "display_name": user.name}
    locale = {"locale": user.locale} if args.get("include_locale") in {True, "true", "1"} else {}
    return {
        "user": {
            "id": user.id,
            "team_id": TEAM,
            "name": user.name,
            "real_name": user.name,
            "profile": profile,
            **{rank: rank in user.ranks for rank in ("is_admin", "is_owner", "is_primary_owner")},
            **locale,
        }
    }


def _known(slack: SlackServer, args: Json) -> Channel:
    channel = slack.workspace.channels.get(str(args["channel"]))
    if channel is None or (channel.kind is not Kind.PUBLIC and BOT_USER not in channel.members):
        raise SlackError("channel_not_found")
    return channel


def _readable(slack: SlackServer, args: Json) -> Channel:
    channel = _known(slack, args)
    if (needed := READ_SCOPES[channel.kind]) not in slack.app.scopes:
        raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(slack.app.scopes)))
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _page(messages: list[Message], args: Json) -> Json:
    limit = int(args.get("limit", 100))
    oldest, latest = float(args.get("oldest", 0)), float(args.get("latest", "inf"))
    edges = {args.get("oldest"), args.get("latest")} if flag(args, "inclusive") else set()
    inside = [m for m in messages if oldest < float(m.ts) < latest or m.ts in edges]
    shown = [
        as_json(m) | ({"metadata": m.metadata} if m.metadata and flag(args, "include_all_metadata") else {})
        for m in inside[:limit]
    ]
    return {"messages": shown, "has_more": len(inside) > limit}
