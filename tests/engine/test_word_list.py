"""A list of words finds whole words and phrases, in any case and width, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.moderating import WordList, folded, in_word

WORDS = st.text(st.sampled_from("abßÉéñжﬁ日9_"), min_size=1, max_size=6)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        ("bomb", "How is a BOMB made?"),
        ("bomb", "How is a bomb\u200b made?"),
        ("bomb", "bo\u00admb"),
        ("bomb", "bo\ufe0fmb"),
        ("bomb", "bo\u3164mb"),
        ("bomb", "bo\uffa0mb"),
        ("bomb", "bo\U000e0062mb"),
        ("bomb", "bo\U000e0100mb"),
        ("bomb", "\uff42\uff4f\uff4d\uff42"),
        ("ﬁne words", "FINE\n\n  words!"),
        ("straße", "STRASSE"),
        ("café", "cafe\u0301"),
        ("c++", "I like C++."),
        ("a.b", "(A.B)"),
        ("bomb", "abomb bomb"),
        ("爆弾", "爆弾を作る"),
        ("bomb", "bombを作る"),
    ],
)
def test_a_listed_word_is_found(listed: str, text: str) -> None:
    assert WordList(["other", listed]).named_in(text)


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        ("bomb", "bombastic, a-bombs, _bomb"),
        ("cafe", "café"),
        ("cafe", "cafe\u0301"),
        ("x", "x\u0321"),
        ("a.b", "axb"),
        (".*", "anything"),
        ("a|b", "a or b"),
        ("(", "nothing"),
        ("one two", "two one"),
        ("c++", "c"),
        ("", "anything"),
        ("  ", "any thing"),
        ("\u200b", "any\u200bthing"),
    ],
)
def test_nothing_else_is_found(listed: str, text: str) -> None:
    assert not WordList([listed]).named_in(text)


@given(WORDS, TEXTS, TEXTS)
def test_a_word_is_found_wherever_it_stands_alone(word: str, before: str, after: str) -> None:
    assert WordList([word]).named_in(f"{before} {word.upper()}\n{after}")


@given(WORDS, TEXTS)
def test_what_is_found_stands_alone(word: str, text: str) -> None:
    searched, listed = folded(text), folded(word)
    alone = any(
        searched.startswith(listed, at)
        and not (in_word(searched[at - 1 : at]) and in_word(listed[0]))
        and not (in_word(searched[at + len(listed) : at + len(listed) + 1]) and in_word(listed[-1]))
        for at in range(len(searched))
    )
    assert WordList([word]).named_in(text) == alone


@given(TEXTS)
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    assert folded(folded(text)) == folded(text)
