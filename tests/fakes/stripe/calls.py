"""One API call as a resource sees it, and the tables that lead a route to its resource."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World

_PAGE = 10
_LARGEST_PAGE = 100
PAGING = frozenset({"limit", "starting_after", "ending_before"})


@dataclass(frozen=True, slots=True)
class Call:
    """Typed parameters and the values in the path."""

    params: Json
    path: dict[str, str]


@dataclass(frozen=True, slots=True)
class Route:
    """Who serves a route, and which parameters it really honours; others are refused, not ignored."""

    serve: Callable[[World, Call], Json]
    honours: frozenset[str] = frozenset()


Routes = dict[str, Route]


def route(serve: Callable[[World, Call], Json], *honours: str) -> Route:
    """A route that honours these parameters."""
    return Route(serve, frozenset(honours))


def listing(serve: Callable[[World, Call], Json], *honours: str) -> Route:
    """A route that lists, with Stripe's paging parameters."""
    return Route(serve, PAGING | set(honours))


def page(rows: list[Json], params: Json, url: str) -> Json:
    """One page of rows (newest first) as Stripe cuts it."""
    limit = params.get("limit", _PAGE)
    if not 1 <= limit <= _LARGEST_PAGE:
        raise StripeError(f"Invalid limit: {limit}", param="limit", code="parameter_invalid_integer")
    ids = [row["id"] for row in rows]
    if "ending_before" in params:
        end = _position(ids, params["ending_before"], "ending_before")
        start = max(0, end - limit)
        return {"object": "list", "data": rows[start:end], "has_more": start > 0, "url": url}
    after = params.get("starting_after")
    start = 0 if after is None else _position(ids, after, "starting_after") + 1
    end = start + limit
    return {"object": "list", "data": rows[start:end], "has_more": end < len(rows), "url": url}


def _position(ids: list[str], wanted: str, param: str) -> int:
    if wanted not in ids:
        raise StripeError(f"No such object: '{wanted}'", param=param, code="resource_missing")
    return ids.index(wanted)


def in_range(value: int, limits: int | dict[str, int] | None) -> bool:
    """Whether a time passes a filter such as `created[gte]`."""
    if limits is None:
        return True
    if isinstance(limits, int):
        return value == limits
    above = value > limits.get("gt", value - 1) and value >= limits.get("gte", value)
    below = value < limits.get("lt", value + 1) and value <= limits.get("lte", value)
    return above and below
