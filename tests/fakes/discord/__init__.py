"""A stateful Discord on loopback: REST v10, gateway, interactions, and the people who use them."""

from tests.fakes.discord.fake import TOKEN, FakeDiscord
from tests.fakes.discord.interaction import Interaction
from tests.fakes.discord.message import Message

__all__ = ["TOKEN", "FakeDiscord", "Interaction", "Message"]
