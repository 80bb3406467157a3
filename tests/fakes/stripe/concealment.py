"""Leaves out what Stripe shows only to a call that asks to have it expanded: the tiers of a price."""

from __future__ import annotations

from collections.abc import Collection

from tests.fakes.stripe.wire import Json


def conceal(answer: Json, expanded: Collection[str] = ()) -> Json:
    """The same answer with no tiers but those at the paths that were expanded; changes it in place."""
    _conceal(answer, "", frozenset(expanded))
    return answer


def _conceal(node: object, path: str, expanded: frozenset[str]) -> None:
    if isinstance(node, list):
        for inner in node:
            _conceal(inner, path, expanded)
    elif isinstance(node, dict):
        _conceal_tiers(node, path, expanded)
        for name, inner in node.items():
            _conceal(inner, f"{path}{name}.", expanded)


def _conceal_tiers(node: Json, path: str, expanded: frozenset[str]) -> None:
    asked = f"{path}tiers" in expanded and node.get("billing_scheme") == "tiered"
    if node.get("object") == "price" and not asked:
        node.pop("tiers", None)
