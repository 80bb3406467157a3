"""Seals what is kept in the database, with keys that are not in it."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK = b"\x01"
"""Begins what is sealed by AES-256-GCM: a nonce follows, then the rest."""
FERNET = b"gAAAA"
"""Began what earlier versions sealed: the tokens of Slack workspaces, which stay readable."""
NONCE = 12


class SealingVault:
    """Seals with the first of the keys and opens with any, so that a key can be replaced."""

    def __init__(self, keys: Sequence[str]) -> None:
        """At least one key, of any length."""
        self._keys = [sha256(key.encode()).digest() for key in keys]

    def seal(self, content: bytes, about: str = "") -> bytes:
        nonce = secrets.token_bytes(NONCE)
        return MARK + nonce + AESGCM(self._keys[0]).encrypt(nonce, content, about.encode())

    def open(self, sealed: bytes, about: str = "") -> bytes | None:
        opened = (open_with(key, sealed, about) for key in self._keys)
        return next((content for content in opened if content is not None), None)


def vault_of(keys: Sequence[str]) -> SealingVault | None:
    """A vault with these keys; None without any."""
    return SealingVault(keys) if keys else None


def open_with(key: bytes, sealed: bytes, about: str) -> bytes | None:
    """What one key opens."""
    try:
        if sealed.startswith(FERNET) and not about:
            return Fernet(urlsafe_b64encode(key)).decrypt(sealed)
        nonce, rest = sealed[len(MARK) :][:NONCE], sealed[len(MARK) + NONCE :]
        return AESGCM(key).decrypt(nonce, rest, about.encode()) if sealed.startswith(MARK) else None
    except (InvalidTag, InvalidToken, ValueError):
        return None
