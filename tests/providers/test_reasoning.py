"""What a model thinks is told as a state and never as text, and asked for as each vendor wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest

from engine.errors import GiveUpError, TellOperatorError
from engine.models import Completion, Effort, Finished, TextDelta, Thinking, Usage
from providers.lazy import Adapter
from tests.fakes.vendor_wire import WIRES, Count, OpenAIWire, Vendor, event
from tests.fakes.vendors import Act, FakeVendors, Reply
from tests.providers.conftest import Make, ask, question
from tests.providers.test_streams import GOOD_END, answer

COUNT = Count(reasoning=30)
WIRE = OpenAIWire()
ENOUGH = 4000
"""An output cap with room to think."""


def effort(level: Effort | None, cap: int = ENOUGH, model: str = "clever-1") -> Completion:
    return replace(question(cap=cap, model=model), reasoning=level)


def kinds(chunks: Sequence[object]) -> list[type]:
    return [type(chunk) for chunk in chunks]


async def test_a_run_of_thoughts_is_told_once_and_another_one_again(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    wire = WIRES[vendor]
    thoughts = [wire.thought("They want"), wire.thought(" a number")]
    vendors.plays(
        [wire.start(COUNT), *thoughts, wire.word("Fo"), *thoughts, wire.word("ur"), *answer(vendor)[1:]]
    )
    outcome = await ask(model)
    assert kinds(outcome.chunks) == [Thinking, TextDelta, Thinking, TextDelta, Finished]
    assert outcome.text == "Four"


@pytest.mark.parametrize(
    "shown",
    [
        {"reasoning_content": "They want"},
        {"reasoning": "They want"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "They want"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "They want"}]}]},
        {"content": "<think>They want"},
    ],
)
async def test_each_way_in_which_servers_show_reasoning_is_known(
    shown: Mapping[str, object], vendors: FakeVendors, make: Make
) -> None:
    first = event({"choices": [{"index": 0, "delta": shown}]})
    end = [WIRE.word("</think>Four.")] if "<think>" in str(shown) else [WIRE.word("Four.")]
    vendors.plays([first, *end, WIRE.stop("stop", COUNT)])
    outcome = await ask(await make("compatible", f"{vendors.url}/v1"))
    assert kinds(outcome.chunks) == [Thinking, TextDelta, Finished]
    assert outcome.text == "Four."


async def test_a_thought_that_anthropic_keeps_to_itself_is_one_too(vendors: FakeVendors, make: Make) -> None:
    wire = WIRES[Vendor.ANTHROPIC]
    hidden = {"type": "content_block_start", "index": 0}
    redacted = {**hidden, "content_block": {"type": "redacted_thinking", "data": "x"}}
    empty = {**hidden, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}
    for block in (redacted, empty):
        begun = [wire.start(COUNT), event(block, "content_block_start"), wire.word("Four.")]
        vendors.plays([*begun, wire.stop("end_turn", COUNT)])
        outcome = await ask(await make("anthropic", vendors.url))
        assert kinds(outcome.chunks) == [Thinking, TextDelta, Finished]


async def test_thoughts_that_broke_off_are_taken_to_be_charged(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    wire = WIRES[vendor]
    vendors.plays([wire.start(COUNT), wire.thought("x" * 300), Act.RESET])
    usage = (await ask(model)).failure.usage
    assert usage is not None
    assert usage.estimated
    assert (usage.output_tokens, usage.reasoning_tokens) == (100, 100)


async def test_reasoning_that_a_server_counts_beside_the_answer_is_output_all_the_same(
    vendors: FakeVendors, make: Make
) -> None:
    counted = {
        "prompt_tokens": 20,
        "completion_tokens": 5,
        "total_tokens": 55,
        "completion_tokens_details": {"reasoning_tokens": 30},
    }
    vendors.plays([WIRE.word("Four."), WIRE.finish("stop"), event({"choices": [], "usage": counted})])
    usage = (await ask(await make("compatible", f"{vendors.url}/v1"))).end.usage
    assert usage == Usage(20, 0, 35, reasoning_tokens=30)


async def test_closing_the_answer_while_a_model_thinks_ends_the_request(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    wire = WIRES[vendor]
    vendors.plays([wire.start(COUNT), wire.thought("They"), Act.STALL])
    async with aclosing(model.stream(question())) as chunks:
        assert await anext(chunks) == Thinking()
    await vendors.hears_nobody()


SUMMARY = {"type": "adaptive", "display": "summarized"}
THOUGHTS = {"include_thoughts": True}
FIRST: Mapping[Vendor, Mapping[Effort | None, Mapping[str, object]]] = {
    Vendor.OPENAI: {
        None: {},
        Effort.OFF: {"reasoning_effort": "none"},
        Effort.LOW: {"reasoning_effort": "low"},
        Effort.MEDIUM: {"reasoning_effort": "medium"},
        Effort.HIGH: {"reasoning_effort": "high"},
    },
    Vendor.ANTHROPIC: {
        None: {},
        Effort.OFF: {"thinking": {"type": "disabled"}},
        Effort.LOW: {"thinking": SUMMARY, "output_config": {"effort": "low"}},
        Effort.MEDIUM: {"thinking": SUMMARY, "output_config": {"effort": "medium"}},
        Effort.HIGH: {"thinking": SUMMARY, "output_config": {"effort": "high"}},
    },
    Vendor.GEMINI: {
        None: {"thinkingConfig": THOUGHTS},
        Effort.OFF: {"thinkingConfig": {**THOUGHTS, "thinking_level": "MINIMAL"}},
        Effort.LOW: {"thinkingConfig": {**THOUGHTS, "thinking_level": "LOW"}},
        Effort.MEDIUM: {"thinkingConfig": {**THOUGHTS, "thinking_level": "MEDIUM"}},
        Effort.HIGH: {"thinkingConfig": {**THOUGHTS, "thinking_level": "HIGH"}},
    },
}
NAMES = ("reasoning_effort", "thinking", "output_config", "thinkingConfig")


def wishes(body: Mapping[str, object]) -> Mapping[str, object]:
    """What of a request is about reasoning."""
    config = body.get("generationConfig")
    fields = {**body, **(config if isinstance(config, dict) else {})}
    return {name: fields[name] for name in NAMES if name in fields}


@pytest.mark.parametrize("level", [None, *Effort])
async def test_an_effort_is_asked_for_in_the_vendors_own_words(
    level: Effort | None, vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(answer(vendor, "Four."))
    assert (await ask(model, effort(level))).text == "Four."
    assert wishes(vendors.asked[0].body) == FIRST[vendor][level]


WORDS = {
    Vendor.OPENAI: "Unsupported value: 'reasoning_effort' does not support this with this model.",
    Vendor.ANTHROPIC: '"thinking.type" of this kind is not supported for this model.',
    Vendor.GEMINI: "Thinking level is not supported for this model.",
}
NEXT: Sequence[tuple[Vendor, Effort, Sequence[Mapping[str, object]]]] = [
    (Vendor.OPENAI, Effort.OFF, [{"reasoning_effort": "minimal"}, {"reasoning_effort": "low"}]),
    (
        Vendor.ANTHROPIC,
        Effort.OFF,
        [{"thinking": {"type": "between_tools"}}, {"output_config": {"effort": "low"}}],
    ),
    (Vendor.ANTHROPIC, Effort.LOW, [{"thinking": {"type": "enabled", "budget_tokens": 1024}}]),
    (Vendor.ANTHROPIC, Effort.HIGH, [{"thinking": {"type": "enabled", "budget_tokens": 3000}}]),
    (
        Vendor.GEMINI,
        Effort.OFF,
        [
            {"thinkingConfig": {**THOUGHTS, "thinking_level": "LOW"}},
            {"thinkingConfig": {"include_thoughts": False, "thinking_budget": 0}},
        ],
    ),
    (Vendor.GEMINI, Effort.LOW, [{"thinkingConfig": {**THOUGHTS, "thinking_budget": 1000}}]),
    (
        Vendor.GEMINI,
        Effort.MEDIUM,
        [
            {"thinkingConfig": {**THOUGHTS, "thinking_level": "LOW"}},
            {"thinkingConfig": {**THOUGHTS, "thinking_budget": 2000}},
        ],
    ),
]


@pytest.mark.parametrize(("vendor", "level", "others"), NEXT)
async def test_a_model_that_refuses_one_way_is_asked_in_the_next_and_so_ever_after(
    vendor: Vendor,
    level: Effort,
    others: Sequence[Mapping[str, object]],
    vendors: FakeVendors,
    make: Make,
) -> None:
    model = await make(vendor, vendors.base_url(vendor))
    refusal = Reply(400, WIRES[vendor].refusal(400, "", WORDS[vendor]))
    vendors.plays(*[refusal] * len(others), answer(vendor, "Four."))
    assert [(await ask(model, effort(level))).text for _ in range(2)] == ["Four.", "Four."]
    assert [wishes(asked.body) for asked in vendors.asked] == [
        FIRST[vendor][level],
        *others,
        others[-1],
    ]
    await ask(model, effort(level, model="other-1"))
    assert wishes(vendors.asked[-1].body) == FIRST[vendor][level], "another model is asked anew"


async def test_an_older_model_whose_answer_has_no_room_to_think_answers_without(
    vendors: FakeVendors, make: Make
) -> None:
    """As where less money is left than for a whole answer: a budget has to be below the cap."""
    vendor = Vendor.ANTHROPIC
    refusal = Reply(400, WIRES[vendor].refusal(400, "", WORDS[vendor]))
    vendors.plays(refusal, answer(vendor, "Four."))
    assert (await ask(await make(vendor, vendors.url), effort(Effort.HIGH, 1000))).text == "Four."
    assert [wishes(asked.body) for asked in vendors.asked] == [FIRST[vendor][Effort.HIGH], {}]


async def test_what_no_way_helps_against_is_a_matter_for_the_operator_and_not_remembered(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    code = "unsupported_value" if vendor is Vendor.OPENAI else ""
    vendors.plays(Reply(400, WIRES[vendor].refusal(400, code, WORDS[vendor])))
    assert type((await ask(model, effort(Effort.HIGH))).failure) is TellOperatorError
    vendors.plays(answer(vendor, "Four."))
    await ask(model, effort(Effort.HIGH))
    assert wishes(vendors.asked[-1].body) == FIRST[vendor][Effort.HIGH]


async def test_a_refusal_for_another_reason_is_no_reason_to_ask_twice(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(Reply(400, WIRES[vendor].refusal(400, "", "No such temperature.")))
    assert isinstance((await ask(model, effort(Effort.OFF))).failure, GiveUpError)
    assert len(vendors.asked) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (422, "reasoning_effort: unknown field"),
        (400, '"small-1" does not support thinking'),
        (500, 'think value "high" is not supported for this model'),
    ],
)
@pytest.mark.parametrize("level", [Effort.OFF, Effort.HIGH])
async def test_a_compatible_server_that_knows_no_effort_is_asked_without(
    level: Effort, status: int, words: str, vendors: FakeVendors, make: Make
) -> None:
    model = await make("compatible", f"{vendors.url}/v1")
    vendors.plays(Reply(status, {"error": {"message": words}}), answer(Vendor.OPENAI, "Four."))
    assert [(await ask(model, effort(level))).text for _ in range(2)] == ["Four.", "Four."]
    asked = [wishes(asked.body) for asked in vendors.asked]
    assert asked == [{"reasoning_effort": "none" if level is Effort.OFF else "high"}, {}, {}]


@pytest.mark.parametrize("level", list(Effort))
async def test_thinking_is_inside_the_output_cap_that_money_is_held_for(
    level: Effort, vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(Reply(400, WIRES[vendor].refusal(400, "", WORDS[vendor])))
    for cap in (300, 1024, 1025, 2000, 8192):
        vendors.asked.clear()
        await ask(model, effort(level, cap))
        for asked in vendors.asked:
            config = asked.body.get("generationConfig")
            body = {**asked.body, **(config if isinstance(config, dict) else {})}
            caps = [body.get(name) for name in ("max_completion_tokens", "max_tokens", "maxOutputTokens")]
            assert [each for each in caps if each] == [cap]
            thinking = body.get("thinking")
            if isinstance(thinking, dict) and "budget_tokens" in thinking:
                assert 1024 <= thinking["budget_tokens"] < cap


def test_every_vendor_has_an_end() -> None:
    assert set(GOOD_END) == set(FIRST) == set(Vendor)
