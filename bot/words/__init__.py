"""What the bots say, in the language of whoever is spoken to: its strings are the .po files here."""

from __future__ import annotations

import asyncio
import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent
ENGLISH = "en"
LANGUAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.po")))
"""English, which has every string, and the translations."""
AUTOMATIC = "auto"
CHOICES = (*LANGUAGES, AUTOMATIC)
"""What members may choose: a language, or whatever their platform says."""
_spoken: ContextVar[str] = ContextVar("language", default=ENGLISH)


def say(key: str, n: int | None = None, /, **values: object) -> str:
    """The string of a key in the language that is spoken here, its `{names}` filled in.

    `n` chooses between the forms for one and for many, and fills `{n}`. What a translation lacks is English.
    """
    words = catalogue(_spoken.get())
    if n is None:
        return words.gettext(key).format(**values)
    return words.ngettext(key, key, n).format(n=n, **values)


def speak(locale: str | None) -> None:
    """Speak this language, or the nearest one there is, in the current task and those it begins."""
    _spoken.set(nearest(locale))


@contextmanager
def speaking(locale: str | None) -> Iterator[None]:
    """Speak this language, or the nearest one there is, for a while."""
    token = _spoken.set(nearest(locale))
    try:
        yield
    finally:
        _spoken.reset(token)


def spoken() -> str:
    """The language that is spoken here."""
    return _spoken.get()


def nearest(locale: str | None) -> str:
    """The language of a locale as platforms write it (`pt-BR`, `de_CH`); English where there is none."""
    language = (locale or "").replace("_", "-").partition("-")[0].casefold()
    return language if language in LANGUAGES else ENGLISH


def name_of(language: str) -> str:
    """A language's name as its speakers write it: `Deutsch`; anything else is left as it is."""
    if language not in LANGUAGES:
        return language
    return Locale.parse(language).get_display_name() or language


def chosen(word: str) -> str | None:
    """The one of CHOICES that a word means: a code (`de`) or a name (`Deutsch`, `German`)."""
    folded = word.casefold()
    return next((each for each in CHOICES if folded in names_of(each)), None)


@cache
def names_of(choice: str) -> frozenset[str]:
    """What a language is called, small: its code, its own name for itself and its English one."""
    if choice not in LANGUAGES:
        return frozenset({choice})
    english = Locale.parse(choice).get_display_name(ENGLISH) or choice
    return frozenset({choice, name_of(choice).casefold(), english.casefold()})


@cache
def catalogue(language: str) -> gettext.GNUTranslations:
    """The strings of a language, read when it is first spoken."""
    compiled = BytesIO()
    write_mo(compiled, strings(language))
    compiled.seek(0)
    found = gettext.GNUTranslations(compiled)
    if language != ENGLISH:
        found.add_fallback(catalogue(ENGLISH))
    return found


async def warm() -> None:
    """Read English at once, and the other languages beside the event loop: no member waits for them."""
    catalogue(ENGLISH)
    for language in LANGUAGES:
        await asyncio.to_thread(catalogue, language)


def strings(language: str) -> Catalog:
    """A language's file as it was read."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)
