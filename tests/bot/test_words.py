"""What the bots say is in the .po files alone, in every language whole, and each task speaks its own."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message

from bot.commands import COMMANDS
from bot.render import UNLISTED, compared_footer, day, moment, money
from bot.slack.manifest import PROMPTS
from bot.standing import TOLD
from bot.typed import Typed, parse
from bot.words import ENGLISH, LANGUAGES, nearest, say, speak, speaking, spoken, strings
from engine import teams
from engine.alerts import AlertKind
from engine.domain import Answered, FailureReason, Interval, Micros, RefusalReason, Standing, TierName
from engine.files import FileFault
from engine.gifts import Unredeemed
from engine.models import Finish, ModelClass
from engine.notices import NoticeKind
from engine.overage import MeterOffer
from engine.places import Objection
from engine.preferences import NotKept
from engine.wishes import Obstacle
from tests import taste
from tests.fakes.clock import NOON

ROOT = Path(__file__).parent.parent.parent
MODULES = [
    module for module in taste.read_modules(ROOT, ["bot"]) if module.path.parts[1] not in {"console", "words"}
]
"""What speaks to members; the console speaks to operators, in English."""
TRANSLATIONS = [language for language in LANGUAGES if language != ENGLISH]

KEY_AT = {"say": 0, "in_english": 0, "_in_free": 0, "dated": 1, "Command": 1, "Option": 1}
"""Calls that take a key, and where; those that pass one on are the functions of PASS_ON."""
PASS_ON = {"description", "in_english", "translate", "_in_free", "dated"}
MADE: Mapping[str, Iterable[object]] = {
    "because-": TOLD,
    "gift-": Unredeemed,
    "class-": ModelClass,
    "failure-": FailureReason,
    "file-": FileFault,
    "instructions-": NotKept,
    "meter-": MeterOffer,
    "notice-": NoticeKind,
    "obstacle-": Obstacle,
    "paid-by-": Interval,
    "price-": Interval,
    "prompt-": PROMPTS,
    "refusal-": RefusalReason,
    "server-": Objection,
    "slack-status-": range(1, 4),
    "team-": teams.Obstacle,
}
"""Keys that are put together: what they begin with, and what may follow."""
NAMED: Mapping[str, Iterable[str]] = {
    "alarm": {"moderation-broken", *(f"alert-{kind}" for kind in AlertKind)},
    "unlisted": UNLISTED.values(),
}
"""Keys that are looked up: by what name, and what they may be."""
LIMITS = {
    "command-": 100,
    "option-": 100,
    "button-": 75,
    "about-menu": 32,
    "about-title": 45,
    "about-hint": 100,
}
"""Characters that Discord takes, or Slack where it takes fewer."""


def messages(language: str) -> dict[str, Message]:
    """A language's strings by key."""
    return {key_of(message): message for message in strings(language) if message.id}


def key_of(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def forms(message: Message) -> tuple[str, ...]:
    """What a message says: once, or for each plural form."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def named(text: str) -> set[str]:
    """The `{names}` in a string."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


ENGLISH_STRINGS = messages(ENGLISH)


def keys_in(node: ast.expr) -> Iterator[str]:
    """The keys that an expression may be; ValueError if that cannot be told."""
    match node:
        case ast.Constant(value=str(key)):
            yield key
        case ast.IfExp(body=one, orelse=other) | ast.BoolOp(values=[one, other]):
            yield from keys_in(one)
            yield from keys_in(other)
        case ast.Name(id=name) if name in NAMED:
            yield from NAMED[name]
        case ast.Attribute(attr="about"):
            """A command's or an option's own, which its table names."""
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), ast.FormattedValue(), *rest]) if (
            start in MADE
        ):
            end = "".join(str(part.value) for part in rest if isinstance(part, ast.Constant))
            yield from (f"{start}{each}{end}" for each in MADE[start])
        case _:
            raise ValueError(f"MADE and NAMED do not tell what this may be: {ast.unparse(node)}")


