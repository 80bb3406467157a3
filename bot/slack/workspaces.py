"""The workspaces that the app is in: one with a token of the operator's, or many that installed it."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from aiohttp import ClientSession

from bot.slack.calls import called
from bot.slack.clients import client
from bot.slack.installed import Installed
from bot.slack.workspace import Identity, Workspace
from engine.errors import TellOperatorError, TryAgainError
from engine.installations import Installation

log = logging.getLogger("bot.slack")

MOST_OPEN = 1000
"""Workspaces kept at hand; one that is not is made again when it is next heard of."""
REST_SECONDS = 600.0
"""How long a workspace whose token failed is left alone."""
LONGEST_WAIT = 30.0


class Workspaces(Protocol):
    """Finds the workspace that something is about."""

    async def open(self) -> None:
        """Learn what has to be known before anything is heard. TellOperatorError: the token is wrong."""
        ...

    async def at(self, team: str, organisation: str = "") -> Workspace | None:
        """The workspace, by its id and that of its organisation; None if the app is not in it (any more).

        TryAgainError: that cannot be told now.
        """
        ...

    async def removed(self, place: str, at: float) -> None:
        """The app was put out of there at a unix time."""
        ...


class OneWorkspace:
    """The workspace that the operator's token is of, whoever is asked for."""

    def __init__(self, token: str, api_url: str, session: ClientSession) -> None:
        self._token = token
        self._api_url = api_url
        self._session = session
        self._only: Workspace | None = None

    async def open(self) -> None:
        """Ask who we are."""
        await lasting(self._identify)

    async def at(self, team: str, organisation: str = "") -> Workspace | None:
        del team, organisation
        if self._only is None:
            raise TryAgainError("not connected to Slack yet")
        return self._only

    async def removed(self, place: str, at: float) -> None:
        """The token is in the operator's hands, and so is its end."""

    async def _identify(self) -> None:
        web = client(self._token, self._api_url, self._session, patient=True)
        answer = await called(web.auth_test())
        identity = Identity(
            str(answer["team_id"]),
            str(answer["user_id"]),
            str(answer.get("bot_id", "")),
            org_wide=bool(answer.get("is_enterprise_install")),
        )
        self._only = Workspace(identity, self._token, self._api_url, self._session)


@dataclass(slots=True)
class Guest:
    """A workspace at hand, the installation it was made from, and when its token failed (loop time)."""

    installation: Installation
    workspace: Workspace
    failed_at: float | None = None


class ManyWorkspaces:
    """The workspaces that installed the app; any process may change them, so the database is asked."""

    def __init__(self, installed: Installed, api_url: str, session: ClientSession) -> None:
        self._installed = installed
        self._api_url = api_url
        self._session = session
        self._guests: OrderedDict[str, Guest] = OrderedDict()

    async def open(self) -> None:
        """Nothing: workspaces are met one by one."""

    async def at(self, team: str, organisation: str = "") -> Workspace | None:
        try:
            found = await self._installed.find(team, organisation)
        except TryAgainError:
            guest = self._guests.get(team) or self._guests.get(organisation)
            if guest is None:
                raise
        else:
            guest = self._guest(found) if found else None
        if guest is None or self._rests(guest):
            return None
        return guest.workspace

    async def removed(self, place: str, at: float) -> None:
        if await self._installed.drop(place, at):
            self._guests.pop(place, None)
            log.warning("a workspace removed the app", extra={"workspace": place})

    def _guest(self, found: Installation) -> Guest | None:
        guest = self._guests.get(found.place)
        if guest is None or guest.installation != found:
            try:
                guest = Guest(found, self._workspace(found))
            except TellOperatorError as error:
                log.error("a workspace cannot be served", extra={"workspace": found.place, "why": str(error)})  # noqa: TRY400 - in words
                return None
            self._guests[found.place] = guest
        self._guests.move_to_end(found.place)
        if len(self._guests) > MOST_OPEN:
            self._guests.popitem(last=False)
        return guest

    def _workspace(self, found: Installation) -> Workspace:
        token, denied = self._installed.token(found), partial(self._denied, found)
        identity = Identity(found.place, found.bot_user, found.bot, found.org_wide)
        return Workspace(identity, token, self._api_url, self._session, denied)

    def _denied(self, installation: Installation, code: str) -> None:
        """Slack does not take the token of a workspace any more: a matter between it and the operator."""
        guest = self._guests.get(installation.place)
        if guest is None or guest.installation != installation or self._rests(guest):
            return
        guest.failed_at = asyncio.get_running_loop().time()
        where = {"workspace": installation.place, "workspace_name": installation.name, "why": code}
        log.error("a workspace has to install the app again", extra=where)

    def _rests(self, guest: Guest) -> bool:
        if guest.failed_at is None:
            return False
        return asyncio.get_running_loop().time() < guest.failed_at + REST_SECONDS


async def lasting(work: Callable[[], Awaitable[None]]) -> None:
    """Try again, ever more slowly, for as long as what is needed is away."""
    wait = 1.0
    while True:
        try:
            return await work()
        except TryAgainError as error:
            log.warning("Slack or the database is away", extra={"why": str(error)})
            await asyncio.sleep(error.retry_after or wait)
            wait = min(wait * 2, LONGEST_WAIT)
