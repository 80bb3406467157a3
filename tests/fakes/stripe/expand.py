"""Replaces ids by their objects where `expand` asks for it, to Stripe's depth of four."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.fakes.stripe.wire import Json, StripeError, copied
from tests.fakes.stripe.world import World

_DEEPEST = 4


def expand(world: World, answer: Json, paths: Iterable[str]) -> Json:
    """A copy of the answer with these paths expanded."""
    expanded: Json = copied(answer)
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST:
            raise StripeError(f"You cannot expand more than 4 levels of a property. Property: {path}")
        _walk(world, expanded, steps, path)
    return expanded


def _walk(world: World, node: Json, steps: list[str], path: str) -> None:
    name, *rest = steps
    if node.get("deleted"):
        return
    if name not in node:
        raise StripeError(f"This property cannot be expanded ({path}).", param="expand[0]")
    held = node[name]
    node[name] = [_whole(world, one) for one in held] if isinstance(held, list) else _whole(world, held)
    for child in _children(node[name]) if rest else ():
        _walk(world, child, rest, path)


def _whole(world: World, held: object) -> object:
    if not isinstance(held, str):
        return held
    return copied(world.find(held)) or held


def _children(value: object) -> Iterator[Json]:
    for child in value if isinstance(value, list) else [value]:
        if isinstance(child, dict):
            yield child
