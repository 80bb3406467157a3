"""A counter: all that deals with a member's money, over the simulated Stripe on a real database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import urlsplit

from billing.simulated import SimulatedBilling
from billing.simulated_deeds import play
from billing.simulated_objects import Payer
from bot.affairs import Affairs
from bot.front import Front
from bot.intake import Intake
from engine.catalogue import Catalogue
from engine.changes import Changes
from engine.checkout import Checkout, CheckoutLink, Links
from engine.domain import Interval, Micros, Person, Tier, TierName
from engine.facts import Access, Dispute, DisputeStage, SessionId, Subscription
from engine.files import FileLimits
from engine.gifts import Gifts
from engine.giving import Giving
from engine.ledger import Tx
from engine.members import Members
from engine.metering import Meter
from engine.places import Places
from engine.ports import Billing, Clock, Store
from engine.simulated import SimulatedDeed
from engine.subscriptions import Subscriptions
from engine.terms import Policy
from providers.reading import FileReader
from tests.engine.conftest import ALICE, CATALOGUE, FREE, PREMIUM, Hall

LINKS = Links("https://bot.test/success", "https://bot.test/cancel", "https://bot.test/")
PAGES = "https://bot.test"
TEAM = replace(
    PREMIUM,
    name=TierName.TEAM,
    rank=2,
    price_month=Micros(29_990_000),
    price_year=Micros(299_000_000),
    seats=5,
    extra_seat_month=Micros(5_000_000),
    extra_seat_year=Micros(50_000_000),
)
PRO = replace(
    PREMIUM,
    name=TierName.PRO,
    rank=3,
    price_month=Micros(49_990_000),
    price_year=Micros(499_000_000),
    cost_ceiling_month=Micros(30_000_000),
)
TIERS: dict[TierName, Tier] = {tier.name: tier for tier in (FREE, PREMIUM, TEAM, PRO)}
METERED = Policy(metered_markup=Decimal("1.25"))


@dataclass(frozen=True, slots=True)
class Counter:
    """One process that sells and changes."""

    store: Store
    clock: Clock
    catalogue: Catalogue
    billing: Billing | None
    subscriptions: Subscriptions
    checkout: Checkout
    changes: Changes
    meter: Meter

    @property
    def affairs(self) -> Affairs:
        """What the bot needs of it."""
        parts = self.store, self.clock, self.catalogue, self.subscriptions
        given = Giving(*parts), Gifts(*parts)
        return Affairs(self.catalogue, self.checkout, self.changes, self.meter, *given)

    @property
    def simulated(self) -> SimulatedBilling:
        """The simulated Stripe."""
        assert isinstance(self.billing, SimulatedBilling)
        return self.billing

    async def buy(
        self, tier: TierName, interval: Interval = Interval.MONTH, person: Person = ALICE
    ) -> Subscription:
        """Buy and pay; the subscription as we know it then."""
        link = await self.checkout.upgrade(person, tier, interval)
        assert isinstance(link, CheckoutLink)
        await self.simulated.pay(SessionId(urlsplit(link.url).path.rpartition("/")[2]))
        return await self.subscription(person)

    async def subscription(self, person: Person = ALICE) -> Subscription:
        """The subscription that decides, read anew."""
        found = (await self.read(person)).subscription
        assert found is not None
        return found

    async def read(self, person: Person = ALICE) -> Access:
        """The access of a person, read anew."""
        mode = self.subscriptions.mode
        account = await self.store.read(lambda tx: tx.find_account(person))
        assert account is not None
        record = await self.store.read(lambda tx: tx.customer(account.id, mode))
        assert record is not None
        assert record.customer is not None
        await self.subscriptions.sync(record.customer)
        return await self.subscriptions.access(person)

    async def play(self, deed: SimulatedDeed, person: Person = ALICE) -> None:
        """Have something happen at the simulated Stripe."""
        customer, world = (await self.subscription(person)).customer, self.simulated.world
        await world.change(customer, lambda _, affairs: play(affairs, deed, world.clock.now(), world.prices))

    async def refuse_card(self, person: Person = ALICE) -> None:
        """Have the person's card declined from now on, with nothing due."""
        sub = await self.subscription(person)

        def work(tx: Tx) -> None:
            payer = tx.get_object(sub.customer)
            assert payer is not None
            tx.put_object(replace(Payer.read(payer), card_fails=True).stored())

        await self.store.transact(work)

    async def dispute(self, stage: DisputeStage, person: Person = ALICE) -> None:
        """Have the person's payment disputed."""
        sub, now = await self.subscription(person), self.clock.now()
        found = Dispute("dp_1", sub.mode, sub.customer, "ch_1", stage, Micros(8_990_000), now)

        def work(tx: Tx) -> None:
            tx.save_dispute(tx.lock_account(person, now).id, found, now)

        await self.store.transact(work)

    def front(self, hall: Hall, *, welcomes: bool = False) -> Front:
        """The bot at this counter, which welcomes people only where a test is about that."""
        members = Members(self.store, self.clock, self.catalogue, self.subscriptions.mode, hall.moderating)
        simulated = self.subscriptions.simulated
        on_sale, limits = self.billing is not None, FileLimits(files=2, megabytes=1, pages=3)
        return Front(
            hall.chat(),
            members,
            self.affairs,
            Intake(FileReader(limits), limits),
            Places(self.store, self.clock, self.catalogue, hall.moderating),
            simulated=simulated,
            for_sale=on_sale,
            welcomes=welcomes,
        )


def open_counter(
    store: Store, clock: Clock, billing: Billing | None, catalogue: Catalogue, policy: Policy = METERED
) -> Counter:
    """A counter over any billing, or none."""
    subscriptions = Subscriptions(store, clock, billing, policy=policy)
    return Counter(
        store,
        clock,
        catalogue,
        billing,
        subscriptions,
        Checkout(store, clock, billing, catalogue, subscriptions, LINKS, policy),
        Changes(store, clock, billing, catalogue, subscriptions),
        Meter(store, clock, billing, catalogue, subscriptions, policy),
    )


def simulated_counter(store: Store, clock: Clock, policy: Policy = METERED) -> Counter:
    """A counter over a simulated Stripe with all four tiers."""
    catalogue = replace(CATALOGUE, tiers=TIERS)
    return open_counter(store, clock, SimulatedBilling(store, clock, PAGES, TIERS, policy), catalogue, policy)
