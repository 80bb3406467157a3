"""What the bots say, in the language of whoever is spoken to: its strings are the .po files here."""

from __future__ import annotations

import gettext
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent
ENGLISH = "en"
LANGUAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.po")))
"""English, which has every string, and the translations."""
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


def spoken() -> str:
    """The language that is spoken here."""
    return _spoken.get()


def nearest(locale: str | None) -> str:
    """The language of a locale as platforms write it (`pt-BR`, `de_CH`); English where there is none."""
    language = (locale or "").replace("_", "-").partition("-")[0].casefold()
    return language if language in LANGUAGES else ENGLISH


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


def strings(language: str) -> Catalog:
    """A language's file as it was read."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)
