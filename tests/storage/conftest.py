"""Processes for the tests of several."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.storage.children import Children


@pytest.fixture
async def children() -> AsyncIterator[Children]:
    """Starts processes that end with the test."""
    async with AsyncExitStack() as stack:
        yield Children(stack)
