"""What the help of a command teaches beside its options: how it is typed, and where more is told."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lesson:
    """Commands as one types them, and the page that tells more."""

    typed: tuple[str, ...]
    page: str = "docs/operations.md"


SEAT = "docs/operator.md"
MONEY = "docs/billing.md"
LESSONS: Mapping[str, Lesson] = {
    "run": Lesson(("run", "run --only web,worker")),
    "init": Lesson(("init",), "README.md"),
    "doctor": Lesson(("doctor", "doctor --json")),
    "models": Lesson(("models", "models --check"), "docs/models.md"),
    "migrate": Lesson(("migrate",)),
    "slack-manifest": Lesson(("slack-manifest",), "docs/slack.md"),
    "find": Lesson(("find discord:7", "find tier:pro", "find status:past_due"), SEAT),
    "reload": Lesson(("reload",)),
    "dashboard": Lesson(("dashboard", "dashboard --end-sessions"), SEAT),
    "backup": Lesson(("backup", "backup --gzip --keep 14")),
    "restore": Lesson(("restore data/backups/chat.db",)),
    "export": Lesson(("export discord:7 -o ann.zip",), SEAT),
    "erase": Lesson(("erase discord:7 --dry-run", "erase discord:7 --cancel"), SEAT),
    "why": Lesson(("why discord:7", "why slack:T1/U1 --json"), SEAT),
    "forgive": Lesson(("forgive discord:7",), MONEY),
    "block": Lesson(("block discord:7 --reason 'charged back twice'",), SEAT),
    "unblock": Lesson(("unblock discord:7",), SEAT),
    "blocked": Lesson(("blocked",), SEAT),
    "pause": Lesson(("pause free --until 2h", "pause all --reason 'moving the database'"), SEAT),
    "resume": Lesson(("resume free",), SEAT),
    "pauses": Lesson(("pauses",), SEAT),
    "grant": Lesson(("grant discord:7 pro --until 2027-01-31 --note 'beta tester'",), SEAT),
    "credit": Lesson(("credit discord:7 20 --days 30",), SEAT),
    "revoke": Lesson(("revoke discord:7", "revoke discord:7 2"), SEAT),
    "uncredit": Lesson(("uncredit discord:7",), SEAT),
    "gift": Lesson(("gift premium --days 30 --count 20", "gift --void 5e6c155d"), SEAT),
    "gifts": Lesson(("gifts",), SEAT),
    "announce": Lesson(("announce --file news.txt --tier free --dry-run", "announce 'We are back.'"), SEAT),
    "announcements": Lesson(("announcements",), SEAT),
    "stripe-setup": Lesson(("stripe-setup --dry-run", "stripe-setup --save"), MONEY),
    "reconcile": Lesson(("reconcile --dry-run", "reconcile --dead", "reconcile --retry-dead"), MONEY),
    "report": Lesson(("report --month 2026-10", "report --send --to me@example.com"), SEAT),
    "events": Lesson(("events --since 2026-10-01 --until 2026-11-01",), SEAT),
    "simulate": Lesson(("simulate advance 15d", "simulate fail-payment local:bob"), MONEY),
    "what-if": Lesson(("what-if --config draft.toml --days 30",), SEAT),
    "demo-data": Lesson(("demo-data", "demo-data --members 100 --seed 3"), SEAT),
}
Commands = Mapping[str, argparse.ArgumentParser]


def teach(commands: Commands, told: Mapping[str, str]) -> None:
    """Have the help of each command begin with what it does and end with how it is typed."""
    for name, parser in commands.items():
        lesson = LESSONS[name]
        parser.description = f"{told[name][:1].upper()}{told[name][1:].rstrip(' .')}."
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        typed = "\n".join(f"  main.py {each}" for each in lesson.typed)
        parser.epilog = f"for example:\n{typed}\n\n{lesson.page} tells more."
