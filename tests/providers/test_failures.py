"""What each failure of a vendor becomes: an error whose class says what can be done."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from engine.context import size, tokens
from engine.errors import (
    ContentRefusedError,
    ContextTooLongError,
    GiveUpError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.models import NO_USAGE, TextDelta, Usage
from providers.lazy import Adapter
from providers.streaming import Patience
from tests.fakes.vendor_wire import WIRES, Count, Vendor
from tests.fakes.vendors import Act, FakeVendors, Reply, Script
from tests.providers.conftest import HURRIED, KEY, Make, ask, question

COUNT = Count()
TROUBLE = {Vendor.OPENAI: "server_error", Vendor.ANTHROPIC: "overloaded_error", Vendor.GEMINI: "UNAVAILABLE"}

STATUSES: dict[int, type[OutsideError]] = {
    **dict.fromkeys((401, 402, 403, 404, 405), TellOperatorError),
    **dict.fromkeys((408, 409, 429, 500, 502, 503, 504, 529), TryAgainError),
    **dict.fromkeys((400, 422), GiveUpError),
    413: ContextTooLongError,
}
WAITS: tuple[tuple[dict[str, str], float | None], ...] = (
    ({"retry_after": "7"}, 7.0),
    ({"retry_after": "7", "retry_after_ms": "250"}, 0.25),
    ({"date": "Tue, 24 Nov 2026 12:00:00 GMT", "retry_after": "Tue, 24 Nov 2026 12:01:30 GMT"}, 90.0),
    ({"retry_after": "soon"}, None),
    ({}, None),
)


def refused(vendor: Vendor, status: int, code: str = "", text: str = "No.", **headers: str) -> Reply:
    """An error in the vendor's own shape."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, WIRES[vendor].refusal(status, code, text), named)


def begun(vendor: Vendor, *then: bytes | Act) -> Sequence[bytes | Act]:
    """A stream that broke after its first words."""
    wire = WIRES[vendor]
    return [wire.start(COUNT), wire.word("Once upon"), wire.word(" a time"), *then]


@pytest.fixture(params=["clean end", "reset", "truncated", "no JSON", "no chunk", "error event"])
def broken(request: pytest.FixtureRequest, vendor: Vendor) -> Script:
    """Each way to break off after the first words."""
    named = b"event: content_block_delta\n" if vendor is Vendor.ANTHROPIC else b""
    ways: dict[str, tuple[bytes | Act, ...]] = {
        "clean end": (),
        "reset": (Act.RESET,),
        "truncated": (Act.TRUNCATE,),
        "no JSON": (named + b"data: {oh no\n\n",),
        "no chunk": (named + b"data: [1, 2]\n\n",),
        "error event": (WIRES[vendor].trouble(TROUBLE[vendor]),),
    }
    return begun(vendor, *ways[request.param])