def uses(module: taste.Module) -> Iterator[tuple[str, ast.Call]]:
    """Each key that a module uses, with the call that it is in."""
    for function, call in calls(module.tree):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name == "_in_free" or (name in KEY_AT and isinstance(call.func, ast.Name)):
            if len(call.args) <= KEY_AT[name] or function in PASS_ON:
                continue
            yield from ((key, call) for key in keys_in(call.args[KEY_AT[name]]))


def calls(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.Call]]:
    """Each call with the function that it is in."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call):
            yield function, node
        inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield from calls(node, inner)


def test_every_key_in_the_code_has_a_string_and_every_string_is_used() -> None:
    used = {key for module in MODULES for key, _ in uses(module)}
    assert used - ENGLISH_STRINGS.keys() == set()
    assert ENGLISH_STRINGS.keys() - used == set()


def test_every_string_is_given_what_it_names() -> None:
    lacking = [
        f"{module.path}:{call.lineno}: {key}"
        for module in MODULES
        for key, call in uses(module)
        if isinstance(call.func, ast.Name) and call.func.id == "say" and not given(call, ENGLISH_STRINGS[key])
    ]
    assert lacking == []


def given(call: ast.Call, message: Message) -> bool:
    """Whether a call passes all that the string needs: a number for plurals, and a value for each name."""
    several = not isinstance(message.id, str)
    needed = set().union(*map(named, forms(message))) - ({"n"} if several else set())
    counted = len(call.args) == 2
    fits = counted == several or (counted and isinstance(call.args[0], ast.JoinedStr))
    return fits and needed <= {each.arg for each in call.keywords}


FOR_MEMBERS = [module for module in MODULES if module.path.parts[:2] != ("bot", "admin")]
"""Operators are spoken to in English (decision record 0041)."""


@pytest.mark.parametrize("module", FOR_MEMBERS, ids=lambda module: str(module.path))
def test_no_words_for_members_are_left_in_the_code(module: taste.Module) -> None:
    assert list(spoken_literals(module.tree)) == []


def test_words_left_in_the_code_are_noticed() -> None:
    source = 'Reply(f"Say it {name} again", (Button("Try it again", action="a b"),), say("not this one"))'
    assert list(spoken_literals(ast.parse(source))) == ["line 1: Say it", "line 1: Try it again"]


SHOWN = {
    "Reply",
    "Button",
    "Frame",
    "Page",
    "Post",
    "Content",
    "Choice",
    "small",
    "TextInput",
    "Modal",
    "Label",
}
"""What shows its arguments to members."""
UNSEEN = {"action", "key", "url", "custom_id", "value"}


def spoken_literals(tree: ast.AST) -> Iterator[str]:
    """Literals of several words that are shown, but for those within `say`."""
    for _, call in calls(tree):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in SHOWN:
            shown = [*call.args, *(each.value for each in call.keywords if each.arg not in UNSEEN)]
            yield from (f"line {line}: {text}" for node in shown for line, text in literals(node))


def literals(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Wordy literals in an expression, without those of calls in it."""
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.search(r"[^\W\d_]{2,} [^\W\d_]{2,}", node.value)
    ):
        yield node.lineno, node.value.strip()
    if not isinstance(node, ast.Call):
        for child in ast.iter_child_nodes(node):
            yield from literals(child)


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_is_whole(language: str) -> None:
    translated = messages(language)
    assert ENGLISH_STRINGS.keys() ^ translated.keys() == set()
    assert [key for key, message in translated.items() if message.fuzzy or not all(forms(message))] == []
    assert list(strings(language).obsolete) == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_names_what_the_english_string_names(language: str) -> None:
    plurals = strings(language).num_plurals
    for key, message in messages(language).items():
        english = ENGLISH_STRINGS[key]
        assert isinstance(message.id, str) == isinstance(english.id, str), key
        assert len(forms(message)) == (1 if isinstance(message.id, str) else plurals), key
        wanted = set().union(*map(named, forms(english))) - {"n"}
        for form in forms(message):
            assert named(form) - {"n"} == wanted, key
            assert not re.search(r"  |^\s*$", form), key
        assert named(forms(message)[-1]) == named(forms(english)[-1]), key


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_leaves_commands_and_markdown_as_they_are(language: str) -> None:
    for key, message in messages(language).items():
        for theirs, ours in zip(forms(message), forms(ENGLISH_STRINGS[key]), strict=False):
            assert sorted(re.findall(r"`?/[a-z]+", theirs)) == sorted(re.findall(r"`?/[a-z]+", ours)), key
            assert theirs.count("**") == ours.count("**"), key
            assert edges(theirs) == edges(ours), key


