"""Orders about announcements: shown to its operator, then confirmed, followed, and stopped if need be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.admin.asking import block
from bot.admin.desk import Order, Press
from bot.announcing import framed
from bot.console.words import sentence
from bot.reply import Button, Reply, Style
from engine.announcements import Announcement, Fate, Progress, Stage
from engine.announcing import Announcing, Preview
from engine.audit import Actor

FATES: Mapping[Fate, str] = {
    Fate.SENT: "sent",
    Fate.OWED: "owed",
    Fate.OPTED_OUT: "opted out",
    Fate.UNREACHABLE: "cannot be written to",
    Fate.FAILED: "failed",
    Fate.STOPPED: "stopped",
}
SHOWN = 40
"""Characters of an announcement in a list."""
MOST_BUTTONS = 4


def announcing_orders(announcing: Announcing) -> dict[str, Order]:
    """The order of `/admin announce`: with a text a draft, without one how far all are."""

    async def announce(actor: Actor, options: Mapping[str, str]) -> Reply:
        if not options.get("text"):
            return listed(await announcing.progress())
        try:
            preview = await announcing.preview(actor, options["text"])
        except ValueError as error:
            return Reply(sentence(str(error)))
        many = preview.announcement.receivers
        name = await announcing.draft(preview) if many else ""
        send = Button(f"Send to {members(many)}", action=f"admin:announce:{name}", style=Style.DANGER)
        buttons = (send, Button("Not now", action="decline:")) if many else ()
        return Reply("\n\n".join((reach(preview), framed(preview.announcement.text))), buttons)

    return {"announce": announce}


def announcing_presses(announcing: Announcing) -> dict[str, Press]:
    """The buttons of drafts and of what is being sent, by their words."""

    async def send(actor: Actor, name: str) -> Reply:
        found = await announcing.confirm(actor, name)
        if found is None:
            return Reply("That draft is no more: it was confirmed before, or is older than a day.")
        return Reply(begun(found), (stop_button(name),))

    async def stop(actor: Actor, name: str) -> Reply:
        return Reply(stopped_words(name, done=await announcing.stop(actor, name)))

    return {"announce": send, "stop-announcement": stop}


def listed(found: Sequence[Progress]) -> Reply:
    """How far announcements are, with buttons to stop those that are being sent."""
    running = [each.announcement.id for each in found if each.announcement.stage is Stage.SENDING]
    return Reply(block(progress_lines(found)), tuple(map(stop_button, running[:MOST_BUTTONS])))


def stop_button(name: str) -> Button:
    """The button that stops an announcement."""
    return Button(f"Stop {name}", action=f"admin:stop-announcement:{name}")


def reach(preview: Preview) -> str:
    """How many it goes to."""
    have = "has" if preview.opted_out == 1 else "have"
    more = f"; {preview.opted_out} more {have} switched announcements off" if preview.opted_out else ""
    many = preview.announcement.receivers
    if not many:
        return f"This would go to nobody{more}."
    return f"This goes by direct message to {members(many)}{more}:"


def members(count: int) -> str:
    """`1 member`, `2 members`."""
    return "1 member" if count == 1 else f"{count} members"


def begun(found: Announcement) -> str:
    """That it is on its way."""
    return f"Announcement {found.id} goes out to {members(found.receivers)}, one after the other."


def stopped_words(name: str, *, done: bool) -> str:
    """What came of stopping it."""
    return f"Announcement {name} goes to nobody more." if done else f"Announcement {name} is not being sent."


def progress_lines(found: Iterable[Progress]) -> list[str]:
    """A line for each announcement: its id, how far it is, and how it begins."""
    lines = [
        f"{each.announcement.id}  {each.announcement.stage:<8}{each.announcement.made_at:%Y-%m-%d %H:%M}"
        f"  {counts(each)}  {beginning(each.announcement.text)}"
        for each in found
    ]
    return lines or ["Nothing was announced."]


def counts(progress: Progress) -> str:
    """How many met which fate."""
    told = [f"{progress.fates[fate]} {words}" for fate, words in FATES.items() if progress.fates.get(fate)]
    return ", ".join(told) or "nobody yet"


def beginning(text: str) -> str:
    """The first words of an announcement, on one line and within a block of code."""
    line = " ".join(text.replace("`", "'").split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]} ..."
