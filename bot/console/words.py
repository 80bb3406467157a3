"""What the program says on the operator's terminal."""

from __future__ import annotations

from collections.abc import Iterable

from engine.reconcile import Findings
from engine.terms import DeadLetter


def findings_lines(findings: Findings, *, dry_run: bool) -> list[str]:
    """What a comparison found, and what is done about it."""
    lines = [f"{each.kind.value:<18}{each.subject}: {each.detail}" for each in findings.differences]
    compared = f"{findings.compared} subscriptions compared"
    if not findings.differences:
        return [f"{compared}: everything here is as Stripe has it."]
    what = "Nothing was changed (dry run)." if dry_run else "Their customers are being read again."
    return [*lines, f"{compared}, {len(findings.differences)} differences. {what}"]


def dead_lines(letters: Iterable[DeadLetter]) -> list[str]:
    """What was given up and why."""
    lines = [f"{each.kind.value:<10}{each.id}  after {each.attempts} tries: {each.error}" for each in letters]
    if not lines:
        return ["Nothing was given up."]
    return [*lines, "Mend the cause, then run `python main.py reconcile --retry-dead`."]


def in_words(error: BaseException) -> str:
    """What stopped the program, on one line."""
    told, hint = (error.strerror, " Check HOST and PORT.") if isinstance(error, OSError) else (None, "")
    return f"{' '.join((told or str(error)).split()).rstrip('.?')}.{hint}"


def causes(error: BaseException) -> list[BaseException]:
    """The errors in a group, however deep."""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return [each for one in inner for each in causes(one)] or [error]
