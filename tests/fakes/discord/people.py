"""The hands and eyes of the people who use the fake Discord."""

from collections.abc import Sequence
from typing import Any

from tests.fakes.discord import shapes
from tests.fakes.discord.errors import Json
from tests.fakes.discord.interaction import Interaction, Interactions, Kind
from tests.fakes.discord.message import Message
from tests.fakes.discord.routes import Routes
from tests.fakes.discord.shapes import Channel
from tests.fakes.discord.world import World
from tests.fakes.pulse import PATIENCE
from tests.fakes.shelf import File, Shelf

SUBCOMMAND, USER_OPTION, CHANNEL_OPTION, ROLE_OPTION, FILE_OPTION = 1, 6, 7, 8, 11
MESSAGE_COMMAND = 3


class People:
    """What users can do and see; each user is named, and exists from the first naming."""

    world: World
    interactions: Interactions
    routes: Routes
    shelf: Shelf

    @property
    def files_base(self) -> str:
        """Where uploaded files are."""
        raise NotImplementedError

    @property
    def commands(self) -> dict[str, Json]:
        """The application's commands by name."""
        return {str(command["name"]): command for command in self.routes.commands}

    def close_dms(self, user: str, code: int = 50007) -> None:
        """Let a user refuse direct messages; 50278 says that no server is shared."""
        self.world.closed[self.world.user(user).id] = code

    def speaks(self, user: str, locale: str) -> None:
        """Let a user have set another language."""
        self.world.locales[self.world.user(user).id] = locale

    def open_dms(self, user: str) -> None:
        """Let a user take direct messages again."""
        self.world.closed.pop(self.world.user(user).id, None)

    def say(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        reply_to: Message | None = None,
        mention_bot: bool = False,
        files: Sequence[File] = (),
    ) -> Message:
        """Write in a channel of the server; a reply pings the author of what is replied to."""
        words = f"<@{self.world.bot.id}> {text}" if mention_bot else text
        return self._write(user, self.world.channel(channel), words, reply_to, files)

    def dm(
        self, user: str, text: str, *, reply_to: Message | None = None, files: Sequence[File] = ()
    ) -> Message:
        """Write to the bot in private."""
        channel = self.world.dm_channel(self.world.user(user))
        return self._write(user, channel, text, reply_to, files)

    def _write(
        self, user: str, channel: Channel, text: str, reply_to: Message | None, files: Sequence[File]
    ) -> Message:
        body: Json = {"content": text, "attachments": [self.attachment(file) for file in files]}
        if reply_to is not None:
            body["message_reference"] = {"message_id": reply_to.id}
        return self.world.post(channel, self.world.user(user), body)

    def say_with(self, user: str, text: str, attachment: Json) -> Message:
        """Mention the bot with a file that is announced in this way."""
        body: Json = {"content": f"<@{self.world.bot.id}> {text}", "attachments": [attachment]}
        return self.world.post(self.world.channel("general"), self.world.user(user), body)

    def attachment(self, file: File) -> Json:
        """Upload a file, and return how it is announced."""
        number = self.world.ids.next()
        path = f"/attachments/{number}/{file.name}"
        self.shelf.put(path, file)
        url = f"{self.files_base}{path}?ex=6600&is=65f0&hm=abc%2F&"
        told: Json = {"id": number, "filename": file.name, "size": file.size, "url": url, "proxy_url": url}
        return {**told, "content_type": file.media_type} if file.media_type else told

    def repeat(self, message: Message) -> None:
        """Announce a message again, as a gateway that lost its place may do."""
        self.world.announce("MESSAGE_CREATE", message)

    def slash(
        self,
        user: str,
        name: str,
        options: dict[str, Any] | None = None,
        *,
        channel: str = "general",
        dm: bool = False,
        user_installed: bool = False,
    ) -> Interaction:
        """Use a synced command, a part of one by both names; `user_installed`: where the bot itself is not.

        A person, channel or role is given by its name, a file as one of a shelf's.
        """
        data = self._command_data(name, options or {})
        place = self._place(user, channel, dm=dm)
        return self._interact(Kind.COMMAND, user, data, place, user_installed=user_installed)

    def choose(self, user: str, name: str, message: Message, *, user_installed: bool = False) -> Interaction:
        """Choose a command from the menu of a message."""
        data: Json = {"id": self.commands[name]["id"], "name": name, "type": MESSAGE_COMMAND}
        data |= {"target_id": message.id, "resolved": {"messages": {message.id: message.wire}}}
        return self._interact(Kind.COMMAND, user, data, message.channel, user_installed=user_installed)

    def submit(self, user: str, opened: Interaction, values: dict[str, str]) -> Interaction:
        """Send off the window that an interaction opened, its fields filled in by their custom ids."""
        window = opened.modal
        if window is None:
            note = "no window was opened"
            raise ValueError(note)
        fields = [label["component"] for label in window["components"]]
        inside = [
            {
                "type": 18,
                "id": number,
                "component": {
                    "type": field["type"],
                    "id": number + 1,
                    "custom_id": field["custom_id"],
                    "value": values.get(field["custom_id"], ""),
                },
            }
            for number, field in enumerate(fields, start=1)
        ]
        data: Json = {"custom_id": window["custom_id"], "components": inside}
        return self._interact(
            Kind.MODAL, user, data, opened.channel, user_installed=opened.user_installed, opener=opened
        )

    def autocomplete(
        self, user: str, name: str, option: str, typed: str, *, channel: str = "general", dm: bool = False
    ) -> Interaction:
        """Type into an option of a command; the interaction's `choices` are what is offered."""
        data = self._command_data(name, {option: typed})
        typing = data["options"][0]
        (typing["options"][0] if typing["type"] == SUBCOMMAND else typing)["focused"] = True
        return self._interact(Kind.AUTOCOMPLETE, user, data, self._place(user, channel, dm=dm))

    def press(self, user: str, message: Message, custom_id: str) -> Interaction:
        """Press a button that is on a message."""
        button = next(found for found in message.buttons() if found.get("custom_id") == custom_id)
        if button.get("disabled"):
            note = f"button {custom_id} is disabled"
            raise ValueError(note)
        data = {"custom_id": custom_id, "component_type": button["type"], "id": button["id"]}
        owners = message.wire.get("interaction_metadata", {}).get("authorizing_integration_owners", {"0": ""})
        return self._interact(
            Kind.COMPONENT, user, data, message.channel, source=message, user_installed="0" not in owners
        )

    def _place(self, user: str, channel: str, *, dm: bool) -> Channel:
        return self.world.dm_channel(self.world.user(user)) if dm else self.world.channel(channel)

    def _command_data(self, name: str, options: dict[str, Any]) -> Json:
        top, _, part = name.partition(" ")
        command = self.commands[top]
        known = command.get("options") or []
        if part:
            known = next(each for each in known if each["name"] == part).get("options") or []
        kinds = {option["name"]: option["type"] for option in known}
        resolved: dict[str, Json] = {"users": {}, "channels": {}, "roles": {}, "attachments": {}}
        given = [self._option(key, kinds[key], value, resolved) for key, value in options.items()]
        if part:
            given = [{"name": part, "type": SUBCOMMAND, "options": given}]
        return {"id": command["id"], "name": top, "type": 1, "options": given, "resolved": resolved}

    def _option(self, name: str, kind: int, value: Any, resolved: dict[str, Json]) -> Json:  # noqa: ANN401 - JSON
        if kind == USER_OPTION:
            person = self.world.user(value)
            resolved["users"][person.id] = shapes.user_json(person)
            value = person.id
        elif kind == CHANNEL_OPTION:
            channel = self.world.channel(value)
            resolved["channels"][channel.id] = shapes.channel_json(channel)
            value = channel.id
        elif kind == ROLE_OPTION:
            role = self.world.role(value)
            resolved["roles"][role] = self.world.roles[role]
            value = role
        elif kind == FILE_OPTION:
            told = self.attachment(value) | {"ephemeral": True}
            value = told["id"]
            resolved["attachments"][value] = told
        return {"name": name, "type": kind, "value": value}

    def _interact(
        self,
        kind: Kind,
        user: str,
        data: Json,
        channel: Channel,
        *,
        user_installed: bool = False,
        source: Message | None = None,
        opener: Interaction | None = None,
    ) -> Interaction:
        world = self.world
        who = world.user(user)
        number = world.ids.next()
        created = world.clock.now()
        opened = Interaction(number, f"token-{number}", kind, who, channel, created, source, user_installed)
        opened.opener = opener
        self.interactions.open(opened)
        world.emit("INTERACTION_CREATE", self._interaction_json(opened, data), channel)
        return opened

    def _interaction_json(self, opened: Interaction, data: Json) -> Json:
        channel, who = opened.channel, opened.user
        event: Json = {
            "id": opened.id,
            "application_id": self.world.bot.id,
            "type": int(opened.kind),
            "data": data,
            "token": opened.token,
            "version": 1,
            "locale": self.world.locales.get(who.id, "en-US"),
            "app_permissions": str(self.world.allowed(channel)),
            "entitlements": [],
            "attachment_size_limit": 10 * 1024 * 1024,
            "authorizing_integration_owners": opened.metadata()["authorizing_integration_owners"],
            "channel_id": channel.id,
            "channel": shapes.channel_json(channel),
            "context": 0 if channel.guild else 1 if channel.recipient else 2,
        }
        if opened.source is not None:
            event["message"] = opened.source.wire
        if channel.guild is None:
            return {**event, "user": shapes.user_json(who)}
        guild = {"id": channel.guild, "locale": self.world.preferred_locale, "features": []}
        return {**event, "member": shapes.member_json(who), "guild_id": channel.guild, "guild": guild}

    def join(self, *, denied: int = 0) -> Channel:
        """Add the bot to another server, and return its system channel; `denied` to the bot there."""
        guild = self.world.ids.next()
        channel = Channel(self.world.ids.next(), shapes.TEXT_CHANNEL, f"system-{guild}", guild=guild)
        channel.denied = denied
        self.world.channels[channel.id] = channel
        owner = self.world.user("alice")
        made = shapes.guild_json(guild, [channel], [owner, self.world.bot], [])
        made["system_channel_id"] = channel.id
        del made["unavailable"]  # which tells a server that was joined from one that is back
        self.world.emit("GUILD_CREATE", made, channel)
        return channel

    def leave(self) -> None:
        """Remove the bot from its server."""
        general = self.world.channel("general")
        for channel in self.world.channels.values():
            channel.reachable = channel.reachable and channel.guild != self.world.guild
        self.world.emit("GUILD_DELETE", {"id": self.world.guild}, general)

    def transcript(self, channel: str = "general") -> list[Message]:
        """Return the messages of a channel, oldest first."""
        return self.world.in_channel(self.world.channel(channel))

    def dms(self, user: str) -> list[Message]:
        """Return the direct messages between a user and the bot, oldest first."""
        return self.world.in_channel(self.world.dm_channel(self.world.user(user)))

    def pings(self) -> list[str]:
        """Return whom the bot's messages have notified."""
        bot = self.world.bot
        return [hit for found in self.world.messages.values() if found.author is bot for hit in found.pings]

    async def answered(self, interaction: Interaction, seconds: float = PATIENCE) -> Message:
        """Wait until an interaction shows something, and return the first of it."""
        await self.world.pulse.until(lambda: interaction.answered, seconds)
        return next(message for message in interaction.messages if not message.loading)

    async def acknowledged(self, interaction: Interaction, seconds: float = PATIENCE) -> Interaction:
        """Wait until an interaction is acknowledged."""
        await self.world.pulse.until(lambda: interaction.acknowledged, seconds)
        return interaction
