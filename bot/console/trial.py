"""Asks models with one token each, to see whether vendor, key and id are right."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus

from engine.errors import ContentRefusedError, GiveUpError, OutsideError, TellOperatorError
from engine.models import Completion, Message, ModelSpec, Role
from engine.ports import Model

SECONDS = 30.0
"""For one model; within it one that has to load first has answered, too."""
FEW, MORE = 1, 64
"""Tokens that are asked for; more where a model takes no question for so few."""
STATUS = re.compile(r" (4\d\d)\b")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of asking a model: None, or what is wrong with how to mend it."""

    name: str
    trouble: str | None


async def ask_all(
    specs: Sequence[ModelSpec],
    models: Mapping[str, Model],
    keys: Mapping[str, str],
    told: Callable[[Verdict], None],
) -> list[Verdict]:
    """Ask each: the vendors at once, the models of one after another. `keys`: variables by provider.

    `told` hears of each as it comes.
    """
    verdicts: dict[str, Verdict] = {}

    async def ask(vendor: str) -> None:
        for spec in (each for each in specs if each.provider == vendor):
            verdict = Verdict(spec.name, await trouble(spec, models[vendor], keys.get(vendor, "")))
            verdicts[spec.name] = verdict
            told(verdict)

    async with asyncio.TaskGroup() as group:
        for vendor in {spec.provider for spec in specs}:
            group.create_task(ask(vendor))
    return [verdicts[spec.name] for spec in specs]


async def trouble(spec: ModelSpec, model: Model, key: str) -> str | None:
    """What is wrong with a model and how to mend it, None if it answers."""
    try:
        async with asyncio.timeout(SECONDS):
            await answer(spec, model)
    except TimeoutError:
        return f"says nothing for {SECONDS:.0f} s. {patience(spec)}"
    except ContentRefusedError:
        return None  # it read the question
    except TellOperatorError as error:
        return f"{ended(error)} {mend(spec, key, str(error))}"
    except GiveUpError as error:
        return f"{ended(error)} It does not take our question: check `kind` of the provider, and `id`."
    except OutsideError as error:
        return f"{ended(error)} {patience(spec)}"
    return None


async def answer(spec: ModelSpec, model: Model) -> None:
    """Wait for the first sign of an answer."""
    try:
        await sign(spec, model, FEW)
    except ContentRefusedError:
        raise
    except GiveUpError:
        await sign(spec, model, MORE)


async def sign(spec: ModelSpec, model: Model, tokens: int) -> None:
    """Ask for an answer of so many tokens, and leave at its first chunk."""
    asked = (Message(Role.USER, "Say yes."),)
    async with aclosing(model.stream(Completion(spec.vendor_id, "", asked, tokens))) as chunks:
        await anext(chunks, None)


def mend(spec: ModelSpec, key: str, said: str) -> str:
    """What the operator can do about a refusal."""
    found = STATUS.search(said)
    status = int(found[1]) if found else 0
    where = f"[models.{spec.name}]"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and key:
        return f"Check {key}: a whole key of this vendor, not withdrawn, that may use this model."
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return "Pay into the account at the vendor."
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return f"Check `id` in {where}, and the address of the provider."
    keyed = f"{key}, " if key else ""
    return f"Check {keyed}the credit of the account, and `id` in {where}."


def patience(spec: ModelSpec) -> str:
    """What the operator can do about a silence."""
    return f"Try again later; if it lasts, check the address of {spec.provider} and the way there."


def ended(error: OutsideError) -> str:
    """What a vendor said, as a sentence on one line."""
    return f"{' '.join(str(error).split()).rstrip('.')}."
