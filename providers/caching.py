"""What of a question is worth a place in a vendor's cache, and by which name it is found there again."""

from __future__ import annotations

from hashlib import blake2b

from engine.context import tokens, weight
from engine.models import Completion

LEAST = 512
"""Tokens; no vendor caches a shorter beginning (documented: 512 to 4,096, by vendor and model)."""
FOLLOW_UP = 2
"""Messages from which a question is one of a conversation that is going on."""


def end_of_prefix(completion: Completion) -> int | None:
    """The place of the last message that is worth writing into a cache, with all before it; None: nothing is.

    A write costs a quarter more than a plain read and pays if somebody asks on within minutes, which a first
    question does not tell yet (docs/decisions/0030).
    """
    stable = min(completion.stable, len(completion.messages))
    if not stable or len(completion.messages) < FOLLOW_UP:
        return None
    prefix = completion.messages[:stable]
    long_enough = tokens(completion.system) + sum(map(weight, prefix)) >= LEAST
    return stable - 1 if long_enough else None


def cache_key(completion: Completion) -> str:
    """A name for the beginning that the questions of a conversation share; nobody reads words from it."""
    beginning = blake2b(digest_size=16)
    for text in (completion.system, completion.messages[0].text):
        beginning.update(len(text).to_bytes(8) + text.encode())
    return beginning.hexdigest()
