"""A Slack on loopback: Web API, Socket Mode and signed events, with people who act."""

from tests.fakes.slack.app import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.fakes.slack.fake import ALICE, BOB, CAROL, GENERAL, MENTION, OUTSIDE, PRIVATE, FakeSlack, Said
from tests.fakes.slack.log import Call, Delivery
from tests.fakes.slack.signing import signed
from tests.fakes.slack.state import APP, BOT_USER, TEAM, Message

__all__ = [
    "ALICE",
    "APP",
    "APP_TOKEN",
    "BOB",
    "BOT_TOKEN",
    "BOT_USER",
    "CAROL",
    "GENERAL",
    "MENTION",
    "OUTSIDE",
    "PRIVATE",
    "SIGNING_SECRET",
    "TEAM",
    "Call",
    "Delivery",
    "FakeSlack",
    "Message",
    "Said",
    "signed",
]
