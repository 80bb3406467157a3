"""The bot in one workspace: begins the work that comes of what is heard there."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace

from aiohttp import ClientSession

from bot.errands import Errands, Work
from bot.greeter import Greeter
from bot.reply import Reply
from bot.slack.blocks import of_reply
from bot.slack.instructing import Instructed
from bot.slack.listeners import Commanded, Heard, Pressed, Visited
from bot.slack.reception import Reception
from bot.slack.responding import respond
from bot.slack.spot import Spot, show_privately
from bot.slack.window import Chosen, Submitted
from bot.slack.workspace import Workspace
from bot.words import say
from engine.errors import TryAgainError

log = logging.getLogger("bot.slack")


class Branch:
    """Ears of a workspace that the app is in."""

    def __init__(
        self, workspace: Workspace, reception: Reception, errands: Errands, greeter: Greeter
    ) -> None:
        self._greeter = greeter
        self._workspace = workspace
        self._reception = reception
        self._errands = errands

    def heard(self, heard: Heard) -> None:
        if heard.overheard:
            return self._overhear(heard)
        return self._take(heard.key, heard.spot, lambda: self._reception.message(heard))

    def commanded(self, commanded: Commanded) -> None:
        self._take(commanded.key, commanded.spot, lambda: self._reception.command(commanded))

    def pressed(self, pressed: Pressed) -> None:
        opens = not pressed.spot.channel
        self._take(pressed.key, pressed.spot, lambda: self._reception.press(pressed), hurried=opens)

    def chosen(self, chosen: Chosen) -> None:
        self._take(chosen.key, chosen.spot, lambda: self._reception.choose(chosen), hurried=True)

    def submitted(self, submitted: Submitted) -> None:
        self._take(submitted.key, submitted.spot, lambda: self._reception.submit(submitted))

    def instructed(self, instructed: Instructed) -> None:
        self._take(instructed.key, instructed.spot, lambda: self._reception.instruct(instructed), asked=False)

    def visited(self, visited: Visited) -> None:
        self._take(visited.key, visited.spot, lambda: self._reception.visit(visited), asked=False)

    def _overhear(self, heard: Heard) -> None:
        """Answer what was said to nobody, if it goes on with a conversation of ours.

        Only then is it remembered: there is far more of it than of anything else.
        """

        async def listen() -> None:
            if await self._reception.follows(heard):
                self.heard(replace(heard, overheard=False))

        with suppress(TryAgainError):
            self._errands.begin(listen, hush)

    def _take(self, key: str, spot: Spot, work: Work, *, asked: bool = True, hurried: bool = False) -> None:
        """Begin work that nobody waits for, in the member's language.

        `asked`: the member said something to us, so we may say something, too; `hurried`: there is no time to
        ask Slack for the language.
        """
        workspace, greeter = self._workspace, self._greeter

        async def show(reply: Reply) -> None:
            await show_privately(workspace, spot, [reply])

        async def spoken() -> None:
            person = workspace.person(spot.user, spot.home)
            locale = None if hurried else await workspace.locales.of(spot.user)
            meeting = await greeter.meet(person, locale)
            await work()
            if asked and spot.channel:
                await greeter.welcome(meeting, show)

        self._errands.begin_once(key, spoken, show if asked and spot.channel else hush)


async def hush(_: Reply) -> None:
    """Say nothing: nobody asked, or there is no place to say it."""


class Vacancy:
    """Ears of a workspace that the app is not in, or not any more: it can say so where no token is needed."""

    def __init__(self, place: str, address: str, session: ClientSession, errands: Errands) -> None:
        """`address` is where the app can be installed."""
        self._place = place
        self._address = address
        self._session = session
        self._errands = errands

    def heard(self, heard: Heard) -> None:
        log.warning("not installed there", extra={"workspace": self._place, "channel": heard.spot.channel})

    def commanded(self, commanded: Commanded) -> None:
        self._decline(commanded.key, commanded.spot)

    def pressed(self, pressed: Pressed) -> None:
        self._decline(pressed.key, pressed.spot)

    def chosen(self, chosen: Chosen) -> None:
        self._decline(chosen.key, chosen.spot)

    def submitted(self, submitted: Submitted) -> None:
        self._decline(submitted.key, submitted.spot)

    def instructed(self, instructed: Instructed) -> None:
        self._decline(instructed.key, instructed.spot)

    def visited(self, visited: Visited) -> None:
        log.warning("not installed there", extra={"workspace": self._place, "channel": visited.spot.channel})

    def _decline(self, key: str, spot: Spot) -> None:
        log.warning("not installed there", extra={"workspace": self._place, "channel": spot.channel})
        url = spot.response_url
        if url is None:
            return

        async def show(reply: Reply) -> None:
            await respond(self._session, url, of_reply(reply), spot.thread_ts)

        self._errands.begin_once(
            key, lambda: show(Reply(say("install-missing", address=self._address))), show
        )
