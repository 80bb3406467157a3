"""Tells an API's stream from a web page, which a base URL without the API's path often gives."""

from __future__ import annotations

from typing import Protocol, TypeVar

import httpx2

from engine.errors import TellOperatorError


class HttpStream(Protocol):
    """A stream of an SDK that shows the reply it reads."""

    @property
    def response(self) -> httpx2.Response:
        """The reply."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


S = TypeVar("S", bound=HttpStream)


async def no_page(stream: S, vendor: str) -> S:
    """The same stream; TellOperatorError if it is a page."""
    if stream.response.headers.get("content-type", "").startswith("text/html"):
        await stream.close()
        raise TellOperatorError(f"{vendor}: its base URL gives a web page and no API")
    return stream
