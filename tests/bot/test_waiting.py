"""What is said of questions that wait, and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.news import LIFTING, notice
from bot.render import KEPT, kept_in, refusal
from bot.reply import Reply, Style
from bot.words import LANGUAGES, speaking
from engine.domain import Kept, KeptId, Micros, Offer, Place, Platform, Refusal, RefusalReason, TierName
from engine.notices import NoticeKind
from engine.parcel import Parcel
from tests.bot.test_front import front_of
from tests.bot.test_news import owed
from tests.engine.conftest import ALICE, BOB, Hall, last
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
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


async def test_a_press_in_the_place_of_the_question_brings_the_roles_of_today(hall: Hall) -> None:
    hall.keys = ("k" * 32,)
    hall.free(conversations_per_day=0)
    front = front_of(hall)
    asked = Place(Platform.LOCAL, "here", ("general",), frozenset({"helpers"}))
    refused = await last(front.chat, hall.ask(place=asked))
    assert isinstance(refused, Refusal)
    assert refused.kept
    today = replace(asked, roles=frozenset())
    for pressed, known in ((today, today), (replace(today, id="elsewhere"), asked), (None, asked)):
        found = await front.kept(ALICE, refused.kept.id, "local:press", pressed)
        assert isinstance(found, Parcel)
        assert found.ask.place == known


async def test_who_never_asked_it_is_told_that_it_is_not_theirs(hall: Hall) -> None:
    hall.keys = ("k" * 32,)
    hall.free(conversations_per_day=0)
    front = front_of(hall)
    refused = await last(front.chat, hall.ask())
    assert isinstance(refused, Refusal)
    assert refused.kept
    told = await front.kept(BOB, refused.kept.id, "local:press")
    assert isinstance(told, Reply)
    assert "Only the one who asked" in told.text
