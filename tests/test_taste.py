"""The project keeps its own rules of taste, and the rules notice who does not."""

from __future__ import annotations

import statistics
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests import taste

ROOT = Path(__file__).parent.parent
LONG = "def f() -> None:\n" + "    pass\n" * 40

RULES = [
    (taste.long_functions, taste.EVERYTHING),
    (taste.long_files, taste.EVERYTHING),
    (taste.banned_names, taste.EVERYTHING),
    (taste.web_servers, taste.PRODUCT),
    (taste.clock_reads, taste.PRODUCT),
    (taste.stray_sql, taste.PRODUCT),
    (taste.foreign_imports, ("engine",)),
]
GUILTY = [
    (taste.long_functions, "bot/a.py", LONG),
    (taste.long_functions, "tests/test_a.py", "class A:\n    async " + LONG.replace("\n", "\n    ")),
    (taste.long_files, "bot/a.py", "x = 1\n" * 401),
    (taste.banned_names, "bot/utils.py", ""),
    (taste.banned_names, "bot/common/words.py", ""),
    (taste.web_servers, "bot/a.py", "from aiohttp import web"),
    (taste.web_servers, "billing/a.py", "import aiohttp.web"),
    (taste.web_servers, "main.py", "from aiohttp.web import Application"),
    (taste.web_servers, "bot/a.py", "import aiohttp\napp = aiohttp.web.Application()"),
    (taste.clock_reads, "engine/a.py", "now = datetime.now(UTC)"),
    (taste.clock_reads, "engine/a.py", "now = datetime.datetime.utcnow()"),
    (taste.clock_reads, "bot/a.py", "factory = field(default_factory=time.time)"),
    (taste.clock_reads, "bot/a.py", "from time import time"),
    (taste.clock_reads, "bot/a.py", "day = date.today()"),
    (taste.stray_sql, "engine/a.py", "q = 'SELECT id\\n  FROM turn'"),
    (taste.stray_sql, "billing/a.py", "q = f'UPDATE {table} SET tier = 1'"),
    (taste.stray_sql, "webhooks/a.py", "q = 'delete from turn'"),
    (taste.foreign_imports, "engine/a.py", "import pydantic"),
    (taste.foreign_imports, "engine/a.py", "def f() -> None:\n    from aiohttp import ClientSession"),
]
INNOCENT = [
    (taste.long_functions, "bot/a.py", LONG.removesuffix("    pass\n")),
    (taste.long_files, "bot/a.py", "x = 1\n" * 400),
    (taste.banned_names, "bot/uncommon.py", ""),
    (taste.web_servers, "webhooks/a.py", "from aiohttp import web"),
    (taste.web_servers, "bot/a.py", "from aiohttp import ClientSession"),
    (
        taste.clock_reads,
        "engine/a.py",
        "class WallClock:\n    def now(self):\n        return datetime.now(UTC)",
    ),
    (taste.clock_reads, "engine/a.py", "now = clock.now()\nsoon = time.monotonic()"),
    (taste.stray_sql, "storage/a.py", "q = 'SELECT id FROM turn'"),
    (taste.stray_sql, "bot/a.py", "q = 'Select a model from the list, or update your card.'"),
    (taste.foreign_imports, "engine/config.py", "import pydantic"),
    (taste.foreign_imports, "engine/a.py", "import asyncio\nfrom engine.domain import Ask"),
]


def plant(root: Path, path: str, source: str) -> taste.Module:
    """Write the sample where the rule will look for it."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")
    return taste.read_module(root, file)


@pytest.mark.parametrize(("rule", "places"), RULES, ids=[rule.__name__ for rule, _ in RULES])
def test_no_module_breaks_the_rule(rule: taste.Rule, places: tuple[str, ...]) -> None:
    assert taste.complaints(rule, taste.read_modules(ROOT, places)) == []


@pytest.mark.parametrize(("rule", "path", "source"), GUILTY)
def test_a_planted_violation_is_noticed(rule: taste.Rule, path: str, source: str, tmp_path: Path) -> None:
    assert list(rule(plant(tmp_path, path, source)))


@pytest.mark.parametrize(("rule", "path", "source"), INNOCENT)
def test_what_is_allowed_is_left_alone(rule: taste.Rule, path: str, source: str, tmp_path: Path) -> None:
    assert list(rule(plant(tmp_path, path, source))) == []


def test_nine_in_ten_functions_fit_in_twenty_lines() -> None:
    lengths = [n for module in taste.read_modules(ROOT, taste.PRODUCT) for _, n in taste.functions(module)]
    usual = sum(n <= taste.USUAL_FUNCTION for n in lengths)
    assert usual >= 0.9 * len(lengths)


def test_most_files_fit_in_two_hundred_lines() -> None:
    modules = taste.read_modules(ROOT, taste.PRODUCT)
    assert statistics.median(len(module.source.splitlines()) for module in modules) <= taste.USUAL_FILE


def test_the_gate_imports_no_sdk_that_belongs_to_a_room() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    owned = {sdk for contract in contracts for sdk in contract.get("forbidden_modules", ())}
    imported = {
        name.partition(".")[0]
        for module in taste.read_modules(ROOT, ["main.py", "gate"])
        for name in taste.imports(module)
    }
    assert {"discord", "openai", "sqlite3", "stripe"} <= owned
    assert imported & (owned - {"gate", "pydantic", "structlog"}) == set()


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine() -> None:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    texts = ((name, (ROOT / name).read_text(encoding="utf-8", errors="replace")) for name in names)
    assert [f"{name} {words}" for name, text in texts for words in taste.places_of_this_machine(text)] == []


@pytest.mark.parametrize(
    "text", ["https://py" + "pi.org/simple", "see /wo" + "rk/main", "'/ro" + "ot/.cache'"]
)
def test_a_place_of_one_machine_is_noticed(text: str) -> None:
    assert list(taste.places_of_this_machine(text))


@pytest.mark.parametrize(
    "text", ["volumes: [data:/app/data]", "https://example.com/work/", "a framework/root/x"]
)
def test_an_ordinary_path_is_no_place_of_one_machine(text: str) -> None:
    assert list(taste.places_of_this_machine(text)) == []
