"""What of a conversation is sent to a model."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.context import HISTORY_IMAGES, compose, image_tokens, size, tokens
from engine.files import Image, Medium
from engine.models import Role
from engine.turns import Exchange
from tests.engine.conftest import QUICK

LONG = st.integers(0, 400).map("é ".__mul__)
SIDES = st.integers(1, 2048)
IMAGE = st.builds(Image, st.just("a.png"), st.just("image/png"), st.just(b""), SIDES, SIDES)
IMAGES = st.lists(IMAGE, max_size=3)
EXCHANGES = st.lists(st.builds(Exchange, LONG | st.text(), LONG), max_size=30)
SEEN = st.lists(st.builds(Exchange, LONG, LONG, IMAGES.map(tuple)), max_size=12)


def test_history_comes_before_the_prompt_in_order() -> None:
    composed = compose(QUICK, "Be brief.", [Exchange("a", "b"), Exchange("c", "d")], "e")
    assert composed is not None
    assert [message.text for message in composed.messages] == ["a", "b", "c", "d", "e"]


def test_a_prompt_longer_than_the_window_is_not_sent() -> None:
    assert compose(QUICK, "", [], "x" * 4 * QUICK.context) is None


@given(EXCHANGES, st.text(max_size=200), st.integers(200, 2000))
def test_the_window_is_never_passed_and_the_newest_whole_turns_are_kept(
    history: list[Exchange], prompt: str, window: int
) -> None:
    spec = replace(QUICK, context=window, max_output=50)
    composed = compose(spec, "Be brief.", history, prompt)
    if composed is None:
        assert tokens(prompt) + tokens("Be brief.") + 50 > window
        return
    assert size(composed) + composed.max_output <= window
    *past, last = composed.messages
    assert (last.role, last.text) == (Role.USER, prompt)
    kept = [Exchange(q.text, a.text) for q, a in zip(past[::2], past[1::2], strict=True)]
    assert kept == history[len(history) - len(kept) :]


@settings(max_examples=40)
@given(SEEN, IMAGES.map(tuple), st.integers(200, 40_000), st.booleans())
def test_the_window_is_never_passed_with_images_either_and_the_newest_are_kept(
    history: list[Exchange],
    images: tuple[Image, ...],
    window: int,
    sees: bool,  # noqa: FBT001 - drawn
) -> None:
    accepts = frozenset({Medium.IMAGES}) if sees else frozenset[Medium]()
    spec = replace(QUICK, context=window, max_output=50, accepts=accepts)
    composed = compose(spec, "Be brief.", history, "What is this?", images)
    if composed is None:
        assert tokens("What is this?") + tokens("Be brief.") + sum(map(image_tokens, images)) + 50 > window
        return
    *past, last = composed.messages
    assert last.images == images
    told = sum(tokens(text) for text in (composed.system, *(message.text for message in composed.messages)))
    shown = sum(image_tokens(image) for message in composed.messages for image in message.images)
    assert told + shown == size(composed) <= window - composed.max_output
    sent = [image for message in past for image in message.images]
    kept = history[len(history) - len(past) // 2 :]
    there = [image for exchange in kept for image in exchange.images] if sees else []
    most = HISTORY_IMAGES - len(images)
    assert sent == there[max(0, len(there) - most) :]


def test_an_image_is_counted_above_what_any_vendor_charges_for_one_of_its_size() -> None:
    """Figures that vendors publish: 1.2 a patch, a token for 750 pixels, 1,120 for any image."""
    for width, height, dearest in ((1, 1, 1120), (1024, 1024, 1446), (1920, 1080, 2768), (2048, 2048, 4915)):
        image = Image("a.png", "image/png", b"", width, height)
        assert dearest <= image_tokens(image) <= 2.2 * dearest
