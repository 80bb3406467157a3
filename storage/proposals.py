"""Changes of subscriptions that were proposed to members."""

from __future__ import annotations

from engine.domain import AccountId, Interval, Micros, TierName
from engine.facts import Mode, SubscriptionId
from engine.terms import ChangeKind, Preview, Proposal, ProposalId, ProposalState, Timing, Wish
from storage.people import person_from
from storage.session import Row, Session, moment


class Proposals:
    """The part of ClaimsTx that is about proposals, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def save_proposal(self, proposal: Proposal) -> None:
        wish, preview = proposal.wish, proposal.preview
        self._session.run(
            "save_proposal",
            id=proposal.id,
            account=proposal.account,
            mode=proposal.mode,
            platform=proposal.person.platform,
            workspace=proposal.person.workspace,
            member=proposal.person.user,
            subscription=proposal.subscription,
            kind=wish.kind,
            tier=wish.tier,
            pay_interval=wish.interval,
            quantity=wish.quantity,
            timing=preview.timing,
            effective_at=preview.effective_at,
            due_now=preview.due_now,
            recurring=preview.recurring,
            currency=preview.currency,
            created_at=proposal.created_at,
            expires_at=proposal.expires_at,
            state=proposal.state,
        )

    def proposal(self, proposal: ProposalId) -> Proposal | None:
        row = self._session.one("lock_proposal" if self._session.writable else "proposal", id=proposal)
        return proposal_from(row) if row else None


def proposal_from(row: Row) -> Proposal:
    """A proposal's row as the engine knows it."""
    return Proposal(
        id=ProposalId(row["id"]),
        account=AccountId(row["account"]),
        mode=Mode(row["mode"]),
        person=person_from(row),
        subscription=SubscriptionId(row["stripe_subscription_id"]),
        wish=Wish(
            ChangeKind(row["kind"]), TierName(row["tier"]), Interval(row["pay_interval"]), row["quantity"]
        ),
        preview=Preview(
            Timing(row["timing"]),
            moment(row["effective_at"]),
            Micros(row["due_now"]),
            Micros(row["recurring"]),
            row["currency"],
        ),
        created_at=moment(row["created_at"]),
        expires_at=moment(row["expires_at"]),
        state=ProposalState(row["state"]),
    )
