"""The Slack app's manifest, made from the command table: what an operator pastes to create the app."""

from __future__ import annotations

import json
from typing import Any

from bot.commands import COMMANDS, Command, names_others
from bot.slack.window import ABOUT
from bot.words import say
from engine.settings import Settings

EVENTS_PATH = "/slack/events"
SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "chat:write",
    "chat:write.public",
    "commands",
    "files:read",
    "files:write",
    "im:history",
    "im:write",
    "users:read",
)
"""chat:write.public lets `/ask` answer in public channels nobody invited us to; im:history gives us DMs and
lets a notice be found again; assistant:write comes with the agent view."""
END_EVENTS = ("app_uninstalled", "tokens_revoked")
"""What ends an installation; with a token of the operator's own there is nothing to clean up then."""
EVENTS = ("agent_session_stopped", "app_home_opened", "app_mention", "message.im")
THREADS = {
    "channels:history": "message.channels",
    "groups:history": "message.groups",
    "mpim:history": "message.mpim",
}
"""The scopes and events with which threads are followed: Slack has none for threads alone."""
PROMPTS = ("help", "explain", "improve")
"""Questions to begin with: `prompt-NAME` is a title, `prompt-NAME-text` what it asks."""


def manifest(
    app_url: str | None = None,
    name: str = "Multi-LLM Chat",
    *,
    redirect_url: str | None = None,
    follow_threads: bool = True,
) -> dict[str, Any]:
    """The manifest; with `app_url` (https) for signed HTTP to that address, without for Socket Mode.

    With `redirect_url` (https) for installation into many workspaces and organisations; `follow_threads` as
    in `engine.config.SlackSettings`.
    """
    url = f"{app_url.rstrip('/')}{EVENTS_PATH}" if app_url else None
    request_url = {"request_url": url} if url else {}
    followed = THREADS.values() if follow_threads else ()
    events = sorted({*EVENTS, *followed, *(END_EVENTS if redirect_url else ())})
    return {
        "display_information": {"name": name, "description": say("slack-about")},
        "features": features(name, url),
        "oauth_config": {
            **({"redirect_urls": [redirect_url]} if redirect_url else {}),
            "scopes": {"bot": list(scopes(follow_threads=follow_threads))},
        },
        "settings": {
            "event_subscriptions": {**request_url, "bot_events": events},
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": redirect_url is not None,
            "socket_mode_enabled": url is None,
            "token_rotation_enabled": False,
        },
    }


def features(name: str, url: str | None) -> dict[str, Any]:
    """What members see of the app; commands are sent to `url` unless there is none."""
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": name, "always_online": True},
        "agent_view": {
            "agent_description": say("slack-about"),
            "suggested_prompts": [suggested(prompt) for prompt in PROMPTS],
        },
        "shortcuts": [about_shortcut()],
        "slash_commands": [slash_command(command, url) for command in COMMANDS],
    }


def scopes(*, follow_threads: bool) -> tuple[str, ...]:
    """What the bot may do in a workspace."""
    return tuple(sorted({*SCOPES, *(THREADS if follow_threads else ())}))


def suggested(prompt: str) -> dict[str, str]:
    """A question to begin with."""
    return {"title": say(f"prompt-{prompt}"), "message": say(f"prompt-{prompt}-text")}


def about_shortcut() -> dict[str, str]:
    """What stands in the menu of every message (name at most 24 characters, description 150)."""
    return {
        "name": say("about-menu"),
        "type": "message",
        "callback_id": ABOUT,
        "description": say("slack-about-menu"),
    }


def slash_command(command: Command, url: str | None) -> dict[str, Any]:
    """One row of the command table as Slack wants it.

    Escaped, channels come with their ids instead of as they were typed, but so do people and links.
    """
    entry: dict[str, Any] = {
        "command": f"/{command.name}",
        "description": command.description,
        "should_escape": names_others(command),
    }
    if command.options or command.parts:
        entry["usage_hint"] = command.usage.partition(" ")[2]
    if url:
        entry["url"] = url
    return entry


def manifest_json(
    app_url: str | None = None, redirect_url: str | None = None, *, follow_threads: bool = True
) -> str:
    """The manifest as the text to paste."""
    made = manifest(app_url, redirect_url=redirect_url, follow_threads=follow_threads)
    return json.dumps(made, indent=2)


def manifest_for(settings: Settings) -> str:
    """The manifest that fits the settings: what is to call us gets our address, OAuth what it needs."""
    slack = settings.slack
    over_http = slack is not None and slack.app_token is None
    oauth = slack.oauth if slack else None
    return manifest_json(
        settings.server.app_url if over_http else None,
        oauth.redirect_url if oauth else None,
        follow_threads=slack is None or slack.follow_threads,
    )
