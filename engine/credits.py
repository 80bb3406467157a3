"""Conversations beyond the daily limit: how many may be begun, and on which credit each one is."""

from __future__ import annotations

from datetime import datetime

from engine.domain import AccountId, ConversationId, Tier
from engine.facts import Mode
from engine.grants import left, spendable
from engine.ledger import Tx
from engine.turns import UsageFacts

MOST_BEGUN = 4
"""Conversations that one question begins at most: the models of a comparison."""


def credits_near(
    tx: Tx, account: AccountId, mode: Mode, tier: Tier, usage: UsageFacts, now: datetime
) -> int | None:
    """What is left of credits, read under the account's lock and only where a question may need them.

    None: none were given that are good at `now`, or none can be needed.
    """
    limit = tier.conversations_per_day
    if limit is None or usage.conversations_today + MOST_BEGUN <= limit:
        return None
    given = [each for each in tx.credits(account, mode) if now < each.until and each.revoked_at is None]
    return left(given, now) if given else None


def begin_on_credit(
    tx: Tx, account: AccountId, mode: Mode, conversation: ConversationId, now: datetime
) -> None:
    """Begin a conversation on the credit that ends first; the limits have found that there is one.

    They are read again: of a comparison's conversations each takes what the one before it left.
    """
    tx.begin_on(conversation, spendable(tx.credits(account, mode), now)[0], now)
