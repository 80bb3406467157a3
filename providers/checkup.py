"""Asks each vendor for the list of its models, which costs nothing: key, address and ids are seen at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from engine.checkup import Finding, good, worth_knowing, wrong
from engine.errors import GiveUpError, OutsideError, TellOperatorError
from engine.models import ModelSpec
from engine.ports import Model
from providers.lazy import LazyModel

AREA = "Models"
PATIENCE = 20.0
"""Seconds for one vendor."""


async def check_vendors(
    models: Mapping[str, Model], shelf: Sequence[ModelSpec], keys: Mapping[str, str]
) -> list[Finding]:
    """What came of asking all vendors that are on, at once; `keys` are the variables by vendor."""
    asked = {name: model for name, model in models.items() if isinstance(model, LazyModel)}
    if not asked:
        return [worth_knowing(AREA, f"only demo models answer. {WANTED}")]
    found = await asyncio.gather(*(look(name, each, shelf, keys) for name, each in asked.items()))
    return [finding for findings in found for finding in findings]


WANTED = "Set OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY, or add a server to config.toml."


async def look(
    name: str, model: LazyModel, shelf: Sequence[ModelSpec], keys: Mapping[str, str]
) -> Sequence[Finding]:
    """What came of one vendor."""
    key = keys.get(name) or "the address of the provider in config.toml"
    try:
        async with asyncio.timeout(PATIENCE):
            known = await model.names()
    except TimeoutError:
        return [wrong(AREA, f"{name} says nothing for {PATIENCE:.0f} s. Check the network and its address.")]
    except TellOperatorError as error:
        return [wrong(AREA, one_line(error), mend=f"Check {key}, and the account at the vendor.")]
    except GiveUpError:
        return [unlisted(name)]
    except OutsideError as error:
        return [wrong(AREA, one_line(error), mend="Check the network and its address, then try again.")]
    return list(of_list(name, shelf, known)) if known else [unlisted(name)]


def unlisted(name: str) -> Finding:
    """A vendor keeps its models to itself, as some servers do."""
    return worth_knowing(AREA, f"{name} lists no models. `main.py models --check` asks each.")


def of_list(name: str, shelf: Sequence[ModelSpec], known: frozenset[str]) -> Iterator[Finding]:
    """What a vendor's list says of our models; one that is not in it may answer all the same."""
    ours = [spec for spec in shelf if spec.provider == name]
    missing = [spec for spec in ours if spec.vendor_id not in known]
    yield good(AREA, f"{name} takes the key and lists {len(ours) - len(missing)} of our {len(ours)} models")
    for spec in missing:
        yield worth_knowing(
            AREA,
            f"{name} does not list {spec.vendor_id} ({spec.name}). "
            f"Check `id` in [models.{spec.name}]; `main.py models --check {spec.name}` asks it.",
        )


def one_line(error: OutsideError) -> str:
    """What a vendor said, without its full stop."""
    return " ".join(str(error).split()).rstrip(".")
