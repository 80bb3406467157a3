"""What an account may use is decided on: read together, and what is rare only where there is any."""

from __future__ import annotations

from engine.domain import AccountId
from engine.facts import NO_CLAIMS, Mode
from engine.seats import Holdings, Membership
from storage.claims import MoneyClaims
from storage.grants import Grants
from storage.session import Session
from storage.subscriptions import subscription_from


class Held:
    """The part of TeamsTx that is about all that an account has, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def holdings(self, account: AccountId, mode: Mode) -> Holdings:
        rows = self._session.all("holdings", account=account, mode=mode)
        counts = rows[0]
        sold = (row for row in rows if row["stripe_subscription_id"] is not None)
        return Holdings(
            tuple(subscription_from(row) for row in sold),
            MoneyClaims(self._session).claims(account, mode) if counts["claims"] else NO_CLAIMS,
            tuple(Grants(self._session).grants(account, mode)) if counts["grants"] else (),
            Membership(AccountId(counts["owner"]), counts["place"]) if counts["owner"] else None,
        )
