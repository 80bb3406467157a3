"""Questions that bring PDFs: who is sent them as they are, who their text, and that all of it is paid for."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.context import HISTORY_PDFS, PAGE, PDF_BYTES, compose, heavy, size, tokens
from engine.domain import Answered, Micros, Offer, Redo, Refusal, RefusalReason, Started, TierName
from engine.enclosures import pdfs, told
from engine.errors import ContextTooLongError, GiveUpError, TellOperatorError
from engine.files import Document, Image, Medium
from engine.models import Finish, Message, ModelSpec, Role, Usage
from engine.moderating import Moderating
from engine.reserve import reserved
from engine.routing import Route
from engine.screening import Screen, Screening
from engine.turns import Exchange
from tests.engine.conftest import PREMIUM, QUICK, Hall, collect, last
from tests.engine.test_enclosures import PHOTO
from tests.fakes.models import Looker, Scripted
from tests.storage.makers import rows

PAPER = Document("paper.pdf", "application/pdf", "The sky is green.", 1, b"%PDF-green")
SCAN = Document("scan.pdf", "application/pdf", "", 1, b"%PDF-scan")
READING = frozenset(Medium)


def shown(message: Message) -> list[str]:
    """The names of the PDFs that a model is sent with a message."""
    return [pdf.name for pdf in message.pdfs]


async def test_a_model_that_takes_pdfs_is_sent_them_and_not_their_text_beside_them(hall: Hall) -> None:
    hall.reading("quick")
    models = tuple(replace(spec, context=20_000) for spec in hall.catalogue.models)
    hall.catalogue = replace(hall.catalogue, models=models)
    files = (PAPER, PHOTO, SCAN)
    assert isinstance(await last(hall.chat(), hall.ask("Is it?", attachments=files)), Answered)
    message = hall.one.seen[0].messages[-1]
    assert message.said == (
        'Is it?\n\n<file name="paper.pdf" type="application/pdf" pages="1"></file>\n\n'
        '<image name="cat.jpg" type="image/jpeg"/>\n\n'
        '<file name="scan.pdf" type="application/pdf" pages="1"></file>'
    )
    assert [(pdf.name, pdf.data) for pdf in message.pdfs] == [(PAPER.name, PAPER.pdf), (SCAN.name, SCAN.pdf)]


async def test_others_are_sent_the_text_and_nothing_is_kept_of_the_pdf(hall: Hall, database_url: str) -> None:
    hall.seeing("quick")
    assert isinstance(await last(hall.chat(), hall.ask("Is it?", attachments=(PAPER,))), Answered)
    message = hall.one.seen[0].messages[-1]
    assert message.pdfs == ()
    assert message.said.endswith('pages="1">\nThe sky is green.\n</file>')
    assert rows(database_url, "SELECT COUNT(*) FROM pdf") == [(0,)]


async def test_a_scan_is_refused_by_a_model_that_takes_no_pdfs_and_those_that_do_are_named(
    hall: Hall,
) -> None:
    hall.reading("spare", "deep")
    refusal = await last(hall.chat(), hall.ask("What is this?", attachments=(SCAN,)))
    assert refusal == Refusal(RefusalReason.NO_PDF, TierName.FREE, model="quick", choices=("spare",))
    assert hall.one.seen == hall.two.seen == []
    assert isinstance(await last(hall.chat(), hall.ask("?", model="spare", attachments=(SCAN,))), Answered)


async def test_the_tier_that_would_lift_it_is_offered_where_none_of_this_one_takes_pdfs(hall: Hall) -> None:
    hall.reading("deep")
    refusal = await last(hall.chat(), hall.ask("What is this?", attachments=(SCAN,)))
    assert isinstance(refusal, Refusal)
    assert refusal.choices == ()
    assert refusal.offer == Offer(TierName.PREMIUM, PREMIUM.price_month, PREMIUM.price_year)


@pytest.mark.parametrize(("file", "model"), [(PAPER, "spare"), (SCAN, None)])
async def test_a_fallback_without_pdfs_reads_the_text_and_is_skipped_where_there_is_none(
    hall: Hall, file: Document, model: str | None
) -> None:
    hall.reading("quick")
    hall.one = Scripted(words=(), errors=[TellOperatorError("bad key")])
    event = await last(hall.chat(), hall.ask("Is it?", attachments=(file,)))
    assert (event.model if isinstance(event, Answered) else None) == model
    assert ["green" in each.messages[-1].said for each in hall.two.seen] == [True] * bool(model)


async def test_a_pdf_that_does_not_fit_is_sent_as_its_text_and_a_scan_is_too_long(hall: Hall) -> None:
    hall.reading("quick")
    await last(hall.chat(), hall.ask("Is it?", attachments=(replace(PAPER, pages=2),)))
    message = hall.one.seen[0].messages[-1]
    assert shown(message) == []
    assert "The sky is green." in message.said
    refusal = await last(hall.chat(), hall.ask("Is it?", attachments=(replace(SCAN, pages=2),)))
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.limit) == (RefusalReason.TOO_LONG, QUICK.context)


async def test_what_a_vendor_finds_too_long_is_sent_again_as_its_text(hall: Hall) -> None:
    hall.reading("quick")
    hall.one.errors = [ContextTooLongError("too long")]
    assert isinstance(await last(hall.chat(), hall.ask("Is it?", attachments=(PAPER,))), Answered)
    assert [shown(each.messages[-1]) for each in hall.one.seen] == [["paper.pdf"], []]
    assert "The sky is green." in hall.one.seen[1].messages[-1].said


@pytest.mark.parametrize("file", [PAPER, SCAN])
async def test_what_a_vendor_does_not_take_is_sent_again_as_its_text_once(hall: Hall, file: Document) -> None:
    hall.reading("quick")
    hall.one.errors = [GiveUpError("one 400 invalid_request_error")] * 2
    event = await last(hall.chat(), hall.ask("Is it?", attachments=(file,)))
    assert [shown(each.messages[-1]) for each in hall.one.seen] == [[file.name], []][: 1 + bool(file.text)]
    assert [event.model if isinstance(event, Answered) else None, len(hall.two.seen)] == (
        ["spare", 1] if file.text else [None, 0]
    )


async def test_follow_ups_continued_answers_and_those_given_again_see_the_pdf(hall: Hall) -> None:
    hall.reading("quick", "spare")
    hall.one.finish = Finish.LENGTH
    chat = hall.chat()
    events = await collect(chat, hall.ask("Is it?", anchors=("a",), attachments=(SCAN,)))
    assert isinstance(events[0], Started)
    await last(chat, hall.ask("And its name?", anchors=("a",)))
    for redo in Redo:
        hall.clock.advance(timedelta(minutes=2))
        await last(chat, hall.ask("", redo=redo, about=events[0].turn))
    first, second, *others = hall.one.seen
    assert [shown(message) for message in second.messages] == [["scan.pdf"], [], []]
    again = [each for each in others if len(each.messages) == 1]
    assert [each.messages for each in again] == [first.messages]
    assert [shown(each.messages[0]) for each in others] == [["scan.pdf"]] * len(Redo)


async def test_a_comparison_sends_it_to_each_model_that_takes_it_and_its_text_to_the_other(
    hall: Hall,
) -> None:
    hall.reading("quick")
    asked = hall.ask("Is it?", attachments=(PAPER,))
    async with aclosing(hall.chat().compare(asked, ("quick", "spare"))) as events:
        _ = [each async for each in events]
    assert [shown(each.seen[0].messages[-1]) for each in (hall.one, hall.two)] == [["paper.pdf"], []]
    assert "The sky is green." in hall.two.seen[0].messages[-1].said


async def test_the_text_of_a_pdf_is_looked_at_before_a_model_sees_it(hall: Hall) -> None:
    hall.reading("quick")
    looker = Looker(bad="green")
    hall.moderating = Moderating(hall.clock, Screening(check=Screen.OPENAI), looker)
    await last(hall.chat(), hall.ask("Is it?", attachments=(PAPER,)))
    assert hall.one.seen == []
    assert "The sky is green." in looker.seen[0][0]


async def test_the_pages_count_in_what_is_held(hall: Hall) -> None:
    hall.reading("quick")
    without = 4000  # an answer of 1,000 tokens; the question may be read twice
    hall.free(cost_ceiling_month=Micros(without + 2 * PAGE))
    refusal = await last(hall.chat(), hall.ask("Is it?", attachments=(SCAN,)))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.COST
    hall.free(cost_ceiling_month=Micros(without + 2 * PAGE + 2 * 100))  # and its words
    assert isinstance(await last(hall.chat(), hall.ask("Is it?", attachments=(SCAN,))), Answered)


async def test_where_means_are_short_for_the_pages_all_is_about_the_text(hall: Hall) -> None:
    hall.reading("quick", "spare")
    first = await last(hall.chat(), hall.ask("Is it?", anchors=("a",), attachments=(PAPER,)))
    assert isinstance(first, Answered)
    hall.free(cost_ceiling_month=Micros(4000 + 2 * PAGE), requests_per_minute=None)
    for ask in (
        hall.ask("And this?", attachments=(PAPER,)),
        hall.ask("And its name?", anchors=("a",)),
        hall.ask("", redo=Redo.REGENERATE, about=first.turn),
    ):
        assert isinstance(await last(hall.chat(), ask), Answered)
    assert [shown(each.messages[0]) for each in hall.one.seen] == [["paper.pdf"], [], [], []]
    assert all("The sky is green." in each.messages[0].said for each in hall.one.seen[1:])


async def test_so_it_is_with_a_comparison(hall: Hall) -> None:
    hall.reading("quick", "spare")
    hall.free(cost_ceiling_month=Micros(2 * 4000 + 2 * PAGE))
    asked = hall.ask("Is it?", attachments=(PAPER,))
    async with aclosing(hall.chat().compare(asked, ("quick", "spare"))) as events:
        _ = [each async for each in events]
    assert [shown(each.seen[0].messages[-1]) for each in (hall.one, hall.two)] == [[], []]


def reader(window: int) -> ModelSpec:
    """A model with such a window that takes everything."""
    return replace(QUICK, context=window, max_output=50, accepts=READING)


def sent(name: str, text: str, pages: int, weight: int = 10) -> Exchange:
    """A turn that brought a PDF."""
    file = Document(name, "application/pdf", text, pages, bytes(weight))
    return Exchange(told("Look.", [file]), "Seen.", pdfs=pdfs("Look.", [file]))


PAPERS = st.builds(
    Document,
    st.sampled_from(["a.pdf", 'b">.pdf', ""]),
    st.just("application/pdf"),
    st.text(st.sampled_from("a</file>\n é")),
    st.integers(1, 4),
    st.sampled_from([b"", b"%PDF", bytes(PDF_BYTES // 2), bytes(PDF_BYTES + 1)]),
)


@given(st.text(), st.lists(st.one_of(PAPERS, st.just(PHOTO)), max_size=4))
def test_what_is_left_out_of_a_question_is_the_text_of_its_pdfs_alone(
    question: str, files: list[Image | Document]
) -> None:
    message = Message(Role.USER, told(question, files), (), pdfs(question, files))
    bare = [replace(file, text="") if isinstance(file, Document) and file.pdf else file for file in files]
    sizes = [pdf.stop - pdf.start for pdf in message.pdfs]
    assert len(message.said) == len(message.text) - sum(sizes)
    read = [message.text[pdf.start : pdf.stop].strip() for pdf in message.pdfs]
    assert read == [file.text.strip() for file in files if isinstance(file, Document) and file.pdf]
    if not any("</file" in file.text for file in files if isinstance(file, Document)):
        assert message.said == told(question, bare)
    assert message.worded.said == message.text or any(pdf.wordless for pdf in message.pdfs)


@settings(max_examples=60)
@given(
    st.lists(PAPERS, max_size=3),
    st.lists(st.lists(PAPERS, max_size=2), max_size=4),
    st.integers(200, 60_000),
    st.booleans(),
)
def test_neither_the_window_nor_what_a_vendor_takes_at_once_is_passed_and_no_scan_is_lost(
    files: list[Document],
    before: list[list[Document]],
    window: int,
    reads: bool,  # noqa: FBT001 - drawn
) -> None:
    spec = reader(window) if reads else replace(reader(window), accepts=frozenset())
    history = [Exchange(told("Q", each), "A", pdfs=pdfs("Q", each)) for each in before]
    brought = pdfs("Q", files)
    composed = compose(spec, "Be brief.", history, told("Q", files), pdfs=brought)
    if composed is None:
        return
    *past, newest = composed.messages
    every = [pdf for message in composed.messages for pdf in message.pdfs]
    text = sum(tokens(each) for each in (composed.system, *(message.text for message in composed.messages)))
    assert size(composed) == text + PAGE * sum(pdf.pages for pdf in every) <= window - 50
    assert heavy(every) <= PDF_BYTES
    assert sum(len(message.pdfs) for message in past) <= HISTORY_PDFS
    assert reads or not every
    assert set(newest.pdfs) >= {pdf for pdf in brought if pdf.wordless}


@pytest.mark.parametrize(("size", "names"), [(PDF_BYTES // 2, ["a.pdf", "b.pdf"]), (PDF_BYTES // 2 + 1, [])])
def test_what_is_more_than_a_vendor_takes_at_once_goes_as_text(size: int, names: list[str]) -> None:
    files = [Document(name, "application/pdf", "green", 1, bytes(size)) for name in ("a.pdf", "b.pdf")]
    composed = compose(reader(10**6), "", (), told("?", files), pdfs=pdfs("?", files))
    assert composed
    assert shown(composed.messages[0]) == names
    assert composed.messages[0].said.count("green") == 2 - len(names)


def test_a_page_is_counted_above_what_any_vendor_charges_for_an_image_of_the_largest_size() -> None:
    """Figures that vendors publish: OpenAI, Anthropic, Gemini."""
    assert max(4915, 4784, 1120) <= PAGE
    one, two = (compose(reader(10**6), "", [sent("a.pdf", "green", pages)], "?") for pages in (1, 2))
    assert one
    assert two
    assert size(two) - size(one) == PAGE


def test_earlier_pdfs_come_again_the_newest_and_as_their_text_where_they_would_push_out_their_turns() -> None:
    history = [sent(f"{number}.pdf", "green", 1) for number in range(6)]
    whole = compose(reader(10**6), "", history, "?")
    assert whole
    assert [name for each in whole.messages for name in shown(each)] == ["2.pdf", "3.pdf", "4.pdf", "5.pdf"]
    small = compose(reader(2 * PAGE + 1000), "", history, "?")
    assert small
    assert [name for each in small.messages for name in shown(each)] == ["4.pdf", "5.pdf"]
    assert len(small.messages) == len(whole.messages) == 13
    assert sum("green" in each.said for each in small.messages) == 4


def test_a_pdf_that_is_sent_twice_counts_twice_and_heavy_ones_stay_behind() -> None:
    same = [sent("a.pdf", "green", 1, PDF_BYTES // 3)] * 4
    composed = compose(reader(10**6), "", same, "?")
    assert composed
    assert [shown(each) for each in composed.messages[::2]] == [[], ["a.pdf"], ["a.pdf"], ["a.pdf"], []]


@pytest.mark.parametrize("file", [PAPER, SCAN])
async def test_an_answer_over_a_pdf_costs_no_more_than_was_held_if_its_vendor_counts_at_most_our_estimate(
    hall: Hall, database_url: str, file: Document
) -> None:
    hall.reading("quick")
    prompt, brought = told("Is it?", [file]), pdfs("Is it?", [file])
    completion = compose(replace(QUICK, accepts=READING), "Be brief.", (), prompt, pdfs=brought)
    assert completion
    hall.one.usage = Usage(size(completion), 0, completion.max_output)
    assert isinstance(await last(hall.chat(), hall.ask("Is it?", attachments=(file,))), Answered)
    ((estimate, cost),) = rows(database_url, "SELECT estimate, cost FROM turn")
    assert size(completion) > PAGE
    assert 0 < int(str(cost)) <= int(str(estimate))
    assert int(str(estimate)) >= reserved([Route(QUICK, completion)])


def test_pdfs_of_a_window_that_none_fits_are_told_in_words() -> None:
    history = [sent("a.pdf", "green", 9), Exchange("And?", "So.")]
    composed = compose(reader(2000), "", history, "?")
    assert composed
    assert [shown(each) for each in composed.messages] == [[]] * 5
    assert "green" in composed.messages[0].said
