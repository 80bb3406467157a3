"""Writes the `.env` file: what stands in it stays as it is, and what comes is added below."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from engine.environment import from_dotenv

PLAIN = re.compile(r"[\w./:@,+=~%?&-]*")
"""Values that need no quotes."""
OWN_EYES = 0o600
SIGNING = "STRIPE_WEBHOOK_SECRET"
HEADING = "# Added by main.py."


def write(path: Path, values: Mapping[str, str], example: Path | None = None) -> None:
    """Add values; a file that is not there yet is made after the example, for its owner's eyes alone.

    All or nothing: it is written beside and moved into place. OSError: it cannot be written.
    """
    if path.exists():
        text, mode = appended(path.read_text(), values), path.stat().st_mode & 0o777
    else:
        known = example.read_text() if example and example.is_file() else ""
        text, mode = filled_in(known, values), OWN_EYES
    beside = path.with_name(f"{path.name}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def keep_secrets(secrets: str, path: Path = Path(".env")) -> str:
    """Write down the signing secrets that Stripe shows once; what to say about it."""
    try:
        write(path, {SIGNING: secrets})
    except OSError as error:
        return f"{path} cannot be written ({error.strerror}). Put this into it: {SIGNING}={secrets}"
    return f"Stripe's signing secrets are in {path} now, as {SIGNING}."


def already(path: Path) -> Mapping[str, str]:
    """What a file sets, by name."""
    return from_dotenv(path)


def appended(text: str, values: Mapping[str, str]) -> str:
    """The text with the values below it."""
    if not values:
        return text
    end = "" if text.endswith("\n") or not text else "\n"
    return "\n".join([f"{text}{end}", HEADING, *(line(name, value) for name, value in values.items()), ""])


def filled_in(example: str, values: Mapping[str, str]) -> str:
    """The example with the values in its own lines; those that have none come below."""
    left = dict(values)
    lines: list[str] = []
    for each in example.splitlines():
        found = re.fullmatch(r"#? ?([A-Z][A-Z_]+)=.*", each)
        fits = found is not None and found[1] in left
        lines.append(line(found[1], left.pop(found[1])) if found and fits else each)
    return appended("".join(f"{each}\n" for each in lines), left)


def line(name: str, value: str) -> str:
    """A variable as the file has it."""
    if PLAIN.fullmatch(value):
        return f"{name}={value}"
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}='{quoted}'"
