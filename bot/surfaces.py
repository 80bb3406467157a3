"""The chat platforms of one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.affairs import Affairs
from bot.front import Front
from bot.intake import Intake
from bot.local.surface import LocalBot
from engine.alerts import Herald
from engine.announcements import Crier
from engine.catalogue import Wares
from engine.chat import Chat
from engine.domain import Platform
from engine.files import Reader
from engine.members import Members
from engine.mending import Mender
from engine.places import Places
from engine.ports import Clock, Messenger, Store, Vault
from engine.settings import Settings

if TYPE_CHECKING:
    from bot.discord.adapter import DiscordBot
    from bot.slack.adapter import SlackBot
    from engine.installations import PlatformInstall


class Speaker(Messenger, Herald, Crier, Mender, Protocol):
    """What a platform does unasked: tells people things, and mends what a lost process left."""


@dataclass(slots=True)
class Surfaces:
    """The chat platforms of this process."""

    discord: DiscordBot | None = None
    slack: SlackBot | None = None
    slack_install: PlatformInstall | None = None
    local: LocalBot | None = None

    @property
    def speakers(self) -> Mapping[Platform, Speaker]:
        """Those by whom people can be written to unasked."""
        speakers: dict[Platform, Speaker | None] = {
            Platform.DISCORD: self.discord.messenger if self.discord else None,
            Platform.SLACK: self.slack.messenger if self.slack else None,
            Platform.LOCAL: self.local,
        }
        return {platform: speaker for platform, speaker in speakers.items() if speaker}

    @property
    def gateways(self) -> Mapping[str, Callable[[], bool]]:
        """Whether each platform that is reached through a gateway is connected now, by its name."""
        found: dict[str, Callable[[], bool]] = {}
        if discord := self.discord:
            found["discord"] = lambda: discord.connected
        if slack := self.slack:
            found["slack"] = slack.ready.is_set
        return found


def open_surfaces(
    settings: Settings,
    front: Front,
    store: Store,
    clock: Clock,
    roles: frozenset[str],
    tokens: Vault | None,
) -> Surfaces:
    """The adapters that are switched on; `tokens` seals those of Slack workspaces."""
    surfaces = Surfaces()
    if settings.discord and "discord" in roles:
        from bot.discord.adapter import DiscordBot  # noqa: PLC0415 - the SDK is for those who use it

        surfaces.discord = DiscordBot(settings.discord, front)
    if settings.slack and "slack" in roles:
        from bot.slack.adapter import SlackBot  # noqa: PLC0415 - as above

        surfaces.slack = SlackBot(settings.slack, front, clock, store=store, tokens=tokens)
    if settings.slack and settings.slack.oauth and "web" in roles:
        from bot.slack.oauth import SlackInstall  # noqa: PLC0415 - as above

        surfaces.slack_install = SlackInstall(settings.slack, settings.slack.oauth, store, clock, tokens)
    if settings.playground.on and "web" in roles:
        surfaces.local = LocalBot(front, store, clock)
    return surfaces


def open_front(
    settings: Settings,
    store: Store,
    clock: Clock,
    wares: Wares,
    chat: Chat,
    affairs: Affairs,
    reader: Reader,
    *,
    simulated: bool,
) -> Front:
    """What every chat platform talks to; `reader` opens members' files."""
    members = Members(store, clock, wares, chat.desk.mode, chat.moderating)
    intake = Intake(reader, settings.attachments)
    rules = Places(store, clock, wares, chat.moderating)
    return Front(
        chat, members, affairs, intake, rules, simulated=simulated, for_sale=True, welcomes=settings.welcome
    )
