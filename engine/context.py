"""Fits a conversation's history into a model's window, whole turns only, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from engine.files import Image
from engine.models import Completion, Message, ModelSpec, Role
from engine.turns import Exchange

BYTES_PER_TOKEN = 3
"""Vendors' tokenisers give 3 to 5 bytes a token; the low end never promises room that is not there."""
PER_MESSAGE = 4
HISTORY_TURNS = 200
HISTORY_CHARACTERS = 3_000_000
"""Of the turns on the way back: more than any model's window has room for, and a bound for our memory."""
HISTORY_IMAGES = 8
"""Images of earlier turns that are sent again, the newest: each is paid for every time."""
PATCH = 32
TOKENS_PER_PATCH = Fraction(5, 2)
FEWEST, MOST = 1200, 5000
"""Tokens of an image, by what vendors document (2026-11). OpenAI: 1.2 to 2.5 a patch of 32 pixels, at most
4,915 for those that we send. Anthropic: one for 750 pixels, at most 4,784. Gemini: 1,120 for any."""


def tokens(text: str) -> int:
    """An upper estimate of a message's tokens."""
    return PER_MESSAGE + -(-len(text.encode()) // BYTES_PER_TOKEN)


def image_tokens(image: Image) -> int:
    """An upper estimate of an image's tokens at any vendor."""
    patches = -(-image.width // PATCH) * -(-image.height // PATCH)
    return min(max(FEWEST, ceil(patches * TOKENS_PER_PATCH)), MOST)


def weight(message: Message) -> int:
    """An upper estimate of a message's tokens, images included."""
    return tokens(message.text) + sum(image_tokens(image) for image in message.images)


OWN_WORDS = "The member has asked to be answered like this, as far as all above allows it:"


def instructed(system: str, *wishes: tuple[str, str]) -> str:
    """The house's instructions, then others': each (introduction, text), empty ones left out.

    A text is fenced by a mark that it does not hold itself, so that it cannot seem to end before it does.
    """
    parts = [system]
    for introduction, text in wishes:
        if wish := text.strip():
            mark = '"""'
            while mark in wish:
                mark += '"'
            parts.append(f"{introduction}\n{mark}\n{wish}\n{mark}")
    return "\n\n".join(filter(None, parts))


def compose(
    spec: ModelSpec, system: str, history: Sequence[Exchange], prompt: str, images: tuple[Image, ...] = ()
) -> Completion | None:
    """What to send to a model, with as many of the last turns as fit; None if not even the prompt does.

    Of earlier images the newest come along, and none to a model that takes none.
    """
    newest = Message(Role.USER, prompt, images)
    room = spec.context - spec.max_output - tokens(system) - weight(newest)
    if room < 0:
        return None
    seen = max(0, HISTORY_IMAGES - len(images)) if spec.sees else 0
    turns: list[Message] = []
    for exchange in reversed(history):
        shown = exchange.images[max(0, len(exchange.images) - seen) :]
        pair = (Message(Role.USER, exchange.prompt, shown), Message(Role.ASSISTANT, exchange.answer))
        room -= sum(map(weight, pair))
        if room < 0:
            break
        seen -= len(shown)
        turns[:0] = pair
    return Completion(spec.vendor_id, system, (*turns, newest), spec.max_output)


def size(completion: Completion) -> int:
    """An upper estimate of a completion's input tokens."""
    return tokens(completion.system) + sum(map(weight, completion.messages))