def edges(text: str) -> tuple[str, str]:
    """The space around a string, which joins it to others; French puts some before a colon of its own."""
    text = re.sub("^ (?=[:;])", "", text)
    return text[: len(text) - len(text.lstrip(" "))], text[len(text.rstrip()) :]


@pytest.mark.parametrize("language", LANGUAGES)
def test_strings_fit_where_the_platforms_put_them(language: str) -> None:
    for key, message in messages(language).items():
        limit = next((most for start, most in LIMITS.items() if key.startswith(start)), None)
        assert limit is None or all(len(form) <= limit for form in forms(message)), key


@pytest.mark.parametrize(
    ("locale", "language"),
    [("en-US", "en"), ("tlh", "en"), ("", "en"), (None, "en"), *((each, each) for each in TRANSLATIONS)],
)
def test_an_unknown_locale_is_english(locale: str | None, language: str) -> None:
    assert nearest(locale) == language


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_country_of_a_language_is_that_language(language: str) -> None:
    assert nearest(f"{language}-XX") == nearest(f"{language}_XX") == nearest(language.upper()) == language


async def test_two_tasks_speak_two_languages_at_once() -> None:
    both = asyncio.Barrier(len(LANGUAGES))

    async def told(language: str) -> str:
        speak(language)
        await both.wait()
        return say("button-plans")

    heard = await asyncio.gather(*(told(language) for language in LANGUAGES))
    assert heard == [forms(messages(language)["button-plans"])[0] for language in LANGUAGES]
    assert spoken() == ENGLISH


def test_english_dates_and_prices_are_as_they_always_were() -> None:
    told = (day(NOON), moment(NOON), money(Micros(8_990_000)), money(Micros(89_000_000)))
    assert told == ("24 November 2026", "24 November, 12:00 UTC", "$8.99", "$89")
    assert say("conversations", 1) == "1 conversation"
    assert say("conversations", 3) == "3 conversations"


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("de", ("24. November 2026", "24. November, 12:00 Uhr UTC", "8,99\xa0$", "89\xa0$")),
        ("es", ("24 de noviembre de 2026", "24 de noviembre, 12:00 UTC", "8,99\xa0US$", "89\xa0US$")),
        ("fr", ("24 novembre 2026", "24 novembre, 12:00 UTC", "8,99\xa0$US", "89\xa0$US")),
    ],
)
def test_dates_and_prices_are_written_as_in_the_language(language: str, told: tuple[str, ...]) -> None:
    with speaking(language):
        assert (day(NOON), moment(NOON), money(Micros(8_990_000)), money(Micros(89_000_000))) == told


@pytest.mark.parametrize(
    ("word", "choice"),
    [("de", "de"), ("Deutsch", "de"), ("German", "de"), ("français", "fr"), ("AUTO", "auto")],
)
def test_a_language_may_be_named_in_several_ways(word: str, choice: str) -> None:
    found = parse(f"/language {word}")
    assert isinstance(found, Typed)
    assert found.options == {"name": choice}


def test_an_answer_of_a_comparison_that_was_cut_says_so_in_the_language() -> None:
    standing = Standing(TierName.FREE, 1, 3, 1, 20)
    cut = Answered("Hallo", "quick", "quick", Finish.LENGTH, standing)
    with speaking("de"):
        assert say("footer-cut") in compared_footer(cut)


def test_command_descriptions_follow_the_language() -> None:
    described = [command.description for command in COMMANDS]
    with speaking("de"):
        assert set(described).isdisjoint(command.description for command in COMMANDS)
