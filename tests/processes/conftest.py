"""Scripts for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.fakes.vendors import FakeVendors
from tests.processes.script import Meet, scripts


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def meet() -> AsyncIterator[Meet]:
    """Makes scripts."""
    async with scripts() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def vendors() -> AsyncIterator[FakeVendors]:
    """The server of the only model."""
    async with FakeVendors() as fake:
        yield fake
