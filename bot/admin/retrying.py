"""`/admin retry`: what was given up, and trying one or all of it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.admin.asking import block
from bot.admin.desk import Order, Press
from bot.console.words import NOTHING_DEAD, dead_line, retried_words
from bot.reply import Button, Reply
from engine.audit import Actor
from engine.facts import Mode
from engine.steering import Steering
from engine.terms import DeadLetter

ALL = "all"
MOST = 20
"""Dead letters that one reply lists."""
LONGEST = 300
"""Characters of a line: an error may be a vendor's whole page."""


def retrying(steering: Steering, mode: Mode) -> dict[str, Order]:
    """The order, by its word: without an id it lists."""

    async def retry(actor: Actor, options: Mapping[str, str]) -> Reply:
        if letter := options.get("letter", "").strip(" `"):
            one = None if letter.casefold() == ALL else letter
            return await again(steering, mode, actor, one)
        return listed(await steering.dead_letters(actor, mode))

    return {"retry": retry}


def retrying_presses(steering: Steering, mode: Mode) -> dict[str, Press]:
    """The button below the list."""

    async def retry(actor: Actor, _rest: str) -> Reply:
        return await again(steering, mode, actor, None)

    return {"retry": retry}


async def again(steering: Steering, mode: Mode, actor: Actor, letter: str | None) -> Reply:
    """Try one of them again, or all, and say how many."""
    retried = await steering.retry(actor, mode, letter)
    return Reply(retried_words(retried, quiet(letter) if letter else None, "`/admin retry`"))


def listed(letters: Sequence[DeadLetter]) -> Reply:
    """What was given up and why, with a button that tries all of it again."""
    if not letters:
        return Reply(NOTHING_DEAD)
    how = "Mend the cause, then `/admin retry ID` tries one of them again, and the button all of them."
    many = "all" if len(letters) > 1 else "it"
    return Reply(f"{block(lines(letters))}\n{how}", (Button(f"Try {many} again", action="admin:retry:all"),))


def lines(letters: Sequence[DeadLetter]) -> Iterator[str]:
    """The first ones, a line each, and how many more there are."""
    yield from (quiet(dead_line(each)) for each in letters[:MOST])
    if len(letters) > MOST:
        yield f"and {len(letters) - MOST} more, on the dashboard's page Backlog"


def quiet(line: str) -> str:
    """On one line that ends no block of code."""
    flat = " ".join(line.replace("`", "'").split())
    return flat if len(flat) <= LONGEST else f"{flat[:LONGEST]} ..."
