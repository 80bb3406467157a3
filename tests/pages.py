"""Reads Markdown pages as far as their claims can be checked: tables, links, headings and named files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tests.taste import MACHINE_PATHS, REGISTRIES

PLACES = ("README.md", "CHANGELOG.md", "docs/**/*.md")
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) +(.+?) *$", re.MULTILINE)
CELLS = re.compile(r"(?<!\\)\|")
RULE = re.compile(r"[|\s:-]+")
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^()\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:")
NAMED = re.compile(
    r"(?:gate|engine|bot|providers|billing|webhooks|storage|tests|docs|deploy|benchmarks)/[\w./-]*"
)
LONGEST_RECORD = 30

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file: its path from the project's root, and its text."""

    path: PurePosixPath
    text: str

    def section(self, heading: str) -> str:
        """What stands between a heading and the next one of any level; ValueError if it is not there."""
        parts = HEADING.split(self.text)
        titles, bodies = parts[2::3], parts[3::3]
        return bodies[titles.index(heading)]


def read_pages(root: Path) -> list[Page]:
    """The README, the changelog and everything below docs/."""
    return [read_page(root, file) for place in PLACES for file in sorted(root.glob(place))]


def read_page(root: Path, file: Path) -> Page:
    """One page."""
    return Page(PurePosixPath(file.relative_to(root).as_posix()), file.read_text(encoding="utf-8"))


def rows(text: str) -> list[Row]:
    """The rows of all tables, each by the words of its table's head."""
    found: list[Row] = []
    head: list[str] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            head = []
        elif not head:
            head = cells(line)
        elif not RULE.fullmatch(line):
            found.append(dict(zip(head, cells(line), strict=True)))
    return found


def cells(line: str) -> list[str]:
    """The cells of a row; a bar behind a backslash belongs to its cell."""
    return [cell.strip().replace("\\|", "|") for cell in CELLS.split(line.strip())[1:-1]]


def codes(cell: str) -> list[str]:
    """What stands between backticks."""
    return CODE.findall(cell)


def anchors(text: str) -> set[str]:
    """The names under which headings can be linked to, as GitHub makes them."""
    titles = (title for _, title in HEADING.findall(FENCED.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(page: Page, root: Path) -> Iterator[str]:
    """Links to files, or to headings in them, that are not there."""
    for target in LINK.findall(FENCED.sub("", page.text)):
        if ELSEWHERE.match(target):
            continue
        name, _, anchor = target.partition("#")
        file = root / page.path.parent / name
        if name and not file.exists():
            yield f"{page.path}: there is no {target}"
        elif anchor and anchor not in anchors(file.read_text(encoding="utf-8") if name else page.text):
            yield f"{page.path}: there is no heading for {target}"


def missing_files(page: Page, root: Path) -> Iterator[str]:
    """Files and folders of the project that the text names and that are not there."""
    for code in codes(FENCED.sub("", page.text)):
        if NAMED.fullmatch(code) and not (root / code).exists():
            yield f"{page.path}: there is no {code}"


def long_record(page: Page) -> Iterator[str]:
    """A decision record that is too long to be read in passing."""
    lines = len(page.text.splitlines())
    if "decisions" in page.path.parts and lines > LONGEST_RECORD:
        yield f"{page.path}: {lines} lines"


def elsewhere(page: Page) -> Iterator[str]:
    """Addresses of package registries, and paths of somebody's machine."""
    for pattern in (REGISTRIES, MACHINE_PATHS):
        yield from (f"{page.path}: {found[0]}" for found in pattern.finditer(page.text))


def lost_names(page: Page, root: Path) -> Iterator[str]:
    """Names in the column `Today` that none of the files in the column `Where` holds."""
    for row in rows(page.text):
        files = [root / name for name in codes(row["Where"])]
        source = "\n".join(file.read_text(encoding="utf-8") for file in files)
        for name in codes(row["Today"]):
            if name.isidentifier() and not re.search(rf"\b{name}\b", source):
                yield f"{page.path}: {name} is not in {row['Where']}"
