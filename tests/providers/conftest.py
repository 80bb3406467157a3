"""A fake vendor, and clients for it that are closed after each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import pytest

from engine.errors import OutsideError
from engine.models import Chunk, Completion, Finished, Message, Role, TextDelta
from engine.ports import Model
from providers.endpoint import Endpoint
from providers.lazy import Adapter
from providers.streaming import Patience
from tests.fakes.vendor_wire import Vendor
from tests.fakes.vendors import FakeVendors

KEY = "sk-fake-for-tests"
USUAL = Patience()
HURRIED = Patience(first=0.4, between=0.4, tail=0.2)
"""For tests that wait for it to run out."""
Connect = Callable[[Endpoint, Patience], Awaitable[Adapter]]


class Make(Protocol):
    """Makes an adapter by kind and base URL."""

    async def __call__(self, kind: str, base_url: str, patience: Patience = USUAL) -> Adapter: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question: the chunks, and the error that ended them, if any."""

    chunks: Sequence[Chunk]
    error: OutsideError | None = None

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks if isinstance(chunk, TextDelta))

    @property
    def end(self) -> Finished:
        last = self.chunks[-1]
        assert isinstance(last, Finished)
        assert self.error is None
        return last

    @property
    def failure(self) -> OutsideError:
        assert self.error is not None
        assert not any(isinstance(chunk, Finished) for chunk in self.chunks)
        return self.error


def question(*said: str, system: str = "Be brief.", model: str = "fake-model", cap: int = 500) -> Completion:
    """A completion in which member and model took turns."""
    roles = (Role.USER, Role.ASSISTANT)
    turns = tuple(Message(roles[place % 2], text) for place, text in enumerate(said or ("Hello?",)))
    return Completion(model, system, turns, cap)


async def ask(model: Model, completion: Completion | None = None) -> Outcome:
    """Read an answer to its end or its error."""
    chunks: list[Chunk] = []
    try:
        async for chunk in model.stream(completion or question()):
            chunks.append(chunk)  # noqa: PERF401 - what came before an error is wanted too
    except OutsideError as error:
        return Outcome(chunks, error)
    return Outcome(chunks)


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """All that it made are closed in the end."""
    async with AsyncExitStack() as stack:

        async def made(kind: str, base_url: str, patience: Patience = USUAL) -> Adapter:
            connect: Connect = import_module(f"providers.{kind}").connect  # its SDK takes a second to load
            model = await connect(Endpoint(kind, base_url, KEY, "v1beta"), patience)
            stack.push_async_callback(model.close)
            return model

        yield made


@pytest.fixture
async def vendors() -> AsyncIterator[FakeVendors]:
    """The fake, listening."""
    async with FakeVendors() as fake:
        yield fake


@pytest.fixture(params=list(Vendor))
def vendor(request: pytest.FixtureRequest) -> Vendor:
    """Each vendor in turn."""
    found: Vendor = request.param
    return found


@pytest.fixture
async def model(vendor: Vendor, vendors: FakeVendors, make: Make) -> Adapter:
    """The vendor's adapter, pointed at the fake."""
    return await make(vendor, vendors.base_url(vendor))
