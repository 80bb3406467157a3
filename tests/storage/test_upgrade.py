"""How a database of the first version comes to the schema of this one, with all that it holds."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from engine.domain import AccountId, ConversationId, Interval, Micros, Person, Platform, TierName, TurnId
from engine.facts import (
    AttemptStatus,
    CheckoutAttempt,
    CustomerId,
    CustomerRecord,
    Mode,
    PaymentStatus,
    SessionId,
    Subscription,
    SubscriptionId,
)
from engine.ledger import Tx
from engine.spending import BOT
from storage.migrate import known_migrations, split_statements
from storage.store import Store, migrate, open_store
from tests.fakes.clock import NOON, FakeClock
from tests.storage.makers import MINUTE, change, rows
from tests.storage.test_migrate import apply

ANN = AccountId("ann")
OLD_ROWS = Path(__file__).with_name("first_version.sql")
LATE = Subscription(
    id=SubscriptionId("sub_1"),
    customer=CustomerId("cus_1"),
    mode=Mode.TEST,
    status=PaymentStatus.PAST_DUE,
    tier=TierName.PREMIUM,
    price="price_1",
    interval=Interval.YEAR,
    quantity=1,
    created_at=NOON,
    started_at=NOON,
    period_end=NOON + MINUTE,
    cancel_at=None,
    latest_invoice="in_1",
    past_due_since=NOON,
)
ENDED = Subscription(
    id=SubscriptionId("sub_2"),
    customer=CustomerId("cus_2"),
    mode=Mode.TEST,
    status=PaymentStatus.CANCELED,
    tier=None,
    price="price_2",
    interval=None,
    quantity=3,
    created_at=NOON + MINUTE,
    started_at=NOON + MINUTE,
    period_end=None,
    cancel_at=NOON + MINUTE,
    trial_end=NOON + MINUTE,
    collection_paused="void",
)


@pytest.fixture
async def old_url(blank_url: str, clock: FakeClock) -> str:
    """A database of the first version with rows, brought to this one."""
    await apply(blank_url, *known_migrations()[:1])
    change(blank_url, *split_statements(OLD_ROWS.read_text("utf-8")))
    assert await migrate(blank_url, clock) == [migration.name for migration in known_migrations()[1:]]
    return blank_url


@pytest.fixture
async def old(old_url: str, clock: FakeClock) -> Store:
    """A store on it."""
    return await open_store(old_url, clock)


async def test_what_was_stored_is_read_back_and_what_is_new_is_empty(old: Store) -> None:
    async with old:
        assert list(await old.read(lambda tx: tx.subscriptions(ANN, Mode.TEST))) == [ENDED, LATE]
        assert (LATE.mrr, LATE.planned, LATE.item, LATE.currency) == (Fraction(0), None, "", "usd")
        record = CustomerRecord(ANN, Mode.TEST, CustomerId("cus_1"), 2, trial_used_at=None)
        assert await old.read(lambda tx: tx.customer(ANN, Mode.TEST)) == record
        attempt = await old.read(lambda tx: tx.open_attempt(ANN, Mode.TEST))
    assert attempt == CheckoutAttempt(
        id="attempt",
        account=ANN,
        mode=Mode.TEST,
        person=Person(Platform.LOCAL, "", "ann"),
        tier=TierName.PRO,
        interval=Interval.MONTH,
        status=AttemptStatus.OPEN,
        created_at=NOON,
        expires_at=NOON + MINUTE,
        session=SessionId("cs_1"),
        trial_days=0,
        quantity=1,
    )


async def test_a_conversation_goes_on_where_it_was(old: Store) -> None:
    def look(tx: Tx) -> tuple[list[TurnId | None], list[list[str]]]:
        tips = [branch.tip for place in ("thread", "other") if (branch := tx.find_branch(ANN, [place]))]
        parents = [turn.parent for turn in tx.turns(ConversationId("talk"), None, 9)]
        ways = [[each.prompt for each in tx.history(TurnId(tip), 9)] for tip in ("c", "d")]
        return [*tips, *parents], ways

    async with old:
        tree, ways = await old.read(look)
        account = await old.read(lambda tx: tx.find_account(Person(Platform.LOCAL, "", "ann")))
    assert tree == ["c", None, None, "z", "z", "c"]
    assert ways == [["one", "three"], ["one", "three", "four"]]
    assert account
    assert (account.instructions, account.private) == ("", False)


async def test_every_customer_with_a_subscription_is_read_again(old: Store, old_url: str) -> None:
    async with old:
        dirty = await old.transact(lambda tx: tx.claim_dirty(Mode.TEST, NOON, NOON + MINUTE, "token", 9))
    assert {(each.customer, each.gen, each.fails) for each in dirty} == {
        ("cus_1", 5, 0),
        ("cus_2", 1, 0),
        ("cus_3", 1, 2),
    }
    assert rows(old_url, "SELECT COUNT(*) FROM sync_queue WHERE gen > done_gen AND dead = 0") == [(3,)]


async def test_an_old_notice_gets_the_mode_that_its_key_or_subscription_tells(old: Store) -> None:
    async with old:
        told = await old.read(lambda tx: tx.notices(ANN))
    assert [(each.id, each.mode, each.attempts) for each in told] == [
        ("n1", Mode.LIVE, 1),
        ("n2", Mode.TEST, 1),
        ("n3", Mode.SIMULATED, 0),
        ("n4", Mode.SIMULATED, 0),
        ("n5", Mode.TEST, 2),
        ("n6", Mode.LIVE, 0),
        ("n7", Mode.SIMULATED, 0),
    ]


async def test_what_was_spent_before_is_in_the_ledger_and_counts_for_the_bot(old: Store) -> None:
    def look(tx: Tx) -> tuple[list[tuple[TurnId | None, Micros | None, str]], int, int]:
        entries = tx.entries(NOON - MINUTE, NOON + MINUTE)
        known = [(each.turn, each.charge.cost, each.charge.provider) for each in entries]
        return known, tx.purse(BOT, NOON).spent, tx.spent(ANN, NOON)[0]

    async with old:
        assert await old.read(look) == ([("z", 5, ""), ("c", 5, "")], 10, 10)
