"""Tokens as they are kept."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest
from cryptography.fernet import Fernet

from bot.slack.vault import Tokens
from engine.errors import TellOperatorError
from storage.vault import vault_of

OLD, NEW = "o" * 32, "n" * 32
TOKEN = "xoxb-1-secret"


def tokens(*keys: str) -> Tokens:
    return Tokens(vault_of(keys))


def test_a_token_is_kept_sealed_and_never_twice_alike() -> None:
    kept = {tokens(NEW).seal(TOKEN) for _ in range(3)}
    assert len(kept) == 3
    assert all(TOKEN not in each and tokens(NEW).open(each) == TOKEN for each in kept)


def test_a_key_can_be_replaced_and_a_first_one_be_set_later() -> None:
    both = tokens(NEW, OLD)
    assert both.open(tokens(OLD).seal(TOKEN)) == TOKEN
    assert tokens(NEW).open(both.seal(TOKEN)) == TOKEN
    assert both.open(tokens().seal(TOKEN)) == TOKEN


def test_a_token_that_an_earlier_version_sealed_is_still_read() -> None:
    cipher = Fernet(urlsafe_b64encode(sha256(OLD.encode()).digest()))
    kept = f"sealed:{cipher.encrypt(TOKEN.encode()).decode()}"
    assert tokens(NEW, OLD).open(kept) == TOKEN
    with pytest.raises(TellOperatorError, match="SLACK_TOKEN_KEY"):
        tokens(NEW).open(kept)


@pytest.mark.parametrize("keys", [(), (NEW,)])
def test_what_no_key_opens_is_for_the_operator(keys: tuple[str, ...]) -> None:
    with pytest.raises(TellOperatorError, match="SLACK_TOKEN_KEY"):
        tokens(*keys).open(tokens(OLD).seal(TOKEN))
