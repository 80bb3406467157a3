"""Summaries of long conversations: owed one at a time, claimed under a lease, kept with the turn reached."""

from __future__ import annotations

from datetime import datetime

from engine.domain import Micros, TurnId
from engine.models import Usage
from engine.summaries import OwedSummary
from engine.turns import Charge
from storage.session import Row, Session


class Summed:
    """SummariesTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def owe_summary(self, owed: OwedSummary, now: datetime) -> bool:
        made = self._session.run(
            "owe_summary",
            conversation=owed.conversation,
            tip=owed.tip,
            model=owed.model,
            budget=owed.budget,
            now=now,
        )
        return made == 1

    def claim_summary(self, now: datetime, lease_until: datetime, token: str) -> OwedSummary | None:
        row = self._session.one("claim_summary", now=now, lease_until=lease_until, token=token)
        return owed_from(row) if row else None

    def asking_summary(self, owed: OwedSummary, charge: Charge | None) -> bool:
        usage = charge.usage if charge else None
        noted = self._session.run(
            "asking_summary",
            conversation=owed.conversation,
            token=owed.token,
            provider=charge.provider if charge else None,
            input=usage.input_tokens if usage else None,
            output=usage.output_tokens if usage else None,
            cost=(charge.cost or 0) if charge else None,
        )
        return noted == 1

    def summary_made(self, owed: OwedSummary, reach: TurnId, text: str, now: datetime) -> bool:
        if not self._session.run("end_summary", conversation=owed.conversation, token=owed.token):
            return False
        self._session.run(
            "keep_summary", turn=reach, conversation=owed.conversation, model=owed.model, text=text, now=now
        )
        return True

    def summary_later(self, owed: OwedSummary, due: datetime, error: str) -> None:
        self._put_off(owed, "owed", due, error)

    def summary_given_up(self, owed: OwedSummary, until: datetime, error: str) -> None:
        self._put_off(owed, "dead", until, error)

    def drop_summary(self, owed: OwedSummary) -> None:
        self._session.run("end_summary", conversation=owed.conversation, token=owed.token)

    def _put_off(self, owed: OwedSummary, state: str, due: datetime, error: str) -> None:
        self._session.run(
            "put_summary_off",
            conversation=owed.conversation,
            token=owed.token,
            state=state,
            due=due,
            error=error,
        )


def owed_from(row: Row) -> OwedSummary:
    """A claimed row as the engine knows it."""
    return OwedSummary(
        row["conversation"],
        row["tip"],
        row["model"],
        row["budget"],
        row["attempts"],
        asked_from(row) if row["asked_provider"] is not None else None,
        row["token"],
    )


def asked_from(row: Row) -> Charge:
    """What the try before may have cost."""
    usage = Usage(row["asked_input"], 0, row["asked_output"], estimated=True)
    return Charge(row["model"], row["asked_provider"], usage, Micros(row["asked_cost"]))
