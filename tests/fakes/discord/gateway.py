"""The gateway: identify, heartbeats, events in order, and sessions that outlive a dropped socket."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.fakes.discord import shapes
from tests.fakes.discord.errors import Json
from tests.fakes.discord.shapes import Channel
from tests.fakes.discord.world import World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, HEARTBEAT_ACK = (
    0, 1, 2, 6, 7, 9, 10, 11,
)  # fmt: skip
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 12, 1 << 15
PRIVILEGED = (1 << 1) | (1 << 8) | MESSAGE_CONTENT
WRONG_TOKEN, INVALID_SHARD, DISALLOWED_INTENTS = 4004, 4010, 4014
HEARTBEAT_MS = 41_250
CONTENT_FIELDS: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


@dataclass(slots=True)
class Session:
    """One identified client, which keeps its events while its socket is away."""

    id: str
    intents: int
    shard: tuple[int, int]
    socket: web.WebSocketResponse | None
    frames: list[str] = field(default_factory=list)
    """Every event ever sent; an event's number is its place, counted from 1."""
    sent: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, name: str, data: Json) -> None:
        """Queue an event."""
        number = len(self.frames) + 1
        self.frames.append(json.dumps({"op": DISPATCH, "t": name, "s": number, "d": data}))
        self.wake.set()


class Gateway:
    """Accepts sockets, and gives each event to every session that Discord would give it to."""

    def __init__(self, world: World, token: str, address: Callable[[], str]) -> None:
        self.world = world
        self.token = token
        self.address = address
        self.sessions: dict[str, Session] = {}
        self.identifies: list[Json] = []
        self.resumes = 0
        self.granted_intents = 0
        """Privileged intents switched on for the application."""
        world.emit = self.emit

    def may_read(self) -> bool:
        """Whether Message Content is among them."""
        return bool(self.granted_intents & MESSAGE_CONTENT)

    def ready(self) -> int:
        """Return how many sessions have a live socket and have been sent everything."""
        live = [found for found in self.sessions.values() if found.socket is not None]
        return sum(found.sent == len(found.frames) for found in live)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket until it closes; frames are plain text whatever compression was asked for."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": HELLO, "d": {"heartbeat_interval": HEARTBEAT_MS}, "s": None, "t": None})
        session: Session | None = None
        writer: asyncio.Task[None] | None = None
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    continue
                asked = json.loads(frame.data)
                if asked["op"] == HEARTBEAT:
                    await socket.send_json({"op": HEARTBEAT_ACK, "d": None, "s": None, "t": None})
                elif asked["op"] in {IDENTIFY, RESUME}:
                    session = await self._admit(socket, asked)
                    writer = asyncio.create_task(self._write(session, socket)) if session else None
        finally:
            await self._leave(session, writer, socket)
        return socket

    async def _leave(
        self, session: Session | None, writer: asyncio.Task[None] | None, socket: web.WebSocketResponse
    ) -> None:
        if writer is not None:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        if session is not None and session.socket is socket:
            session.socket = None
            if socket.close_code in {1000, 1001}:
                self.sessions.pop(session.id, None)
        self.world.pulse.beat()

    async def _admit(self, socket: web.WebSocketResponse, asked: Json) -> Session | None:
        data = asked["d"]
        if data["token"] != self.token:
            await socket.close(code=WRONG_TOKEN, message=b"Authentication failed.")
            return None
        if asked["op"] == RESUME:
            return await self._resume(socket, data)
        return await self._identify(socket, data)

    async def _identify(self, socket: web.WebSocketResponse, data: Json) -> Session | None:
        self.identifies.append(data)
        shard, count = data.get("shard") or (0, 1)
        if not 0 <= shard < count:
            await socket.close(code=INVALID_SHARD, message=b"Invalid shard.")
            return None
        if data["intents"] & PRIVILEGED & ~self.granted_intents:
            await socket.close(code=DISALLOWED_INTENTS, message=b"Disallowed intent(s).")
            return None
        session = Session(self.world.ids.next(), data["intents"], (shard, count), socket)
        self.sessions[session.id] = session
        self._welcome(session)
        return session

    async def _resume(self, socket: web.WebSocketResponse, data: Json) -> Session | None:
        session = self.sessions.get(data["session_id"])
        if session is None:
            await socket.send_json({"op": INVALID_SESSION, "d": False, "s": None, "t": None})
            return None
        self.resumes += 1
        session.socket, session.sent = socket, data["seq"] or 0
        session.add("RESUMED", {})
        return session

    def _welcome(self, session: Session) -> None:
        world = self.world
        mine = self._has_guild(session)
        session.add(
            "READY",
            {
                "v": 10,
                "user": shapes.user_json(world.bot),
                "guilds": [{"id": world.guild, "unavailable": True}] if mine else [],
                "session_id": session.id,
                "resume_gateway_url": self.address(),
                "shard": list(session.shard),
                "application": {"id": world.bot.id, "flags": 0},
                "private_channels": [],
                "relationships": [],
            },
        )
        if mine:
            known = [channel for channel in world.channels.values() if channel.guild and channel.reachable]
            members = [*world.users.values(), world.bot]
            roles = list(world.roles.values())
            made = shapes.guild_json(world.guild, known, members, roles)
            session.add("GUILD_CREATE", made | {"preferred_locale": world.preferred_locale})

    async def _write(self, session: Session, socket: web.WebSocketResponse) -> None:
        while not socket.closed:
            session.wake.clear()
            while session.sent < len(session.frames):
                frame = session.frames[session.sent]
                session.sent += 1
                await socket.send_str(frame)
            self.world.pulse.beat()
            await session.wake.wait()

    def _has_guild(self, session: Session) -> bool:
        shard, count = session.shard
        return (int(self.world.guild) >> 22) % count == shard

    def emit(self, name: str, data: Json, channel: Channel) -> None:
        """Give an event to each session with the right shard and intents; DMs belong to shard 0."""
        for session in self.sessions.values():
            right_shard = self._has_guild(session) if channel.guild else session.shard[0] == 0
            if right_shard and session.intents & _intent(name, channel):
                session.add(name, self._seen(name, data, channel, session))

    def _seen(self, name: str, data: Json, channel: Channel, session: Session) -> Json:
        """Empty the content of what the bot may only read with the Message Content intent."""
        if not name.startswith("MESSAGE_") or "author" not in data:
            return data
        bot = self.world.bot.id
        own = data["author"]["id"] == bot
        named = any(user["id"] == bot for user in data["mentions"])
        if own or named or channel.guild is None or session.intents & MESSAGE_CONTENT:
            return data
        return {**data, **CONTENT_FIELDS}

    async def ask_to_reconnect(self) -> None:
        """Ask every client to connect anew, as Discord does before it restarts a server."""
        for session in list(self.sessions.values()):
            if session.socket is not None:
                await session.socket.send_json({"op": RECONNECT, "d": None, "s": None, "t": None})

    async def drop(self, *, forget: bool = False, code: int = 1006) -> None:
        """Cut every socket; `forget` makes the sessions impossible to resume."""
        sessions = list(self.sessions.values())
        if forget:
            self.sessions.clear()
        for session in sessions:
            if session.socket is not None and code == 1006:
                transport = session.socket._req.transport if session.socket._req else None  # noqa: SLF001
                if transport is not None:
                    transport.abort()
            elif session.socket is not None:
                await session.socket.close(code=code)


def _intent(name: str, channel: Channel) -> int:
    if name == "INTERACTION_CREATE":
        return -1
    if name.startswith("MESSAGE_"):
        return GUILD_MESSAGES if channel.guild else DIRECT_MESSAGES
    return GUILDS
