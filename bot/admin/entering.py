"""Orders about the dashboard: a link into it, by DM alone, and the end of all sessions."""

from __future__ import annotations

from collections.abc import Mapping

from bot.admin.desk import Order
from bot.reply import Button, Reply, Style
from engine.audit import Actor
from engine.entry import LINK_LIFE, LINKS_MOST, LINKS_SPAN, Entrance, NoLink

MINUTES = int(LINK_LIFE.total_seconds() / 60)
NO_LINK: Mapping[NoLink, str] = {
    NoLink.CLOSED: "The dashboard is off: ADMIN_IDS names nobody. Set it, and start anew.",
    NoLink.NOT_ADMITTED: "ADMIN_IDS does not name you.",
    NoLink.TOO_MANY: (
        f"You have asked for {LINKS_MOST} links within {int(LINKS_SPAN.total_seconds() / 60)} minutes. "
        "Use the newest one, or ask again in a while."
    ),
}


def entering(entrance: Entrance) -> dict[str, Order]:
    """The orders, by their words."""

    async def dashboard(actor: Actor, _options: Mapping[str, str]) -> Reply:
        address = await entrance.link(actor)
        if isinstance(address, NoLink):
            return Reply(NO_LINK[address])
        button = Button("Open the dashboard", url=address, style=Style.PRIMARY)
        words = (
            f"This link lets you into the dashboard once, within {MINUTES} minutes. "
            "Whoever has it is you: do not pass it on."
        )
        return Reply("A link to the dashboard is in your direct messages.", direct=Reply(words, (button,)))

    async def signout(actor: Actor, _options: Mapping[str, str]) -> Reply:
        ended = await entrance.end_sessions(actor)
        count = {0: "You had no session", 1: "Your session is over"}.get(
            ended, f"Your {ended} sessions are over"
        )
        return Reply(f"{count}, and no link that you asked for works any more.")

    return {"dashboard": dashboard, "signout": signout}
