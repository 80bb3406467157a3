"""Drafts of config.toml, read as it is read itself and compared with what is in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.catalogue import Catalogue
from engine.config import ConfigurationError
from engine.environment import Problem
from engine.facts import Mode
from engine.hindsight import Rules
from engine.ports import Clock, PriceBook, Store
from engine.pricing import fill
from engine.settings import Settings
from engine.what_if import Comparison, Progress, WhatIf, silent

DRAFT = "draft.toml"
IN_FORCE = "config.toml "
"""How problems name a key of the file."""
NO_FILE = "Copy config.toml, change what you want to try, and name that file with --config."
MOST_BYTES = 256 * 1024
"""Of a draft."""


class Drafts:
    """Compares drafts with the settings in force; keeps none of them."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        mode: Mode,
        book: PriceBook,
        today: Callable[[], Settings],
        read: Callable[[Path], Settings],
        config: Callable[[], Path],
    ) -> None:
        """`read` takes a file for config.toml; it runs in a thread, and raises ConfigurationError.

        `config` is where the file itself is.
        """
        self._what_if = WhatIf(store, clock, mode)
        self._clock = clock
        self._book = book
        self._today = today
        self._read = read
        self._config = config

    async def written(self) -> str | None:
        """The text of config.toml as it is now, to begin a draft with; None if it cannot be read."""
        return await asyncio.to_thread(text_of, self._config())

    async def compare(self, draft: Path, days: int, tell: Progress = silent) -> Comparison:
        """What the last days would have been. ConfigurationError: the draft needs mending."""
        settings, now = await asyncio.to_thread(self._settings, draft), self._clock.now()
        today = rules_of(self._today(), self._book, now)
        return await self._what_if.compare(today, rules_of(settings, self._book, now), days, tell)

    def _settings(self, draft: Path) -> Settings:
        """Those of the draft; its mends name its own file."""
        if not draft.is_file():
            raise ConfigurationError([Problem(str(draft), "is no file", NO_FILE)])
        try:
            return self._read(draft)
        except ConfigurationError as error:
            mine = (each.where.replace(IN_FORCE, f"{draft.name} ", 1) for each in error.problems)
            renamed = zip(error.problems, mine, strict=True)
            raise ConfigurationError([replace(each, where=where) for each, where in renamed]) from None

    async def compare_text(self, draft: str, days: int) -> Comparison:
        """The same for a draft that is in no file, and raises the same."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / DRAFT
            await asyncio.to_thread(path.write_text, draft, encoding="utf-8")
            try:
                return await self.compare(path, days)
            except ConfigurationError as error:
                named = [replace(each, where=each.where.replace(str(path), DRAFT)) for each in error.problems]
                raise ConfigurationError(named) from None


def text_of(path: Path) -> str | None:
    """A small file's text; None if it cannot be read, is too long, or no text."""
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= MOST_BYTES else None
    except (OSError, ValueError):
        return None


def rules_of(settings: Settings, book: PriceBook, now: datetime) -> Rules:
    """What questions would be decided on with every vendor's key, at the prices of now."""
    catalogue = Catalogue(settings.tiers, fill(settings.shelf, book, now))
    return Rules(catalogue, settings.ceilings, settings.billing.metered_markup)
