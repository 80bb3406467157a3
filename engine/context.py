"""Fits a conversation's history into a model's window, whole turns only, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from engine.domain import Completion, Message, ModelSpec, Role
from engine.turns import Exchange

BYTES_PER_TOKEN = 3
"""Vendors' tokenisers give 3 to 5 bytes a token; the low end never promises room that is not there."""
PER_MESSAGE = 4
HISTORY_TURNS = 200


def tokens(text: str) -> int:
    """An upper estimate of a message's tokens."""
    return PER_MESSAGE + -(-len(text.encode()) // BYTES_PER_TOKEN)


def compose(spec: ModelSpec, system: str, history: Sequence[Exchange], prompt: str) -> Completion | None:
    """What to send to a model, with as many of the last turns as fit; None if not even the prompt does."""
    room = spec.context - spec.max_output - tokens(system) - tokens(prompt)
    if room < 0:
        return None
    kept: list[Exchange] = []
    for exchange in reversed(history):
        room -= tokens(exchange.prompt) + tokens(exchange.answer)
        if room < 0:
            break
        kept.insert(0, exchange)
    turns = [m for e in kept for m in (Message(Role.USER, e.prompt), Message(Role.ASSISTANT, e.answer))]
    return Completion(spec.vendor_id, system, (*turns, Message(Role.USER, prompt)), spec.max_output)


def size(completion: Completion) -> int:
    """An upper estimate of a completion's input tokens."""
    return tokens(completion.system) + sum(tokens(message.text) for message in completion.messages)
