"""The bot in one Slack workspace: connects, takes what people say, and owns all work that comes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from slack_bolt.async_app import AsyncApp

from bot.errands import Errands
from bot.front import Front
from bot.pacing import Pace, Pacing
from bot.slack.endpoint import SlackHttp
from bot.slack.listeners import Commanded, Heard, Pressed, bolt_app
from bot.slack.messenger import SlackMessenger
from bot.slack.reception import Reception
from bot.slack.socket_mode import serve_socket
from bot.slack.spot import Spot, show_privately
from bot.slack.workspace import Workspace
from engine.config import SlackSettings
from engine.errors import TryAgainError
from engine.ports import Clock

log = logging.getLogger("bot.slack")

PACE = Pace(channel=1.2, process=20.0)
LONGEST_WAIT = 30.0


class SlackBot:
    """One workspace's adapter: `run` serves until it is cancelled; `messenger` and `endpoint` are for others.

    With an app token it listens on Socket Mode and `endpoint` is None; else calls come in through `endpoint`.
    """

    def __init__(self, settings: SlackSettings, front: Front, clock: Clock, pace: Pace = PACE) -> None:
        """Has to be made inside a running event loop."""
        self._settings = settings
        self._workspace = Workspace(settings)
        self._reception = Reception(self._workspace, front, Pacing(pace))
        self._errands = Errands()
        self.ready = asyncio.Event()
        self.messenger = SlackMessenger(self._workspace)
        self.endpoint: SlackHttp | None = None
        if settings.app_token is None and settings.signing_secret is not None:
            self.endpoint = SlackHttp(settings.signing_secret.get_secret_value(), clock)

    async def run(self) -> None:
        """Connect and serve until cancelled; then let open work end, for a few seconds.

        TellOperatorError: Slack does not accept a token.
        """
        try:
            await lasting(self._workspace.identify)
            app = bolt_app(self._workspace.client, self._workspace.identity, self)
            await self._listen(app)
        finally:
            self.ready.clear()
            if self.endpoint:
                self.endpoint.app = None
            await self._errands.finish()
            await self._workspace.close()

    def heard(self, heard: Heard) -> None:
        self._take(heard.key, heard.spot, lambda: self._reception.message(heard))

    def commanded(self, commanded: Commanded) -> None:
        self._take(commanded.key, commanded.spot, lambda: self._reception.command(commanded))

    def pressed(self, pressed: Pressed) -> None:
        self._take(pressed.key, pressed.spot, lambda: self._reception.press(pressed))

    async def _listen(self, app: AsyncApp) -> None:
        if self._settings.app_token:
            token = self._settings.app_token.get_secret_value()
            await serve_socket(app, self._workspace.socket_client(token), self.ready)
        if self.endpoint:
            self.endpoint.app = app
        self.ready.set()
        await asyncio.Event().wait()

    def _take(self, key: str, spot: Spot, work: Callable[[], Awaitable[None]]) -> None:
        """Begin work that nobody waits for."""
        if self.ready.is_set():
            self._errands.begin_once(key, work, lambda reply: show_privately(self._workspace, spot, [reply]))


async def lasting(work: Callable[[], Awaitable[None]]) -> None:
    """Try again, ever more slowly, for as long as Slack is away."""
    wait = 1.0
    while True:
        try:
            return await work()
        except TryAgainError as error:
            log.warning("Slack is away", extra={"why": str(error)})
            await asyncio.sleep(error.retry_after or wait)
            wait = min(wait * 2, LONGEST_WAIT)
