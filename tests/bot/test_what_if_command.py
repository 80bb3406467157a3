"""`main.py what-if`: a draft as a table or JSON, or every mend that it needs."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from bot.console.what_if import shown, what_if
from engine.config import load_settings
from engine.domain import RefusalReason, TierName
from engine.drafts import Drafts
from engine.facts import Mode
from engine.hindsight import Swap
from engine.settings import Settings
from engine.what_if import LIMITS, WHY
from providers.prices import ListPrices
from tests.bot.house import household
from tests.engine.conftest import Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture

SHIPPED = Path(__file__).parents[2] / "config.toml"


def settings_of(path: Path = SHIPPED) -> Settings:
    return load_settings({"CONFIG": str(path)})


async def compared(hall: Hall, draft: Path, *, as_json: bool = False) -> int:
    drafts = Drafts(
        hall.store, hall.clock, Mode.TEST, ListPrices(), settings_of, settings_of, lambda: SHIPPED
    )
    house = replace(household(hall), drafts=drafts)
    return await what_if(Namespace(config=str(draft), days=30, json=as_json), house)


async def test_a_draft_that_is_the_configuration_changes_nothing(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await compared(hall, SHIPPED) == 0
    told = capsys.readouterr().out
    assert "Nobody would be refused anything that was answered." in told
    assert "No use is recorded in these days" in told
    assert "margin                             0.00         0.00        +0.00" in told
    assert await compared(hall, SHIPPED, as_json=True) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["today"] == figures["draft"]
    assert set(figures["draft"]["tiers"]) >= {*TierName}


async def test_a_draft_that_is_wrong_is_told_with_every_mend(
    hall: Hall, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = tmp_path / "draft.toml"
    draft.write_text("[tiers.free]\nconversations = 3\n[tiers.pro]\nprice_month = -1\n")
    assert await compared(hall, draft) == 2
    told = capsys.readouterr().err
    assert "The draft needs mending:" in told
    assert "tiers.free.conversations: unknown key" in told
    assert "tiers.pro.price_month" in told


async def test_mends_name_the_draft_and_not_the_file_in_force(
    hall: Hall, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = tmp_path / "next.toml"
    draft.write_text(SHIPPED.read_text().replace('fallback = ["', 'fallback = ["nobody", "', 1))
    assert await compared(hall, draft) == 2
    told = capsys.readouterr().err
    assert "next.toml models.gpt-luna: unknown fallback 'nobody'" in told
    assert "config.toml" not in told
    assert await compared(hall, tmp_path / "none.toml") == 2
    assert "none.toml: is no file. Copy config.toml, change" in capsys.readouterr().err


def test_all_that_can_be_told_has_words() -> None:
    assert set(WHY) == set(Swap)
    assert set(LIMITS) < set(RefusalReason)


@pytest.mark.parametrize(
    ("terminal", "told"),
    [
        (True, "\r10% of the recorded use\r60% of the recorded use\r100% of the recorded use\n"),
        (False, "60% of the recorded use\n100% of the recorded use\n"),
    ],
)
def test_how_far_it_is_is_told_beside_what_is_printed(
    terminal: bool,  # noqa: FBT001 - of a table
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell = shown(terminal=terminal)
    for part in (0.1, 0.6, 1.0):
        tell(part)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", told)
