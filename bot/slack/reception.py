"""What is done about a message, a command or a pressed button, from its words to the last reply."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.commands import BY_NAME, names_others
from bot.delivery import compare, deliver
from bot.front import Front, Request, request_of
from bot.intake import Source
from bot.pacing import Pacing
from bot.quoting import Quoted, about
from bot.render import kept_in
from bot.reply import Reply
from bot.slack.attached import Sent, fetcher, found
from bot.slack.blocks import Block, Content, question
from bot.slack.calls import called
from bot.slack.canvas import SlackCanvas
from bot.slack.home import Home
from bot.slack.instructing import INSTRUCTIONS, Instructed
from bot.slack.listeners import HALT, Commanded, Heard, Pressed, Visited
from bot.slack.manifest import PROMPTS, suggested
from bot.slack.session import ornament
from bot.slack.spot import Spot, seated, show_privately
from bot.slack.text import typed, unescape
from bot.slack.window import Chosen, Submitted, author_name, window
from bot.slack.workspace import Workspace
from bot.typed import BadOption, Typed, parse, parse_options
from bot.words import say, spoken
from engine.comparison import MOST
from engine.domain import Ask, KeptId, Person, Seat
from engine.errors import GoneError, OutsideError, TellOperatorError

log = logging.getLogger("bot.slack")

ADDRESSED = ("<@", "<!")
"""How what is said to somebody else begins."""


class Reception:
    """Serves one person at a time each call; failures come out as OutsideErrors."""

    def __init__(self, workspace: Workspace, front: Front, pacing: Pacing, *, follow: bool = True) -> None:
        """`follow`: whether threads are followed without mention."""
        self._workspace = workspace
        self._front = front
        self._pacing = pacing
        self._follow = follow
        self._home = Home(workspace, front)

    async def follows(self, heard: Heard) -> bool:
        """Whether what was said to nobody goes on with a conversation that its author has with us there.

        What begins by addressing somebody else does not, and what mentions us comes as a mention, too.
        """
        ours, text = f"<@{self._workspace.identity.bot_user}", heard.text.lstrip()
        if not self._follow or ours in text or text.startswith(ADDRESSED):
            return False
        person = self._workspace.person(heard.spot.user, heard.spot.home)
        return await self._front.chat.follows(person, self._anchors(heard))

    async def message(self, heard: Heard) -> None:
        """Answer where it was said; a command may be written out, as threads know no slash commands."""
        bot = self._workspace.identity.bot_user
        text = typed(heard.text, bot)
        options = parse(text) if text.startswith("/") else None
        if isinstance(options, (Typed, BadOption)) and names_others(options.command):
            options = parse(typed(heard.text, bot, channels=True))
        if isinstance(options, (Typed, BadOption)) and not options.command.streams:
            return await self._command(options, heard.spot, heard.key, self._anchors(heard))
        typed_ask = options if isinstance(options, Typed) else Typed(BY_NAME["ask"], {"prompt": text})
        return await self._asked(
            request_of(
                typed_ask,
                self._workspace.person(heard.spot.user, heard.spot.home),
                heard.key,
                self._anchors(heard),
                dm=heard.spot.is_dm and heard.spot.unthreaded,
                place=self._workspace.place(heard.spot.channel),
            ),
            heard.spot,
            files=heard.files,
            openly=not isinstance(options, Typed),
        )

    async def command(self, commanded: Commanded) -> None:
        """Do a slash command; an answer to `/ask` begins a thread."""
        spot = commanded.spot
        command = BY_NAME[commanded.name]
        escaped = names_others(command)
        options = parse_options(
            command, typed(commanded.text, "", channels=True) if escaped else unescape(commanded.text)
        )
        person = self._workspace.person(spot.user, spot.home)
        if isinstance(options, Typed) and options.command.streams:
            request = request_of(options, person, commanded.key, place=self._workspace.place(spot.channel))
            return await self._asked(request, spot, question(spot.user, request.options.get("prompt", "")))
        anchors = (self._workspace.anchor(spot.channel),) if spot.is_dm else ()
        return await self._command(options, spot, commanded.key, anchors)

    async def _asked(
        self,
        request: Request,
        spot: Spot,
        above: tuple[Block, ...] = (),
        files: Sequence[Sent] = (),
        *,
        openly: bool = False,
    ) -> None:
        """Answer a question, or compare answers to it; privately for who wants that where others read.

        `openly`: it is no command, but was said for others to read.
        """
        private = not (openly or spot.is_dm) and await self._front.private_for(request)
        seat = Seat(spot.channel, spot.thread_ts or "", private)
        ask = replace(self._front.ask_of(request), seat=seat)
        sources = await found(self._workspace, files)
        if request.command.together:
            taken = await self._take(ask, sources)
            if isinstance(taken, Reply):
                return await show_privately(self._workspace, spot, [taken])
            return await self._compare(taken, spot, self._front.models_of(request), above, private=private)
        title = ask.text if ask.dm else ""
        canvas = SlackCanvas(self._workspace, spot, above, title, private=private)
        return await self._answer(ask, canvas, sources)

    async def _compare(
        self, ask: Ask, spot: Spot, models: Sequence[str], above: tuple[Block, ...], *, private: bool
    ) -> None:
        """Show each model's answer as a reply in one thread, below the question if nobody else saw that."""
        if above and not private:
            thread = await self._head(spot, above)
            private = thread is None
            spot = replace(spot, thread_ts=thread, unthreaded=thread is not None)
        if spot.thread_ts:
            anchors = (self._workspace.anchor(spot.channel, spot.thread_ts),)
            ask = replace(ask, anchors=anchors, seat=Seat(spot.channel, spot.thread_ts, private))
        canvases = [SlackCanvas(self._workspace, spot, private=private, thinks=False) for _ in range(MOST)]
        try:
            await compare(self._front.chat, ask, models, canvases, self._pacing)
        finally:
            for canvas in canvases:
                await canvas.close()

    async def _head(self, spot: Spot, above: tuple[Block, ...]) -> str | None:
        """The message whose thread has the answers; None where we may not write."""
        content = Content(say("slack-compared"), above)
        try:
            return await self._workspace.post(spot.channel, content)
        except GoneError:
            await show_privately(self._workspace, spot, [Reply(say("slack-not-a-member"))])
            return None

    async def press(self, pressed: Pressed) -> None:
        """Do what a button says, for the one who pressed it."""
        spot = pressed.spot
        person = self._workspace.person(spot.user, spot.home)
        if pressed.action == HALT:
            return await self._halt(spot, person)
        if spot.channel and (kept := kept_in(pressed.action)):
            return await self._kept(kept, pressed.key, spot)
        if not spot.channel:
            return await self._home.press(spot, person, pressed.action, pressed.trigger, pressed.window)
        thread = spot.thread_ts or pressed.message or None
        anchors = (self._workspace.anchor(spot.channel, thread),) if thread else ()
        place = self._workspace.place(spot.channel)
        ask = self._front.question_of(person, pressed.action, pressed.key, anchors, place=place)
        if ask:
            return await self._answer(ask, SlackCanvas(self._workspace, replace(spot, thread_ts=thread)))
        if spot.alone and not anchors and pressed.action.startswith("keep:"):
            return await self._keep_in_dm(pressed, person)
        replies = await self._front.press(person, pressed.action, anchors)
        return await show_privately(self._workspace, spot, replies)

    async def _kept(self, kept: KeptId, key: str, spot: Spot) -> None:
        """Answer a question that a limit stopped, where it was asked if that can be."""
        person, place = self._workspace.person(spot.user, spot.home), self._workspace.place(spot.channel)
        found = await self._front.kept(person, kept, key, place)
        if isinstance(found, Reply):
            return await show_privately(self._workspace, spot, [found])
        there, seat = seated(spot, found.ask.seat)
        above = () if there.thread_ts else question(spot.user, found.ask.text)
        if found.models is not None:
            await self._compare(found.ask, there, found.models, above, private=seat.private)
        else:
            canvas = SlackCanvas(self._workspace, there, above, private=seat.private, thinks=False)
            await self._answer(found.ask, canvas)
            if canvas.place() is None:
                return None
        if there.channel != spot.channel and not seat.private:
            words = say("kept-there", place=f"<#{there.channel}>")
            await show_privately(self._workspace, spot, [Reply(words)])
        return None

    async def _keep_in_dm(self, pressed: Pressed, person: Person) -> None:
        """Go on in the DM with what was compared privately, where nobody could reply to it."""
        spot, dm = pressed.spot, await self._workspace.open_dm(pressed.spot.user)
        replies = await self._front.press(person, pressed.action, (self._workspace.anchor(dm),))
        there = [Reply(say("slack-went-on"), direct=reply) for reply in replies]
        return await show_privately(self._workspace, spot, there)

    async def visit(self, visited: Visited) -> None:
        """Show the Home, or questions to begin with."""
        spot = visited.spot
        if visited.tab == "home":
            return await self._home.show(spot.user, self._workspace.person(spot.user))
        if not self._workspace.suggesting.due(f"{spot.channel}:{spoken()}"):
            return None
        prompts = [suggested(name) for name in PROMPTS]
        return await ornament(
            self._workspace.hasty.assistant_threads_setSuggestedPrompts(
                channel_id=spot.channel, prompts=prompts, title=say("slack-prompts")
            )
        )

    async def choose(self, chosen: Chosen) -> None:
        """Open the window for a question about a message."""
        if not (chosen.text.strip() or chosen.files):
            return await show_privately(self._workspace, chosen.spot, [Reply(say("about-empty"))])
        rows = await self._front.members.models(self._workspace.person(chosen.spot.user, chosen.spot.home))
        here = await self._front.places.models(self._workspace.place(chosen.spot.channel))
        view = window(chosen, [row.spec.name for row in rows if row.allowed and row.spec in here])
        await called(self._workspace.hasty.views_open(trigger_id=chosen.trigger, view=view))
        return None

    async def submit(self, submitted: Submitted) -> None:
        """Answer a question about a message in that message's thread, or privately."""
        spot = submitted.spot
        author = await author_name(self._workspace.hasty, submitted.author)
        quoted = Quoted(author, submitted.text, await found(self._workspace, submitted.files))
        ask = Ask(
            submitted.key,
            self._workspace.person(spot.user, spot.home),
            about(quoted, submitted.question),
            () if submitted.private else (self._workspace.anchor(spot.channel, spot.thread_ts or ""),),
            model=submitted.model,
            place=self._workspace.place(spot.channel),
            seat=Seat(spot.channel, spot.thread_ts or "", submitted.private),
        )
        above = question(spot.user, submitted.question or say("about-nothing-asked"))
        canvas = SlackCanvas(self._workspace, spot, above, private=submitted.private)
        return await self._answer(ask, canvas, quoted.files, quoted=True)

    async def instruct(self, instructed: Instructed) -> None:
        """Remember how a member wants to be answered, and say so on their Home."""
        person = self._workspace.person(instructed.spot.user)
        await self._home.press(instructed.spot, person, f"{INSTRUCTIONS}:{instructed.text or 'off'}")

    async def _halt(self, spot: Spot, person: Person) -> None:
        """Stop the answers in a thread that are for the one who pressed Slack's button."""
        await self._front.chat.stop_at(person, (self._workspace.anchor(spot.channel, spot.thread_ts or ""),))

    async def _take(self, ask: Ask, files: Sequence[Source], *, quoted: bool = False) -> Ask | Reply:
        return await self._front.intake.take(ask, files, fetcher(self._workspace), quoted=quoted)

    async def _answer(
        self, ask: Ask, canvas: SlackCanvas, files: Sequence[Source] = (), *, quoted: bool = False
    ) -> None:
        try:
            taken = await self._take(ask, files, quoted=quoted)
            if isinstance(taken, Reply):
                await canvas.reply(taken)
            else:
                await deliver(self._front.chat, taken, canvas, self._pacing)
        finally:
            await canvas.close()

    async def _command(
        self, options: Typed | BadOption, spot: Spot, key: str, anchors: tuple[str, ...]
    ) -> None:
        if isinstance(options, BadOption):
            return await show_privately(self._workspace, spot, [self._front.misspelt(options)])
        person, place = self._workspace.person(spot.user, spot.home), self._workspace.place(spot.channel)
        request = request_of(options, person, key, anchors, dm=spot.is_dm, place=place)
        if place and options.command.admin:
            try:
                request = replace(request, admin=await self._manages(spot))
            except OutsideError as error:
                return await show_privately(self._workspace, spot, [unasked(error)])
        return await show_privately(self._workspace, spot, await self._front.run(request))

    async def _manages(self, spot: Spot) -> bool:
        """Whether a member manages the workspace. OutsideError: Slack does not say."""
        return not spot.home and await self._workspace.admins.include(spot.user)

    def _anchors(self, heard: Heard) -> tuple[str, ...]:
        """What this message continues: its thread, or in a DM itself (a thread may grow there) and the DM."""
        spot = heard.spot
        thread = self._workspace.anchor(spot.channel, spot.thread_ts or heard.ts)
        return (thread, self._workspace.anchor(spot.channel)) if spot.is_dm and spot.unthreaded else (thread,)


def unasked(error: OutsideError) -> Reply:
    """What to say where Slack does not tell who manages a workspace."""
    operator = isinstance(error, TellOperatorError)
    log.log(logging.ERROR if operator else logging.WARNING, "no admins", extra={"why": str(error)})
    return Reply(say("trouble-operator" if operator else "trouble-away"))
