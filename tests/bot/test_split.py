"""Pages of long Markdown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.split import open_fence, pages

LINES = st.lists(
    st.sampled_from(
        ["```python", "```", "~~~", "text " * 9, "word", "", "x" * 90, "    indented", "🧑‍🚀 emoji"]
    ),
    max_size=40,
)


def test_a_short_text_is_one_page_as_it_is() -> None:
    assert pages("Hello\n\nthere", 100) == ("Hello\n\nthere",)


def test_no_text_is_no_page() -> None:
    assert pages("", 100) == ()


def test_a_fence_is_closed_and_opened_again_with_its_language() -> None:
    code = "\n".join(f"line_{n} = {n}" for n in range(30))
    found = pages(f"Look:\n```python\n{code}\n```\nDone.", 200)
    assert len(found) > 1
    assert all(page.startswith("```python\n") for page in found[1:-1])
    assert all(not open_fence(page) for page in found)


def test_paragraphs_are_kept_together_where_they_fit() -> None:
    assert pages(f"{'a' * 60}\n\n{'b' * 60}", 100) == ("a" * 60, "b" * 60)


@given(LINES, st.integers(60, 400))
def test_every_page_is_within_the_limit_and_has_no_open_fence(lines: list[str], limit: int) -> None:
    for page in pages("\n".join(lines), limit):
        assert len(page) <= limit
        assert not open_fence(page) or page == pages("\n".join(lines), limit)[-1]


@given(LINES, st.integers(60, 400))
def test_no_word_is_lost_or_doubled(lines: list[str], limit: int) -> None:
    text = "\n".join(line for line in lines if "`" not in line and "~" not in line)
    assert "".join("".join(pages(text, limit)).split()) == "".join(text.split())
