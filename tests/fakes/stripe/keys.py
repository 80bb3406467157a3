"""What an API key opens: one mode's objects, and of a restricted key only some routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.fakes.stripe.wire import Json, StripeError, in_other_mode
from tests.fakes.stripe.world import World

ACCOUNT = "acct_fake"
_LIVE = ("sk_live_", "rk_live_")
_NO_RESOURCE = {"v1", "v2", "billing", "core"}


@dataclass(slots=True)
class Rights:
    """The rights that restricted keys lack, each a beginning of routes, such as `POST /v1/billing`."""

    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def restrict(self, key: str, *missing: str) -> None:
        """Take rights from a key, in place of those it lacked before."""
        self.missing[key] = missing

    def check(self, world: World, key: str, route: str, ids: Iterable[tuple[str, str]]) -> None:
        """Let a request pass or raise what Stripe says; `ids` are the strings it names, by parameter."""
        if key.startswith(_LIVE) != world.livemode:
            raise _wrong_mode(world, key, ids)
        if route.startswith(self.missing.get(key, ())):
            raise StripeError(_no_right(key, route), status=403)


def _wrong_mode(world: World, key: str, ids: Iterable[tuple[str, str]]) -> StripeError:
    for param, wanted in ids:
        found = world.find(wanted)
        if found is not None:
            noun = found.get("object", "object")
            message = f"No such {noun}: '{wanted}'{in_other_mode(livemode=world.livemode)}"
            status = 404 if param == "id" else 400
            return StripeError(message, status=status, param=param, code="resource_missing")
    return StripeError(f"Invalid API Key provided: {masked(key)}", status=401)


def ids_in(path: dict[str, str], params: Json) -> Iterator[tuple[str, str]]:
    """The strings that a request names at its top level; those of its path as `id`."""
    for value in path.values():
        yield "id", value
    for name, value in params.items():
        if isinstance(value, str):
            yield name, value


def masked(key: str) -> str:
    """A key as far as Stripe shows it."""
    return f"{key[:8]}***"


def _no_right(key: str, route: str) -> str:
    method, _, path = route.partition(" ")
    parts = [part for part in path.split("/") if part and part not in _NO_RESOURCE and "{" not in part]
    word = "_".join(part.removesuffix("s") for part in parts[:2])
    right = f"rak_{word}_{'read' if method == 'GET' else 'write'}"
    return (
        f"The provided key '{masked(key)}' does not have the required permissions for this endpoint on "
        f"account '{ACCOUNT}'. Having the '{right}' permission would allow this request to continue."
    )
