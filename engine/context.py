"""Fits a conversation's history into a model's window, whole turns only, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

from engine.estimates import UNCORRECTED, Correction, Reading
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
HALF = Fraction(1, 2)
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


def weight(message: Message, correction: Correction = UNCORRECTED) -> int:
    """An upper estimate of a message's tokens, images included."""
    return correction.of(tokens(message.text), sum(map(image_tokens, message.images)))


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
    spec: ModelSpec,
    system: str,
    history: Sequence[Exchange],
    prompt: str,
    images: tuple[Image, ...] = (),
    correction: Correction = UNCORRECTED,
) -> Completion | None:
    """What to send to a model, with as many of the last turns as fit; None if not even the prompt does.

    Of earlier images the newest come along, and none to a model that takes none.
    """
    newest = Message(Role.USER, prompt, images)
    room = spec.context - spec.max_output - correction.of(tokens(system)) - weight(newest, correction)
    if room < 0:
        return None
    seen = max(0, HISTORY_IMAGES - len(images)) if spec.sees else 0
    turns: list[Message] = []
    for exchange in reversed(history):
        shown = exchange.images[max(0, len(exchange.images) - seen) :]
        pair = (Message(Role.USER, exchange.prompt, shown), Message(Role.ASSISTANT, exchange.answer))
        room -= sum(weight(each, correction) for each in pair)
        if room < 0:
            break
        seen -= len(shown)
        turns[:0] = pair
    whole = len(turns) == 2 * len(history) and not read_in_part(history)
    messages = (*turns, newest)
    return Completion(
        spec.vendor_id,
        system,
        messages,
        spec.max_output,
        spec.reasoning,
        spec.first_token,
        spec.between_tokens,
        stable=len(messages) if whole and room >= spec.max_output else 0,
    )


def read_in_part(history: Sequence[Exchange]) -> bool:
    """Whether more was said than is read back, so that the next question will begin with a later turn."""
    read = sum(len(exchange.prompt) + len(exchange.answer) for exchange in history)
    return len(history) >= HISTORY_TURNS or read >= HISTORY_CHARACTERS


def size(completion: Completion, correction: Correction = UNCORRECTED) -> int:
    """An upper estimate of a completion's input tokens."""
    said = sum(weight(message, correction) for message in completion.messages)
    return correction.of(tokens(completion.system)) + said


def shorter(completion: Completion, share: Fraction = HALF) -> Completion | None:
    """What to send instead where a vendor found it too long; None if there is no turn to leave out.

    It is at most that share of what it was, or has no earlier turn left.
    """
    most, newest = ceil(size(completion) * share), len(completion.messages) - 1
    less = None
    for first in range(2, newest + 1, 2):
        less = replace(completion, messages=completion.messages[first:], stable=0)
        if size(less) <= most:
            break
    return less


def reading(
    spec: ModelSpec, completion: Completion, counted: int | None, correction: Correction
) -> tuple[Correction, Reading]:
    """How a request was estimated and what its vendor counted; None: it was refused as too long."""
    told = tokens(completion.system) + sum(tokens(message.text) for message in completion.messages)
    shown = sum(image_tokens(image) for message in completion.messages for image in message.images)
    model, room = (spec.provider, spec.vendor_id), spec.context - completion.max_output
    found = Reading(model, told, shown, room if counted is None else counted, too_long=counted is None)
    return correction, found
