"""A database with somebody in it, to be backed up and restored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.audit import Actor, Origin
from engine.domain import AccountId, Person, Platform
from engine.facts import CustomerId, CustomerRecord, Mode
from engine.ledger import Tx
from storage.backup import Backups
from storage.store import open_store
from tests.fakes.clock import NOON, FakeClock

ANN = Person(Platform.LOCAL, "", "ann")
BEN = Person(Platform.LOCAL, "", "ben")
ADA = Actor("console:ada", Origin.CONSOLE)


@dataclass
class Place:
    """A database with Ann in it, and where its backups go."""

    url: str
    clock: FakeClock
    folder: Path

    @property
    def file(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    @property
    def backups(self) -> Backups:
        return Backups(self.url, self.clock)

    async def known(self, person: Person) -> bool:
        """Whether the database knows somebody."""
        async with await open_store(self.url, self.clock) as store:
            return await store.read(lambda tx: tx.find_account(person) is not None)

    async def meet(self, person: Person) -> None:
        """Make somebody's account, with a customer."""
        async with await open_store(self.url, self.clock) as store:
            await store.transact(lambda tx: met(tx, person))


def met(tx: Tx, person: Person) -> AccountId:
    account = tx.lock_account(person, NOON).id
    tx.save_customer(CustomerRecord(account, Mode.TEST, CustomerId(f"cus_{person.user}"), 1))
    return account
