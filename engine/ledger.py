"""What a unit of work may do with storage: the Tx protocol, in which nothing can touch the network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from engine.acquaintance import AcquaintanceTx
from engine.alerts import AlertsTx
from engine.announcements import AnnouncementsTx
from engine.audit import AuditTx
from engine.blocks import BlocksTx
from engine.books import BooksTx
from engine.briefs import BriefsTx
from engine.circuit import CircuitsTx
from engine.domain import Account, AccountId, Conversation, ConversationId, Micros, Person, TurnId
from engine.erasure import ErasureTx
from engine.estimates import EstimatesTx
from engine.facts import (
    AttemptStatus,
    BillingEvent,
    CheckoutAttempt,
    CustomerId,
    CustomerRecord,
    DirtyCustomer,
    Mode,
    SessionId,
    Subscription,
    TierChange,
)
from engine.grants import GrantsTx
from engine.happenings import HappeningsTx
from engine.installations import InstallationsTx
from engine.kept import KeepingTx
from engine.notices import NoticesTx
from engine.passes import PassesTx
from engine.pauses import PausesTx
from engine.recorded import RecordedTx
from engine.rereading import RereadingTx
from engine.retention import RetentionTx
from engine.rules import RulesTx
from engine.screening import ScreeningTx
from engine.seats import TeamsTx
from engine.seeking import SeekingTx
from engine.simulated import PlaygroundTx
from engine.spending import SpendingTx
from engine.summaries import SummariesTx
from engine.tallies import TalliesTx
from engine.turns import Branch, Exchange, Hold, Orphan, Settlement, Turn, UsageFacts
from engine.unrest import UnrestTx
from engine.vitals import VitalsTx


class PeopleTx(Protocol):
    """Accounts and the people they belong to."""

    def lock_account(self, person: Person, now: datetime) -> Account:
        """The person's account, made on first sight, locked until the unit ends.

        Two processes that meet somebody at once make one account. Its id is random: Stripe's idempotency keys
        are made of it, and two installations on one Stripe account must not share a customer.
        """
        ...

    def lock_account_id(self, account: AccountId) -> Account | None:
        """The same by id, without making one."""
        ...

    def find_account(self, person: Person) -> Account | None:
        """The person's account, if ever seen; no lock."""
        ...

    def set_model(self, account: AccountId, model: str | None) -> None:
        """Remember the member's chosen model."""
        ...

    def set_instructions(self, account: AccountId, instructions: str) -> None:
        """Remember how the member wants to be answered; empty: no wish."""
        ...

    def set_private(self, account: AccountId, *, private: bool) -> None:
        """Remember whether the member's `/ask` is for their eyes alone."""
        ...


