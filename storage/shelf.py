"""Backups as files: their names, what is written beside them, and that each is whole or not there."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from hashlib import file_digest
from pathlib import Path

from engine.backups import Made, Manifest
from engine.errors import TellOperatorError

PART = ".part"
"""Ends the name of what is not whole."""
STALE = timedelta(days=1)
PACKED = ".gz"


def name_at(now: datetime, suffix: str) -> str:
    """How a backup of that moment is named; names sort by time."""
    return f"chat-{now:%Y%m%dT%H%M%SZ}{suffix}"


NAMED = re.compile(r"chat-\d{8}T\d{6}Z\.(db|dump)(\.gz)?")


@contextmanager
def unfinished(target: Path, now: datetime) -> Iterator[Path]:
    """A new file, for nobody else to read, to be made whole and then shelved; gone if it was not.

    TellOperatorError: there is a file of that name already, or none can be made.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}{PART}")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(target.parent, now)
        if target.exists():
            raise TellOperatorError(f"{target} exists already: name another file, or remove it")
        part.touch(mode=0o600)
        yield part
    except OSError as error:
        raise TellOperatorError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _sweep(folder: Path, now: datetime) -> None:
    """Remove what ended processes left unfinished."""
    for part in folder.glob(f".*{PART}"):
        if part.stat().st_mtime < (now - STALE).timestamp():
            part.unlink(missing_ok=True)


def shelve(part: Path, target: Path, manifest: Manifest, *, packed: bool) -> Made:
    """Give a checked copy its name, after all of it and what is known of it has reached the disk."""
    if packed:
        _pack(part)
    known = replace(manifest, digest=digest(part))
    beside = part.with_name(f"{part.name}{PART}")
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(asdict(known) | {"made_at": known.made_at.isoformat()}, indent=1) + "\n")
    force(part)
    force(beside)
    beside.replace(manifest_of(target))
    part.replace(target)
    force(target.parent)
    return Made(target, target.stat().st_size, known)


def _pack(part: Path) -> None:
    smaller = part.with_name(f"{part.name}{PACKED}{PART}")
    try:
        smaller.touch(mode=0o600)
        with part.open("rb") as plain, gzip.open(smaller, "wb", compresslevel=6) as packed:
            shutil.copyfileobj(plain, packed, 1 << 20)
        smaller.replace(part)
    finally:
        smaller.unlink(missing_ok=True)


def unpack(file: Path, target: Path) -> None:
    """Copy a backup, whether packed or not. TellOperatorError: it is not whole, or there is no room."""
    try:
        target.touch(mode=0o600)
        with (
            gzip.open(file, "rb") if is_packed(file) else file.open("rb") as source,
            target.open("wb") as plain,
        ):
            shutil.copyfileobj(source, plain, 1 << 20)
    except (OSError, EOFError) as error:
        raise TellOperatorError(f"{file} cannot be read: {error}") from error


def is_packed(file: Path) -> bool:
    """Whether its content is gzip's."""
    with file.open("rb") as opened:
        return opened.read(2) == b"\x1f\x8b"


def manifest_of(file: Path) -> Path:
    """Where what is known of a backup is written."""
    return file.with_name(f"{file.name}.json")


def known_of(file: Path) -> Manifest | None:
    """What is written beside a backup, None if nothing; TellOperatorError if it is about another content."""
    if not file.is_file():
        raise TellOperatorError(f"there is no file {file}")
    try:
        told = json.loads(manifest_of(file).read_text("utf-8"))
        known = Manifest(**{**told, "made_at": datetime.fromisoformat(told["made_at"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TellOperatorError(f"{manifest_of(file)} cannot be read: {error}") from error
    if digest(file) != known.digest:
        raise TellOperatorError(
            f"{file} is not what was backed up: its SHA-256 is another than written beside it"
        )
    return known


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def force(path: Path) -> None:
    """Have a file or the names in a folder reach the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def prune(folder: Path, keep: int) -> Sequence[Path]:
    """Remove the oldest backups named by their time until so many are left; which they were."""
    named = sorted(file for file in folder.iterdir() if NAMED.fullmatch(file.name))
    dropped = named[: max(0, len(named) - keep)]
    for file in dropped:
        file.unlink(missing_ok=True)
        manifest_of(file).unlink(missing_ok=True)
    return dropped