async def test_a_status_decides_what_to_do_and_costs_nothing(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    for status, kind in STATUSES.items():
        vendors.plays(refused(vendor, status))
        failure = (await ask(model)).failure
        assert (status, type(failure), failure.usage) == (status, kind, None)
    assert len(vendors.asked) == len(STATUSES), "repeating a request is the engine's decision"


async def test_the_wait_that_a_vendor_asks_for_is_passed_on(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    for headers, seconds in WAITS:
        vendors.plays(refused(vendor, 429, **headers))
        failure = (await ask(model)).failure
        assert isinstance(failure, TryAgainError)
        assert (headers, failure.retry_after) == (headers, seconds)


@pytest.mark.parametrize(
    ("vendor", "status", "code", "text", "kind"),
    [
        (Vendor.OPENAI, 400, "context_length_exceeded", "Too much.", ContextTooLongError),
        (Vendor.OPENAI, 400, "content_policy_violation", "No.", ContentRefusedError),
        (Vendor.OPENAI, 400, "unsupported_parameter", "No max_tokens.", TellOperatorError),
        (Vendor.OPENAI, 400, "", "This model's maximum context length is 8192 tokens.", ContextTooLongError),
        (Vendor.OPENAI, 429, "insufficient_quota", "Pay first.", TellOperatorError),
        (Vendor.ANTHROPIC, 400, "", "prompt is too long: 210000 tokens > 200000", ContextTooLongError),
        (Vendor.ANTHROPIC, 400, "", "Output blocked by content filtering policy", ContentRefusedError),
        (Vendor.ANTHROPIC, 400, "", "Your credit balance is too low", TellOperatorError),
        (Vendor.ANTHROPIC, 413, "request_too_large", "Too large.", ContextTooLongError),
        (Vendor.GEMINI, 400, "INVALID_ARGUMENT", "API key not valid.", TellOperatorError),
        (
            Vendor.GEMINI,
            400,
            "INVALID_ARGUMENT",
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            ContextTooLongError,
        ),
    ],
)
async def test_codes_and_at_last_words_tell_more_than_a_status(
    vendor: Vendor,
    status: int,
    code: str,
    text: str,
    kind: type[OutsideError],
    vendors: FakeVendors,
    make: Make,
) -> None:
    vendors.plays(refused(vendor, status, code, text))
    assert type((await ask(await make(vendor, vendors.base_url(vendor)))).failure) is kind


async def test_gemini_says_in_its_body_how_long_to_wait(vendors: FakeVendors, make: Make) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37.5s"}
    error = {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED", "details": [info]}
    vendors.plays(Reply(429, {"error": error}))
    failure = (await ask(await make("gemini", vendors.url))).failure
    assert isinstance(failure, TryAgainError)
    assert failure.retry_after == 37.5


async def test_a_blocked_prompt_is_refused_content(vendors: FakeVendors, make: Make) -> None:
    vendors.plays([b'data: {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}\n\n'])
    assert isinstance((await ask(await make("gemini", vendors.url))).failure, ContentRefusedError)


async def test_an_error_before_the_first_word_can_be_tried_again(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    wire = WIRES[vendor]
    vendors.plays([wire.start(COUNT), wire.trouble(TROUBLE[vendor])])
    assert type((await ask(model)).failure) is TryAgainError


async def test_a_stream_without_its_end_is_cut(broken: Script, vendors: FakeVendors, model: Adapter) -> None:
    vendors.plays(broken)
    outcome = await ask(model)
    assert outcome.text == "Once upon a time"
    assert type(outcome.failure) is StreamCutError


async def test_a_cut_stream_has_cost_what_was_sent_and_seen(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(begun(vendor))
    sent = COUNT.sent if vendor is Vendor.ANTHROPIC else size(question())  # only Anthropic counts input first
    assert (await ask(model)).failure.usage == Usage(sent, 0, tokens("Once upon a time"), estimated=True)


@pytest.mark.parametrize("words", [0, 1])
async def test_silence_is_borne_for_so_long_only(
    words: int, vendor: Vendor, vendors: FakeVendors, make: Make
) -> None:
    wire, model = WIRES[vendor], await make(vendor, vendors.base_url(vendor), HURRIED)
    vendors.plays([wire.start(COUNT), *[wire.word("Hm")] * words, Act.STALL])
    outcome = await ask(model)
    await vendors.hears_nobody()
    assert type(outcome.failure) is LateError
    assert outcome.text == "Hm" * words


async def test_a_slow_stream_is_no_silence(vendor: Vendor, vendors: FakeVendors, make: Make) -> None:
    wire, model = WIRES[vendor], await make(vendor, vendors.base_url(vendor), HURRIED)
    good = {Vendor.OPENAI: "stop", Vendor.ANTHROPIC: "end_turn", Vendor.GEMINI: "STOP"}[vendor]
    slow = [step for word in "abc" for step in (wire.word(word), Act.PAUSE)]
    vendors.plays([wire.start(COUNT), *slow, wire.stop(good, COUNT)])
    assert (await ask(model)).text == "abc"


async def test_a_vendor_that_is_not_there_can_be_tried_again(
    vendor: Vendor, vendors: FakeVendors, make: Make
) -> None:
    model = await make(vendor, vendors.base_url(vendor))
    await vendors.close()
    failure = (await ask(model)).failure
    assert type(failure) is TryAgainError
    assert failure.usage is None


@pytest.mark.parametrize("vendor", [Vendor.OPENAI, Vendor.ANTHROPIC])
async def test_a_vendor_that_cannot_be_reached_in_time_has_charged_nothing(
    vendor: Vendor, make: Make
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as queued:
        queued.connect(full.getsockname())
        host, port = full.getsockname()
        model = await make(vendor, f"http://{host}:{port}", Patience(connect=0.2))
        failure = (await ask(model)).failure
    assert type(failure) is LateError
    assert failure.usage == NO_USAGE


async def test_a_vendor_that_hangs_up_before_its_reply_can_be_tried_again(
    vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(Act.RESET)
    assert type((await ask(model)).failure) is TryAgainError


@pytest.mark.parametrize("vendor", [Vendor.OPENAI, Vendor.ANTHROPIC])
async def test_a_web_page_instead_of_an_api_is_a_matter_for_the_operator(
    vendor: Vendor, vendors: FakeVendors, make: Make
) -> None:
    vendors.plays(Reply(200, "<h1>Welcome</h1>"))
    failure = (await ask(await make(vendor, vendors.base_url(vendor)))).failure
    assert type(failure) is TellOperatorError
    assert "base URL" in str(failure)


async def test_the_key_is_not_repeated_to_anybody(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(refused(vendor, 401, text=f"{KEY} is no key of ours"))
    failure = (await ask(model)).failure
    assert "is no key of ours" in str(failure)
    assert KEY not in str(failure)


async def test_words_of_a_rejected_request_are_kept_out_of_the_error(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(refused(vendor, 422, text="input: 'my secret diary'"))
    assert "diary" not in str((await ask(model)).failure)


async def test_closing_the_answer_ends_the_request(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(begun(vendor, Act.STALL))
    async with aclosing(model.stream(question())) as chunks:
        assert isinstance(await anext(chunks), TextDelta)
    await vendors.hears_nobody()


async def test_cancelling_the_reader_ends_the_request_and_leaves_the_client_usable(
    vendor: Vendor, vendors: FakeVendors, model: Adapter
) -> None:
    vendors.plays(begun(vendor, Act.STALL), refused(vendor, 429))
    reader = asyncio.create_task(ask(model))
    await vendors.reached.wait()
    reader.cancel()
    await vendors.hears_nobody()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert type((await ask(model)).failure) is TryAgainError
