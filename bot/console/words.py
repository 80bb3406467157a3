"""What the program says on the operator's terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Protocol

from engine.reconcile import Findings
from engine.settings import Settings
from engine.terms import DeadLetter


class Shown(Protocol):
    """A part of the product: whether it is on, and a word about it."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def on(self) -> bool:
        """Whether it is switched on."""
        ...

    @property
    def note(self) -> str:
        """What to know or to do about it."""
        ...


def part_lines(parts: Iterable[Shown]) -> list[str]:
    """The parts of the product, a line each."""
    return [f"{part.name:<11}{'on ' if part.on else 'off'}  {part.note}".rstrip() for part in parts]


def models_note(settings: Settings) -> str:
    """The models that are offered, and how to get real ones."""
    names = ", ".join(model.name for model in settings.models)
    if any(model.provider != "demo" for model in settings.models):
        return names
    return f"{names} (set OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY for real ones)"


def announcement(settings: Settings, port: int, parts: Iterable[str]) -> str:
    """What runs here, in a few lines."""
    address = settings.server.app_url
    bound = "" if address.endswith(f":{port}") else f" (port {port})"
    notes = [f"note: {remark}" for remark in settings.remarks]
    lines = [f"  {line}" for line in (*parts, *notes)]
    return "\n".join([f"multi-llm-chat is ready at {address}{bound}", *lines])


def findings_lines(findings: Findings, *, dry_run: bool) -> list[str]:
    """What a comparison found, and what is done about it."""
    lines = [f"{each.kind.value:<18}{each.subject}: {each.detail}" for each in findings.differences]
    compared = f"{findings.compared} subscriptions compared"
    if not findings.differences:
        return [f"{compared}: everything here is as Stripe has it."]
    what = "Nothing was changed (dry run)." if dry_run else "Their customers are being read again."
    return [*lines, f"{compared}, {len(findings.differences)} differences. {what}"]


NOTHING_DEAD = "Nothing was given up."


def dead_lines(letters: Iterable[DeadLetter]) -> list[str]:
    """What was given up and why."""
    lines = [dead_line(each) for each in letters]
    if not lines:
        return [NOTHING_DEAD]
    return [*lines, "Mend the cause, then run `python main.py reconcile --retry-dead`."]


def dead_line(letter: DeadLetter) -> str:
    """One piece of work that was given up, and why."""
    return f"{letter.kind.value:<10}{letter.id}  after {letter.attempts} tries: {letter.error}"


def retried_words(retried: int, letter: str | None, way: str) -> str:
    """How much is tried again, of all or of one; `way` lists what was given up."""
    if letter and not retried:
        return f"Nothing that was given up has the id {letter}; {way} lists what was."
    return f"{retried} will be tried again by the running bot." if retried else NOTHING_DEAD


def in_words(error: BaseException) -> str:
    """What stopped the program, on one line."""
    told, hint = (error.strerror, " Check HOST and PORT.") if isinstance(error, OSError) else (None, "")
    return f"{' '.join((told or str(error)).split()).rstrip('.?')}.{hint}"


def sentence(words: str) -> str:
    """Words of an error as a sentence."""
    return f"{words[:1].upper()}{words[1:]}."


def refused(error: ValueError) -> int:
    """Say why an order is none; its exit status."""
    print(sentence(str(error)), file=sys.stderr)
    return 2


def causes(error: BaseException) -> list[BaseException]:
    """The errors in a group, however deep."""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return [each for one in inner for each in causes(one)] or [error]
