"""Tokens as they are kept."""

from __future__ import annotations

import pytest

from bot.slack.vault import Vault
from engine.errors import TellOperatorError

OLD, NEW = "o" * 32, "n" * 32
TOKEN = "xoxb-1-secret"


def test_a_token_is_kept_sealed_and_never_twice_alike() -> None:
    vault = Vault((NEW,))
    kept = {vault.seal(TOKEN) for _ in range(3)}
    assert len(kept) == 3
    assert all(TOKEN not in each and vault.open(each) == TOKEN for each in kept)


def test_a_key_can_be_replaced_and_a_first_one_be_set_later() -> None:
    both = Vault((NEW, OLD))
    assert both.open(Vault((OLD,)).seal(TOKEN)) == TOKEN
    assert Vault((NEW,)).open(both.seal(TOKEN)) == TOKEN
    assert both.open(Vault(()).seal(TOKEN)) == TOKEN


@pytest.mark.parametrize("keys", [(), (NEW,)])
def test_what_no_key_opens_is_for_the_operator(keys: tuple[str, ...]) -> None:
    with pytest.raises(TellOperatorError, match="SLACK_TOKEN_KEY"):
        Vault(keys).open(Vault((OLD,)).seal(TOKEN))
