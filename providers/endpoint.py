"""Where a vendor is reached and as whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from engine.errors import TellOperatorError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider of config.toml; without a base URL it is its SDK's own."""

    name: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    api_version: str | None = None

    def check(self) -> None:
        """Raise TellOperatorError if the base URL is no address of a web server."""
        try:
            parts = urlsplit(self.base_url or "https://vendor")
            good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise TellOperatorError(f"{self.name}: its base URL is no web address: {self.base_url}")

    def conceal(self, text: str) -> str:
        """The text without the key, which some servers repeat when they refuse it."""
        return text.replace(self.api_key, "[key]") if self.api_key else text
