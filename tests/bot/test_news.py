"""Words for every kind of news: what happened, until when, and what to do next."""

from __future__ import annotations

import pytest

from bot.news import notice
from engine.domain import AccountId, TierName
from engine.facts import Mode
from engine.notices import Notice, NoticeId, NoticeKind
from tests.engine.conftest import ALICE
from tests.fakes.clock import NOON

UNDATED = {NoticeKind.ACTIVATED, NoticeKind.CHANGED, NoticeKind.RESUMED, NoticeKind.ENDED}
UNDATED |= {NoticeKind.REFUNDED, NoticeKind.DISPUTED, NoticeKind.METERED_NEAR, NoticeKind.FREE_NEAR}
UNDATED |= {NoticeKind.TEAM_CHANGED, NoticeKind.TEAM_ENDED, NoticeKind.SEAT_TAKEN, NoticeKind.GRANT_ENDED}
ABOUT_TEAMS = {NoticeKind.SEAT_NEAR, NoticeKind.SEAT_SPENT, NoticeKind.TEAM_NEAR, NoticeKind.TEAM_SPENT}
ABOUT_TEAMS |= {NoticeKind.TEAM_ENDED, NoticeKind.SEAT_TAKEN}
"""They are about the team of somebody who knows which tier that is, or was."""
WITHOUT_TIER = {*ABOUT_TEAMS, NoticeKind.CREDITED}
NEXT = {
    NoticeKind.ACTIVATED: "/usage",
    NoticeKind.CHANGED: "/usage",
    NoticeKind.ENDED: "/plans",
    NoticeKind.RENEWED: "/billing",
    NoticeKind.PAYMENT_FAILED: "/billing",
    NoticeKind.PAYMENT_REMINDER: "/billing",
    NoticeKind.PAYMENT_LAST_CALL: "/billing",
    NoticeKind.CARD_EXPIRING: "/billing",
    NoticeKind.TRIAL_ENDING: "/cancel",
    NoticeKind.CANCEL_PENDING: "/resume",
    NoticeKind.CHANGE_PLANNED: "/resume",
    NoticeKind.REFUNDED: "/plans",
    NoticeKind.DISPUTED: "the operator",
    NoticeKind.TEAM_CHANGED: "/usage",
    NoticeKind.TEAM_ENDED: "/usage",
    NoticeKind.SEAT_TAKEN: "/plans",
    NoticeKind.SEAT_NEAR: "/team",
    NoticeKind.SEAT_SPENT: "/team",
    NoticeKind.TEAM_NEAR: "/team",
    NoticeKind.TEAM_SPENT: "/team",
}


def owed(kind: NoticeKind, *, dated: bool = True, mode: Mode = Mode.LIVE) -> Notice:
    """News of that kind about Premium."""
    until = NOON if dated else None
    account = AccountId("a1")
    return Notice(NoticeId("n1"), "k1", account, mode, ALICE, kind, TierName.PREMIUM, NOON, until)


@pytest.mark.parametrize("kind", NoticeKind)
def test_news_names_the_tier_its_date_and_what_to_do_next(kind: NoticeKind) -> None:
    words = notice(owed(kind)).text
    assert ("Premium" in words) is (kind not in WITHOUT_TIER)
    assert ("24 November 2026" in words) is (kind not in UNDATED)
    assert NEXT.get(kind, "") in words


@pytest.mark.parametrize("kind", NoticeKind)
def test_news_without_a_date_reads_well(kind: NoticeKind) -> None:
    words = notice(owed(kind, dated=False)).text
    assert "  " not in words
    assert "None" not in words


def test_news_of_simulated_money_says_so() -> None:
    assert notice(owed(NoticeKind.RENEWED, mode=Mode.SIMULATED)).text.startswith("**SIMULATED**")
