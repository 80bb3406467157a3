"""The page on which drafts of config.toml are compared with what is in force; no draft is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from aiohttp import web

from engine.audit import Deed, Entry
from engine.config import ConfigurationError
from engine.drafts import MOST_BYTES
from engine.what_if import Comparison
from webhooks.access import read_parts
from webhooks.admin.answers import Answers
from webhooks.admin.asked import DAYS, USUAL_DAYS, Asked
from webhooks.admin.compared import parts_of
from webhooks.admin.door import VISITOR, Door
from webhooks.admin.leaves import Leaf, Spans
from webhooks.admin.pages import Pages
from webhooks.admin.parts import Form, Part
from webhooks.boundary import ADMIN_PATH
from webhooks.site import Admin

SLUG = "what-if"
ADDRESS = f"{ADMIN_PATH}/{SLUG}"
BEGIN = f"{ADDRESS}?begin=config#draft"
MOST_FORM = 2 * MOST_BYTES + 8 * 1024
"""The draft as text and as a file, and all else."""
PATIENCE = 60.0
"""Seconds that a comparison may take."""

TITLE = "What if"
ABOUT = "What the last days would have been under other tiers, models and prices."
ASK = (
    "Every question that was answered is let in again under the draft, in the order in which it was asked. "
    "The draft is checked as config.toml is, and kept nowhere; what it came to is kept for an hour, "
    "so that its tables can be sorted and saved."
)
NO_DRAFT = "There is no draft: paste one, choose a file, or begin with the configuration in force."
TOO_LONG = "The draft is longer than 256 kB, so nothing was done."
NO_DAYS = "A span is 7, 30 or 90 days."
NOT_READ = "config.toml cannot be read here. Paste it, or choose it as a file."
MEND = "The draft needs mending, so nothing was compared:"
BUSY = "Another comparison is being worked out. Try again when it is done, in a minute at the most."
FOUND = "found"
"""The parameter that names what a draft came to."""
GONE = (
    "What this draft came to is not kept any more: it is for an hour after it was last looked at, in the "
    "process that worked it out. Open What if and compare again."
)
SLOW = (
    f"The comparison took longer than {PATIENCE:.0f} seconds and was given up. Choose fewer days, or run "
    "main.py what-if --config draft.toml on the server, where it may take its time."
)


class Drafting:
    """Builds the page and takes its form; one comparison at a time in a process."""

    def __init__(self, admin: Admin) -> None:
        self._store, self._clock, self._drafts = admin.store, admin.clock, admin.drafts
        self._busy, self._answers = asyncio.Lock(), Answers(admin.clock)
        self.leaf = Leaf(SLUG, TITLE, ABOUT, self.build, Spans.NONE)

    async def build(self, asked: Asked) -> Sequence[Part]:
        """The form: empty, with what is in force, or below what a draft came to. HTTPGone: not kept."""
        if name := asked.query.get(FOUND):
            if (kept := self._answers.find(name)) is None:
                raise web.HTTPGone(text=GONE)
            return [*parts_of(kept.found, kept.days), form_of("", kept.days)]
        if "begin" not in asked.query:
            return [form_of("", USUAL_DAYS)]
        text = await self._drafts.written()
        return [form_of(text or "", USUAL_DAYS, "" if text else NOT_READ)]

    def route(self, door: Door, pages: Pages) -> web.RouteDef:
        """Where the form leads to."""

        async def read(request: web.Request) -> Mapping[str, str]:
            return await read_parts(request, MOST_FORM)

        async def compare(request: web.Request, form: Mapping[str, str]) -> web.StreamResponse:
            status, parts, name = await self._answer(request, form)
            return await pages.answer(request, self.leaf, parts, status, {FOUND: name} if name else {})

        return web.post(ADDRESS, door.write(compare, read))

    async def _answer(self, request: web.Request, form: Mapping[str, str]) -> tuple[int, Sequence[Part], str]:
        """Status, parts, and by what name they are kept."""
        text, days = draft_of(form), days_of(form)
        if not text.strip():
            return 400, [form_of("", days, NO_DRAFT)], ""
        if self._busy.locked():
            return 503, [form_of(text, days, BUSY)], ""
        async with self._busy:
            found = await self._compared(text, days)
        if isinstance(found, Comparison):
            await self._note(request, f"{days} days, compared")
            return 200, [*parts_of(found, days), form_of(text, days)], self._answers.keep(found, days)
        status, words, problems = (503, SLOW, ()) if found is None else (422, MEND, found)
        await self._note(request, f"{days} days, {'given up' if found is None else 'not valid'}")
        return status, [form_of(text, days, words, problems)], ""

    async def _compared(self, text: str, days: int) -> Comparison | Sequence[str] | None:
        """What it comes to, or what is wrong with the draft; None: it took too long."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._drafts.compare_text(text, days)
        except ConfigurationError as error:
            return [str(each) for each in error.problems]
        except TimeoutError:
            return None

    async def _note(self, request: web.Request, detail: str) -> None:
        """Write down that somebody compared, never what."""
        entry = Entry(self._clock.now(), request[VISITOR].actor, Deed.WHAT_IF, detail=detail)
        await self._store.transact(lambda tx: tx.note(entry))


def draft_of(form: Mapping[str, str]) -> str:
    """The file if one was chosen, else the text. HTTPRequestEntityTooLarge for too much."""
    text = (form.get("file", "") or form.get("text", "")).replace("\r\n", "\n")
    if (size := len(text.encode())) > MOST_BYTES:
        raise web.HTTPRequestEntityTooLarge(max_size=MOST_BYTES, actual_size=size, text=TOO_LONG)
    return text


def days_of(form: Mapping[str, str]) -> int:
    """The span that was chosen. HTTPBadRequest for another one."""
    if (days := form.get("days", "")) not in map(str, DAYS):
        raise web.HTTPBadRequest(text=NO_DAYS)
    return int(days)


def form_of(text: str, days: int, words: str = "", problems: Sequence[str] = ()) -> Form:
    """The form with a text in it, and why nothing is told."""
    chosen = [(each, each == days) for each in DAYS]
    return Form("draft", "The draft", ASK, ADDRESS, text, chosen, BEGIN, words, problems)
