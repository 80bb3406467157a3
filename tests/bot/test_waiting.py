"""What is said of questions that wait, and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.news import LIFTING, notice
from bot.render import KEPT, kept_in, refusal
from bot.reply import Style
from bot.words import LANGUAGES, speaking
from engine.domain import Kept, KeptId, Micros, Offer, Refusal, RefusalReason, TierName
from engine.notices import NoticeKind
from tests.bot.test_news import owed
from tests.fakes.clock import NOON

WAITS = Kept(KeptId("q1"), NOON + timedelta(days=1))
REFUSED = Refusal(RefusalReason.CONVERSATIONS, TierName.FREE, 10, NOON)
OFFER = Offer(TierName.PREMIUM, Micros(8_990_000), Micros(89_000_000))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_promises_to_keep_only_what_is_kept_and_names_its_button(language: str) -> None:
    with speaking(language):
        plain, kept = refusal(REFUSED), refusal(replace(REFUSED, kept=WAITS))
        assert plain.buttons == ()
        (button,) = kept.buttons
        added = kept.text.removeprefix(plain.text)
        assert f"**{button.label}**" in added
        assert "12:00" in added
    assert button.action is not None
    assert kept_in(button.action) == "q1"
    assert kept_in("again:q1") is None


def test_where_a_purchase_helps_its_button_comes_first() -> None:
    found = refusal(replace(REFUSED, kept=WAITS, offer=OFFER)).buttons
    assert [button.style for button in found if button.style is Style.PRIMARY] == [Style.PRIMARY]
    assert (found[-1].action, found[-1].style) == (f"{KEPT}q1", Style.PLAIN)


@pytest.mark.parametrize("kind", NoticeKind)
def test_only_news_of_a_better_tier_speaks_of_a_question_that_waits(kind: NoticeKind) -> None:
    told, bare = notice(replace(owed(kind), kept=WAITS)), notice(owed(kind))
    assert (told.text != bare.text) is (kind in LIFTING)
    assert [button.action for button in told.buttons] == ([f"{KEPT}q1"] if kind in LIFTING else [])
    assert bare.buttons == ()
