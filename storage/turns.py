"""Turns from hold to settlement, and the counts that limits are decided on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from engine.domain import AccountId, ConversationId, Micros, Platform, TierName, TurnId
from engine.spending import Purpose
from engine.tallies import answered, called, conversation
from engine.turns import EXPIRED, Hold, Orphan, Settlement, TurnState, UsageFacts
from storage.attachments import attach
from storage.session import Row, Session, moment
from storage.spending import book, book_lost, month_number, reserve, tier_from

RATE_WINDOW = timedelta(seconds=60)
LONGER_THAN_A_MONTH = timedelta(days=32)


class Turns:
    """The part of TurnsTx that is about turns, on a session.

    Whatever changes an account's counts locks the account first, so that one who counts under that lock sees
    each turn either before or after the change, never half of it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, key: str, now: datetime) -> bool:
        return self._session.run("claim", key=key, now=now) == 1

    def forget_claims(self, before: datetime) -> int:
        return self._session.run("forget_claims", before=before)

    def usage(self, account: AccountId, now: datetime) -> UsageFacts:
        rows = self._session.all(
            "usage",
            account=account,
            day=now.date(),
            month=month_number(now),
            month_start=month_start(now),
            lately=now - RATE_WINDOW,
        )
        counts = rows[0]
        return UsageFacts(
            conversations_today=counts["conversations_today"],
            recent=tuple(moment(row["asked_at"]) for row in rows if row["asked_at"] is not None),
            at_once=counts["at_once"],
            cost_month=Micros(int(counts["spent"]) + int(counts["estimates"])),
        )

    def spent(self, account: AccountId, month: datetime) -> tuple[Micros, Micros]:
        since = month_start(month)
        until = (since + LONGER_THAN_A_MONTH).replace(day=1)
        row = self._session.one("spent", account=account, month=month_number(since), since=since, until=until)
        return (Micros(int(row["spent"])), Micros(int(row["released"]))) if row else (Micros(0), Micros(0))

    def hold(self, hold: Hold) -> None:
        self._session.run(
            "hold",
            id=hold.turn,
            account=hold.account,
            conversation=hold.conversation,
            key=hold.key,
            model=hold.model,
            prompt=hold.prompt,
            estimate=hold.estimate,
            owner=hold.owner,
            started_at=hold.started_at,
            lease_until=hold.lease_until,
            parent=hold.parent,
            batch=hold.batch,
            images=len(hold.images),
            pdfs=len(hold.pdfs),
            purse=hold.purse,
            provider=hold.provider,
            tier=hold.tier,
        )
        attach(self._session, hold)
        reserve(self._session, hold)
        self._count(hold.conversation, hold.started_at, hold.tier)

    def lock_turn(self, turn: TurnId) -> bool:
        locked = self._session.locked
        if turn not in locked and self._session.run("lock_account_of_turn", id=turn):
            locked.add(turn)
        return turn in locked

    def settle(self, turn: TurnId, settlement: Settlement) -> bool:
        row = self._locked(turn)
        if row is None or not may_settle(row):
            return False
        self._write("settle", turn, row, settlement, answer=settlement.answer, outcome=settlement.outcome)
        self._session.run("set_tip", id=row["conversation"], turn=turn)
        if row["state"] == TurnState.RELEASED:
            self._count(row["conversation"], moment(row["started_at"]), tier_from(row))
        self._answered(row, settlement)
        return True

    def release(self, turn: TurnId, outcome: str, now: datetime) -> bool:
        self.lock_turn(turn)
        self._session.run("drop_reservations", turn=turn)
        return self._uncount(self._session.all("release", id=turn, outcome=outcome, now=now)) == 1

    def record_spend(self, turn: TurnId, settlement: Settlement) -> None:
        row = self._locked(turn)
        if row is not None and row["state"] == TurnState.RELEASED:
            self._write("record_spend", turn, row, settlement)
            if row["provider"] is not None:  # not written down before
                self._called(settlement)

    def renew_leases(self, turns: Sequence[TurnId], until: datetime) -> int:
        return sum(self._session.run("renew_lease", id=turn, until=until) for turn in sorted(turns))

    def release_expired(self, now: datetime, account: AccountId | None = None) -> int:
        if account is None:
            found = [row["account"] for row in self._session.all("accounts_with_expired", now=now)]
            return sum(self._release_expired(now, each) for each in found)
        return self._uncount(self._session.all("release_expired_of", now=now, account=account))

    def _release_expired(self, now: datetime, account: AccountId) -> int:
        self._session.one("lock_account_id", id=account)
        return self.release_expired(now, account)

    def book_lost(self, now: datetime, limit: int) -> int:
        found = self._session.all("lost_turns", most=limit)
        for account in sorted({row["account"] for row in found}):
            self._session.one("lock_account_id", id=account)
        priced = [row for each in found for row in self._session.all("price_lost", id=each["id"])]
        book_lost(self._session, priced, now)
        return len(found)

    def mark_place(self, turn: TurnId, place: str) -> None:
        self._session.run("mark_place", id=turn, place=place)

    def orphans(self, platforms: Sequence[str], limit: int) -> Sequence[Orphan]:
        rows = self._session.all("orphans", platforms=f",{','.join(platforms)},", most=limit)
        return [orphan_from(row) for row in rows]

    def forget_place(self, turn: TurnId) -> None:
        self._session.run("forget_place", id=turn)

    def rate(self, turn: TurnId, account: AccountId, *, good: bool) -> bool:
        return self._session.run("rate", id=turn, account=account, good=good) == 1

    def ask_stop(self, account: AccountId, now: datetime, turn: TurnId | None = None) -> Sequence[TurnId]:
        if turn is None:
            rows = self._session.all("ask_stop", account=account, now=now)
        else:
            rows = self._session.all("ask_stop_of", account=account, now=now, id=turn)
        return [TurnId(row["id"]) for row in rows]

    def held_turns(self, account: AccountId, conversation: ConversationId) -> Sequence[TurnId]:
        rows = self._session.all("held_turns", account=account, conversation=conversation)
        return [TurnId(row["id"]) for row in rows]

    def stops_asked(self, owner: str) -> Sequence[TurnId]:
        return [TurnId(row["id"]) for row in self._session.all("stops_asked", owner=owner)]

    def _locked(self, turn: TurnId) -> Row | None:
        return self._session.one("turn_to_write", id=turn) if self.lock_turn(turn) else None

    def _write(self, statement: str, turn: TurnId, row: Row, settlement: Settlement, **more: str) -> None:
        """Write down what a turn used and what vendors charged for it; it holds nothing any more."""
        usage = settlement.usage
        self._session.run(
            statement,
            id=turn,
            model=settlement.model,
            cost=settlement.cost,
            input_tokens=usage.input_tokens,
            cached_input_tokens=usage.cached_input_tokens,
            output_tokens=usage.output_tokens,
            tokens_estimated=usage.estimated,
            settled_at=settlement.settled_at,
            **more,
        )
        if row["reserves"]:
            self._session.run("drop_reservations", turn=turn)
        book(self._session, turn, row, settlement, again=row["state"] == TurnState.RELEASED)

    def _answered(self, row: Row, settlement: Settlement) -> None:
        """Count an answer, of the vendor that gave it, and the requests that were made for it."""
        model, began = settlement.model, moment(row["started_at"])
        vendors = (charge.provider for charge in settlement.charges if charge.model == model)
        provider = next(vendors, row["provider"] or "")
        self._session.tally(answered(provider, model, tier_from(row), Purpose.ANSWER, began))
        self._called(settlement)

    def _called(self, settlement: Settlement) -> None:
        for call in settlement.calls:
            self._session.tally(*called(call))

    def _count(self, name: str, started_at: datetime, tier: TierName | None) -> None:
        row = self._session.one("add_live_turn", id=name, day=started_at.date(), tier=tier, at=started_at)
        if row and row["live_turns"] == 1:
            self._session.tally(conversation(row["day"], row["tier"] or "", 1))

    def _uncount(self, released: Sequence[Row]) -> int:
        for name in sorted(row["conversation"] for row in released):
            row = self._session.one("drop_live_turn", id=name)
            if row and row["live_turns"] == 0:
                self._session.tally(conversation(row["day"], row["tier"] or "", -1))
        return len(released)


def month_start(at: datetime) -> datetime:
    """The first moment of the UTC month that it is in."""
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def may_settle(row: Row) -> bool:
    """Whether a turn is held, or was released only because its lease ran out."""
    state = TurnState(row["state"])
    return state is TurnState.HELD or (state is TurnState.RELEASED and bool(row["outcome"] == EXPIRED))


def orphan_from(row: Row) -> Orphan:
    """A lost answer's row as the engine knows it."""
    lost_at = moment(row["settled_at"])
    return Orphan(TurnId(row["id"]), Platform(row["platform"]), row["place"], lost_at, row["locale"])
