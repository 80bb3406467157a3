"""Text, blocks and the budget of edits, by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reply import Button, Frame, Reply, State, Style
from bot.slack.blocks import PAGE_LIMIT, of_frame, of_reply
from bot.slack.budget import Budget
from bot.slack.text import fallback, harmless, typed
from tests.fakes.slack import blocks as block_kit

BOT = "U0FAKEBOT"
FULL = Frame(
    ("page " * 1800, "<@U0ALICE>" * 900),
    State.WRITING,
    "quick · conversation 1 of 3 today",
    (Button("Stop", action="stop:1"), Button("Pay", url="https://pay.test", style=Style.PRIMARY)),
)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (f"<@{BOT}> hello", "hello"),
        (f"hey <@{BOT}|bot>, hello", "hey  , hello"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("see <https://example.com/x|example.com/x>", "see https://example.com/x"),
        ("see <https://example.com|the site>", "see the site (https://example.com)"),
        ("write to <mailto:a@b.example|a@b.example> in <#C123|general>", "write to a@b.example in #general"),
        ("ask <@U0OTHER>", "ask <@U0OTHER>"),
    ],
)
def test_what_was_typed_is_read_from_what_slack_sends(sent: str, meant: str) -> None:
    assert typed(sent, BOT).split() == meant.split()


@given(st.text(alphabet="<>!@#&|channelhereUW0123456789 ", max_size=200))
def test_no_ping_survives_and_little_is_added(text: str) -> None:
    safe = harmless(text)
    assert "<!channel>" not in safe
    assert "<!here>" not in safe
    assert len(safe) <= len(text) * 7 / 6


@given(st.text(max_size=6000))
def test_the_fallback_text_is_within_slacks_limit_and_holds_no_markup(text: str) -> None:
    assert 0 < len(fallback(text)) <= 4000
    assert "<" not in fallback(text)


def test_full_pages_are_blocks_that_slack_takes() -> None:
    assert all(len(page) <= PAGE_LIMIT for page in FULL.pages)
    contents = [page.content for page in of_frame(FULL)]
    assert len(contents) == 2
    for content in contents:
        assert block_kit.problems(content.blocks) == []
        assert not block_kit.too_long(content.blocks)


@pytest.mark.parametrize("state", list(State))
def test_a_frame_without_pages_still_shows_something(state: State) -> None:
    (page,) = of_frame(Frame((), state))
    content = page.content
    assert content.text
    assert block_kit.shown(content.blocks)


def test_a_failure_stands_below_the_text_it_ended_in_the_same_message() -> None:
    (page,) = of_frame(Frame(("```\ncode", "Stopped."), State.FAILED))
    assert [block["text"] for block in page.content.blocks] == ["```\ncode", "Stopped."]


def test_a_reply_has_its_buttons_below_its_text() -> None:
    content = of_reply(Reply("**Plans**", (Button("Upgrade", action="upgrade:premium:month"),)))
    assert [button["action_id"] for button in block_kit.buttons(content.blocks)] == [
        "press:upgrade:premium:month"
    ]


def test_the_budget_lets_a_burst_through_and_then_refills_steadily() -> None:
    now = [0.0]
    budget = Budget(lambda: now[0], a_second=0.5, at_once=3)
    spent = 0
    while budget.allows():
        budget.spend(1)
        spent += 1
    assert spent == 3
    now[0] = 2.0
    assert budget.allows()
    budget.rest(10)
    now[0] = 11.0
    assert not budget.allows()
    now[0] = 12.0
    assert budget.allows()