class TurnsTx(Protocol):
    """Conversations, turns and what limits are counted on."""

    def claim(self, key: str, now: datetime) -> bool:
        """Take a platform's message key; False if anybody took it before."""
        ...

    def usage(self, account: AccountId, now: datetime) -> UsageFacts:
        """Counts for limits at `now`; call `release_expired` for the account first."""
        ...

    def find_branch(self, account: AccountId, anchors: Sequence[str]) -> Branch | None:
        """Where the account's conversation at the first anchor that has one goes on.

        An anchor with a turn leads to that turn, or while that is not settled to the one before it; one
        without leads to the turn of the conversation that was settled last.
        """
        ...

    def conversation(self, conversation: ConversationId) -> Conversation | None:
        """A conversation by id."""
        ...

    def open_conversation(self, conversation: Conversation) -> None:
        """Store a new conversation."""
        ...

    def set_conversation_model(self, conversation: ConversationId, model: str | None) -> None:
        """Remember the model that answers in this conversation; None: no own one."""
        ...

    def bind(
        self,
        account: AccountId,
        conversation: ConversationId,
        anchors: Sequence[str],
        turn: TurnId | None = None,
    ) -> None:
        """Let these anchors lead to the conversation from now on, with `turn` to that turn of it.

        Without it, an anchor that leads to a turn of that conversation goes on leading there.
        """
        ...

    def unbind(self, account: AccountId, anchors: Sequence[str]) -> None:
        """Let these anchors lead nowhere."""
        ...

    def turn(self, turn: TurnId) -> Turn | None:
        """A turn by id."""
        ...

    def history(self, tip: TurnId, limit: int, room: int | None = None) -> Sequence[Exchange]:
        """The way to a turn: it and those before it on its branch, at most `limit`, oldest first.

        Read until there are `room` characters, with the newest `HISTORY_IMAGES` and `HISTORY_PDFS`. A turn
        with a summary is the first one, unless it is among the newest `NEAR`.
        """
        ...

    def conversations(
        self, account: AccountId, before: tuple[datetime, ConversationId] | None, limit: int
    ) -> Sequence[Conversation]:
        """The account's conversations, newest first: the first `limit` begun before that one."""
        ...

    def turns(
        self, conversation: ConversationId, after: tuple[datetime, TurnId] | None, limit: int
    ) -> Sequence[Turn]:
        """Turns of all branches of a conversation, oldest first: the first `limit` after that one.

        Without their images and PDFs, whose names are in the prompts.
        """
        ...

    def lock_turn(self, turn: TurnId) -> bool:
        """Lock the account of a turn; False if the turn is gone, as its member was erased."""
        ...

    def hold(self, hold: Hold) -> None:
        """Reserve: store the turn as held, and add one to its conversation's live turns.

        A conversation without live turns gets the UTC day of `started_at` as its counting day.
        """
        ...

    def settle(self, turn: TurnId, settlement: Settlement) -> bool:
        """Held (or released, if its lease ran out meanwhile) becomes settled; False if it was so before."""
        ...

    def release(self, turn: TurnId, outcome: str, now: datetime) -> bool:
        """Held becomes released and counts nowhere, but in the rate if it was stopped; False if not held."""
        ...

    def record_spend(self, turn: TurnId, settlement: Settlement) -> None:
        """Note on a released turn what the vendor charged for it all the same; it stays uncounted."""
        ...

    def renew_leases(self, turns: Sequence[TurnId], until: datetime) -> int:
        """Move the leases of those of these turns that are held; how many."""
        ...

    def release_expired(self, now: datetime, account: AccountId | None = None) -> int:
        """Release held turns whose lease ran out, of one account that is locked, or of all; how many."""
        ...

    def book_lost(self, now: datetime, limit: int) -> int:
        """Write down what turns whose process was lost may have cost: all that was held for them.

        At most `limit` of those that were released; how many. To be called in a unit of its own.
        """
        ...

    def mark_place(self, turn: TurnId, place: str) -> None:
        """Note where a held turn's answer is shown, for the case that its process is lost."""
        ...

    def orphans(self, platforms: Sequence[str], limit: int) -> Sequence[Orphan]:
        """Released turns of these platforms' members that still have a place, the oldest first."""
        ...

    def forget_place(self, turn: TurnId) -> None:
        """What is shown for an orphan has been mended, or cannot be."""
        ...

    def rate(self, turn: TurnId, account: AccountId, *, good: bool) -> bool:
        """Note what the account thinks of its settled turn; False if it is not kept, or another's."""
        ...

    def ask_stop(self, account: AccountId, now: datetime, turn: TurnId | None = None) -> Sequence[TurnId]:
        """Ask for the end of the account's held turns: of all, or of that one and those of its comparison.

        Returns which they are. Call `release_expired` for the account first.
        """
        ...

    def held_turns(self, account: AccountId, conversation: ConversationId) -> Sequence[TurnId]:
        """The turns of an account's conversation that are being answered, oldest first."""
        ...

    def stops_asked(self, owner: str) -> Sequence[TurnId]:
        """Held turns of a process that are asked to stop."""
        ...

    def spent(self, account: AccountId, month: datetime) -> tuple[Micros, Micros]:
        """Vendor cost of turns begun in that UTC month, without held ones; what of it released ones cost."""
        ...

    def forget_claims(self, before: datetime) -> int:
        """Drop keys claimed before then; how many."""
        ...


