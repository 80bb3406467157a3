"""The app as Slack has it installed: tokens, scopes, events and commands, from a manifest if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

BOT_TOKEN = "xoxb-fake-bot-token"
APP_TOKEN = "xapp-fake-app-token"
SIGNING_SECRET = "fake-signing-secret"

SCOPES_OF_EVENTS: Mapping[str, str | None] = {
    "agent_session_stopped": None,
    "app_context_changed": None,
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "app_uninstalled": None,
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "tokens_revoked": None,
}
"""The events that the fake knows, and the scope that each needs."""
ALL_SCOPES = frozenset(
    {
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "chat:write",
        "chat:write.public",
        "commands",
        "groups:history",
        "im:history",
        "im:read",
        "im:write",
        "files:read",
        "files:write",
        "mpim:history",
        "users:read",
    }
)
LIMITS = {
    ("display_information", "name"): 35,
    ("display_information", "description"): 140,
    ("features", "bot_user", "display_name"): 80,
    ("features", "agent_view", "agent_description"): 300,
}
"""Longest text of a manifest's fields, in characters."""
MOST_COMMANDS = 50
COMMAND_LIMIT = 32
SHORTCUT_KEYS = {"name", "type", "callback_id", "description"}
SHORTCUT_LIMIT, SHORTCUT_ABOUT_LIMIT = 24, 150


@dataclass(frozen=True, slots=True)
class App:
    """What is installed; without a manifest everything the fake knows is granted."""

    scopes: frozenset[str] = ALL_SCOPES
    events: frozenset[str] = frozenset(SCOPES_OF_EVENTS)
    commands: frozenset[str] | None = None
    escaped: frozenset[str] = frozenset()
    """Commands in whose text channels are written with their ids."""
    messages_tab: bool = True
    home_tab: bool = True
    shortcuts: frozenset[str] = frozenset({"ask-about"})
    agent: bool = True
    """Whether it is declared as an agent."""

    def without(self, scope: str) -> App:
        """The same with one scope less."""
        return replace(self, scopes=self.scopes - {scope})

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> App:
        """Install a manifest; ValueError lists everything Slack would refuse in it."""
        if problems := manifest_problems(manifest):
            raise ValueError("; ".join(problems))
        features = manifest["features"]
        commands = features["slash_commands"]
        return cls(
            scopes=frozenset(manifest["oauth_config"]["scopes"]["bot"]),
            events=frozenset(manifest["settings"]["event_subscriptions"]["bot_events"]),
            commands=frozenset(each["command"] for each in commands),
            escaped=frozenset(each["command"] for each in commands if each["should_escape"]),
            messages_tab=features["app_home"].get("messages_tab_enabled", False),
            home_tab=features["app_home"].get("home_tab_enabled", False),
            shortcuts=frozenset(each["callback_id"] for each in features.get("shortcuts", ())),
            agent="agent_view" in features,
        )


def manifest_problems(manifest: Mapping[str, Any]) -> list[str]:
    """What Slack would refuse in a manifest, or accept although it could not work."""
    scopes = frozenset(manifest["oauth_config"]["scopes"]["bot"])
    return [
        *_long_texts(manifest),
        *(f"unknown scope {scope}" for scope in sorted(scopes - ALL_SCOPES)),
        *_event_problems(manifest["settings"], scopes),
        *_command_problems(manifest, scopes),
        *_shortcut_problems(manifest, scopes),
        *_url_problems(manifest),
        *_redirect_problems(manifest),
    ]


def _long_texts(manifest: Mapping[str, Any]) -> list[str]:
    found = []
    for path, limit in LIMITS.items():
        value: Any = manifest
        for key in path:
            value = value.get(key, {}) if isinstance(value, Mapping) else {}
        if isinstance(value, str) and len(value) > limit:
            found.append(f"{'.'.join(path)} is longer than {limit}")
    return found


def _event_problems(settings: Mapping[str, Any], scopes: frozenset[str]) -> list[str]:
    events = settings["event_subscriptions"]["bot_events"]
    unknown = [f"unknown event {event}" for event in events if event not in SCOPES_OF_EVENTS]
    needed = {event: SCOPES_OF_EVENTS.get(event) for event in events}
    return unknown + [
        f"{event} needs {scope}" for event, scope in needed.items() if scope and scope not in scopes
    ]


def _command_problems(manifest: Mapping[str, Any], scopes: frozenset[str]) -> list[str]:
    commands = manifest["features"]["slash_commands"]
    found = [] if "commands" in scopes else ["slash commands need the scope commands"]
    if len(commands) > MOST_COMMANDS:
        found.append(f"more than {MOST_COMMANDS} commands")
    for command in commands:
        name = command["command"]
        if not name.startswith("/") or name != name.lower() or len(name) > COMMAND_LIMIT or " " in name:
            found.append(f"{name!r} is no name for a command")
        if not command.get("description"):
            found.append(f"{name} has no description")
    return found


def _redirect_problems(manifest: Mapping[str, Any]) -> list[str]:
    urls = manifest["oauth_config"].get("redirect_urls", [])
    return [f"redirect_urls: {url} is no https address" for url in urls if not url.startswith("https://")]


def _shortcut_problems(manifest: Mapping[str, Any], scopes: frozenset[str]) -> list[str]:
    shortcuts = manifest["features"].get("shortcuts", [])
    found = ["shortcuts need the scope commands"] if shortcuts and "commands" not in scopes else []
    for each in shortcuts:
        if set(each) != SHORTCUT_KEYS or each["type"] not in {"message", "global"}:
            found.append(f"{each} is no shortcut")
        elif len(each["name"]) > SHORTCUT_LIMIT or len(each["description"]) > SHORTCUT_ABOUT_LIMIT:
            found.append(f"{each['name']} is too long")
    return found


def _url_problems(manifest: Mapping[str, Any]) -> list[str]:
    settings = manifest["settings"]
    places = {
        "event_subscriptions": settings["event_subscriptions"].get("request_url"),
        "interactivity": settings["interactivity"].get("request_url"),
        **{c["command"]: c.get("url") for c in manifest["features"]["slash_commands"]},
    }
    if settings.get("socket_mode_enabled"):
        return []
    return [
        f"{place} needs an https address"
        for place, url in places.items()
        if not str(url).startswith("https://")
    ]
