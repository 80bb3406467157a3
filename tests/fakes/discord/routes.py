"""The REST routes that a chat bot needs, each under the path by which Discord's documentation names it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord import shapes
from tests.fakes.discord.errors import (
    Json,
    invalid_form,
    missing_access,
    missing_permissions,
    not_the_author,
    thread_archived,
    thread_exists,
    unknown_channel,
)
from tests.fakes.discord.interaction import Interactions, Reply
from tests.fakes.discord.message import Message
from tests.fakes.discord.rules import check_message
from tests.fakes.discord.world import World

THREAD_NAME_LIMIT = 100
MAY_READ_MESSAGES = 1 << 19
"""The application's flag GATEWAY_MESSAGE_CONTENT_LIMITED, as small bots get it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came in."""

    method: str
    template: str
    path: str
    names: dict[str, str]
    query: dict[str, str]
    body: Any
    files: dict[str, bytes]
    at: float
    """Monotonic seconds."""


@dataclass(slots=True)
class Answer:
    """What is sent back; a body of None is 204."""

    body: Any = None
    status: int = 200


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(slots=True)
class Routes:
    """The handlers, over one world."""

    world: World
    interactions: Interactions
    gateway_address: Callable[[], str]
    may_read: Callable[[], bool]
    commands: list[Json] = field(default_factory=list)
    shards: int = 1

    def table(self) -> list[tuple[str, str, Handler]]:
        """Return method, path and handler of each route."""
        hooks = "/webhooks/{webhook_id}/{webhook_token}"
        messages = "/channels/{channel_id}/messages"
        return [
            ("GET", "/users/@me", self.me),
            ("GET", "/users/@me/guilds", self.guilds),
            ("POST", "/users/@me/channels", self.open_dm),
            ("GET", "/users/{user_id}", self.user),
            ("GET", "/oauth2/applications/@me", self.application),
            ("GET", "/applications/@me", self.application),
            ("GET", "/gateway/bot", self.gateway),
            ("GET", "/applications/{application_id}/commands", self.list_commands),
            ("PUT", "/applications/{application_id}/commands", self.put_commands),
            ("GET", "/guilds/{guild_id}", self.guild),
            ("GET", "/guilds/{guild_id}/members/{user_id}", self.member),
            ("GET", "/channels/{channel_id}", self.channel),
            ("POST", "/channels/{channel_id}/typing", self.typing),
            ("POST", messages, self.create_message),
            ("GET", messages, self.history),
            ("GET", messages + "/{message_id}", self.get_message),
            ("PATCH", messages + "/{message_id}", self.edit_message),
            ("DELETE", messages + "/{message_id}", self.delete_message),
            ("POST", messages + "/{message_id}/threads", self.open_thread),
            ("POST", "/interactions/{interaction_id}/{interaction_token}/callback", self.callback),
            ("POST", hooks, self.follow_up),
            *[
                (method, f"{hooks}/messages/{name}", handler)
                for name in ("@original", "{message_id}")
                for method, handler in (
                    ("GET", self.get_response),
                    ("PATCH", self.edit_response),
                    ("DELETE", self.delete_response),
                )
            ],
        ]

    async def me(self, _call: Call) -> Answer:
        """Return the bot's own user."""
        return Answer({**shapes.user_json(self.world.bot), "mfa_enabled": True, "locale": "en-US"})

    async def guilds(self, _call: Call) -> Answer:
        """Return the servers that the bot is in, with what it may do all over each."""
        granted = self.world.granted
        return Answer([] if granted is None else [shapes.own_guild_json(self.world.guild, granted)])

    async def user(self, call: Call) -> Answer:
        """Return another user."""
        return Answer(shapes.user_json(self.world.user(call.names["user_id"])))

    async def application(self, _call: Call) -> Answer:
        """Return the bot's application."""
        owner = next(iter(self.world.users.values()))
        known = shapes.application_json(self.world.bot.id, owner)
        flags = MAY_READ_MESSAGES if self.may_read() else 0
        return Answer({**known, "flags": flags, "flags_new": str(flags)})

    async def gateway(self, _call: Call) -> Answer:
        """Return where the gateway is and with how many shards to come."""
        start = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 16}
        return Answer({"url": self.gateway_address(), "shards": self.shards, "session_start_limit": start})

    async def list_commands(self, _call: Call) -> Answer:
        """Return the commands as they are known."""
        return Answer(self.commands)

    async def put_commands(self, call: Call) -> Answer:
        """Replace all commands; one that keeps its name keeps its id."""
        before = {command["name"]: command for command in self.commands}
        self.commands = [self._command(body, before.get(body["name"])) for body in call.body]
        self.world.pulse.beat()
        return Answer(self.commands)

    def _command(self, body: Json, before: Json | None) -> Json:
        defaults: Json = {"type": 1, "description": "", "default_member_permissions": None}
        identity = {
            "id": before["id"] if before else self.world.ids.next(),
            "application_id": self.world.bot.id,
            "version": self.world.ids.next(),
        }
        given = {name: value for name, value in body.items() if value is not None}
        if "default_member_permissions" in given:
            given["default_member_permissions"] = str(given["default_member_permissions"])
        return {**defaults, **given, **identity}

    async def open_dm(self, call: Call) -> Answer:
        """Open the DM channel with a user, which works even where writing in it will not."""
        recipient = self.world.user(str(call.body["recipient_id"]))
        return Answer(shapes.channel_json(self.world.dm_channel(recipient)))

    async def channel(self, call: Call) -> Answer:
        """Return a channel."""
        found = self.world.channels.get(call.names["channel_id"])
        if found is None:
            raise unknown_channel()
        if not found.reachable:
            raise missing_access()
        return Answer(shapes.channel_json(found))

    async def guild(self, call: Call) -> Answer:
        """Return the server, without what only the gateway brings."""
        roles = list(self.world.roles.values())
        return Answer(shapes.asked_guild_json(call.names["guild_id"], self.world.bot, roles))

    async def member(self, call: Call) -> Answer:
        """Return a member of the server."""
        return Answer({**shapes.member_json(self.world.user(call.names["user_id"])), "banner": None})

    async def typing(self, call: Call) -> Answer:
        """Note that the bot is typing."""
        self.world.typing.append(self.world.writable(call.names["channel_id"]).id)
        return Answer(None, 204)

    async def create_message(self, call: Call) -> Answer:
        """Write into a channel."""
        channel = self.world.writable(call.names["channel_id"])
        check_message(call.body, files=call.files)
        if call.files and not self.world.allowed(channel) & shapes.ATTACH:
            raise missing_permissions()
        message = self.world.post(channel, self.world.bot, call.body)
        self.world.attach(message, call.files)
        return Answer(message.wire)

    async def history(self, call: Call) -> Answer:
        """Return what the bot can see of a channel, newest first."""
        channel = self.world.writable(call.names["channel_id"])
        before = int(call.query.get("before", 1 << 63))
        found = [one for one in self.world.in_channel(channel) if not one.only_for and int(one.id) < before]
        return Answer([one.wire for one in reversed(found)][: int(call.query.get("limit", 50))])

    async def get_message(self, call: Call) -> Answer:
        """Return a message of a channel."""
        return Answer(self._named(call).wire)

    async def edit_message(self, call: Call) -> Answer:
        """Change a message of the bot's own."""
        message = self._own(call)
        if message.channel.archived:
            raise thread_archived()
        if call.files and not self.world.allowed(message.channel) & shapes.ATTACH:
            raise missing_permissions()
        check_message(call.body, files=call.files, before=message.wire)
        self.world.edit(message, call.body)
        self.world.attach(message, call.files)
        return Answer(message.wire)

    async def delete_message(self, call: Call) -> Answer:
        """Delete a message of the bot's own."""
        self.world.delete(self._own(call))
        return Answer(None, 204)

    async def open_thread(self, call: Call) -> Answer:
        """Open a public thread of a message, which gets the message's id."""
        message = self._named(call)
        if not self.world.allowed(message.channel) & shapes.CREATE_THREADS:
            raise missing_permissions()
        if message.id in self.world.channels:
            raise thread_exists()
        name = str(call.body["name"])
        if not 1 <= len(name) <= THREAD_NAME_LIMIT:
            raise invalid_form("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        made = self.world.thread(name, message.channel.name, owner=self.world.bot, number=message.id)
        return Answer(shapes.channel_json(made), 201)

    def _named(self, call: Call) -> Message:
        return self.world.visible(call.names["channel_id"], call.names["message_id"])

    def _own(self, call: Call) -> Message:
        message = self._named(call)
        if message.author is not self.world.bot:
            raise not_the_author()
        return message

    async def callback(self, call: Call) -> Answer:
        """Acknowledge an interaction."""
        found = self.interactions.callback(call.names["interaction_token"], call.body, call.files)
        if found.original is not None:
            self.world.attach(found.original, call.files)
        if call.query.get("with_response") not in {"1", "true"}:
            return Answer(None, 204)
        reply = found.acknowledged
        seen: Json = {"id": found.id, "type": int(found.kind)}
        if found.original is None or reply not in {Reply.MESSAGE, Reply.DEFER, Reply.UPDATE}:
            return Answer({"interaction": seen})
        original = found.original
        seen |= {"response_message_id": original.id, "response_message_loading": original.loading}
        seen["response_message_ephemeral"] = original.only_for is not None
        kind = Reply.UPDATE if reply is Reply.UPDATE else Reply.MESSAGE
        return Answer({"interaction": seen, "resource": {"type": int(kind), "message": original.wire}})

    async def follow_up(self, call: Call) -> Answer:
        """Say something more, or complete the deferred message."""
        token = call.names["webhook_token"]
        message = self.interactions.follow_up(token, call.body, files=call.files)
        self.world.attach(message, call.files)
        return Answer(message.wire) if call.query.get("wait") in {"1", "true"} else Answer(None, 204)

    def _response(self, call: Call) -> Message:
        name = call.names.get("message_id", "@original")
        return self.interactions.message(call.names["webhook_token"], name)

    async def get_response(self, call: Call) -> Answer:
        """Return one of an interaction's messages."""
        return Answer(self._response(call).wire)

    async def edit_response(self, call: Call) -> Answer:
        """Change one of an interaction's messages."""
        message = self._response(call)
        check_message(call.body, files=call.files, before=message.wire)
        self.world.edit(message, call.body)
        self.world.attach(message, call.files)
        return Answer(message.wire)

    async def delete_response(self, call: Call) -> Answer:
        """Delete one of an interaction's messages."""
        self.world.delete(self._response(call))
        return Answer(None, 204)
