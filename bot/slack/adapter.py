"""The bot on Slack: connects, finds the workspace that something comes from, and owns the work it causes."""

from __future__ import annotations

import asyncio

from slack_bolt.async_app import AsyncApp

from bot.errands import Errands
from bot.front import Front
from bot.pacing import Pace, Pacing
from bot.slack.branch import Branch, Vacancy, hush
from bot.slack.clients import client, open_session
from bot.slack.endpoint import SlackHttp
from bot.slack.home import Home
from bot.slack.installed import Installed
from bot.slack.listeners import Ears, Removal, bolt_app
from bot.slack.messenger import SlackMessenger
from bot.slack.reception import Reception
from bot.slack.socket_mode import serve_socket
from bot.slack.workspace import Identity, Workspace
from bot.slack.workspaces import ManyWorkspaces, OneWorkspace, Workspaces, lasting
from engine.domain import Person
from engine.ports import Clock, Store, Vault
from engine.settings import SlackSettings

PACE = Pace(channel=1.2, process=50.0, linger=0.15)
"""Slack counts by method and workspace, which budgets do; a stream begins with whole words, so with two."""
NOBODY = Identity("", "", "")


class SlackBot:
    """Slack's adapter: `run` serves until it is cancelled; `messenger` and `endpoint` are for others.

    With an app token it listens on Socket Mode and `endpoint` is None; else calls come in through `endpoint`.
    """

    def __init__(
        self,
        settings: SlackSettings,
        front: Front,
        clock: Clock,
        pace: Pace = PACE,
        store: Store | None = None,
        tokens: Vault | None = None,
    ) -> None:
        """Has to be made inside a running event loop.

        OAuth keeps its workspaces in `store`, with their tokens sealed by `tokens`.
        """
        self._settings = settings
        self._front = front
        self._pacing = Pacing(pace)
        self._session = open_session()
        self._errands = Errands()
        self._workspaces: Workspaces
        if settings.oauth and store:
            installed = Installed(store, tokens)
            self._workspaces = ManyWorkspaces(installed, settings.api_url, self._session)
        else:
            token = settings.bot_token.get_secret_value() if settings.bot_token else ""
            self._workspaces = OneWorkspace(token, settings.api_url, self._session)
        self.ready = asyncio.Event()
        self.messenger = SlackMessenger(self._workspaces, self._renew)
        self.endpoint: SlackHttp | None = None
        if settings.app_token is None and settings.signing_secret is not None:
            self.endpoint = SlackHttp(settings.signing_secret.get_secret_value(), clock)

    async def run(self) -> None:
        """Connect and serve until cancelled; then let open work end, for a few seconds.

        TellOperatorError: Slack does not accept a token of the operator's.
        """
        try:
            await self._workspaces.open()
            tokenless = client(None, self._settings.api_url, self._session, patient=False)
            await self._listen(bolt_app(tokenless, self))
        finally:
            self.ready.clear()
            if self.endpoint:
                self.endpoint.app = None
            await self._errands.finish()
            await self._session.close()

    async def ears(self, team: str, organisation: str) -> tuple[Identity, Ears]:
        workspace = await self._workspaces.at(team, organisation)
        if workspace is None:
            address = self._settings.oauth.install_url if self._settings.oauth else ""
            return NOBODY, Vacancy(team or organisation, address, self._session, self._errands)
        reception = Reception(workspace, self._front, self._pacing, follow=self._settings.follow_threads)
        return workspace.identity, Branch(workspace, reception, self._errands, self._front.greeter)

    def removed(self, removal: Removal) -> None:
        async def forget() -> None:
            await lasting(lambda: self._workspaces.removed(removal.place, removal.at))

        self._errands.begin_once(f"slack:removal:{removal.place}:{removal.at}", forget, hush)

    def _renew(self, workspace: Workspace, person: Person) -> None:
        """A member was told of their tier: their Home is to say the same, if they look at it at all."""
        if person.user in workspace.publishing.visitors:
            home = Home(workspace, self._front)
            self._errands.begin(lambda: home.show(person.user, person), hush)

    async def _listen(self, app: AsyncApp) -> None:
        if self._settings.app_token:
            token = self._settings.app_token.get_secret_value()
            web = client(token, self._settings.api_url, self._session, patient=True)
            await serve_socket(app, web, self.ready)
        if self.endpoint:
            self.endpoint.app = app
        self.ready.set()
        await asyncio.Event().wait()
