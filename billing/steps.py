"""What is done to a Stripe account step by step, so that a repeat never doubles anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import stripe

from billing.client import StripeCaller
from billing.rights import Right

Act = Callable[[StripeCaller], Awaitable[str | None]]
Made = TypeVar("Made", bound=stripe.StripeObject)

REPLAYED = "Idempotent-Replayed"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    `sentence` says it to people, `fault` what is wrong until then (empty: nothing that members would notice),
    `right` what a restricted key needs to write. `act` returns the signing secret that it brought to light.
    """

    sentence: str
    fault: str
    right: Right
    act: Act


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of the account needs, and remarks on what is left alone."""

    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


def key_for(what: str, params: object) -> str:
    """An idempotency key: equal wishes have equal keys, as Stripe demands."""
    written = json.dumps(params, sort_keys=True, default=str)
    return f"setup-{what}-{hashlib.sha256(written.encode()).hexdigest()[:32]}"


async def once(
    key: str, make: Callable[[str], Awaitable[Made]], exists: Callable[[Made], Awaitable[bool]]
) -> Made:
    """What `make` makes under a key, however often it is begun.

    For a day Stripe repeats its answer to a key, even if what it made was deleted since: then the next key is
    taken, which follows from the one that is gone.
    """
    base, made = key, await make(key)
    while replayed(made) and not await exists(made):
        made = await make(f"{base}-{made['id']}")
    return made


def replayed(answer: stripe.StripeObject) -> bool:
    """Whether Stripe gave an earlier answer again."""
    response = answer.last_response
    return response is not None and response.headers.get(REPLAYED) == "true"
