"""The Tx that units of work get, put together from its nouns."""

from __future__ import annotations

from storage.acquaintances import Acquaintances
from storage.alerts import Alerts
from storage.announcements import Announcements
from storage.attempts import Attempts
from storage.audit import Audit
from storage.briefs import Briefs
from storage.circuits import Circuits
from storage.claims import MoneyClaims
from storage.conversations import Conversations
from storage.customers import Customers
from storage.dead_letters import DeadLetters
from storage.duties import Duties
from storage.erasure import Erasure
from storage.estimates import Estimates
from storage.events import Events
from storage.figures import Figures
from storage.grants import Grants
from storage.happenings import Happenings
from storage.holdings import Held
from storage.installations import Installations
from storage.jobs import Jobs
from storage.kept import KeptQuestions
from storage.members import MemberCosts
from storage.metering import Meter
from storage.notices import Notices
from storage.passes import Passes
from storage.people import People
from storage.playground import Playground
from storage.proposals import Proposals
from storage.recorded import Rerun
from storage.rereading import Rereading
from storage.retention import Retained
from storage.rules import PlaceRules
from storage.screening import Screenings
from storage.seeking import Seeking
from storage.session import Session
from storage.spending import Spending
from storage.stopped import Stopped
from storage.subscriptions import Subscriptions
from storage.summaries import Summed
from storage.sync_queue import SyncQueue
from storage.tallies import Tallied, write_tallies
from storage.teams import Teams
from storage.tier_changes import TierChanges
from storage.turns import Turns
from storage.unrest import Unrests
from storage.usage_reports import UsageReports
from storage.vitals import HouseVitals
from storage.work import Work, perform


class Chatting(People, Acquaintances, Conversations, Turns, Notices, Playground, Installations, PlaceRules):
    """What chat needs."""


class Buying(Customers, Attempts, Subscriptions, TierChanges, Events, SyncQueue, Held):
    """MoneyTx."""


class Keeping(MoneyClaims, Proposals, Duties, Jobs, DeadLetters, Meter, UsageReports, Figures):
    """BooksTx, as far as Buying has not done it."""


class Watching(
    Alerts, Circuits, Unrests, Spending, Rerun, Estimates, Summed, KeptQuestions, Screenings, Teams
):
    """What keeps the house within its means, and its operator informed."""


class Operating(
    Audit, Happenings, Briefs, Passes, Stopped, Tallied, MemberCosts, HouseVitals, Grants, Rereading, Seeking
):
    """What operators do, read and give."""


class Transaction(Chatting, Buying, Keeping, Watching, Operating, Announcements, Erasure, Retained):
    """All that a unit of work may do; each part uses the same session."""

    def __init__(self, session: Session) -> None:
        self._session = session


def run_unit(work: Work, session: Session) -> object:
    """Run a unit's function on a session and end the session.

    A failed statement fails the unit even if its function hid the error: PostgreSQL has undone the
    transaction by then, and SQLite has to look the same.
    """
    try:
        result = perform(work, Transaction(session))
        if session.writable:
            write_tallies(session)
    finally:
        session.end()
    if session.failure is not None:
        raise session.failure
    return result
