"""Who manages a workspace or organisation, asked of Slack for each command that takes it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.calls import called

if TYPE_CHECKING:
    from bot.slack.workspace import Identity

KEPT_SECONDS = 60.0
KEPT_PEOPLE = 200
RANKS = ("is_admin", "is_owner", "is_primary_owner")


class Admins:
    """The admins and owners of where the app is installed; what Slack said holds for a minute."""

    def __init__(self, web: AsyncWebClient, identity: Identity) -> None:
        self._web = web
        self._identity = identity
        self._told: OrderedDict[str, tuple[bool, float]] = OrderedDict()

    async def include(self, user: str) -> bool:
        """Whether a member is one of them. OutsideError: Slack does not say."""
        now = asyncio.get_running_loop().time()
        told, until = self._told.get(user, (False, 0.0))
        if now >= until:
            answer = await called(self._web.users_info(user=user))
            told = manages(answer.get("user") or {}, self._identity)
            self._told[user] = (told, now + KEPT_SECONDS)
            self._told.move_to_end(user)
            if len(self._told) > KEPT_PEOPLE:
                self._told.popitem(last=False)
        return told


def manages(user: Mapping[str, Any], identity: Identity) -> bool:
    """Whether a user object is of somebody who manages the place that an installation is for.

    One for a whole organisation is managed by the organisation's admins: those of a single workspace of it do
    not decide for the others. Admins of another workspace, met in a shared channel, manage nothing here.
    """
    grid = user.get("enterprise_user") or {}
    if identity.org_wide:
        return grid.get("enterprise_id") == identity.team and any(grid.get(rank) for rank in RANKS)
    at_home = user.get("team_id") == identity.team or identity.team in (grid.get("teams") or ())
    return at_home and any(user.get(rank) for rank in RANKS)
