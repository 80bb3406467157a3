"""The fake Discord behaves as the real one does, seen from an unmodified discord.py client."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import discord
import pytest
import yarl
from discord import app_commands

from tests.fakes.discord import TOKEN, FakeDiscord
from tests.fakes.discord.errors import ApiError, Json
from tests.fakes.discord.interaction import Reply
from tests.fakes.discord.rules import COMPONENTS_V2, check_message
from tests.fakes.discord.spec import load_spec
from tests.fakes.pulse import PATIENCE, Pulse

INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
Command = Callable[[discord.Interaction], Awaitable[None]]


class Client(discord.Client):
    """A bot as small as can be."""

    def __init__(self, command: Command | None = None, intents: discord.Intents = INTENTS) -> None:
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none())
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.enabled = command
        self.pulse = Pulse()

    async def setup_hook(self) -> None:
        """Register the one command."""
        if self.enabled is not None:
            asked = self.enabled

            async def callback(interaction: discord.Interaction) -> None:
                await asked(interaction)

            self.tree.add_command(app_commands.Command(name="try", description="Try it.", callback=callback))
            await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        """Remember what was said."""
        self.heard.append(message)
        self.pulse.beat()


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as discord_fake:
        monkeypatch.setattr(discord.http.Route, "BASE", discord_fake.api_base)
        address = yarl.URL(discord_fake.gateway_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", address)
        yield discord_fake


@asynccontextmanager
async def running(client: Client, fake: FakeDiscord) -> AsyncIterator[Client]:
    async with client:
        task = asyncio.create_task(client.start(TOKEN))
        connecting = asyncio.create_task(fake.connected())
        await asyncio.wait({task, connecting}, return_when=asyncio.FIRST_COMPLETED)
        connecting.cancel()
        try:
            yield client
        finally:
            await client.close()
            await asyncio.gather(task, connecting, return_exceptions=True)


def test_requests_are_held_against_discords_own_description() -> None:
    spec = load_spec()
    if spec is None:
        pytest.skip("Discord's OpenAPI document is not beside the repository")
    template = "/channels/{channel_id}/messages"
    assert spec.request("POST", template, {"content": "hello"}, {}) == []
    assert "content" in spec.request("POST", template, {"content": 7}, {})[0]
    assert spec.request("POST", "/channels/{channel_id}/shout", {}, {}) != []


TEXT = {"type": 10, "content": "x"}
BUTTON = {"type": 2, "style": 2, "label": "x", "custom_id": "m:1:x"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"content": "x", "components": [TEXT]}, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"),
        ({"embeds": [{"title": "x"}], "components": [TEXT]}, "MESSAGE_CANNOT_USE_LEGACY_FIELDS"),
        ({"components": [TEXT] * 41}, "COMPONENT_MAX_TOTAL_COMPONENTS"),
        ({"components": [{**TEXT, "content": "x" * 2001}] * 2}, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED"),
        ({"components": [{"type": 1, "components": [{**BUTTON, "custom_id": "x" * 101}]}]}, "CUSTOM_ID"),
        ({"components": [{"type": 1, "components": [BUTTON, BUTTON]}]}, "COMPONENT_CUSTOM_ID_DUPLICATED"),
        ({"components": [{"type": 1, "components": [BUTTON] * 6}]}, "BASE_TYPE_BAD_LENGTH"),
        ({"components": [BUTTON]}, "UNION_TYPE_CHOICES"),
        ({"components": [{"type": 17, "components": [{"type": 17, "components": [TEXT]}]}]}, "UNION_TYPE"),
        ({"components": [{"type": 9, "components": [TEXT]}]}, "BASE_TYPE_BAD_LENGTH"),
        ({"components": [{"type": 13, "file": {"url": "attachment://lost.md"}}]}, "ATTACHMENT_NOT_FOUND"),
        ({"flags": 0, "components": [TEXT]}, "UNION_TYPE_CHOICES"),
    ],
)
def test_components_are_held_against_discords_rules(body: Json, code: str) -> None:
    wire = {"flags": COMPONENTS_V2, **body}
    with pytest.raises(ApiError) as refused:
        check_message(wire)
    assert code in str(refused.value.errors)
    if wire["flags"]:
        with pytest.raises(ApiError):  # an edit cannot take the flag away
            check_message({**body, "flags": 0}, before={"flags": COMPONENTS_V2, "components": [TEXT]})


async def test_the_first_follow_up_completes_a_deferred_answer_and_keeps_it_private(
    fake: FakeDiscord,
) -> None:
    async def command(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.followup.send("first", ephemeral=False)
        await interaction.followup.send("second", ephemeral=False)

    async with running(Client(command), fake):
        used = fake.slash("alice", "try")
        await fake.world.pulse.until(lambda: len(used.messages) == 2)
    first, second = used.messages
    assert (first.text, first.only_for) == ("first", used.user.id)
    assert (second.text, second.only_for) == ("second", None)
    assert fake.findings == []


async def test_an_acknowledgement_after_three_seconds_is_refused_and_noted(fake: FakeDiscord) -> None:
    seen = asyncio.Event()
    failed: list[int] = []

    async def command(interaction: discord.Interaction) -> None:
        fake.world.clock.advance(3.5)
        try:
            await interaction.response.send_message("late")
        except discord.NotFound as error:
            failed.append(error.code)
        seen.set()

    async with running(Client(command), fake):
        fake.slash("alice", "try")
        await asyncio.wait_for(seen.wait(), PATIENCE)
    assert failed == [10062]
    assert re.search(r"after [3-9]\.\d s", fake.findings[0])


async def test_an_interaction_token_expires_after_fifteen_minutes_but_the_bot_may_still_edit(
    fake: FakeDiscord,
) -> None:
    codes: list[int] = []
    done = asyncio.Event()

    async def command(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("before")
        message = await interaction.original_response()
        fake.world.clock.advance(901)
        try:
            await interaction.edit_original_response(content="after")
        except discord.HTTPException as error:
            codes.append(error.code)
        assert isinstance(interaction.channel, discord.TextChannel)
        await interaction.channel.get_partial_message(message.id).edit(content="as a bot")
        done.set()

    async with running(Client(command), fake):
        fake.slash("alice", "try")
        await asyncio.wait_for(done.wait(), PATIENCE)
    assert codes == [50027]
    assert [message.text for message in fake.transcript()] == ["as a bot"]


async def test_a_repeated_nonce_gives_the_message_that_is_there(fake: FakeDiscord) -> None:
    async with running(Client(), fake) as client:
        channel = await client.create_dm(discord.Object(int(fake.world.user("bob").id)))
        first = await channel.send("once", nonce="k-1")
        again = await channel.send("once", nonce="k-1")
    assert first.id == again.id
    assert len(fake.dms("bob")) == 1


@pytest.mark.parametrize("code", [50007, 50278])
async def test_closed_direct_messages_refuse_with_discords_codes(fake: FakeDiscord, code: int) -> None:
    fake.close_dms("bob", code)
    async with running(Client(), fake) as client:
        channel = await client.create_dm(discord.Object(int(fake.world.user("bob").id)))
        with pytest.raises(discord.Forbidden) as refused:
            await channel.send("hello")
    assert refused.value.code == code


async def test_content_comes_only_with_mentions_in_direct_messages_and_in_pinged_replies(
    fake: FakeDiscord,
) -> None:
    async with running(Client(), fake) as client:
        fake.say("alice", "general", "secret")
        fake.say("alice", "general", "spoken to", mention_bot=True)
        fake.dm("alice", "in private")
        await client.pulse.until(lambda: len(client.heard) == 3)
        own = await client.get_partial_messageable(int(fake.world.channel("general").id)).send("mine")
        fake.say("alice", "general", "a reply", reply_to=fake.world.messages[str(own.id)])
        await client.pulse.until(lambda: len(client.heard) == 5)
    contents = [message.content for message in client.heard]
    assert contents == ["", f"<@{fake.world.bot.id}> spoken to", "in private", "mine", "a reply"]


async def test_events_of_a_dropped_socket_come_after_resuming(fake: FakeDiscord) -> None:
    async with running(Client(), fake) as client:
        await fake.gateway.drop()
        fake.dm("alice", "while you were away")
        await client.pulse.until(lambda: client.heard)
    assert fake.gateway.resumes == 1
    assert len(fake.gateway.identifies) == 1


@pytest.mark.usefixtures("fake")
async def test_privileged_intents_and_wrong_tokens_are_refused() -> None:
    greedy = Client(intents=discord.Intents.all())
    async with greedy:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await greedy.start(TOKEN)
    stranger = Client()
    async with stranger:
        with pytest.raises(discord.LoginFailure):
            await stranger.start("wrong")


async def test_a_message_that_discord_would_refuse_is_refused_and_noted(fake: FakeDiscord) -> None:
    async with running(Client(), fake) as client:
        channel = client.get_partial_messageable(int(fake.world.channel("general").id))
        with pytest.raises(discord.HTTPException) as refused:
            await channel.send("x" * 2001)
        with pytest.raises(discord.HTTPException):
            await channel.send("")
    assert refused.value.code == 50035
    assert len(fake.findings) == 2


async def test_a_rate_limit_is_waited_out_by_the_client(fake: FakeDiscord) -> None:
    fake.faults.plan("/messages", 429, method="POST")
    async with running(Client(), fake) as client:
        await client.get_partial_messageable(int(fake.world.channel("general").id)).send("through")
    assert [message.text for message in fake.transcript()] == ["through"]
    assert fake.faults.limited == 1


async def test_pings_follow_allowed_mentions(fake: FakeDiscord) -> None:
    alice = fake.world.user("alice").id
    async with running(Client(), fake) as client:
        channel = client.get_partial_messageable(int(fake.world.channel("general").id))
        await channel.send(f"@everyone <@{alice}>")
        assert fake.pings() == []
        await channel.send(f"<@{alice}>", allowed_mentions=discord.AllowedMentions(users=True))
    assert fake.pings() == [alice]


async def test_autocompletion_and_pressing_reach_the_bot(fake: FakeDiscord) -> None:
    async def command(interaction: discord.Interaction) -> None:
        view = discord.ui.View(timeout=None)
        view.add_item(discord.ui.Button(label="Again", custom_id="again"))
        await interaction.response.send_message("press", view=view)

    client = Client(command)

    async def on_interaction(interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.component:
            await interaction.response.edit_message(content="pressed", view=None)

    client.event(on_interaction)
    async with running(client, fake):
        shown = await fake.answered(fake.slash("alice", "try"))
        pressed = fake.press("alice", shown, shown.button("again")["custom_id"])
        await fake.acknowledged(pressed)
    assert pressed.acknowledged is Reply.UPDATE
    assert (shown.text, shown.buttons()) == ("pressed", [])
    assert fake.findings == []
