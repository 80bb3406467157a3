"""Processes that die between two awaits, at a moment that is chosen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from engine.ledger import Tx
from storage.store import Store

T = TypeVar("T")


class Dying(BaseException):
    """The process is killed: nothing catches it, nothing is tidied up."""


@dataclass(slots=True)
class Fuse:
    """Burns down with every call outside; None never does."""

    left: int | None = None

    def burn(self) -> None:
        """One step nearer; Dying at the last one."""
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise Dying


class MortalStore:
    """A store whose process may die before or after each transaction."""

    def __init__(self, store: Store, fuse: Fuse) -> None:
        self._store = store
        self._fuse = fuse
        self.read = store.read

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Run the unit, or die before it or once it is committed."""
        self._fuse.burn()
        result = await self._store.transact(work)
        self._fuse.burn()
        return result


def dying_store(store: Store, last: int, *, after: bool) -> Store:
    """A store whose process dies before or after its `last` transaction, counted from 1."""
    return cast("Store", MortalStore(store, Fuse(2 * (last - 1) + after)))


class MortalBilling:
    """A gateway whose process may die before a call or once Stripe has answered it."""

    def __init__(self, gateway: object, fuse: Fuse) -> None:
        self._gateway = gateway
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the gateway has
        found = getattr(self._gateway, name)
        return self._mortal(found) if name in CALLS else found

    def _mortal(self, call: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def called(*args: object, **named: object) -> object:
            self._fuse.burn()
            result = await call(*args, **named)
            self._fuse.burn()
            return result

        return called


CALLS = frozenset(
    {
        "create_customer",
        "create_checkout_session",
        "expire_checkout_session",
        "get_stripe_subscription_status",
        "preview_change",
        "change_subscription",
        "end_subscription",
        "look_into",
        "report_usage",
        "create_customer_portal_session",
    }
)
