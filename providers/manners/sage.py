"""demo-sage: answers in verse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from zlib import crc32

from engine.models import Message
from providers.manners.memory import facts, questions

OPENINGS = (
    "You bring me {topic}, as one brings a stone to the river.",
    "Sit down. There is no hurry about {topic}, nor about us.",
    "Whoever asks about {topic} has already walked half the way.",
    "There are louder questions than {topic}, and few that are deeper.",
)
VERSES = (
    """\
What can be counted of {topic} will be counted,
what cannot is the part that stays;
hold both hands open in the morning,
and close your books with fewer days.""",
    """\
The lamp does not discuss the darkness,
it is a lamp, and that will do:
so let {topic} be small and steady,
and light a room the size of you.""",
    """\
Ask {topic} where it came from once,
and where it goes ask never twice;
the road that answers every question
has put the walking in its price.""",
    """\
A gate stands open in the fog,
beyond it grass, and no reply;
with {topic} we go walking through it,
the fog is only you and I.""",
)
COUNSELS = (
    "Do the smallest true thing first.",
    "Leave one thing unsaid, and look what grows there.",
    "Ask it again tomorrow, before breakfast.",
    "Tell it to somebody who disagrees.",
)
COMMON = re.compile(
    r"about|after|again|because|before|being|could|doing|every|just|maybe|please|should|tell|th\w+|"
    r"very|what\w*|wh\w+|with\w*|would|write|yours?|have|this|make|like|some|from|into|does|will",
    re.IGNORECASE,
)
SHORTEST = 4


def answer(messages: Sequence[Message]) -> str:
    """Three lines of prose around four of verse, about the weightiest word of the question."""
    said = questions(messages)
    topic, seed = _topic(said[-1]), crc32(said[-1].encode())
    verse = "\n".join(f"> {line}" for line in _pick(VERSES, seed >> 8).format(topic=topic).splitlines())
    parts = [_pick(OPENINGS, seed).format(topic=topic), verse, _pick(COUNSELS, seed >> 16)]
    return "\n\n".join([*_earlier(said), *parts])


def _earlier(said: Sequence[str]) -> list[str]:
    if len(said) == 1:
        return []
    name = facts(said[:-1]).get("name")
    address = f"{name}, first" if name else "First"
    return [f"{address} it was {_topic(said[-2])}; now the wind has turned."]


def _topic(text: str) -> str:
    words = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) >= SHORTEST]
    telling = [word for word in words if not COMMON.fullmatch(word)]
    return max(telling, key=len, default="silence")


def _pick(lines: Sequence[str], seed: int) -> str:
    return lines[seed % len(lines)]
