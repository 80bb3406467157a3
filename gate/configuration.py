"""The configuration as it is written down now."""

from __future__ import annotations

import os
from pathlib import Path

from engine.config import load_settings
from engine.opening import SystemClock
from engine.pricing import price_at
from engine.settings import Settings
from providers.prices import ListPrices

DOTENV = Path(".env")


def configured(config: Path | None = None, *, setting_up: bool = False) -> Settings:
    """The settings as they are written down now, with that file or the one that CONFIG names."""
    book, now = ListPrices(), SystemClock().now()
    return load_settings(
        {**os.environ, "CONFIG": str(config)} if config else os.environ,
        DOTENV,
        setting_up=setting_up,
        price_now=lambda spec: price_at(spec, book, now),
    )
