"""What is needed to run it elsewhere agrees with the code: names, ports, files and the health check."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from packaging.requirements import Requirement

from engine.config import load_settings
from engine.environment import Variables
from tests.taste import PRODUCT

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
FLY = tomllib.loads((ROOT / "deploy" / "fly.toml").read_text(encoding="utf-8"))
RAILWAY = json.loads((ROOT / "deploy" / "railway.json").read_text(encoding="utf-8"))
RENDER = yaml.safe_load((ROOT / "deploy" / "render.yaml").read_text(encoding="utf-8"))["services"][0]

KNOWN = {name.upper() for name in Variables.model_fields}
READ_BY_COMPOSE = {"COMPOSE_PROFILES", "POSTGRES_PASSWORD"}
SET_BY = {
    "compose.yaml": COMPOSE["services"]["bot"]["environment"],
    "fly.toml": FLY["env"],
    "render.yaml": [each["key"] for each in RENDER["envVars"]],
}


def test_the_example_has_every_variable_and_no_value() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = (line.removeprefix("# ") for line in lines if re.match(r"(# )?[A-Z_]+=", line))
    variables = [line.partition("=") for line in named]
    assert sorted(name for name, _, _ in variables) == sorted(KNOWN | READ_BY_COMPOSE)
    assert [name for name, _, value in variables if value] == []


def test_an_untouched_copy_of_the_example_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert load_settings({}, ROOT / ".env.example") == load_settings({})


@pytest.mark.parametrize("where", SET_BY)
def test_every_platform_sets_only_variables_that_are_read(where: str) -> None:
    assert set(SET_BY[where]) <= KNOWN


def test_every_platform_asks_for_the_health_and_waits_for_the_last_answers() -> None:
    assert FLY["http_service"]["checks"][0]["path"] == "/health"
    assert RAILWAY["deploy"]["healthcheckPath"] == RENDER["healthCheckPath"] == "/health"
    assert COMPOSE["services"]["bot"]["stop_grace_period"] == FLY["kill_timeout"] == "25s"
    assert RAILWAY["deploy"]["drainingSeconds"] == RENDER["maxShutdownDelaySeconds"] == 25


def test_the_port_of_the_image_is_the_port_that_is_published() -> None:
    port = re.search(r"\bPORT=(\d+)", DOCKERFILE)
    assert port
    assert FLY["http_service"]["internal_port"] == int(port[1])
    assert COMPOSE["services"]["bot"]["ports"] == [f"127.0.0.1:{port[1]}:{port[1]}"]


def test_the_image_holds_the_product_and_runs_it_as_nobody_in_particular() -> None:
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for place in (*PRODUCT, "config.toml"):
        assert re.search(rf"^COPY .*\b{re.escape(place)}\b", last_stage, re.MULTILINE)
        assert f"!{place}" in allowed
    assert last_stage.index("\nUSER chat\n") < last_stage.index("\nCMD ")
    assert last_stage.rstrip().endswith('CMD ["python", "main.py", "run"]')


@pytest.mark.parametrize(("status", "verdict"), [(200, 0), (503, 1)])
async def test_the_health_check_of_the_image_tells_well_from_ill(status: int, verdict: int) -> None:
    async def health(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/health", health)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        assert await health_check(runner.addresses[0][1]) == verdict
    finally:
        await runner.cleanup()


async def health_check(port: int) -> int:
    """Run the command of the Dockerfile as Docker would; its exit code."""
    found = re.search(r"^HEALTHCHECK .*?CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found
    _python, *arguments = json.loads(found[1])
    env = {"PORT": str(port), "HTTP_PROXY": "http://127.0.0.1:9"}
    child = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=env, stderr=asyncio.subprocess.DEVNULL
    )
    return await child.wait()


def test_locks_name_the_extras_that_packages_want_of_each_other() -> None:
    """Without them pip looks for `name[extra]` anew, finds the newest version, and refuses it."""
    written = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = [
        Requirement(line.rstrip(" \\")) for line in written.splitlines() if re.match(r"\w\S*==|\w.*]==", line)
    ]
    here = [each for each in locked if each.marker is None or each.marker.evaluate()]
    extras = {each.name: each.extras for each in here}
    wanted = {
        (name, need.name, extra)
        for name in extras
        for need in map(Requirement, requires(name) or ())
        for extra in need.extras
        if need.name in extras and (need.marker is None or need.marker.evaluate({"extra": ""}))
    }
    assert ("google-genai", "google-auth", "requests") in wanted
    assert [each for each in wanted if each[2] not in extras[each[1]]] == []
