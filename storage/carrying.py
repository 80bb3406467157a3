"""What those who were erased had used of a day and a month, under keyed hashes, lest they have it anew."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from engine.domain import AccountId, Person
from storage.session import Session, day_number, micros, moment_or_none
from storage.spending import month_number

A_YEAR = timedelta(days=366)
"""How long a used trial and a block are remembered; more than any period."""


def hashed(secret: str, person: Person) -> str:
    """A person's keyed hash."""
    return hmac.new(bytes.fromhex(secret), str(person).encode(), sha256).hexdigest()


def conversations_of(session: Session, account: AccountId, now: datetime) -> int:
    """How many conversations of today count, those too whose first answer is being written."""
    row = session.one("conversations_on", account=account, day=now.date())
    return int(row["counted"]) if row else 0


def remember(session: Session, account: AccountId, person: Person, begun: int, now: datetime) -> None:
    """Write down what an account, which is locked, has used by now; nothing if that is nothing."""
    day, month = day_number(now.date()), month_number(now)
    used = session.one("cost_of_month", account=account, month=month)
    rows = session.all("trials_of", account=account)
    trials = " ".join(f"{row['mode']}:{row['trial_used_at']}" for row in rows)
    blocked = session.one("blocked_since", account=account)
    since = blocked["blocked_at"] if blocked else None
    if used is None:
        raise AssertionError("a sum is a row")
    if not (begun or used["cost"] or trials or since is not None):
        old = session.one("erasure_key")
        if old:  # what they came back with has been lifted since, or its time is over
            session.run("forget_one_erased", digest=hashed(old["secret"], person))
        return
    found = session.one("make_erasure_key", secret=secrets.token_hex(32))
    if found is None:
        raise AssertionError("an upsert returns its row")
    session.run(
        "keep_erased",
        digest=hashed(found["secret"], person),
        day=day,
        conversations=begun,
        month=month,
        cost=int(used["cost"]),
        trials=trials,
        blocked_at=since,
        until=now + A_YEAR if trials or since is not None else end_of_month(now),
    )


def end_of_month(now: datetime) -> datetime:
    """The first moment of the next UTC month, at which days and months have both begun anew."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def carry(session: Session, person: Person, account: str, now: datetime) -> datetime | None:
    """Let a new account have used what its person had before they were erased; since when it is blocked."""
    key = session.one("erasure_key")
    used = session.one("erased_use", digest=hashed(key["secret"], person), now=now) if key else None
    if used is None:
        return None
    if used["day"] == day_number(now.date()):
        for _ in range(used["conversations"]):
            session.run(
                "carry_conversation", id=uuid4().hex, account=account, day=used["day"], now=micros(now)
            )
    if used["month"] == month_number(now) and used["cost"]:
        session.run("carry_spend", account=account, month=used["month"], cost=used["cost"])
    for each in used["trials"].split():
        mode, _, at = each.partition(":")
        session.run("carry_trial", account=account, mode=mode, at=int(at))
    if used["blocked_at"] is not None:
        session.run("carry_block", account=account, at=used["blocked_at"])
    return moment_or_none(used["blocked_at"])
