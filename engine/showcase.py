"""What is on offer: who was shown it, and who chose something."""

from __future__ import annotations

from engine.domain import Person, TierName
from engine.figures import FunnelStep, Reached
from engine.happenings import Happening, HappeningKind
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.subscriptions import Subscriptions

ASKED = "asked"
"""The reason why prices are shown to whoever asks for them."""


class Showcase:
    """Writes down what somebody was shown and chose, whatever comes of it."""

    def __init__(self, store: Store, clock: Clock, subscriptions: Subscriptions) -> None:
        self._store = store
        self._clock = clock
        self._subscriptions = subscriptions

    async def prices_shown(self, person: Person) -> None:
        """Note that the person was shown what they could buy."""
        now, mode = self._clock.now(), self._subscriptions.mode

        def work(tx: Tx) -> None:
            account = tx.lock_account(person, now)
            tx.reach(Reached(account.id, mode, FunnelStep.PAYWALL_SHOWN, now))
            shown = HappeningKind.PAYWALL_SHOWN
            tx.happened(Happening(shown, account.id, mode, now, person.platform, reason=ASKED))

        await self._store.transact(work)

    async def chosen(self, person: Person, tier: TierName) -> None:
        """Note that the person chose a tier to buy, whatever comes of it."""
        now, mode = self._clock.now(), self._subscriptions.mode

        def work(tx: Tx) -> None:
            account = tx.lock_account(person, now)
            click = HappeningKind.UPGRADE_CLICK
            tx.happened(Happening(click, account.id, mode, now, person.platform, tier))

        await self._store.transact(work)
