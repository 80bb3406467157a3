"""`/admin reload`: the configuration is read anew, by every process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.admin.desk import Order
from bot.reply import Reply
from engine.audit import Actor
from engine.reloading import WATCH, Reloading, Reread


def rereading(reloading: Reloading) -> dict[str, Order]:
    """The order, by its word."""

    async def reload(actor: Actor, _options: Mapping[str, str]) -> Reply:
        return Reply("\n".join(told(await reloading.order(actor))))

    return {"reload": reload}


def told(found: Reread) -> Iterator[str]:
    """What came of it."""
    if found.problems:
        yield "The configuration needs mending; nothing has changed:"
        yield from (f"- {problem}" for problem in found.problems)
        return
    if found.changed:
        yield f"Taken over: {', '.join(found.changed)}. Other processes follow within {WATCH:.0f} seconds."
    else:
        yield "Nothing that holds at once has changed."
    if found.waiting:
        yield f"Needs a restart: {'; '.join(found.waiting)}."
