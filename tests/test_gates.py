"""The gates of pyproject.toml have teeth: what they forbid is really refused."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError

from tests.taste import ROOMS

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

BROKEN_BY = {
    "Rooms open onto the hall, never onto each other": ("bot/__init__.py", "import storage"),
    "Nobody imports the gate, the tests or the benches": ("storage/__init__.py", "from tests import fakes"),
    "The hall owns no SDK and reaches no network": ("engine/domain.py", "import aiohttp"),
    "The hall has floors: work, rules, ports, words": ("engine/catalogue.py", "from engine import chat"),
    "Settings are read once, and handed to the rules as values": ("engine/chat.py", "import engine.config"),
    "Only settings are read with pydantic in the hall": ("engine/domain.py", "import pydantic"),
    "Only bot talks to Discord and Slack": ("webhooks/__init__.py", "def later():\n    import slack_sdk"),
    "Only providers talks to the model vendors": ("billing/__init__.py", "from google import genai"),
    "Only providers opens members' files": ("bot/__init__.py", "import pypdf"),
    "Only billing talks to Stripe": ("providers/__init__.py", "import stripe.checkout"),
    "Only storage talks to databases": ("billing/__init__.py", "import sqlite3"),
    "Only storage seals": ("billing/__init__.py", "import cryptography"),
    "Only bot sends mail": ("webhooks/__init__.py", "import aiosmtplib"),
    "Only webhooks writes pages": ("bot/__init__.py", "from jinja2 import Template"),
    "Only webhooks counts for Prometheus": ("storage/__init__.py", "import prometheus_client"),
}


def test_every_import_contract_is_broken_by_what_it_forbids(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for place in ("gate", "engine", *ROOMS):
        shutil.copytree(
            ROOT / place, tmp_path / place, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    for path, line in BROKEN_BY.values():
        with (tmp_path / path).open("a", encoding="utf-8") as module:
            module.write(f"\n{line}\n")
    told = subprocess.run(
        [BIN / "lint-imports", "--no-cache", "--no-logo"],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    contracts = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in contracts} == set(BROKEN_BY)
    assert [name for name in BROKEN_BY if f"{name} BROKEN" not in told.stdout] == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ("TID251", "from unittest.mock import Mock\n"),
        ("BLE001", "try:\n    f()\nexcept Exception:\n    pass\n"),
        ("C901", "def f(x):\n" + "".join(f"    if x == {n}:\n        return\n" for n in range(9))),
    ],
)
def test_the_linter_refuses(rule: str, source: str) -> None:
    told = subprocess.run(
        [BIN / "ruff", "check", "--output-format=concise", "--stdin-filename=bot/sample.py", "-"],
        cwd=ROOT,
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f" {rule} " in told.stdout


def test_nothing_beyond_loopback_can_be_reached() -> None:
    blocked = (SocketConnectBlockedError, UserWarning)
    with socket.socket() as outward, pytest.raises(blocked, match=r"192\.0\.2\.1"):
        outward.connect(("192.0.2.1", 80))
