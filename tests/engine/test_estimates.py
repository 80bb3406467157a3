"""Estimates of tokens against what vendors count."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.context import compose, reading, shorter, size, weight
from engine.domain import Answered, Failed, Started
from engine.errors import ContextTooLongError
from engine.estimates import LEAST, LOWER_EVERY, MOST, ONE, UNCORRECTED, Correction, Reading, learned
from engine.files import Image
from engine.ledger import Tx
from engine.models import Completion, Usage
from engine.turns import Exchange
from tests.engine.conftest import QUICK, Hall, collect, last
from tests.fakes.clock import NOON
from tests.storage.makers import rows

KEY = ("one", "quick-1")
LONG = "word " * 600
"""Estimated as 1,004 tokens."""
COUNTS = st.integers(1, 10**12)
READINGS = st.builds(
    Reading, st.just(KEY), st.integers(1, 10**6), st.just(0) | st.integers(1, 40_000), COUNTS
)
TEXTS = st.integers(0, 300).map("é ".__mul__)
EXCHANGES = st.lists(st.builds(Exchange, TEXTS | st.text(max_size=50), TEXTS), max_size=25)


def count(text: int, counted: int, *, images: int = 0) -> Reading:
    """A reading of the model."""
    return Reading(KEY, text, images, counted)


def test_a_count_above_the_estimate_is_believed_at_once_and_rounded_up() -> None:
    after = learned(UNCORRECTED, count(1000, 1500), NOON)
    assert after == Correction(1500)
    assert learned(after, count(3000, 4501), NOON) == Correction(1501)
    assert Correction(1501).of(3000) >= 4501


def test_a_count_below_it_lowers_by_a_small_step_and_not_again_for_a_while() -> None:
    high = Correction(2600)
    lower = learned(high, count(1000, 1000), NOON)
    assert lower == Correction(2500, lowered_at=NOON)
    assert learned(lower, count(1000, 1000), NOON + LOWER_EVERY / 2) == lower
    assert learned(lower, count(1000, 1000), NOON + LOWER_EVERY).text == 2407


def test_estimates_never_sink_below_what_they_are_by_themselves() -> None:
    now, fix = NOON, Correction(1040)
    for _ in range(100):
        now += LOWER_EVERY
        fix = learned(fix, count(1000, 10), now)
    assert fix.text == ONE


def test_what_a_vendor_adds_to_a_short_request_says_nothing() -> None:
    assert learned(UNCORRECTED, count(LEAST - 1, 10 * LEAST), NOON) == UNCORRECTED
    assert learned(UNCORRECTED, count(LEAST, 0), NOON) == UNCORRECTED


def test_images_are_corrected_apart_from_text() -> None:
    after = learned(Correction(1200), count(1000, 1200 + 3000, images=2000), NOON)
    assert after == Correction(1200, 1500)
    assert after.of(1000, 2000) == 1200 + 3000
    assert learned(after, count(1000, 1300), NOON) == Correction(1300, 1500)


def test_a_request_that_was_too_long_raises_by_a_quarter_at_most() -> None:
    assert learned(UNCORRECTED, replace(count(1000, 7000), too_long=True), NOON) == Correction(1250)
    assert learned(UNCORRECTED, replace(count(1000, 1100), too_long=True), NOON) == Correction(1100)
    assert learned(Correction(2000), replace(count(1000, 1100), too_long=True), NOON) == Correction(2000)


@given(st.lists(READINGS, max_size=20))
def test_no_report_however_wrong_moves_a_correction_beyond_its_bounds(reports: list[Reading]) -> None:
    fix = UNCORRECTED
    for number, report in enumerate(reports):
        fix = learned(fix, report, NOON + number * timedelta(minutes=1))
        assert ONE <= fix.text <= MOST
        assert ONE <= fix.images <= MOST


@settings(max_examples=60)
@given(st.lists(EXCHANGES, min_size=2, max_size=6), st.integers(ONE, MOST), st.integers(900, 4000))
def test_after_the_first_report_nothing_exceeds_the_window_whatever_the_tokeniser(
    talks: list[list[Exchange]], factor: int, window: int
) -> None:
    """It makes of any text up to three times the tokens that we estimate."""
    spec, now, fix, reported = replace(QUICK, context=window, max_output=50), NOON, UNCORRECTED, False
    for history in [[Exchange(LONG[:1500], "")], *talks]:
        now += LOWER_EVERY
        completion = compose(spec, "Be brief.", history, "?", (), fix)
        if completion is None:
            continue
        true = -(-size(completion) * factor // ONE)
        if reported:
            assert true + completion.max_output <= window or size(completion) < LEAST
        before, found = reading(spec, completion, true, fix)
        fix, reported = learned(before, found, now), reported or size(completion) >= LEAST
    if reported:
        assert fix.text >= factor


@given(EXCHANGES, st.integers(200, 3000), st.integers(ONE, MOST))
def test_by_the_corrected_estimate_the_window_is_kept_with_whole_turns_the_newest_first(
    history: list[Exchange], window: int, text: int
) -> None:
    spec, fix = replace(QUICK, context=window, max_output=50), Correction(text)
    completion = compose(spec, "Be brief.", history, "?", (), fix)
    if completion is None:
        assert fix.of(7) + fix.of(5) + 50 > window
        return
    assert (completion.system, completion.messages[-1].text) == ("Be brief.", "?")
    past = completion.messages[:-1]
    kept = [Exchange(q.text, a.text) for q, a in zip(past[::2], past[1::2], strict=True)]
    assert kept == history[len(history) - len(kept) :]
    total = size(completion, fix) + completion.max_output
    assert total <= window
    if len(kept) < len(history):
        older = history[len(history) - len(kept) - 1]
        more = (
            replace(completion.messages[-1], text=older.prompt),
            replace(past[1], text=older.answer) if past else None,
        )
        assert total + sum(weight(each, fix) for each in more if each) > window or not past


@given(EXCHANGES, st.text(max_size=100))
def test_a_shorter_one_loses_the_oldest_turns_and_nothing_else(history: list[Exchange], prompt: str) -> None:
    whole = compose(replace(QUICK, context=10**6), "Be brief.", history, prompt)
    assert whole is not None
    less = shorter(whole)
    if not history:
        assert less is None
        return
    assert less is not None
    assert less.messages == whole.messages[len(whole.messages) - len(less.messages) :]
    assert len(less.messages) % 2 == 1
    assert len(less.messages) < len(whole.messages)
    assert size(less) <= -(-size(whole) // 2) or len(less.messages) == 1
    assert less.stable == 0


def test_what_the_next_question_begins_with_again_is_known_while_everything_fits() -> None:
    history = [Exchange("a", "b"), Exchange("c", "d")]
    spec = replace(QUICK, context=1200, max_output=500)
    whole = compose(spec, "Be brief.", history, "e")
    assert whole is not None
    assert (len(whole.messages), whole.stable) == (5, 5)
    nearly_full = compose(spec, "Be brief.", history, "e" * 900)
    assert nearly_full is not None
    assert (len(nearly_full.messages), nearly_full.stable) == (5, 0), "the answer will push turns out"
    cut = compose(spec, "Be brief.", [Exchange("x" * 3000, ""), *history], "e")
    assert cut is not None
    assert (len(cut.messages), cut.stable) == (5, 0)


def test_what_a_model_is_set_to_goes_along() -> None:
    completion = compose(replace(QUICK, first_token=7.0, between_tokens=3.0), "", [], "?")
    assert isinstance(completion, Completion)
    assert (completion.first_token, completion.between_tokens, completion.reasoning) == (7.0, 3.0, None)


async def test_what_a_vendor_counts_corrects_what_the_next_question_holds_and_is_sent(hall: Hall) -> None:
    hall.one.usage = Usage(2008, 0, 50)
    chat = hall.chat()
    assert isinstance(await last(chat, hall.ask(LONG, anchors=("dm",))), Answered)
    fixes = await hall.store.read(lambda tx: tx.corrections())
    assert dict(fixes) == {KEY: Correction(1987)}
    assert isinstance(await last(chat, hall.ask(LONG, anchors=("dm",))), Answered)
    assert isinstance(await last(chat, hall.ask("x" * 9000, anchors=("dm",))), Answered)
    assert len(hall.one.seen[-1].messages) == 1, "3,004 tokens, counted twice, leave no room for another turn"
    assert len(hall.one.seen[-2].messages) == 3


async def test_estimated_usage_teaches_nothing(hall: Hall) -> None:
    hall.one.usage = Usage(9000, 0, 50, estimated=True)
    await last(hall.chat(), hall.ask(LONG))
    assert not await hall.store.read(lambda tx: tx.corrections())


async def test_a_request_that_a_vendor_finds_too_long_raises_the_estimates(hall: Hall) -> None:
    hall.one.errors = [ContextTooLongError("too long")]
    events = await collect(hall.chat(), hall.ask(LONG))
    assert isinstance(events[0], Started)
    assert not isinstance(events[-1], Failed)
    fixes = await hall.store.read(lambda tx: tx.corrections())
    assert fixes[KEY] == Correction(1250)


async def test_a_hold_counts_images_and_their_correction(hall: Hall, database_url: str) -> None:
    hall.seeing("quick")
    hall.one.usage = Usage(1900, 0, 50)
    image = Image("a.png", "image/png", b"", 10, 10)
    for _ in range(2):
        await last(hall.chat(), hall.ask("?", attachments=(image,)))
        hall.clock.advance(timedelta(minutes=1))
    fixes = await hall.store.read(lambda tx: tx.corrections())
    assert fixes[KEY] == Correction(ONE, 1563)
    (first,), (second,) = rows(database_url, "SELECT estimate FROM turn ORDER BY started_at")
    told, answer = 25, 4 * QUICK.max_output
    assert (first, second) == (2 * (told + 1200) + answer, 2 * (told + 1876) + answer)


async def test_of_rivals_the_greater_rise_stays_and_a_step_down_counts_from_where_it_was_taken(
    hall: Hall,
) -> None:
    low, high = Correction(1500), Correction(1800)
    down = learned(high, count(1000, 1000), NOON)
    stale = learned(low, count(1000, 1000), NOON)
    seen, images = [], Correction(1500, 1700)
    for before, after in ((UNCORRECTED, high), (UNCORRECTED, low), (low, stale), (high, down), (low, images)):
        await hall.store.transact(partial(put, before, after))
        seen.append((await hall.store.read(lambda tx: tx.corrections()))[KEY])
    assert seen == [high, high, high, down, replace(down, images=1700)]


def put(before: Correction, after: Correction, tx: Tx) -> None:
    """A unit that corrects the model."""
    tx.correct(KEY, before, after)
