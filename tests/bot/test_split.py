"""Pages of long Markdown, also while it grows."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.split import Page, Pager, open_fence, pages, split, utf16

LINES = st.lists(
    st.sampled_from(
        [
            "```python", "```", "````", "~~~", "  - ```js", "    ```", "> ~~~~ c", "> quoted code", "> ~~~~",
            "- item " * 3, "12. twelfth, " + "of many " * 4, "| a | b |", "|---|---|", "## Title",
            "text " * 9,
            "One sentence. Another one! " * 3, "**bold and long** _emphasis_ `code in line` " * 2, "word",
            "", "  ",
            "x" * 90, "    indented", "🧑‍🚀🇩🇪👍🏽é" * 9, "e\u0301" * 30, "日本語の文です。" * 9, "\r", "a\r",
            "[a link](https://example.org/" + "path/" * 9 + ")", "<@1234567890> <t:1700000000:R>" * 2,
            "`" * 60,
        ]
    ),
    max_size=40,
)  # fmt: skip
TEXTS = st.one_of(
    LINES.map("\n".join), st.text(max_size=400), st.text(alphabet="`~ \n>-a*[]()|🇩\u0301", max_size=300)
)
LIMITS = st.integers(100, 400)
WHOLE = [
    "[the documentation](https://example.org/a/path)",
    "<https://example.org/a/b?c=d>",
    "https://example.org/a/path/that/is.html",
    "`a code span with words`",
    "**emphasis over a few words**",
    "<@123456789012345678>",
    "<t:1700000000:R>",
    "| a row | of a | table |",
]


def test_a_short_text_is_one_page_as_it_is() -> None:
    assert pages("Hello\n\nthere", 100) == ("Hello\n\nthere",)


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n"])
def test_no_words_are_no_page(text: str) -> None:
    assert pages(text, 100) == ()


def test_a_fence_is_closed_and_opened_again_with_its_language() -> None:
    code = "\n".join(f"line_{n} = {n}" for n in range(30))
    found = pages(f"Look:\n```python\n{code}\n```\nDone.", 200)
    assert len(found) > 1
    assert all(page.startswith("```python\n") for page in found[1:])
    assert all(not open_fence(page) for page in found)


@pytest.mark.parametrize(
    ("before", "inside", "closing"),
    [("- ", "  ", "  ```"), ("> ", "> ", "> ```"), ("1. > ", "   > ", "   > ```")],
)
def test_a_fence_in_a_list_or_a_quote_stays_there(before: str, inside: str, closing: str) -> None:
    code = "\n".join(f"{inside}line_{n} = {n}" for n in range(30))
    first, *rest, last = pages(f"{before}```sql\n{code}\n{closing}", 200)
    assert first.endswith(f"\n{closing}")
    assert all(page.startswith(f"{inside}```sql\n") for page in (*rest, last))
    assert last.count(closing) == 2


def test_a_longer_fence_holds_shorter_ones() -> None:
    inner = "```python\nprint()\n```\n\n" * 12
    found = pages(f"````markdown\n{inner}````\nDone.", 150)
    assert all(page.startswith("````markdown\n") for page in found)
    assert all("\n````" in page for page in found)


def test_paragraphs_are_kept_together_where_they_fit() -> None:
    assert pages(f"{'a' * 60}\n\n{'b' * 60}", 100) == ("a" * 60, "b" * 60)


def test_a_list_breaks_between_its_items_and_keeps_its_numbers() -> None:
    items = [f"{n}. " + "something to be read " * 3 for n in range(1, 30)]
    found = pages("\n".join(items), 200)
    assert [line.strip() for page in found for line in page.split("\n")] == [item.strip() for item in items]


def test_a_title_goes_with_its_text_and_a_table_stays_whole_where_it_can() -> None:
    table = "\n".join(["| a | b |", "|---|---|", *["| 1 | 2 |"] * 5])
    found = pages(f"{'word ' * 20}\n\n## Title\n\n{table}\n\nThe end.", 160)
    assert found[1].startswith(f"## Title\n\n{table}")


@pytest.mark.parametrize("whole", WHOLE)
@pytest.mark.parametrize("limit", range(100, 130, 3))
def test_what_belongs_together_is_on_one_page(whole: str, limit: int) -> None:
    text = "\n".join(f"{whole} {'and on ' * n}" for n in range(12))
    assert sum(page.count(whole) for page in pages(text, limit)) == 12


def test_what_is_longer_than_a_page_breaks_all_the_same() -> None:
    link = f"https://example.org/{'a' * 300}"
    assert "".join(pages(f"See\n{link}\nthere", 100)) == f"See{link}\nthere"


@pytest.mark.parametrize("seen", ["👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "e\u0301\u0323", "☂️"])
def test_what_the_eye_takes_for_one_character_stays_one(seen: str) -> None:
    assert all(not page.replace(seen, "") for page in pages(seen * 99, 50))


def test_room_is_counted_in_the_units_of_the_platform() -> None:
    assert [len(page) for page in pages("𝄞" * 100, 50)] == [25] * 4
    assert [len(page) for page in pages("𝄞" * 100, 50, len)] == [50] * 2


@given(TEXTS, LIMITS)
def test_all_bodies_are_the_text(text: str, limit: int) -> None:
    assert "".join(page.body for page in split(text, limit)) == text


@given(TEXTS, LIMITS)
def test_every_page_is_within_the_limit_and_has_no_open_fence(text: str, limit: int) -> None:
    for page in split(text, limit):
        assert page.body
        for shown in (str(page), page.shown()):
            assert utf16(shown) <= limit
            assert not open_fence(shown)


@given(TEXTS, LIMITS)
def test_no_word_is_lost_or_doubled(text: str, limit: int) -> None:
    bare = re.sub("[`~]{3,}", "", text)
    assert "".join("".join(pages(bare, limit)).split()) == "".join(bare.split())


@given(TEXTS, LIMITS)
def test_no_page_ends_within_what_the_eye_takes_for_one_character(text: str, limit: int) -> None:
    for page, following in pairwise(split(text, limit)):
        assert page.body[-1] != "\u200d"
        assert following.body[0] not in "\u0301\u200d\ufe0f🏽"
        assert page.body[-1] + following.body[0] != "\r\n"


@settings(max_examples=60)
@given(TEXTS, LIMITS, st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_a_page_that_another_one_follows_is_final(text: str, limit: int, steps: list[int]) -> None:
    pager, at = Pager(limit), 0
    seen: tuple[Page, ...] = ()
    while at < len(text):
        step = steps[at % len(steps)]
        pager.add(text[at : at + step])
        at += step
        now = pager.split()
        assert now[: max(0, len(seen) - 1)] == seen[:-1]
        assert now == split(text[:at], limit)
        seen = now
