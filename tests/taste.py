"""The rules of taste that no linter knows, each a function from one module to complaints."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

ROOMS = ("bot", "webhooks", "providers", "billing", "storage")
PRODUCT = ("main.py", "gate", "engine", *ROOMS)
EVERYTHING = (*PRODUCT, "benchmarks", "deploy", "tests")

LONGEST_FUNCTION, USUAL_FUNCTION = 40, 20
LONGEST_FILE, USUAL_FILE = 400, 200

BANNED_NAMES = {"utils", "util", "helpers", "helper", "manager", "service", "services", "common"}
CLOCK_READS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime"},
}
SQL = re.compile(
    r"\b(SELECT\b.+?\bFROM|INSERT INTO|UPDATE \w+\s+SET|DELETE FROM|PRAGMA \w)"
    r"|\b(CREATE|ALTER|DROP) (UNIQUE )?(TABLE|INDEX)\b"
    r"|^\s*(select [\w*, .()]+ from \w|insert into \w|update \w+ set \w|delete from \w|create table \w)",
    re.DOTALL,
)
READS_SETTINGS = {"engine/config.py", "engine/settings.py", "engine/tables.py", "engine/environment.py"}
SETTINGS_LIBRARIES = {"pydantic", "pydantic_settings"}
# Written in pieces, so that this file does not hold what it looks for.
REGISTRIES = re.compile("(py" + "pi|python" + "hosted|npm" + r"js|deb" + r"ian)\.(org|com)")
MACHINE_PATHS = re.compile(r"(?:^|[^\w.])/(?:wo" + "rk|fa" + "rm|ro" + "ot)/")


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: its path from the project's root, its text and its syntax."""

    path: PurePosixPath
    source: str
    tree: ast.Module


Function = ast.FunctionDef | ast.AsyncFunctionDef
Rule = Callable[[Module], Iterable[str]]


def read_modules(root: Path, places: Iterable[str]) -> list[Module]:
    """Every Python file at or below `places`, which are paths from `root`."""
    found = (file for place in places for file in sorted([root / place, *(root / place).rglob("*.py")]))
    return [read_module(root, file) for file in found if file.is_file()]


@cache
def read_module(root: Path, file: Path) -> Module:
    """One Python file, parsed."""
    source = file.read_text(encoding="utf-8")
    return Module(PurePosixPath(file.relative_to(root).as_posix()), source, ast.parse(source))


def complaints(rule: Rule, modules: Iterable[Module]) -> list[str]:
    """What the rule says about each module, with the module's path before it."""
    return [f"{module.path}: {words}" for module in modules for words in rule(module)]


def functions(module: Module) -> Iterator[tuple[Function, int]]:
    """Each function with its length in lines, from `def` to its last line."""
    for node in ast.walk(module.tree):
        if isinstance(node, Function):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1


def long_functions(module: Module) -> Iterator[str]:
    """Functions that are too long for anybody's patience."""
    for node, lines in functions(module):
        if lines > LONGEST_FUNCTION:
            yield f"{node.name} has {lines} lines"


def long_files(module: Module) -> Iterator[str]:
    """Files that do more than one thing, by their length."""
    lines = len(module.source.splitlines())
    if lines > LONGEST_FILE:
        yield f"{lines} lines"


def banned_names(module: Module) -> Iterator[str]:
    """Modules and packages whose name says nothing."""
    for name in (*module.path.parent.parts, module.path.stem):
        if name in BANNED_NAMES:
            yield f"the name {name!r} does not say what is inside"


def imports(module: Module) -> Iterator[str]:
    """Every imported name in full: `aiohttp.web` for `from aiohttp import web`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def web_servers(module: Module) -> Iterator[str]:
    """The server of aiohttp outside webhooks; its client is free to all."""
    uses = {ast.unparse(node) for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
    for name in (*imports(module), *sorted(uses)):
        if f"{name}.".startswith("aiohttp.web.") and module.path.parts[0] != "webhooks":
            yield f"{name} belongs to webhooks"


def clock_reads(module: Module) -> Iterator[str]:
    """Reads of the wall clock outside a class named ...Clock."""
    inside = {
        id(node)
        for clock in ast.walk(module.tree)
        if isinstance(clock, ast.ClassDef) and clock.name.endswith("Clock")
        for node in ast.walk(clock)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and reads_clock(node) and id(node) not in inside:
            yield f"line {node.lineno}: {ast.unparse(node)} instead of the Clock port"
    for name in imports(module):
        if name in {f"time.{read}" for read in CLOCK_READS["time"]}:
            yield f"{name} instead of the Clock port"


def reads_clock(node: ast.Attribute) -> bool:
    """Whether this is `datetime.now` and the like, also as `datetime.datetime.now`."""
    return node.attr in CLOCK_READS.get(ast.unparse(node.value).rpartition(".")[2], ())


def strings(module: Module) -> Iterator[tuple[int, str]]:
    """Every string literal with its line; an f-string counts as one, each value in it as a word."""
    parts = {
        id(part) for node in ast.walk(module.tree) if isinstance(node, ast.JoinedStr) for part in node.values
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(p.value) if isinstance(p, ast.Constant) else "x" for p in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.lineno, node.value


def stray_sql(module: Module) -> Iterator[str]:
    """SQL outside storage."""
    for line, text in strings(module):
        if SQL.search(text) and module.path.parts[0] != "storage":
            yield f"line {line}: SQL belongs to storage"


def foreign_imports(module: Module) -> Iterator[str]:
    """What the hall imports besides itself and the standard library."""
    allowed = {"engine", *sys.stdlib_module_names}
    if str(module.path) in READS_SETTINGS:
        allowed |= SETTINGS_LIBRARIES
    for root in sorted({name.partition(".")[0] for name in imports(module)} - allowed):
        if module.path.parts[0] == "engine":
            yield f"{root} is not in the standard library"


def places_of_this_machine(text: str) -> Iterator[str]:
    """Package registries and paths that only exist where the text was written."""
    for number, line in enumerate(text.splitlines(), start=1):
        for found in (REGISTRIES.search(line), MACHINE_PATHS.search(line)):
            if found:
                yield f"line {number}: {found.group().strip()}"
