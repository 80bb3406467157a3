"""OpenAI's moderation endpoint over the wire, through the client that the vendor's models have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from engine.errors import (
    ContentRefusedError,
    GiveUpError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.files import Image
from engine.moderating import FINE, Verdict
from engine.settings import ProviderRow
from engine.tables import ProviderKind
from providers.moderation import OVERLAP, PIECE, OpenAIModerator, pieces
from providers.openai import OpenAIModel
from providers.registry import Models, build_models
from tests.fakes import files
from tests.fakes.moderation import FakeModeration

MODEL = "omni-moderation-latest"
PNG = Image("cat.png", "image/png", files.image("PNG"), 64, 48)
JPEG = Image("cat.jpg", "image/jpeg", files.image("JPEG"), 64, 48)
FAULTS: Mapping[str, tuple[int, str, type[OutsideError]]] = {
    "rate limit": (429, "rate_limit_exceeded", TryAgainError),
    "down": (503, "server_error", TryAgainError),
    "bad key": (401, "invalid_api_key", TellOperatorError),
    "no credit": (429, "insufficient_quota", TellOperatorError),
    "unknown model": (404, "model_not_found", TellOperatorError),
    "not understood": (400, "invalid_image", GiveUpError),
    "refused": (400, "content_policy_violation", ContentRefusedError),
}


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeModeration]:
    """The fake, listening."""
    async with FakeModeration() as fake:
        yield fake


@pytest.fixture
async def models(endpoint: FakeModeration) -> AsyncIterator[Models]:
    """The vendor's adapter, pointed at the fake."""
    key = SecretStr("sk-fake")
    made = build_models([ProviderRow("openai", ProviderKind.OPENAI, endpoint.base_url, key)])
    yield made
    await made.close()


async def test_text_and_each_image_are_looked_at(endpoint: FakeModeration, models: Models) -> None:
    moderator = OpenAIModerator(models, MODEL)
    assert await moderator.check("All is good.", [PNG, PNG]) == FINE
    assert [len(asked["input"]) for asked in endpoint.asked] == [1, 1, 1]
    assert endpoint.asked[0] == {"input": ["All is good."], "model": MODEL}
    assert endpoint.asked[1]["input"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    assert endpoint.keys == {"Bearer sk-fake"}


async def test_the_categories_are_told(models: Models) -> None:
    moderator = OpenAIModerator(models, MODEL)
    assert await moderator.check("a bad word") == Verdict(flagged=True, categories=("harassment",))
    assert await moderator.check("", [PNG, JPEG]) == Verdict(flagged=True, categories=("violence",))


async def test_nothing_is_asked_about_nothing(endpoint: FakeModeration, models: Models) -> None:
    assert await OpenAIModerator(models, MODEL).check(" \n") == FINE
    assert endpoint.asked == []


@pytest.mark.parametrize("place", [0, PIECE - 1, PIECE, 2 * PIECE - 3, 100_000])
async def test_every_part_of_a_long_text_is_looked_at(models: Models, place: int) -> None:
    text = "é" * (place // 2) + " bad " + "x" * (100_000 - place)
    assert (await OpenAIModerator(models, MODEL).check(text)).flagged


@given(st.text(max_size=300), st.integers(1, 300))
def test_no_piece_is_too_long_and_each_overlaps_the_next(text: str, times: int) -> None:
    whole = (text * times).strip()
    found = list(pieces(whole))
    assert all(len(piece.encode()) <= PIECE for piece in found)
    assert bool(found) == bool(whole)
    rest = whole
    for piece in found:
        at = rest.find(piece)
        assert 0 <= at <= OVERLAP
        rest = rest[at + len(piece) - min(OVERLAP, len(piece)) :]  # a character has a byte at least
    assert rest == "".join(found[-1:])[-OVERLAP:]


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_fails_is_told_by_remedy(endpoint: FakeModeration, models: Models, fault: str) -> None:
    status, code, kind = FAULTS[fault]
    body = {"error": {"message": "What you wrote: secret", "type": "x", "param": None, "code": code}}
    endpoint.reply = (status, body, {"retry-after": "7"})
    with pytest.raises(OutsideError) as caught:
        await OpenAIModerator(models, MODEL).check("Hm?")
    assert type(caught.value) is kind
    assert len(endpoint.asked) == 1
    assert "secret" not in str(caught.value).partition(":")[0]


@pytest.mark.parametrize("body", ["<html>", {}, {"results": None}, {"results": []}, []])
async def test_a_reply_of_another_shape_is_no_verdict(
    endpoint: FakeModeration, models: Models, body: str
) -> None:
    endpoint.reply = (200, body, {})
    with pytest.raises((StreamCutError, TryAgainError)):
        await OpenAIModerator(models, MODEL).check("Hm?")


async def test_a_silent_endpoint_is_left_alone_after_a_while(
    endpoint: FakeModeration, models: Models
) -> None:
    endpoint.silent = True
    with pytest.raises(LateError):
        await OpenAIModerator(models, MODEL, seconds=0.05).check("Hm?")


async def test_an_endpoint_that_is_not_there_is_tried_again_later(
    endpoint: FakeModeration, models: Models
) -> None:
    await endpoint.__aexit__(None, None, None)
    with pytest.raises(TryAgainError):
        await OpenAIModerator(models, MODEL).check("Hm?")


async def test_it_is_asked_over_the_client_of_the_vendors_models(
    endpoint: FakeModeration, models: Models
) -> None:
    moderator = OpenAIModerator(models, MODEL)
    await moderator.check("One.")
    await moderator.check("Two.")
    async with models["openai"].lent() as adapter:  # type: ignore[union-attr]
        assert isinstance(adapter, OpenAIModel)
        await adapter.client.moderations.create(input=["Three."], model=MODEL)
    assert len(endpoint.ports) == 1


async def test_without_openai_the_operator_has_to_mend_something() -> None:
    with pytest.raises(TellOperatorError):
        await OpenAIModerator(build_models([]), MODEL).check("Hm?")
