"""The bot on Discord: connects, stays connected, and ends its work in good order."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import replace

import discord
import yarl
from aiohttp import ClientError

from bot.discord.answers import Pacings
from bot.discord.attached import fetcher
from bot.discord.client import Listening, make_client
from bot.discord.limits import listening
from bot.discord.messenger import DiscordMessenger
from bot.discord.opening import LIFE_SECONDS
from bot.discord.reception import Reception
from bot.discord.tree import Interpreter
from bot.discord.wire import sure
from bot.errands import Errands
from bot.front import Front
from bot.pacing import Pace, Pacing
from engine.errors import OutsideError, TellOperatorError
from engine.settings import DiscordSettings

log = logging.getLogger("bot.discord")

PACE = Pace(channel=1.25, process=45.0, thinking=0.75, linger=0.1)
"""Discord takes 5 writes in 5 s of a channel, of which the last text keeps one, and 50 requests a second."""
INTERACTIONS_A_SECOND = 500.0
"""Edits of interactions, which only our own machine limits."""
SYNC_SECONDS = 30.0
FIRST_WAIT, LONGEST_WAIT = 0.25, 60.0
PORTAL = "https://discord.com/developers/applications"
REFUSALS = {
    4004: f"Discord no longer accepts DISCORD_TOKEN. Make a new token at {PORTAL} (Bot, Reset Token).",
    4010: "Discord refuses the shard. DISCORD_SHARD_IDS have to be below DISCORD_SHARD_COUNT.",
    4011: "The bot is in too many servers for one connection. Set DISCORD_SHARD_IDS and DISCORD_SHARD_COUNT.",
}
"""What a close code of the gateway means to the operator."""


class DiscordBot:
    """Discord's adapter: `run` serves until it is cancelled, `messenger` tells and mends meanwhile."""

    def __init__(
        self, settings: DiscordSettings, front: Front, pace: Pace = PACE, life: float = LIFE_SECONDS
    ) -> None:
        """Has to be made inside a running event loop; `life` is of an interaction, in seconds."""
        self._settings = settings
        self._front = front
        self._pacings = Pacings(Pacing(pace), Pacing(replace(pace, process=INTERACTIONS_A_SECOND)), life)
        self._trace = listening(self._pacings.messages, self._pacings.interactions)
        self.ready = asyncio.Event()
        self._client: Listening | None = None
        self.messenger = DiscordMessenger(lambda: self._client)

    @property
    def connected(self) -> bool:
        """Whether Discord tells us now what happens, on every shard of ours."""
        return self.ready.is_set() and self._client is not None and self._client.linked

    async def run(self) -> None:
        """Connect and serve until cancelled; then let open work end, for a few seconds.

        TellOperatorError: Discord does not accept the token, the shards or the intents.
        """
        redirect(self._settings)
        wait = FIRST_WAIT
        while True:
            self.ready.clear()
            try:
                await self._serve()
            except (discord.DiscordException, ClientError, OSError, TimeoutError, OutsideError) as error:
                if told := for_operator(error):
                    raise told from error
                log.warning("Discord is away", extra={"why": str(error)})
            wait = FIRST_WAIT if self.ready.is_set() else min(wait * 2, LONGEST_WAIT)
            await asyncio.sleep(wait)

    async def _serve(self) -> None:
        """One client's life."""
        errands = Errands()
        follow = self._settings.message_content
        reception = Reception(
            self._front, self._pacings, errands, self.ready, fetcher(self._settings), follow=follow
        )
        client = make_client(self._settings, reception, self._trace)
        try:
            await self._live(client, errands)
        finally:
            await close_forgotten_sockets()

    async def _live(self, client: Listening, errands: Errands) -> None:
        async with client:
            try:
                await client.login(self._settings.token.get_secret_value())
                self._client = client
                await self._sync(client)
                await connect(client)
            finally:
                await errands.finish()
                self._client = None

    async def _sync(self, client: Listening) -> None:
        """Tell Discord our commands; the process with the first shard does it for all."""
        if self._settings.shard_ids and 0 not in self._settings.shard_ids:
            return
        try:
            async with asyncio.timeout(SYNC_SECONDS):
                await client.tree.set_translator(Interpreter())
                await sure(client.tree.sync)
        except (OutsideError, TimeoutError) as error:
            log.error("commands could not be synced", extra={"why": str(error)})  # noqa: TRY400 - in words


async def close_forgotten_sockets() -> None:
    """Close the gateway sockets that discord.py 2.7 forgets when it is cancelled while it connects."""
    loop = asyncio.get_running_loop()
    for thread in threading.enumerate():
        if isinstance(thread, discord.gateway.KeepAliveHandler) and thread.ws.loop is loop:
            thread.stop()
            await thread.ws.close(1000)


async def connect(client: Listening) -> None:
    """Listen, reconnecting whenever the connection breaks."""
    try:
        await client.connect(reconnect=True)
    except AttributeError as error:
        # discord.py 2.7 stumbles over the socket that is not there yet when the very first connection fails.
        if getattr(client, "ws", None) is None:
            raise OSError("the gateway cannot be reached") from error
        raise


def for_operator(error: Exception) -> TellOperatorError | None:
    """What only the operator can mend, with how; None for what passes by itself."""
    match error:
        case discord.LoginFailure():
            return TellOperatorError(
                f"Discord does not accept DISCORD_TOKEN. Make a new token at {PORTAL} (Bot, Reset Token)."
            )
        case discord.ConnectionClosed():
            words = REFUSALS.get(error.code)
            return TellOperatorError(words) if words else None
        case discord.PrivilegedIntentsRequired():
            return TellOperatorError(
                f"Discord does not let the bot read messages. Switch on Message Content Intent at {PORTAL} "
                "(Bot), or set message_content = false under [discord] in config.toml."
            )
    return None


def redirect(settings: DiscordSettings) -> None:
    """Let the library find Discord where the settings say (a proxy, a counterparty on loopback)."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    if settings.api_base:
        discord.http.Route.BASE = settings.api_base.rstrip("/")
    if settings.gateway_url:
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)
