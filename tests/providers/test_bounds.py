"""How long a model is waited for, what counts as a sign, and that its request ends with our patience."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from engine.context import size
from engine.errors import LateError
from engine.models import Finish, Finished, TextDelta, Thinking, Usage
from providers.lazy import Adapter
from providers.streaming import Patience
from tests.fakes.vendor_wire import WIRES, Count, Json, Vendor, event
from tests.fakes.vendors import Act, FakeVendors, Script, Step
from tests.providers.conftest import Make, ask, question
from tests.providers.test_streams import GOOD_END

COUNT = Count()
SHORT = 0.25
LONG = 30.0
EMPTY = {
    Vendor.OPENAI: event({"choices": [{"index": 0, "delta": {"content": ""}}]}),
    Vendor.ANTHROPIC: event(
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": ""}},
        "content_block_delta",
    ),
    Vendor.GEMINI: event({"candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}}]}),
}
"""An event that keeps the connection alive and says nothing."""


def silence(vendor: Vendor) -> list[Step]:
    """Nothing, for longer than anybody waits, and then an answer after all."""
    empty: list[Step] = [EMPTY[vendor], Act.PAUSE]
    wire = WIRES[vendor]
    return [*empty * 5, wire.word("Sorry."), wire.stop(GOOD_END[vendor], COUNT)]


def test_nobody_waits_for_a_minute_unless_a_model_has_bounds_of_its_own() -> None:
    usual = Patience()
    assert usual.of(question()) == usual
    assert max(usual.first, usual.between) < 60
    own = usual.of(replace(question(), first_token=180.0, between_tokens=0.5))
    assert (own.first, own.between, own.tail) == (180.0, 0.5, usual.tail)


@pytest.mark.parametrize("script", ["no reply", "only a start", "empty events"])
async def test_a_model_without_a_first_sign_is_late_and_may_charge_for_what_it_read(
    script: str, vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    wire = WIRES[vendor]
    scripts: dict[str, Script] = {
        "no reply": Act.STALL,
        "only a start": [wire.start(COUNT), Act.STALL],
        "empty events": [wire.start(COUNT), *silence(vendor)],
    }
    vendors.plays(scripts[script])
    outcome = await ask(model, replace(question(), first_token=SHORT, between_tokens=LONG))
    assert type(outcome.failure) is LateError
    told = vendor is Vendor.ANTHROPIC and script != "no reply"
    sent = COUNT.sent if told else size(question())
    assert outcome.failure.usage == Usage(sent, 0, 1 if told else 0, estimated=True)
    await vendors.hears_nobody()


async def test_a_model_that_falls_silent_after_its_first_sign_is_late(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    wire = WIRES[vendor]
    for sign in (wire.word("Once"), wire.thought("Hm")):
        vendors.plays([wire.start(COUNT), sign, *silence(vendor)])
        outcome = await ask(model, replace(question(), first_token=LONG, between_tokens=SHORT))
        assert type(outcome.failure) is LateError
        await vendors.hears_nobody()


async def test_more_than_the_output_cap_is_not_waited_for_by_whatever_a_vendor_counts(
    vendors: FakeVendors, make: Make
) -> None:
    """Money is held for the cap with all that a model thinks; nobody documents that Gemini keeps to it."""
    wire = WIRES[Vendor.GEMINI]
    said = {"content": {"role": "model", "parts": [{"text": "Once"}]}}
    thought = {"content": {"role": "model", "parts": [{"text": "Hm", "thought": True}]}}

    def so_far(candidate: Json, words: int, thoughts: int) -> bytes:
        count = {"promptTokenCount": 20, "candidatesTokenCount": words, "thoughtsTokenCount": thoughts}
        return event({"candidates": [candidate], "usageMetadata": count})

    model = await make("gemini", vendors.url)
    vendors.plays([so_far(thought, 0, 500), so_far(thought, 0, 501), Act.STALL])
    mute = await ask(model, question(cap=500))
    assert mute.end == Finished(Finish.LENGTH, Usage(20, 0, 501, reasoning_tokens=501))
    await vendors.hears_nobody()
    vendors.plays([so_far(thought, 0, 400), so_far(said, 200, 400), wire.word(" more"), Act.STALL])
    outcome = await ask(model, question(cap=500))
    assert (outcome.text, outcome.end.finish) == ("Once", Finish.LENGTH)
    assert outcome.end.usage == Usage(20, 0, 600, reasoning_tokens=400)
    await vendors.hears_nobody()


async def test_thinking_is_a_sign_of_life(vendor: Vendor, vendors: FakeVendors, model: Adapter) -> None:
    wire = WIRES[vendor]
    thoughts: list[Step] = [wire.thought("Hm"), Act.PAUSE] * 3
    end = [wire.word("ur."), wire.stop(GOOD_END[vendor], COUNT)]
    vendors.plays([wire.start(COUNT), *thoughts, *end], [wire.start(COUNT), wire.word("Fo"), *thoughts, *end])
    first = await ask(model, replace(question(), first_token=SHORT, between_tokens=LONG))
    then = await ask(model, replace(question(), first_token=LONG, between_tokens=SHORT))
    assert (first.text, then.text) == ("ur.", "Four.")


async def test_a_reader_that_takes_its_time_is_no_silence_of_the_model(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    wire = WIRES[vendor]
    gate = asyncio.Event()
    vendors.plays([wire.start(COUNT), wire.word("Fo"), gate, wire.word("ur"), Act.STALL])
    async with aclosing(model.stream(replace(question(), between_tokens=SHORT))) as chunks:
        assert await anext(chunks) == TextDelta("Fo")
        await asyncio.sleep(SHORT * 1.5)
        gate.set()
        assert await anext(chunks) == TextDelta("ur")


async def test_what_keeps_a_connection_open_after_a_complete_answer_is_not_waited_for(
    vendor: Vendor, vendors: FakeVendors, make: Make
) -> None:
    wire = WIRES[vendor]
    end = wire.stop(GOOD_END[vendor], COUNT).replace(b"data: [DONE]\n\n", b"")
    chatter: list[Step] = [EMPTY[vendor], Act.PAUSE] * 4
    vendors.plays([wire.start(COUNT), wire.word("Four."), end, *chatter, wire.word("!")])
    outcome = await ask(await make(vendor, vendors.base_url(vendor), Patience(tail=SHORT)))
    assert outcome.text == "Four."
    await vendors.hears_nobody()


async def test_leaving_before_the_vendor_replied_ends_the_request(
    vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(Act.STALL)
    reader = asyncio.create_task(ask(model))
    await vendors.reached.wait()
    reader.cancel()
    await vendors.hears_nobody()
    with pytest.raises(asyncio.CancelledError):
        await reader


@pytest.mark.parametrize("sign", ["word", "thought"])
async def test_stopping_a_compatible_server_ends_its_request(
    sign: str, vendors: FakeVendors, make: Make
) -> None:
    wire = WIRES[Vendor.OPENAI]
    vendors.plays([wire.word("Once") if sign == "word" else wire.thought("Hm"), Act.STALL])
    model = await make("compatible", vendors.base_url(Vendor.OPENAI))
    async with aclosing(model.stream(question())) as chunks:
        assert await anext(chunks) in (TextDelta("Once"), Thinking())
    await vendors.hears_nobody()
