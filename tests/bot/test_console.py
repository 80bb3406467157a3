"""The command line's own words: what is no order is refused with what is one."""

from __future__ import annotations

import shlex

import pytest

from bot.console.arguments import command_line
from bot.console.checkup import about_operators, about_questions, check_clock
from bot.console.diagnosis import tell
from bot.console.examples import LESSONS
from engine.checkup import Light, wrong
from engine.config import load_settings
from tests.fakes.clock import FakeClock
from tests.program import ROOT

WRONG = {
    "forgive": "person",
    "forgive alice": "discord:ID, slack:TEAM/ID or local:NAME",
    "reconcile --dry-run --dead": "--dead: not allowed with argument --dry-run",
    "reconcile --dead --retry-dead": "--retry-dead: not allowed with argument --dead",
    "report --days 0": "write one from 1 to 9999",
    "report --days -3": "write one from 1 to 9999",
    "report --days 99999999": "write one from 1 to 9999",
    "report --days x": "write one from 1 to 9999",
    "report --month november": "write one like 2026-10",
    "report --month 2026-13": "write one like 2026-10",
    "report --days 7 --month 2026-10": "--month: not allowed with argument --days",
    "simulate": "WHAT",
    "simulate advance": "by",
    "simulate advance 1y": "write 90m, 36h, 15d or 2w",
    "simulate dance local:alice": "'fail-payment'",
    "simulate dispute local:alice maybe": "'open', 'won', 'lost', 'inquiry'",
    "simulate refund alice": "discord:ID, slack:TEAM/ID or local:NAME",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_is_no_order_is_refused_with_what_is(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command_line().parse_args(words.split())
    assert stopped.value.code == 2
    assert WRONG[words] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("people", "told"),
    [
        ("", ["nobody is told"]),
        ("local:ann", ["told to local:ann"]),
        (
            "local:ann,slack:T1/U1",
            ["is told to local:ann.", "slack:T1/U1 cannot be told anything. Switch slack on"],
        ),
        ("discord:7", ["discord:7 cannot be told anything. Switch discord on"]),
    ],
)
def test_the_doctor_says_who_is_told_when_something_needs_the_operator(people: str, told: list[str]) -> None:
    notes = [f"{each.what}. {each.mend}" for each in about_operators(load_settings({"ADMIN_IDS": people}))]
    assert len(notes) == len(told)
    assert all(words in note for words, note in zip(told, notes, strict=True))


def test_the_doctor_says_that_nothing_is_kept_without_a_key() -> None:
    (kept,) = about_questions(load_settings({"PROMPT_KEY": "k" * 32}))
    (lost,) = about_questions(load_settings({}))
    assert (kept.light, lost.light) == (Light.GREEN, Light.YELLOW)
    assert "PROMPT_KEY" in lost.mend


def test_one_mend_for_several_things_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    missing = [wrong("Stripe", f"{each} is missing. Run it.") for each in ("this", "that")]
    tell([*missing, wrong("Mail", "no. Ha.")])
    said = [line[23:] for line in capsys.readouterr().out.splitlines()]
    assert said == ["this is missing", "that is missing", "Run it.", "no", "Ha."]


async def test_a_clock_that_nobody_told_the_time_is_no_clock_that_was_compared(
    unused_tcp_port: int, clock: FakeClock
) -> None:
    away = f"http://127.0.0.1:{unused_tcp_port}"
    lost = {
        "STRIPE_SECRET_KEY": "sk_test_fake",
        "STRIPE_API_BASE": away,
        "STRIPE_WEBHOOK_SECRET": "whsec_fake",
    }
    (alone,) = await check_clock(load_settings({}), clock)
    (found,) = await check_clock(load_settings(lost), clock)
    assert (alone.light, found.light) == (Light.GREEN, Light.YELLOW)
    assert "Stripe did not tell the time" in found.what
    assert found.mend


@pytest.mark.parametrize("name", LESSONS)
def test_the_help_of_a_command_shows_it_as_it_is_typed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for typed in LESSONS[name].typed:
        assert command_line().parse_args(shlex.split(typed)).command == name
    with pytest.raises(SystemExit):
        command_line().parse_args([name, "--help"])
    said = capsys.readouterr().out
    assert f"  main.py {LESSONS[name].typed[0]}" in said
    assert LESSONS[name].page in said
    assert (ROOT / LESSONS[name].page).is_file()
