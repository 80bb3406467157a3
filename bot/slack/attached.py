"""The files of messages, and the host on which Slack keeps them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yarl import URL

from bot.fetching import HostFetcher, nearby
from bot.intake import Source
from bot.slack.calls import called
from bot.slack.workspace import Workspace
from engine.errors import OutsideError

log = logging.getLogger("bot.slack")

UNTOLD = "check_file_info"
MOST_ASKED = 10
"""As many files as Slack lets a member send in one message."""
GONE = frozenset({"external", "hidden_by_limit", "tombstone"})
"""Modes of files that Slack does not keep or show (docs.slack.dev/reference/objects/file-object)."""

FILES, GOV_FILES = "https://files.slack.com", "https://files.slack-gov.com"
GOV = "slack-gov.com"


@dataclass(frozen=True, slots=True)
class Sent:
    """A file of a message; in a channel shared with another company Slack may tell nothing but its id."""

    id: str
    source: Source | None = None


def sent(message: Mapping[str, Any]) -> tuple[Sent, ...]:
    """The files of a message."""
    files = message.get("files") or ()
    return tuple(Sent(str(file.get("id") or ""), source(file) if told(file) else None) for file in files)


def told(file: Mapping[str, Any]) -> bool:
    """Whether a file's object says what it is (docs.slack.dev/reference/objects/file-object)."""
    known = file.get("mode") or file.get("url_private_download")
    return bool(known) and file.get("file_access") != UNTOLD


async def found(workspace: Workspace, files: Sequence[Sent]) -> Sequence[Source]:
    """What is known of files; Slack is asked, once each, about those of which nothing was told."""
    return [
        each.source or (await asked(workspace, each.id) if number < MOST_ASKED else source({"id": each.id}))
        for number, each in enumerate(files)
    ]


async def asked(workspace: Workspace, file: str) -> Source:
    """A file by its id; without an address if Slack does not tell."""
    try:
        answer = await called(workspace.hasty.files_info(file=file))
    except OutsideError as error:
        log.warning("a file is not told of", extra={"why": str(error)})
        return source({"id": file})
    return source(answer.get("file") or {"id": file})


def source(file: Mapping[str, Any]) -> Source:
    """A file from its object; one that Slack does not hand out has no address."""
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
