"""The command line as operators meet it: in words, with exit codes, and without a secret or a traceback."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from tests.program import ROOT, Ended, called, environment

pytestmark = pytest.mark.asyncio(loop_scope="package")

SECRET = "hush-fake"
WRONG = {
    "PORT": "many",
    "LOG_FORMAT": "xml",
    "DATABASE_URL": f"mysql://me:{SECRET}@localhost/chat",
    "SLACK_BOT_TOKEN": f"xoxb-{SECRET}",
    "STRIPE_SECRET_KEY": f"pk_{SECRET}",
    "PLAYGROUND": "1",
    "HOST": "0.0.0.0",  # noqa: S104 - refused before it is bound
    "DISCORD_SHARD_IDS": "9",
    "OPENAI_API_KEY_FILE": "/nowhere/key",
    "CONFIG": "/nowhere/config.toml",
}
NAMED = {*WRONG, "STRIPE_WEBHOOK_SECRET", "/nowhere/config.toml"} - {"HOST", "CONFIG"}


async def told(folder: Path, variables: Mapping[str, str], *arguments: str) -> Ended:
    """What a command says, which never is a secret or a traceback."""
    ended = await called(folder, variables, *arguments)
    for words in (ended.out, ended.err):
        assert SECRET not in words
        assert "Traceback" not in words
    return ended


async def test_a_wrong_configuration_stops_every_command_with_all_problems_and_their_mends(
    tmp_path: Path,
) -> None:
    said, seen = await asyncio.gather(told(tmp_path, WRONG, "run"), told(tmp_path, WRONG, "doctor", "--json"))
    first, *problems = said.err.splitlines()
    assert (said.code, said.out) == (2, "")
    assert first == "The configuration needs mending:"
    assert {problem.removeprefix("  - ").partition(":")[0] for problem in problems} == NAMED
    assert all(problem.endswith(".") and problem.count(". ") >= 1 for problem in problems)
    found = json.loads(seen.out)
    reds = {each["what"].partition(":")[0] for each in found["findings"] if each["light"] == "red"}
    assert (seen.code, found["ok"], reds) == (2, False, NAMED - {"STRIPE_WEBHOOK_SECRET"})
    assert all(each["mend"] for each in found["findings"])


async def test_whoever_reads_no_further_ends_a_command_without_a_word(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "main.py"), "models"),
            cwd=tmp_path,
            env=environment(tmp_path, {}),
            stdout=writing,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
    finally:
        os.close(writing)
    assert (process.returncode, said.decode()) == (141, "")


async def test_a_port_in_use_is_said_with_what_to_do(tmp_path: Path) -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        said = await told(tmp_path, {"PORT": str(port)}, "run")
    finally:
        await runner.cleanup()
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("Stopped: ")
    assert f"{port}): address already in use. Check HOST and PORT.\n" in said.err
    assert "Errno" not in said.err


async def test_a_database_that_is_away_is_said_in_one_sentence(tmp_path: Path) -> None:
    away = {"DATABASE_URL": f"postgresql://me:{SECRET}@127.0.0.1:1/chat"}
    for said in await asyncio.gather(told(tmp_path, away, "run"), told(tmp_path, away, "why", "local:al")):
        assert (said.code, said.out) == (1, "")
        (line,) = said.err.splitlines()
        assert line.startswith("Stopped: the database cannot be reached")
        assert "?." not in line


async def test_a_database_newer_than_the_program_is_left_alone(tmp_path: Path) -> None:
    await told(tmp_path, {}, "migrate")
    with closing(sqlite3.connect(tmp_path / "chat.db", isolation_level=None)) as database:
        row = "SELECT max(version) + 1, 'future', 1, 'other' FROM schema_migrations"
        database.execute(f"INSERT INTO schema_migrations {row}")
    for said in await asyncio.gather(told(tmp_path, {}, "run"), told(tmp_path, {}, "migrate")):
        assert (said.code, said.out) == (1, "")
        assert "start the newer version again" in said.err


async def test_migrating_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    first = await told(tmp_path, {}, "migrate")
    second = await told(tmp_path, {}, "migrate")
    assert (first.code, second.code) == (0, 0)
    assert first.out.startswith("applied ")
    assert second.out == "The database is up to date.\n"


async def test_why_tells_of_anybody_in_words_and_as_json(tmp_path: Path) -> None:
    people = ("discord:123", "slack:T1/U1")
    words, *facts = await asyncio.gather(
        told(tmp_path, {}, "why", "local:nobody"),
        *(told(tmp_path, {}, "why", person, "--json") for person in people),
    )
    assert "no_subscription" in words.out
    for said, person in zip(facts, people, strict=True):
        assert said.code == 0
        assert json.loads(said.out)["person"] == person
        assert json.loads(said.out)["tier"] == "free"


async def test_what_is_no_person_command_or_role_is_answered_with_what_is(tmp_path: Path) -> None:
    wrong = {
        "why alice": "discord:ID, slack:TEAM/ID or local:NAME",
        "dance": "slack-manifest",
        "run --only disco": "discord, slack, web, worker",
    }
    for mend, said in zip(
        wrong.values(),
        await asyncio.gather(*(told(tmp_path, {}, *words.split()) for words in wrong)),
        strict=True,
    ):
        assert said.code == 2
        assert mend in said.err


async def test_the_doctor_says_what_is_on_and_what_to_mend(tmp_path: Path) -> None:
    slack = {"SLACK_BOT_TOKEN": f"xoxb-{SECRET}", "SLACK_APP_TOKEN": f"xapp-{SECRET}"}
    stripe = {"STRIPE_SECRET_KEY": f"sk_test_{SECRET}", "STRIPE_WEBHOOK_SECRET": f"whsec_{SECRET}"}
    nowhere = {"STRIPE_API_BASE": "http://127.0.0.1:1", "DISCORD_TOKEN": SECRET}
    nowhere["SLACK_API_URL"] = "http://127.0.0.1:1/api/"
    well, ill = await asyncio.gather(
        told(tmp_path, {}, "doctor"), told(tmp_path, {**slack, **stripe, **nowhere}, "doctor")
    )
    assert well.code == 0
    assert well.out.endswith("0 red. Nothing to mend.\n")
    assert "yellow  Stripe         payments are SIMULATED" in well.out
    assert ill.code == 1
    assert "red     Discord        DISCORD_TOKEN: is no bot token" in ill.out
    assert "red     Stripe         no line to Stripe" in ill.out
    assert "red     Slack          Slack cannot be asked now" in ill.out
    assert ill.out.endswith("3 to mend.\n")


async def test_the_doctor_looks_at_all_else_where_the_database_is_away(tmp_path: Path) -> None:
    away = {"DATABASE_URL": f"postgresql://me:{SECRET}@127.0.0.1:1/chat"}
    said = await told(tmp_path, away, "doctor", "--json")
    assert said.code == 1
    found = json.loads(said.out)
    assert (found["ok"], found["counts"]["red"]) == (False, 1)
    (database,) = [each for each in found["findings"] if each["area"] == "Database"]
    assert database["light"] == "red"
    assert database["what"].startswith("the database cannot be reached")
    assert "DATABASE_URL" in database["mend"]
    assert {"Configuration", "Models", "Chat", "Stripe", "Address"} <= {
        each["area"] for each in found["findings"]
    }


async def test_models_are_listed_and_asked_without_a_database_and_need_a_price(tmp_path: Path) -> None:
    unpriced = tmp_path / "config.toml"
    unpriced.write_text((ROOT / "config.toml").read_text().replace("gpt-6-luna", "gpt-0-nobody-knows"))
    away = {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
    listed, asked, refused = await asyncio.gather(
        told(tmp_path, {}, "models"),
        told(tmp_path, away, "models", "--check"),
        told(tmp_path, {"CONFIG": str(unpriced)}, "models"),
    )
    assert (listed.code, listed.out.count("OFF: ")) == (0, 9)
    assert (asked.code, asked.out.count("openai cannot be reached")) == (1, 3)
    assert refused.code == 2
    assert "models.gpt-luna: has no price, here or in the price book. Give it one" in refused.err
    assert not (tmp_path / "chat.db").exists()


async def test_the_help_and_the_slack_manifest_are_there_without_a_database(tmp_path: Path) -> None:
    shown, manifest = await asyncio.gather(
        told(tmp_path, {}, "--help"), told(tmp_path, {"DATABASE_URL": "sqlite:///x.db"}, "slack-manifest")
    )
    assert all(name in shown.out for name in ("run", "doctor", "migrate", "why", "slack-manifest"))
    commands = json.loads(manifest.out)["features"]["slash_commands"]
    assert "/ask" in [each["command"] for each in commands]
    assert not (tmp_path / "x.db").exists()
