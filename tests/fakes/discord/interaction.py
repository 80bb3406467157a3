"""An interaction: three seconds to acknowledge it, fifteen minutes to answer, one deferred message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from tests.fakes.discord.errors import (
    ApiError,
    Json,
    already_acknowledged,
    expired_token,
    unknown_interaction,
    unknown_message,
    unknown_webhook,
)
from tests.fakes.discord.message import Message
from tests.fakes.discord.rules import EPHEMERAL, LOADING, check_message, check_modal
from tests.fakes.discord.shapes import Channel, User, user_json
from tests.fakes.discord.world import World

ACK_SECONDS = 3.0
TOKEN_SECONDS = 15 * 60.0
FOLLOWUPS_IF_USER_INSTALLED = 5
CHOICES = 25


class Kind(IntEnum):
    """What the user did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Reply(IntEnum):
    """How an interaction may be acknowledged."""

    MESSAGE = 4
    DEFER = 5
    DEFER_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


@dataclass(slots=True)
class Interaction:
    """One use of a command or component by one user."""

    id: str
    token: str
    kind: Kind
    user: User
    channel: Channel
    created: float
    source: Message | None = None
    """The message whose component was used."""
    user_installed: bool = False
    acknowledged: Reply | None = None
    ack_seconds: float | None = None
    original: Message | None = None
    messages: list[Message] = field(default_factory=list)
    """The first response and the follow-ups."""
    choices: list[str] | None = None
    """The names that an autocompletion offered."""
    modal: Json | None = None
    """The window that was opened."""
    opener: "Interaction | None" = None
    """The interaction that opened the window which this one sends off."""

    @property
    def answered(self) -> bool:
        """Whether something was said that is not "thinking" any more."""
        return any(not message.loading for message in self.messages)

    def texts(self) -> list[str]:
        """Return what the user reads in answer."""
        return [message.text for message in self.messages if not message.loading]

    def metadata(self) -> Json:
        """Return what a message tells of the interaction that it answers."""
        kind = self.kind if self.kind in {Kind.COMMAND, Kind.MODAL} else Kind.COMPONENT
        owners = {"1": self.user.id} if self.user_installed else {"0": self.channel.guild or "0"}
        user = user_json(self.user)
        told: Json = {
            "id": self.id,
            "type": int(kind),
            "user": user,
            "authorizing_integration_owners": owners,
        }
        if self.opener is not None:
            return {**told, "triggering_interaction_metadata": self.opener.metadata()}
        return told if self.source is None else {**told, "interacted_message_id": self.source.id}

    def private(self) -> bool:
        """Return whether all that was answered is ephemeral."""
        return bool(self.messages) and all(message.only_for for message in self.messages)


class Interactions:
    """All interactions, answered as Discord's callback and webhook routes do."""

    def __init__(self, world: World, findings: list[str]) -> None:
        self.world = world
        self.findings = findings
        self.all: dict[str, Interaction] = {}

    def open(self, interaction: Interaction) -> None:
        """Begin to know an interaction, by its token."""
        self.all[interaction.token] = interaction

    def callback(self, token: str, body: Json, files: Mapping[str, bytes]) -> Interaction:
        """Acknowledge; ApiError if it is late, unknown, repeated or malformed."""
        found = self.all.get(token)
        if found is None:
            raise unknown_interaction()
        waited = self.world.clock.now() - found.created
        if waited > ACK_SECONDS:
            self.findings.append(f"interaction {found.id} was acknowledged after {waited:.1f} s")
            raise unknown_interaction()
        if found.acknowledged is not None:
            raise already_acknowledged()
        reply = Reply(body["type"])
        self._apply(found, reply, body.get("data") or {}, files)
        found.acknowledged, found.ack_seconds = reply, waited
        self.world.pulse.beat()
        return found

    def _apply(self, found: Interaction, reply: Reply, data: Json, files: Mapping[str, bytes]) -> None:
        if reply is Reply.MESSAGE:
            check_message(data, files=files)
            found.original = self._say(found, data, ephemeral=bool((data.get("flags") or 0) & EPHEMERAL))
        elif reply is Reply.DEFER:
            flags = (data.get("flags") or 0) & EPHEMERAL
            found.original = self._say(found, {"flags": flags | LOADING}, ephemeral=bool(flags))
        elif reply is Reply.UPDATE and found.source is not None:
            check_message(data, before=found.source.wire)
            self.world.edit(found.source, data)
        elif reply is Reply.CHOICES:
            names = [choice["name"] for choice in data["choices"]]
            if len(names) > CHOICES or not all(1 <= len(name) <= 100 for name in names):
                raise ApiError(400, 50035, "Invalid Form Body")
            found.choices = names
        elif reply is Reply.MODAL:
            check_modal(data, answering_modal=found.kind is Kind.MODAL)
            found.modal = data
        if reply in {Reply.DEFER_UPDATE, Reply.UPDATE}:
            found.original = found.source

    def _say(self, found: Interaction, body: Json, *, ephemeral: bool) -> Message:
        body = {**body, "flags": ((body.get("flags") or 0) & ~EPHEMERAL) | (EPHEMERAL if ephemeral else 0)}
        only_for = found.user.id if ephemeral else None
        bot = self.world.bot
        extra = {"application_id": bot.id, "webhook_id": bot.id, "interaction_metadata": found.metadata()}
        message = self.world.post(found.channel, bot, body, only_for=only_for, extra=extra)
        found.messages.append(message)
        return message

    def by_token(self, token: str) -> Interaction:
        """Return the interaction that a webhook route names; ApiError if it is too early or too late."""
        found = self.all.get(token)
        if found is None or found.acknowledged is None:
            raise unknown_webhook()
        if self.world.clock.now() - found.created > TOKEN_SECONDS:
            raise expired_token()
        return found

    def follow_up(self, token: str, body: Json, *, files: Mapping[str, bytes] = {}) -> Message:
        """Say more; the first time after a deferral it completes the deferred message, as private as that."""
        found = self.by_token(token)
        check_message(body, files=files)
        waits = found.original is not None and found.original.id in self.world.messages
        if found.original is not None and waits and found.original.loading:
            self.world.edit(found.original, body)
            return found.original
        extra = len(found.messages) - (1 if found.original in found.messages else 0)
        if found.user_installed and extra >= FOLLOWUPS_IF_USER_INSTALLED:
            raise ApiError(400, 40094, "Maximum number of follow ups for this interaction reached")
        return self._say(found, body, ephemeral=bool((body.get("flags") or 0) & EPHEMERAL))

    def message(self, token: str, message_id: str) -> Message:
        """Return one of the interaction's messages; `@original` is the first response."""
        found = self.by_token(token)
        original = found.original
        if message_id == "@original" or (original is not None and message_id == original.id):
            wanted = original
        else:
            wanted = next((message for message in found.messages if message.id == message_id), None)
        if wanted is None or wanted.id not in self.world.messages:
            raise unknown_message()
        return wanted
