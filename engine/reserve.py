"""What an admitted question holds, so that nothing that is done for it can cost more."""

from __future__ import annotations

from collections.abc import Sequence

from engine.domain import Micros
from engine.pricing import MILLION, dearest, most
from engine.routing import Route


def reserved(routes: Sequence[Route]) -> Micros:
    """What is held for a question that these may answer: a whole answer, and what may fail before it.

    That is one reading for nothing, as a vendor may charge for a request that it then broke off, and a whole
    second answer where the first model is hedged: until one of the two speaks, both may be charged in full.
    """
    lost = max(map(unanswered, routes))
    return Micros(max(map(worst, routes)) + lost + (worst(routes[1]) if hedged(routes) else 0))


def hedged(routes: Sequence[Route]) -> bool:
    """Whether a second model may be asked beside the first."""
    return len(routes) > 1 and routes[0].spec.hedge_after is not None


def worst(route: Route) -> Micros:
    """The most that one request to a model may cost; nothing without a price."""
    return most(route.spec, route.size, route.completion.max_output)


def fitted(route: Route, left: Micros) -> Route | None:
    """The same with an answer as long as may be for so much money; None if that is less than half of it."""
    if worst(route) <= left:
        return route
    price, most = dearest(route.spec.price), route.completion.max_output
    if price is None or not price.output:
        return None
    room = (left - unanswered(route)) * MILLION // price.output
    return route.answering(room) if 2 * room >= most else None


def unanswered(route: Route) -> Micros:
    """The most that a request may cost to which no answer came."""
    return most(route.spec, route.size, 0)
