"""How checkouts stand, asked of the engine seldom enough that waiting pages cannot wear it out."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.errors import GiveUpError, TellOperatorError, TryAgainError
from engine.facts import SessionId
from engine.subscriptions import Activation, PurchaseStatus
from webhooks.site import CheckoutStatus

logger = logging.getLogger("webhooks")

FRESH_SECONDS = 2.0
LOOKS_A_SECOND = 20
REMEMBERED = 1000
PATIENCE_SECONDS = 5.0

PENDING = PurchaseStatus(Activation.PENDING)
UNKNOWN = PurchaseStatus(Activation.UNKNOWN)

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,255}")


@dataclass(slots=True)
class _Look:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    found: PurchaseStatus = PENDING
    at: float | None = None


class Checkouts:
    """One look at a session every two seconds, however many pages ask, and twenty looks a second in all."""

    def __init__(self, ask: CheckoutStatus | None, *, pace: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._pace = pace
        self._looks: OrderedDict[str, _Look] = OrderedDict()
        self._recent: deque[float] = deque(maxlen=LOOKS_A_SECOND)

    async def status(self, session: str) -> PurchaseStatus:
        """How far the purchase of a session is; pending when in doubt, unknown for what is no session id."""
        if self._ask is None or not _SESSION.fullmatch(session):
            return UNKNOWN
        look = self._remember(session)
        async with look.lock:
            now = self._pace()
            if look.at is None or now - look.at >= FRESH_SECONDS:
                if self._too_many(now):
                    return look.found
                look.found = await self._look(self._ask, SessionId(session))
                look.at = self._pace()
            return look.found

    def _remember(self, session: str) -> _Look:
        look = self._looks.setdefault(session, _Look())
        self._looks.move_to_end(session)
        if len(self._looks) > REMEMBERED:
            self._looks.popitem(last=False)
        return look

    def _too_many(self, now: float) -> bool:
        if len(self._recent) == self._recent.maxlen and now - self._recent[0] < 1:
            return True
        self._recent.append(now)
        return False

    async def _look(self, ask: CheckoutStatus, session: SessionId) -> PurchaseStatus:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await ask(session)
        except (TryAgainError, TimeoutError):
            return PENDING
        except TellOperatorError as error:
            logger.error("a purchase cannot be looked up", extra={"why": str(error)})  # noqa: TRY400 - in words
            return PENDING
        except GiveUpError:
            return UNKNOWN
