"""What of a conversation is sent to a model."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine.context import compose, size, tokens
from engine.domain import Role
from engine.turns import Exchange
from tests.engine.conftest import QUICK

LONG = st.integers(0, 400).map("é ".__mul__)
EXCHANGES = st.lists(st.builds(Exchange, LONG | st.text(), LONG), max_size=30)


def test_history_comes_before_the_prompt_in_order() -> None:
    composed = compose(QUICK, "Be brief.", [Exchange("a", "b"), Exchange("c", "d")], "e")
    assert composed is not None
    assert [message.text for message in composed.messages] == ["a", "b", "c", "d", "e"]


def test_a_prompt_longer_than_the_window_is_not_sent() -> None:
    assert compose(QUICK, "", [], "x" * 4 * QUICK.context) is None


@given(EXCHANGES, st.text(max_size=200), st.integers(200, 2000))
def test_the_window_is_never_passed_and_the_newest_whole_turns_are_kept(
    history: list[Exchange], prompt: str, window: int
) -> None:
    spec = replace(QUICK, context=window, max_output=50)
    composed = compose(spec, "Be brief.", history, prompt)
    if composed is None:
        assert tokens(prompt) + tokens("Be brief.") + 50 > window
        return
    assert size(composed) + composed.max_output <= window
    *past, last = composed.messages
    assert (last.role, last.text) == (Role.USER, prompt)
    kept = [Exchange(q.text, a.text) for q, a in zip(past[::2], past[1::2], strict=True)]
    assert kept == history[len(history) - len(kept) :]
