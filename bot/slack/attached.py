"""The files of messages, and the host on which Slack keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yarl import URL

from bot.fetching import HostFetcher, nearby
from bot.intake import Source
from bot.slack.workspace import Workspace

GONE = frozenset({"external", "hidden_by_limit", "tombstone"})
"""Modes of files that Slack does not keep or show (docs.slack.dev/reference/objects/file-object)."""

FILES, GOV_FILES = "https://files.slack.com", "https://files.slack-gov.com"
GOV = "slack-gov.com"


def sources(event: Mapping[str, Any]) -> tuple[Source, ...]:
    """The files of a message from its event; one that Slack does not hand out has no address."""
    return tuple(source(file) for file in event.get("files") or ())


def source(file: Mapping[str, Any]) -> Source:
    """A file from its object. In a channel shared with another company Slack may say nothing but its id."""
    kept = file.get("mode") not in GONE and not file.get("is_external")
    return Source(
        str(file.get("name") or file.get("title") or file.get("id") or ""),
        str(file.get("mimetype") or ""),
        int(file.get("size") or 0),
        str(file.get("url_private_download") or "") if kept else "",
    )


def fetcher(workspace: Workspace) -> HostFetcher:
    """Fetches with the workspace's token, from the host that goes with its API."""
    api = URL(workspace.client.base_url)
    host = GOV_FILES if (api.host or "").endswith(GOV) else FILES
    return HostFetcher(nearby(str(api)) or frozenset({host}), workspace.client.token)
