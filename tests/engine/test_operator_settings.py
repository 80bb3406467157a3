"""Where the operator is told things, as config.toml and the environment say it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.engine.test_config import MINIMAL, problems, settings


def test_channels_are_read_and_nothing_is_told_anywhere_without_them(tmp_path: Path) -> None:
    assert settings(tmp_path).alerts.channels == ()
    table = '[alerts]\nchannels = ["discord:77", "slack:T1/C2"]\nlanguage = "fr"\nbacklog_minutes = 3'
    alerts = settings(tmp_path, f"{table}\n{MINIMAL}").alerts
    assert [str(each) for each in alerts.channels] == ["discord:77", "slack:T1/C2"]
    assert (alerts.language, alerts.backlog) == ("fr", timedelta(minutes=3))


@pytest.mark.parametrize("name", ["discord:general", "slack:C2", "local:x"])
def test_what_is_no_channel_is_refused_with_where_its_id_is_found(tmp_path: Path, name: str) -> None:
    told = problems(tmp_path, f'[alerts]\nchannels = ["{name}"]\n{MINIMAL}')
    assert f"config.toml alerts.channels: '{name}' is no channel" in told
    assert "Copy Channel ID" in told