class MoneyTx(Protocol):
    """Customers, subscriptions, checkout attempts, Stripe's events and the queue of customers to read."""

    def customer(self, account: AccountId, mode: Mode) -> CustomerRecord | None:
        """The account's customer record."""
        ...

    def save_customer(self, record: CustomerRecord) -> None:
        """Insert or replace the record of (account, mode)."""
        ...

    def account_of(self, mode: Mode, customer: CustomerId) -> AccountId | None:
        """Whose customer it is; None for a foreign one."""
        ...

    def subscriptions(self, account: AccountId, mode: Mode) -> Sequence[Subscription]:
        """Stored facts, newest created first."""
        ...

    def replace_subscriptions(
        self, account: AccountId, mode: Mode, subscriptions: Sequence[Subscription], now: datetime
    ) -> None:
        """Make the stored facts exactly these."""
        ...

    def open_attempt(self, account: AccountId, mode: Mode) -> CheckoutAttempt | None:
        """The one open checkout attempt."""
        ...

    def attempt_of(self, session: SessionId) -> CheckoutAttempt | None:
        """The attempt that a session belongs to."""
        ...

    def latest_attempt(self, account: AccountId, mode: Mode) -> CheckoutAttempt | None:
        """The newest attempt, whatever became of it."""
        ...

    def save_attempt(self, attempt: CheckoutAttempt) -> None:
        """Insert or update by id; a second open one of the same account and mode is an integrity error."""
        ...

    def close_attempts(self, account: AccountId, mode: Mode, status: AttemptStatus) -> None:
        """End the open attempt, if any."""
        ...

    def store_event(self, event: BillingEvent, now: datetime, *, matters: bool) -> bool:
        """Keep a verified event once, as pending if it `matters`; False if its id was stored before."""
        ...

    def forget_payloads(self, before: datetime, limit: int) -> int:
        """Empty some payloads of events received before then; how many. What they were about stays."""
        ...

    def mark_dirty(self, mode: Mode, customer: CustomerId, due: datetime) -> None:
        """Note that a customer has to be read: its generation rises; the earlier due time counts."""
        ...

    def mark_all_dirty(self, now: datetime) -> int:
        """The same for all customers that are known, due at once; how many."""
        ...

    def claim_dirty(
        self,
        mode: Mode,
        now: datetime,
        lease_until: datetime,
        token: str,
        limit: int,
        customer: CustomerId | None = None,
    ) -> Sequence[DirtyCustomer]:
        """Take due customers of a mode nobody holds a live lease on, or that one customer whether due or not.

        Rows with done_gen = gen are clean and not taken, unless that one customer is asked for.
        """
        ...

    def finish_sync(self, dirty: DirtyCustomer) -> bool:
        """End a claim well: done_gen becomes the claimed gen; False if the lease was lost (fence)."""
        ...

    def fail_sync(self, dirty: DirtyCustomer, due: datetime, error: str) -> None:
        """End a claim badly: free the lease, fails + 1, due again at `due`."""
        ...

    def give_up_sync(self, dirty: DirtyCustomer, error: str) -> None:
        """End a claim for good: a dead letter, until it is retried or the customer is marked dirty again."""
        ...

    def settle_events(
        self, mode: Mode, customer: CustomerId, received_before: datetime, now: datetime
    ) -> None:
        """Mark pending events of a customer that were received by then as applied."""
        ...

    def add_tier_change(self, change: TierChange) -> TierChange:
        """Append it with the account's next number (the given number is ignored)."""
        ...

    def tier_changes(self, account: AccountId) -> Sequence[TierChange]:
        """All changes of an account, oldest first."""
        ...

    def queue_depth(self, now: datetime) -> tuple[int, datetime | None]:
        """How many customers wait to be read, and since when the oldest is due."""
        ...


class Tx(
    PeopleTx,
    AcquaintanceTx,
    TurnsTx,
    MoneyTx,
    BooksTx,
    NoticesTx,
    PlaygroundTx,
    InstallationsTx,
    RulesTx,
    AlertsTx,
    SpendingTx,
    RecordedTx,
    EstimatesTx,
    KeepingTx,
    ScreeningTx,
    TeamsTx,
    SummariesTx,
    CircuitsTx,
    UnrestTx,
    AuditTx,
    ErasureTx,
    RetentionTx,
    HappeningsTx,
    BriefsTx,
    PassesTx,
    BlocksTx,
    PausesTx,
    TalliesTx,
    VitalsTx,
    GrantsTx,
    AnnouncementsTx,
    RereadingTx,
    SeekingTx,
    Protocol,
):
    """One unit of work on the database."""

    def conversations_on(self, account: AccountId, day: date) -> int:
        """Counted conversations of a UTC day."""
        ...


def locked(tx: Tx, person: Person) -> Account | None:
    """A person's account under its lock, if there is one, without taking this for a sign of life."""
    found = tx.find_account(person)
    return tx.lock_account_id(found.id) if found else None
