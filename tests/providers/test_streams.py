"""What comes through whole: text, reasons to stop, tokens, and the request that asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine.context import size, tokens
from engine.files import Image, Pdf
from engine.models import Completion, Effort, Finish, Message, Role, Usage
from providers.lazy import Adapter
from tests.fakes.vendor_wire import WIRES, Count, Json, OpenAIWire, Vendor, event
from tests.fakes.vendors import Act, FakeVendors
from tests.providers.conftest import HURRIED, KEY, Make, ask, question

GOOD_END = {Vendor.OPENAI: "stop", Vendor.ANTHROPIC: "end_turn", Vendor.GEMINI: "STOP"}
COUNT = Count(sent=120, cached=90, reasoning=30, words=7, written=10)


def answer(
    vendor: Vendor, *words: str, reason: str | None = None, count: Count = COUNT
) -> Sequence[bytes | Act]:
    """A whole and healthy stream."""
    wire = WIRES[vendor]
    return [wire.start(count), *map(wire.word, words), wire.stop(reason or GOOD_END[vendor], count)]


async def test_text_comes_piece_by_piece_and_the_end_comes_once(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(answer(vendor, "Good", " evening", ", Ada."))
    outcome = await ask(model)
    assert outcome.text == "Good evening, Ada."
    assert len(outcome.chunks) == 4
    assert outcome.end.finish is Finish.END


async def test_tokens_include_cached_input_and_reasoning_whatever_the_vendor_counts_apart(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(answer(vendor, "Yes."))
    written = 0 if vendor is Vendor.GEMINI else 10  # which writes what it likes and charges nothing for it
    usage = Usage(120, 90, 37, cache_written_tokens=written, reasoning_tokens=30)
    assert (await ask(model)).end.usage == usage


@pytest.mark.parametrize(
    ("vendor", "reason", "finish"),
    [
        (Vendor.OPENAI, "length", Finish.LENGTH),
        (Vendor.OPENAI, "content_filter", Finish.SAFETY),
        (Vendor.OPENAI, "tool_calls", Finish.END),
        (Vendor.ANTHROPIC, "max_tokens", Finish.LENGTH),
        (Vendor.ANTHROPIC, "model_context_window_exceeded", Finish.LENGTH),
        (Vendor.ANTHROPIC, "stop_sequence", Finish.END),
        (Vendor.ANTHROPIC, "refusal", Finish.SAFETY),
        (Vendor.GEMINI, "MAX_TOKENS", Finish.LENGTH),
        (Vendor.GEMINI, "CONTINUATION", Finish.LENGTH),
        (Vendor.GEMINI, "SAFETY", Finish.SAFETY),
        (Vendor.GEMINI, "PROHIBITED_CONTENT", Finish.SAFETY),
    ],
)
async def test_each_reason_to_stop_has_its_meaning(
    vendor: Vendor, reason: str, finish: Finish, vendors: FakeVendors, make: Make
) -> None:
    vendors.plays(answer(vendor, "Well", reason=reason))
    outcome = await ask(await make(vendor, vendors.base_url(vendor)))
    assert outcome.end.finish is finish


async def test_reasoning_is_never_answer(vendor: Vendor, vendors: FakeVendors, model: Adapter) -> None:
    wire = WIRES[vendor]
    vendors.plays(
        [wire.start(COUNT), wire.thought("They want"), wire.word("Four."), wire.stop(GOOD_END[vendor], COUNT)]
    )
    assert (await ask(model)).text == "Four."


async def test_the_whole_conversation_is_sent_with_instructions_and_cap(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(answer(vendor, "Six."))
    await ask(model, question("Two and two?", "Four.", "And two?", model="clever-1", cap=321))
    [asked] = vendors.asked
    sent = str(asked.body)
    assert sent.index("Two and two?") < sent.index("Four.") < sent.index("And two?")
    assert "Be brief." in sent
    assert "321" in sent
    assert "clever-1" in sent + asked.path
    assert KEY in str(asked.headers)


IMAGE_URL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
SOURCE = {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}
SHOWN: dict[Vendor, object] = {
    Vendor.OPENAI: [IMAGE_URL, {"type": "text", "text": "What is this?"}],
    Vendor.ANTHROPIC: [{"type": "image", "source": SOURCE}, {"type": "text", "text": "What is this?"}],
    Vendor.GEMINI: [
        {"inlineData": {"mime_type": "image/png", "data": "iVBORw=="}},
        {"text": "What is this?"},
    ],
}
"""A message with an image as each vendor documents it; Gemini takes fields in either spelling."""


async def test_an_image_is_sent_before_its_words_as_the_vendor_wants_it(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(answer(vendor, "A cat."))
    image = Image("cat.png", "image/png", b"\x89PNG", 640, 480)
    asked = Message(Role.USER, "What is this?", (image,))
    await ask(model, Completion("fake-model", "", (asked,), 500))
    body: dict[str, list[dict[str, object]]] = dict(vendors.asked[0].body)  # type: ignore[arg-type]
    said = body["contents" if vendor is Vendor.GEMINI else "messages"][-1]
    assert said["parts" if vendor is Vendor.GEMINI else "content"] == SHOWN[vendor]


PDF_SOURCE = {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}
PDF_FILE = {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}
READ: dict[Vendor, object] = {
    Vendor.OPENAI: [{"type": "file", "file": PDF_FILE}, {"type": "text", "text": "Is it?<file></file>"}],
    Vendor.ANTHROPIC: [
        {"type": "document", "title": "a.pdf", "source": PDF_SOURCE},
        {"type": "text", "text": "Is it?<file></file>"},
    ],
    Vendor.GEMINI: [
        {"inlineData": {"mime_type": "application/pdf", "data": "JVBERg=="}},
        {"text": "Is it?<file></file>"},
    ],
}
"""A message with a PDF, likewise."""


async def test_a_pdf_is_sent_before_its_words_without_its_text_as_the_vendor_wants_it(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(answer(vendor, "Yes."))
    asked = Message(Role.USER, "Is it?<file>green</file>", (), (Pdf("a.pdf", b"%PDF", 1, 12, 17),))
    await ask(model, Completion("fake-model", "", (asked,), 500))
    body: dict[str, list[dict[str, object]]] = dict(vendors.asked[0].body)  # type: ignore[arg-type]
    said = body["contents" if vendor is Vendor.GEMINI else "messages"][-1]
    assert said["parts" if vendor is Vendor.GEMINI else "content"] == READ[vendor]


async def test_no_tools_are_ever_offered(vendor: Vendor, vendors: FakeVendors, model: Adapter) -> None:
    vendors.plays(answer(vendor, "Yes."))
    said = [f"Turn {number}" for number in range(5)]
    for effort in (None, *Effort):
        asked = replace(question(*said, cap=4000), reasoning=effort, stable=5)
        await ask(model, asked)
    for sent in vendors.asked:
        keys = {key.casefold().replace("_", "") for key in sent.body}
        assert not keys & {"tools", "toolchoice", "toolconfig", "functions", "functioncall", "mcpservers"}


async def test_no_instructions_are_sent_where_there_are_none(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(answer(vendor, "Yes."))
    await ask(model, question("Really?", system=""))
    assert "system" not in str(vendors.asked[0].body)


async def test_one_connection_serves_many_questions(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(answer(vendor, "Yes."))
    for _ in range(3):
        await ask(model)
    assert vendors.connections == 1


async def test_what_breaks_after_a_complete_answer_does_not_undo_it(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(
        [*answer(vendor, "All of it.")[:-1], WIRES[vendor].stop(GOOD_END[vendor], COUNT), Act.RESET]
    )
    outcome = await ask(model)
    assert outcome.text == "All of it."
    assert outcome.end.finish is Finish.END


UNREADABLE: dict[Vendor, Json] = {
    Vendor.OPENAI: {"choices": [{"index": 0, "delta": "?"}]},
    Vendor.ANTHROPIC: {"type": "message_delta", "delta": None, "usage": None},
    Vendor.GEMINI: {"candidates": "?"},
}


async def test_what_cannot_be_read_after_a_complete_answer_does_not_undo_it(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    said = answer(vendor, "All of it.")
    strange = event(UNREADABLE[vendor], "message_delta" if vendor is Vendor.ANTHROPIC else None)
    vendors.plays([*said[:-1], last_but_done(said[-1]), strange])
    outcome = await ask(model)
    assert (outcome.text, outcome.end.finish) == ("All of it.", Finish.END)
    assert outcome.end.usage.output_tokens == 37


def last_but_done(end: bytes | Act) -> bytes:
    """The end of a stream without the mark after which nothing is read."""
    assert isinstance(end, bytes)
    return end.replace(b"data: [DONE]\n\n", b"")


async def test_gemini_is_asked_by_the_version_that_has_the_previews(vendors: FakeVendors, make: Make) -> None:
    vendors.plays(answer(Vendor.GEMINI, "Yes."))
    await ask(await make("gemini", vendors.url))
    assert vendors.asked[0].path == "/v1beta/models/fake-model:streamGenerateContent"


@pytest.mark.parametrize("reason", ["CONTINUATION", None])
async def test_gemini_is_never_asked_to_go_on_beyond_the_request_that_money_is_held_for(
    reason: str | None, vendors: FakeVendors, make: Make
) -> None:
    """Its SDK would send such an answer's token back, and each time a whole answer is charged again."""
    part = {"content": {"role": "model", "parts": [{"text": "Once"}]}, "continuationToken": "bW9yZQ=="}
    ended = event({"candidates": [{**part, **({"finishReason": reason} if reason else {})}]})
    vendors.plays([ended] if reason else [ended, Act.RESET], answer(Vendor.GEMINI, " more"))
    outcome = await ask(await make("gemini", vendors.url))
    assert outcome.text == "Once"
    assert (outcome.error is None) is bool(reason)
    assert len(vendors.asked) == 1


async def test_openai_saying_no_in_its_field_for_that_is_a_safety_end(
    vendors: FakeVendors, make: Make
) -> None:
    refusal = b'data: {"choices":[{"index":0,"delta":{"refusal":"I cannot."},"finish_reason":null}]}\n\n'
    vendors.plays([refusal, WIRES[Vendor.OPENAI].stop("stop", COUNT)])
    outcome = await ask(await make("openai", f"{vendors.url}/v1"))
    assert outcome.text == "I cannot."
    assert outcome.end.finish is Finish.SAFETY


async def test_an_answer_that_is_complete_does_not_wait_long_for_its_count(
    vendors: FakeVendors, make: Make
) -> None:
    wire = OpenAIWire()
    vendors.plays([wire.word("All of it."), wire.finish("stop"), Act.STALL])
    outcome = await ask(await make("openai", f"{vendors.url}/v1", HURRIED))
    assert outcome.text == "All of it."
    assert outcome.end.usage == Usage(size(question()), 0, tokens("All of it."), estimated=True)
