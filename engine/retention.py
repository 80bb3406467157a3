"""How long what is old is kept, as the operator decides, and letting it go a little at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each is kept; None: for ever."""

    content: timedelta | None = None
    """What was said in a conversation, after its last turn."""
    payloads: timedelta | None = timedelta(days=30)
    """What came with Stripe's events; Stripe itself keeps them as long."""
    events: timedelta | None = timedelta(days=400)
    """What members came to, each time."""
    audit: timedelta | None = None
    """What operators did."""


class RetentionTx(Protocol):
    """Letting go, of at most about `limit` rows in one unit of work; whoever does it again does no harm."""

    def empty_conversations(self, before: datetime, now: datetime, limit: int) -> int:
        """Empty what was said in conversations whose last turn began before then, the oldest first.

        Some of them, or a part of one; never one with a held turn. How many were looked at, 0 if none is due.
        """
        ...

    def forget_messages(self, before: datetime, limit: int) -> int:
        """Drop messages of the playground that were shown before then; how many."""
        ...

    def empty_announcements(self, before: datetime, limit: int) -> int:
        """Empty the texts of announcements that have ended and were sent from before then on; how many."""
        ...

    def forget_deeds(self, before: datetime, limit: int) -> int:
        """Drop rows of the audit log that were written before then; how many."""
        ...
