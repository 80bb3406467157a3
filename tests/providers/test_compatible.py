"""Servers that speak OpenAI's protocol in their own way."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from engine.context import size, tokens
from engine.errors import GiveUpError, StreamCutError
from engine.models import Finish, Usage
from providers.compatible import CompatibleReading, connect
from providers.endpoint import Endpoint
from providers.lazy import Adapter
from providers.thoughts import ThoughtFilter
from tests.fakes.vendor_wire import Count, OpenAIWire, event
from tests.fakes.vendors import FakeVendors, Reply
from tests.providers.conftest import Make, ask, question

WIRE = OpenAIWire()
COUNT = Count()


@pytest.fixture
async def model(vendors: FakeVendors, make: Make) -> Adapter:
    return await make("compatible", f"{vendors.url}/v1")


async def test_a_server_that_counts_no_tokens_is_estimated(vendors: FakeVendors, model: Adapter) -> None:
    vendors.plays([WIRE.word("Good evening."), WIRE.finish("stop"), b"data: [DONE]\n\n"])
    usage = (await ask(model)).end.usage
    assert usage == Usage(size(question()), 0, tokens("Good evening."), estimated=True)


async def test_a_count_of_nothing_for_an_answer_is_not_believed(vendors: FakeVendors, model: Adapter) -> None:
    vendors.plays([WIRE.word("Good evening."), WIRE.stop("stop", Count(sent=0, words=0))])
    assert (await ask(model)).end.usage.estimated


async def test_a_server_that_refuses_to_be_asked_for_usage_is_not_asked_again(
    vendors: FakeVendors, model: Adapter
) -> None:
    refusal = Reply(422, {"error": {"message": "stream_options: extra fields not permitted"}})
    good = [WIRE.word("Yes."), WIRE.finish("stop")]
    vendors.plays(refusal, good, good)
    assert [(await ask(model)).text for _ in range(2)] == ["Yes.", "Yes."]
    assert ["stream_options" in asked.body for asked in vendors.asked] == [True, False, False]


async def test_another_refusal_is_no_reason_to_ask_twice(vendors: FakeVendors, model: Adapter) -> None:
    vendors.plays(Reply(422, {"error": {"message": "max_tokens: too large"}}))
    assert isinstance((await ask(model)).failure, GiveUpError)
    assert len(vendors.asked) == 1


NUMBERS = st.integers(-5, 50)
COUNTS: st.SearchStrategy[object] = st.one_of(NUMBERS, NUMBERS, st.sampled_from([None, "12", 1.5]))


@given(
    counts=st.tuples(*[COUNTS] * 6),
    words=st.sampled_from(["", "Yes."]),
    reason=st.sampled_from([None, "stop"]),
)
@example(counts=(20, 15, 15, 5, 50, None), words="Yes.", reason="stop")
def test_whatever_a_server_counts_parts_are_no_more_than_the_whole(
    counts: tuple[object, ...], words: str, reason: str | None
) -> None:
    sent, cached, written, out, thought, total = counts
    usage = {
        "prompt_tokens": sent,
        "completion_tokens": out,
        "total_tokens": total,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    choice = {"index": 0, "delta": {"content": words}, "finish_reason": reason}
    reading = CompatibleReading(question())
    for data in ({"choices": [choice]}, {"choices": [], "usage": usage}):
        reading.take(ChatCompletionChunk.construct(**data))
    found = reading.usage()
    assert found.input_tokens > 0
    assert min(found.cached_input_tokens, found.cache_written_tokens, found.reasoning_tokens) >= 0
    assert found.cached_input_tokens + found.cache_written_tokens <= found.input_tokens
    assert found.reasoning_tokens <= found.output_tokens
    assert found.output_tokens > 0 or not words


@pytest.mark.parametrize("odd", [{"choices": None}, {"choices": []}, {"choices": [{"index": 0}]}, {}])
async def test_chunks_with_less_than_openai_sends_are_read(
    odd: Mapping[str, object], vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays([event(odd), WIRE.word("Yes."), WIRE.stop("eos", COUNT)])
    outcome = await ask(model)
    assert outcome.text == "Yes."
    assert outcome.end.finish is Finish.END


async def test_reasoning_beside_the_answer_or_before_it_is_left_out(
    vendors: FakeVendors, model: Adapter
) -> None:
    parts = [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Fo"}]
    listed = event({"choices": [{"index": 0, "delta": {"content": parts}}]})
    vendors.plays(
        [WIRE.thought("They want a number"), listed, WIRE.word("ur."), WIRE.stop("stop", COUNT)],
        [*map(WIRE.word, ("<thi", "nk>They", " want</th", "ink>\n\nFour.")), WIRE.stop("stop", COUNT)],
    )
    assert [(await ask(model)).text for _ in range(2)] == ["Four.", "Four."]


@pytest.mark.parametrize("content", [[{"type": "text"}], ["Four."], [{"type": "text", "text": 4}]])
async def test_a_part_of_unknown_shape_is_no_answer(
    content: list[object], vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays([event({"choices": [{"index": 0, "delta": {"content": content}}]})])
    assert type((await ask(model)).failure) is StreamCutError


@pytest.mark.parametrize("reason", ["error", "abort"])
async def test_a_server_that_says_it_broke_off_has_not_finished(
    reason: str, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays([WIRE.word("Once"), WIRE.stop(reason, COUNT)])
    assert isinstance((await ask(model)).failure, StreamCutError)


async def test_nobody_but_openai_is_given_what_is_openais(
    vendors: FakeVendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "fake-of-openai")
    vendors.plays([WIRE.word("Yes."), WIRE.stop("stop", COUNT)])
    model = await connect(Endpoint("ollama", f"{vendors.url}/v1"))
    await ask(model)
    await model.close()
    assert "fake-of-openai" not in str(vendors.asked[0].headers)


@given(
    lead=st.sampled_from(["", " ", "\n\n"]),
    thought=st.text(st.sampled_from("ab<>/think "), max_size=30).filter(lambda text: "</think>" not in text),
    answer=st.text(st.sampled_from("ab<>/think ")).map(str.strip),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_only_the_first_thought_is_dropped_however_the_text_is_cut(
    lead: str, thought: str, answer: str, cuts: list[int]
) -> None:
    text = f"{lead}<think>{thought}</think> {answer}"
    assert filtered(text, cuts) == answer
    plain = f"x{text}"
    assert filtered(plain, cuts) == plain


def filtered(text: str, cuts: list[int]) -> str:
    """The text in pieces through a filter."""
    found, places = ThoughtFilter(), [0, *sorted(cuts), len(text)]
    shown = [found.feed(text[start:end]) for start, end in pairwise(places)]
    return "".join(shown) + found.rest()


@pytest.mark.parametrize(("text", "shown"), [("<thi", "<thi"), ("  ", "  "), ("<think>no end", "")])
def test_what_was_held_back_is_shown_unless_it_was_a_thought(text: str, shown: str) -> None:
    assert filtered(text, [2, 3]) == shown
