"""What operators are told at night: what happened, when, what it means, how to mend it, and where to look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.alarms import bulletin
from bot.words import LANGUAGES, speaking
from engine.alerts import NEWS, Alert, AlertKind, Bulletin
from tests.engine.conftest import ALICE

AT = datetime(2026, 11, 28, 2, 10, tzinfo=UTC)
HANDS = ("/admin ", "main.py ", "config.toml", "Stripe", "STRIPE_WEBHOOK_SECRET", "status page")
"""What a mend is done with."""

HOUSE = {
    AlertKind.CEILING_NEAR: "bot",
    AlertKind.CEILING_REACHED: "vendor:openai",
    AlertKind.VENDOR_BROKEN: "gpt-luna",
    AlertKind.CONFIG_REFUSED: "config.toml",
}


def subjects(kind: AlertKind) -> Iterator[str]:
    """What such an alert may be about."""
    yield HOUSE.get(kind, "discord:1")
    if kind is AlertKind.VENDOR_BROKEN:
        yield "moderation"


EVERY = [(kind, subject) for kind in AlertKind for subject in subjects(kind)]


def told(kind: AlertKind, subject: str, locale: str = "en") -> str:
    """One alert in words."""
    alert = Alert("k1", kind, subject, AT, "503", "https://chat.example/admin")
    with speaking(locale):
        return bulletin(Bulletin("b1", ALICE, (alert,))).text


@pytest.mark.parametrize(("kind", "subject"), EVERY)
def test_an_alert_says_what_when_what_to_do_and_where_to_look(kind: AlertKind, subject: str) -> None:
    words = told(kind, subject)
    headline, _, rest = words.removeprefix("**").partition("**")
    assert headline.endswith(".")
    assert subject in words or subject == "moderation"
    assert "(28 November, 02:10 UTC) [Look there](https://chat.example/admin)" in rest
    assert "nothing to do" in rest or any(hand in rest for hand in HANDS)
    assert ("nothing to do" in rest) or kind not in NEWS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "subject"), EVERY)
def test_what_is_typed_to_mend_it_is_the_same_in_every_language(
    kind: AlertKind, subject: str, language: str
) -> None:
    english, other = (told(kind, subject, each).split("`")[1::2] for each in ("en", language))
    assert sorted(other) == sorted(english)


def test_moderation_that_is_broken_is_not_told_as_a_model() -> None:
    assert "Its fallbacks" in told(AlertKind.VENDOR_BROKEN, "gpt-luna")
    assert "Its fallbacks" not in told(AlertKind.VENDOR_BROKEN, "moderation")
