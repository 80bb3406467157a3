"""What goes into a vendor's cache: the beginning that a conversation's next question has again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from engine.files import Image
from engine.models import Completion, Message, Role
from tests.fakes.vendor_wire import Vendor
from tests.fakes.vendors import FakeVendors
from tests.providers.conftest import Make, ask, question
from tests.providers.test_streams import answer

LONG = "A tale of two cities. " * 100
SAID = (LONG, "It is long.", "How long?")
IMAGE = Image("cat.png", "image/png", b"\x89PNG", 640, 480)


async def body(make: Make, vendors: FakeVendors, vendor: Vendor, asked: Completion) -> Mapping[str, object]:
    """The request that a completion becomes."""
    vendors.plays(answer(vendor, "Very."))
    await ask(await make(vendor, vendors.base_url(vendor)), asked)
    return vendors.asked[-1].body


def marked(body: object, path: str = "") -> Iterator[str]:
    """Where a request has a mark for the cache."""
    if isinstance(body, dict):
        if "cache_control" in body:
            assert body["cache_control"] == {"type": "ephemeral"}
            yield path
        for key, value in body.items():
            yield from marked(value, f"{path}/{key}")
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from marked(value, f"{path}/{place}")


async def marks(make: Make, vendors: FakeVendors, asked: Completion) -> list[str]:
    return sorted(marked(await body(make, vendors, Vendor.ANTHROPIC, asked)))


async def test_a_conversation_that_goes_on_is_marked_to_the_end_of_what_stays(
    vendors: FakeVendors, make: Make
) -> None:
    asked = replace(question(*SAID), stable=3)
    assert await marks(make, vendors, asked) == ["/messages/2/content/0", "/system/0"]
    assert await marks(make, vendors, replace(asked, stable=2)) == ["/messages/1/content/0", "/system/0"]
    assert await marks(make, vendors, replace(asked, stable=9)) == ["/messages/2/content/0", "/system/0"]


async def test_marks_stay_few_in_a_long_conversation(vendors: FakeVendors, make: Make) -> None:
    asked = replace(question(*[f"{LONG} {number}" for number in range(41)]), stable=41)
    assert len(await marks(make, vendors, asked)) == 2


async def test_a_first_question_is_not_written_into_a_cache(vendors: FakeVendors, make: Make) -> None:
    assert await marks(make, vendors, replace(question(LONG), stable=1)) == []


async def test_what_may_change_or_is_too_short_to_be_cached_has_no_mark(
    vendors: FakeVendors, make: Make
) -> None:
    assert await marks(make, vendors, question(*SAID, system=LONG)) == []
    assert await marks(make, vendors, replace(question("Hi", "Hi.", "Hi?"), stable=3)) == []


async def test_a_marked_message_keeps_its_images_and_the_words_are_the_same(
    vendors: FakeVendors, make: Make
) -> None:
    asked = question(*SAID, system="")
    shown = replace(
        asked, messages=(*asked.messages[:2], Message(Role.USER, "How long?", (IMAGE,))), stable=3
    )
    sent = await body(make, vendors, Vendor.ANTHROPIC, shown)
    assert list(marked(sent)) == ["/messages/2/content/1"]
    assert "system" not in sent
    assert [message["content"] for message in sent["messages"][:2]] == list(SAID[:2])  # type: ignore[index]


async def test_openai_finds_the_questions_of_a_conversation_by_one_key_without_their_words(
    vendors: FakeVendors, make: Make
) -> None:
    keys = [
        (await body(make, vendors, Vendor.OPENAI, asked))["prompt_cache_key"]
        for asked in (
            question(*SAID[:1]),
            question(*SAID),
            question("Another tale", *SAID[1:]),
            question(*SAID, system="Be long."),
        )
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert all(isinstance(key, str) and len(key) == 32 and int(key, 16) for key in keys)


async def test_a_compatible_server_is_sent_nothing_that_is_openais(vendors: FakeVendors, make: Make) -> None:
    vendors.plays(answer(Vendor.OPENAI, "Very."))
    await ask(await make("compatible", f"{vendors.url}/v1"), replace(question(*SAID), stable=3))
    assert set(vendors.asked[0].body) == {"model", "messages", "max_tokens", "stream", "stream_options"}
