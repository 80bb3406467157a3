"""What was written down and owed about one account, to be compared before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from engine.domain import Person, TierName
from engine.facts import Mode, TierChange
from engine.figures import Movement, MovementKind
from engine.ledger import Tx
from engine.notices import Notice, NoticeKind
from storage.store import Store
from tests.engine.conftest import ALICE
from tests.fakes.stripe.world import World
from tests.money.oracle import Due, due


@dataclass(frozen=True, slots=True)
class Book:
    """Every tier change, movement and notice of an account, oldest first."""

    account: str
    changes: Sequence[TierChange]
    movements: Sequence[Movement]
    notices: Sequence[Notice]
    mrr: Fraction

    @property
    def tiers(self) -> list[TierName]:
        """The tiers that the account came to, one after the other."""
        return [change.after for change in self.changes]

    @property
    def moved(self) -> list[MovementKind]:
        """What its movements are called."""
        return [movement.kind for movement in self.movements]

    @property
    def told(self) -> list[NoticeKind]:
        """What its person was told."""
        return [notice.kind for notice in self.notices]

    def agrees(self, world: World) -> bool:
        """Whether the last tier written down and the revenue are what Stripe's objects imply now."""
        tier = self.tiers[-1] if self.changes else TierName.FREE
        total = sum((movement.delta for movement in self.movements), Fraction(0))
        return due(world, self.account) == Due(tier, self.mrr) and total == self.mrr


async def book_of(store: Store, person: Person = ALICE) -> Book:
    """What is written down about a person who has dealt with us."""

    def work(tx: Tx) -> Book:
        account = tx.find_account(person)
        assert account, person
        return Book(
            account.id,
            tuple(tx.tier_changes(account.id)),
            tuple(tx.account_movements(account.id, Mode.TEST)),
            tuple(sorted(tx.notices(account.id), key=lambda notice: notice.created_at)),
            tx.mrr(account.id, Mode.TEST),
        )

    return await store.read(work)
