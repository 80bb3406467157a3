"""Where operators are told things together."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain import Platform


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of Discord, or of a Slack workspace."""

    platform: Platform
    workspace: str
    id: str

    def __str__(self) -> str:
        """`discord:CHANNEL_ID` or `slack:TEAM/CHANNEL`."""
        return f"{self.platform}:{f'{self.workspace}/' if self.workspace else ''}{self.id}"

    @classmethod
    def parse(cls, text: str) -> Channel:
        """Read what `str` wrote; ValueError says what is expected."""
        name, _, rest = text.strip().partition(":")
        workspace, _, channel = rest.rpartition("/")
        discord = name == Platform.DISCORD and not workspace and channel.isdecimal() and channel.isascii()
        slack = name == Platform.SLACK and workspace.isalnum() and channel.isalnum() and channel.isupper()
        if not (discord or slack):
            message = f"{text!r} is no channel: write discord:CHANNEL_ID or slack:TEAM_ID/CHANNEL_ID"
            raise ValueError(message)
        return cls(Platform(name), workspace, channel)
