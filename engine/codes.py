"""Codes that people pass on: easy to copy, impossible to guess, and kept by their digest alone."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import timedelta

CODE_BYTES = 10
"""80 bits: at ten tries an hour nobody ever meets one, and none is found from its digest."""
TRIES_AN_HOUR = 10
"""Of an account, with codes of all kinds together."""
HOUR = timedelta(hours=1)
ALIKE = str.maketrans("01", "OI", "- ")
"""Digits that a code never has, as the letters they are taken for, and what only parts its groups."""
NAME_LENGTH = 8


def new_code() -> str:
    """Four groups of four letters and digits."""
    drawn = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode()
    return "-".join(drawn[start : start + 4] for start in range(0, len(drawn), 4))


def digest_of(code: str) -> str:
    """What is kept of a code, however it was typed."""
    return hashlib.sha256(code.translate(ALIKE).upper().encode()).hexdigest()


def name_of(digest: str) -> str:
    """What a code is called in lists: it tells nothing of the code."""
    return digest[:NAME_LENGTH]
