"""OpenAI's moderation endpoint, asked over the one client that this vendor's models are asked over."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from engine.errors import LateError, StreamCutError, TellOperatorError
from engine.files import Image
from engine.moderating import FINE, Verdict
from providers.failures import worded
from providers.lazy import LazyModel

if TYPE_CHECKING:  # the SDK is loaded by the adapter, not before
    from openai.types import Moderation, ModerationMultiModalInputParam

    from providers.openai import OpenAIModel

    Input = list[str] | list[ModerationMultiModalInputParam]

VENDOR = "openai"
SECONDS = 10.0
"""For all that comes with one question."""
PIECE = 30_000
"""Bytes of text in one input: of each 32,768 tokens are read, and a token has at least a byte."""
OVERLAP = 1_000
"""Bytes that a piece begins with again, so that nothing is cut in two."""


class OpenAIModerator:
    """Looks by asking OpenAI; an `engine.moderating.Moderator`."""

    def __init__(self, models: Mapping[str, object], model: str, seconds: float = SECONDS) -> None:
        """`models` are the adapters by vendor, which may be replaced while this is used."""
        self._models = models
        self._model = model
        self._seconds = seconds

    async def check(self, text: str, images: Sequence[Image] = ()) -> Verdict:
        """Look at the text, then at each image: the endpoint takes one a request."""
        vendor = self._models.get(VENDOR)
        if not isinstance(vendor, LazyModel):
            raise TellOperatorError(f"{VENDOR} is switched off, which is to look at questions")
        try:
            async with asyncio.timeout(self._seconds), vendor.lent() as adapter:
                from providers.openai import OpenAIModel  # noqa: PLC0415 - as above

                if isinstance(adapter, OpenAIModel):
                    return await self._check(adapter, text, images)
        except TimeoutError as error:
            raise LateError(f"{VENDOR} did not look in time") from error
        raise TellOperatorError(f"the provider {VENDOR} is not OpenAI, which is to look at questions")

    async def _check(self, adapter: OpenAIModel, text: str, images: Sequence[Image]) -> Verdict:
        texts = list(pieces(text))
        inputs: list[Input] = [texts] if texts else []
        inputs += ([shown(image)] for image in images)
        for each in inputs:
            verdict = verdict_of(await self._ask(adapter, each))
            if verdict.flagged:
                return verdict
        return FINE

    async def _ask(self, adapter: OpenAIModel, asked: Input) -> Sequence[Moderation]:
        with worded(adapter):
            response = await adapter.client.moderations.create(input=asked, model=self._model)
        results = getattr(response, "results", None)  # the SDK hands on what is in a reply unchecked
        if not isinstance(results, list) or len(results) != len(asked):
            raise StreamCutError(f"{VENDOR} gave no result for each part of a question")
        return results


def verdict_of(results: Sequence[Moderation]) -> Verdict:
    """Flagged if any is, by all categories that are."""
    flagged = [each for each in results if each.flagged]
    found = {name for each in flagged for name, broken in each.categories.to_dict().items() if broken}
    return Verdict(bool(flagged), tuple(sorted(found)))


def pieces(text: str) -> Iterator[str]:
    """A text in pieces that the endpoint reads whole; none of nothing."""
    data = text.strip().encode("utf-8", "replace")
    for start in range(0, max(1, len(data) - OVERLAP) if data else 0, PIECE - OVERLAP):
        yield data[start : start + PIECE].decode("utf-8", "ignore")


def shown(image: Image) -> ModerationMultiModalInputParam:
    """An image as an input."""
    url = f"data:{image.media_type};base64,{b64encode(image.data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}
