"""The page of what waits and what was given up, and the button that tries it again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from aiohttp import web

from engine.tallies import Waiting, WaitingKind
from engine.terms import DeadLetter, LetterKind
from webhooks.admin.asked import Asked
from webhooks.admin.door import VISITOR
from webhooks.admin.parts import Part
from webhooks.admin.tables import Cells, Choice, Column, Deal, Listed, Offer, Row, Table, narrowing
from webhooks.admin.units import Unit
from webhooks.boundary import ADMIN_PATH
from webhooks.site import Admin

SLUG = "backlog"
LATE = timedelta(minutes=10)
"""Work that is due for longer wants attention."""
RETRY = f"{ADMIN_PATH}/{SLUG}/retry"
RETRY_ALL = f"{RETRY}-all"
COUNTED = re.compile(r"[1-9][0-9]{0,6}")
"""How many were tried again, as an address says it."""
KINDS: Mapping[LetterKind, str] = {
    LetterKind.CUSTOMER: "Reading a customer from Stripe",
    LetterKind.DUTY: "A call owed to Stripe",
    LetterKind.USAGE: "A report of metered use",
}
WAITING: Mapping[WaitingKind, str] = {
    WaitingKind.CUSTOMERS: "Customers to be read from Stripe",
    WaitingKind.DUTIES: "Calls owed to Stripe",
    WaitingKind.NOTICES: "Notices owed to members",
    WaitingKind.USAGE_REPORTS: "Reports of metered use",
    WaitingKind.SUMMARIES: "Conversations to be summed up",
    WaitingKind.ALERTS: "Alerts owed to operators",
    WaitingKind.ANSWERS: "Answers being written",
}
COUNTS = (
    Column("kind", "Work"),
    Column("count", "Waits", Unit.COUNT),
    Column("oldest", "Oldest is due since", Unit.MOMENT),
)
LETTERS = (
    Column("id", "About"),
    Column("kind", "Work"),
    Column("error", "Why it was given up"),
    Column("attempts", "Tries", Unit.COUNT),
)
"""What a letter is about comes first: that column stays in view, beside the button, on a phone too."""


class Backlog:
    """Builds the page and takes its button."""

    def __init__(self, admin: Admin) -> None:
        self._store, self._mode, self._again = admin.store, admin.mode, admin.retry
        self._panels = admin.panels

    async def build(self, asked: Asked) -> Sequence[Part]:
        """What waits, and what was given up; that comes first where there is any."""
        panel = await self._panels.backlog()
        waits = waiting(panel.waiting, asked.now)
        letters = dead(panel.letters)
        return [letters, waits] if panel.letters else [waits, letters]

    async def badges(self) -> int:
        """How much was given up."""
        return await self._store.read(lambda tx: tx.count_dead(self._mode))

    async def retry(self, request: web.Request, form: Mapping[str, str]) -> web.StreamResponse:
        """Try one letter again, and lead back to the page, which says what came of it."""
        return await self._retry(request, form.get("about", ""))

    async def retry_all(self, request: web.Request, _form: Mapping[str, str]) -> web.StreamResponse:
        """The same with all that was given up, whatever the table is narrowed to."""
        return await self._retry(request, None)

    async def _retry(self, request: web.Request, letter: str | None) -> web.StreamResponse:
        retried = await self._again(request[VISITOR].actor, self._mode, letter)
        headers = {"Location": f"{ADMIN_PATH}/{SLUG}?retried={retried}", "Cache-Control": "no-store"}
        return web.Response(status=303, headers=headers)


def told(asked: Asked) -> tuple[str, str] | None:
    """What came of a button."""
    retried = asked.query.get("retried")
    if retried == "0":
        return "bad", "Nothing was tried again: it is not a dead letter any more."
    if retried is None or not COUNTED.fullmatch(retried):
        return None
    many = int(retried)
    due = "It is" if many == 1 else f"{many:,} dead letters are"
    return "good", f"{due} due now, and will be tried again within seconds. That is in the audit log."


def waiting(found: Sequence[Waiting], now: datetime) -> Table:
    """What has to be done; what is late wants to be seen."""
    rows = [
        Row(
            each.kind.value,
            {"kind": WAITING[each.kind], "count": each.count, "oldest": each.oldest},
            "bad" if each.oldest and now - each.oldest > LATE else "",
        )
        for each in found
    ]
    about = f"Marked is what is due for more than {LATE // timedelta(minutes=1)} minutes."
    return Table(
        "waiting",
        "What waits",
        COUNTS,
        Listed(rows, ("kind",)),
        sort="-count",
        about=about,
        search=narrowing("Find a kind of work", rows),
    )


def dead(letters: Sequence[DeadLetter]) -> Table:
    """What was given up, each with its button."""
    rows = [row_of(each) for each in letters]
    return Table(
        "letters",
        "Dead letters",
        LETTERS,
        Listed(rows, ("id", "error")),
        sort="kind",
        empty="Nothing was given up: all work has been done, or is tried again by itself.",
        about="Work that failed too often. Mend the cause, then try it again.",
        search="Find an id or an error" if rows else "",
        choices=(Choice("kind", "Work", [(each, each) for each in KINDS.values()]),) if rows else (),
        offer=all_again(len(rows)) if len(rows) > 1 else None,
    )


def all_again(many: int) -> Offer:
    """The button for all of them, which says how many they are before it is pressed."""
    question = f"All {many:,} become due now, whatever is shown below, and are tried again within seconds."
    return Offer(RETRY_ALL, "Retry all…", question, f"Yes, retry all {many:,}")


def row_of(letter: DeadLetter) -> Row:
    """A letter with its button."""
    cells: Cells = {
        "id": letter.id,
        "kind": KINDS[letter.kind],
        "error": letter.error,
        "attempts": letter.attempts,
    }
    return Row(f"{letter.kind}-{letter.id}", cells, deal=Deal(RETRY, "Retry", letter.id))
