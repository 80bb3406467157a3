"""Where the operator is told things, as config.toml and the environment say it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from engine.retention import Retention
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


MAIL = {
    "SMTP_URL": "smtps://me%40example.com:p%2Fw@mail.example.com",
    "MAIL_FROM": "bot@example.com",
    "MAIL_TO": "a@example.com, b@example.com",
}


def test_mail_is_read_whole(tmp_path: Path) -> None:
    assert settings(tmp_path).mail is None
    mail = settings(tmp_path, **MAIL).mail
    assert mail is not None
    assert (mail.host, mail.port, mail.tls) == ("mail.example.com", 465, True)
    assert (mail.username, mail.password and mail.password.get_secret_value()) == ("me@example.com", "p/w")
    assert mail.receivers == ("a@example.com", "b@example.com")
    plain = settings(tmp_path, **{**MAIL, "SMTP_URL": "smtp://mail.example.com"}).mail
    assert plain is not None
    assert (plain.port, plain.tls, plain.username) == (587, False, None)
    assert "p/w" not in repr(mail)


@pytest.mark.parametrize("missing", MAIL)
def test_half_of_it_is_refused_with_what_is_missing(tmp_path: Path, missing: str) -> None:
    told = problems(tmp_path, **{name: value for name, value in MAIL.items() if name != missing})
    assert f"{missing}: is missing beside" in told


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SMTP_URL", "mail.example.com:587", "SMTP_URL: is no address of a mail server"),
        ("SMTP_URL", "https://hush-fake@mail.example.com", "SMTP_URL: is no address of a mail server"),
        ("SMTP_URL", "smtp://me:hush-fake@mail.example.com:many", "SMTP_URL: is no address of a mail server"),
        ("MAIL_FROM", "The bot <bot@example.com>", "is no mail address"),
        ("MAIL_FROM", "bot@example.com,else@example.com", "is no mail address"),
        ("MAIL_TO", "a@example.com, b", "MAIL_TO: 'b' is no mail address"),
    ],
)
def test_what_is_no_mail_is_refused_without_its_password(
    tmp_path: Path, name: str, value: str, words: str
) -> None:
    told = problems(tmp_path, **{**MAIL, name: value})
    assert words in told
    assert "hush-fake" not in told


def test_the_report_has_an_hour_and_a_zone(tmp_path: Path) -> None:
    table = '[report]\nhour = 7\nzone = "Europe/Berlin"\nchannels = ["discord:77"]'
    report = settings(tmp_path, f"{table}\n{MINIMAL}").report
    assert (report.hour, str(report.zone), str(report.channels[0])) == (7, "Europe/Berlin", "discord:77")
    for wrong in ("Mars/Base", "../etc/passwd", ""):
        told = problems(tmp_path, f'[report]\nzone = "{wrong}"\n{MINIMAL}')
        assert "config.toml report.zone" in told
    assert "hour" in problems(tmp_path, f"[report]\nhour = 24\n{MINIMAL}")


def test_what_is_old_is_kept_as_long_as_the_operator_says(tmp_path: Path) -> None:
    month, year = timedelta(days=30), timedelta(days=400)
    assert settings(tmp_path).retention == Retention(None, month, year, None)
    table = "[retention]\ncontent_days = 1\npayload_days = 2\nevent_days = 3\naudit_days = 36500"
    days = [timedelta(days=each) for each in (1, 2, 3, 36_500)]
    assert settings(tmp_path, f"{table}\n{MINIMAL}").retention == Retention(*days)


@pytest.mark.parametrize("name", ["content_days", "payload_days", "event_days", "audit_days"])
@pytest.mark.parametrize("days", ["0", "-1", "1.5", "36501", '"x"'])
def test_days_are_positive_whole_numbers(tmp_path: Path, name: str, days: str) -> None:
    told = problems(tmp_path, f"[retention]\n{name} = {days}\n{MINIMAL}")
    assert f"retention.{name}" in told
