"""Bot tokens as they are kept: sealed, where the operator has set a key."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from engine.errors import TellOperatorError

SEALED = "sealed:"


class Vault:
    """Seals with the first of the keys and opens with any, so that a key can be replaced.

    Tokens are found as they were kept: those of the time before there was a key stay readable.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._fernet = MultiFernet([Fernet(_derived(key)) for key in keys]) if keys else None

    def seal(self, token: str) -> str:
        """What to keep for a token."""
        return SEALED + self._fernet.encrypt(token.encode()).decode() if self._fernet else token

    def open(self, kept: str) -> str:
        """The token. TellOperatorError: it was sealed with a key that is not there any more."""
        if not kept.startswith(SEALED):
            return kept
        if self._fernet:
            try:
                return self._fernet.decrypt(kept.removeprefix(SEALED)).decode()
            except InvalidToken:
                pass
        raise TellOperatorError("a Slack token was sealed with a key that is not in SLACK_TOKEN_KEY any more")


def _derived(key: str) -> bytes:
    """A key of any length in the shape that Fernet wants."""
    return urlsafe_b64encode(sha256(key.encode()).digest())
