"""Bot tokens as they are kept: sealed, where the operator has set a key."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from engine.errors import TellOperatorError
from engine.ports import Vault

SEALED = "sealed:"
"""Begins what earlier versions sealed, as the text that their cipher made."""
BYTES = "sealed-bytes:"
"""Begins what is sealed now, in base 64."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens are found as they were kept: those of the time before there was a key stay readable."""

    vault: Vault | None

    def seal(self, token: str) -> str:
        """What to keep for a token."""
        return BYTES + urlsafe_b64encode(self.vault.seal(token.encode())).decode() if self.vault else token

    def open(self, kept: str) -> str:
        """The token. TellOperatorError: it was sealed with a key that is not there any more."""
        sealed = sealed_in(kept)
        if sealed is None:
            return kept
        opened = self.vault.open(sealed) if self.vault else None
        if opened is None:
            raise TellOperatorError(
                "a Slack token was sealed with a key that is not in SLACK_TOKEN_KEY any more"
            )
        return opened.decode()


def sealed_in(kept: str) -> bytes | None:
    """What the vault sealed; None for a token in the clear."""
    if kept.startswith(BYTES):
        return urlsafe_b64decode(kept.removeprefix(BYTES))
    return kept.removeprefix(SEALED).encode() if kept.startswith(SEALED) else None
