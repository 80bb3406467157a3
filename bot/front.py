"""Runs commands and button presses for every surface; what comes back is ready to be shown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot import cards, metered, news, render, waiting
from bot.admin.desk import Operators
from bot.affairs import Affairs
from bot.commands import COMPARED, Command
from bot.governing import Governing
from bot.greeter import Greeter
from bot.intake import Intake
from bot.leaving import Leaving
from bot.reply import Reply
from bot.settings import Settings
from bot.team import Teaming
from bot.typed import BadOption, Misspelt, Typed
from bot.words import say
from engine.chat import Chat
from engine.domain import Ask, KeptId, Person, Place, Redo, RefusalReason, TurnId
from engine.errors import OutsideError, TellOperatorError, TryAgainError
from engine.members import Members
from engine.parcel import Parcel
from engine.places import Places

log = logging.getLogger("bot")

PATIENCE_SECONDS = 9.5
"""A command answers within 10 s; what was begun at Stripe is found again by its idempotency key."""


@dataclass(frozen=True, slots=True)
class Request:
    """A command as a surface hands it over; `key`, `anchors`, `dm` and `place` as in `engine.domain.Ask`.

    `admin`: the platform itself says that the person manages this server or workspace.
    """

    person: Person
    command: Command
    options: Mapping[str, str]
    key: str
    anchors: tuple[str, ...] = ()
    dm: bool = False
    place: Place | None = None
    admin: bool = False


REDOES = {"again": Redo.REGENERATE, "more": Redo.CONTINUE}
WISHES = {"private": "switch", "instructions": "text", "announcements": "switch"}
"""Actions that set what a member wishes, by the option of the command that they stand for."""
Handler = Callable[[Request], Awaitable[Reply]]


@dataclass(slots=True)
class Front:
    """The bot behind its surfaces. Commands that stream go through `bot.delivery` instead of `run`.

    `welcomes` may change while it serves; ask for it when it is needed.
    """

    chat: Chat
    members: Members
    affairs: Affairs
    intake: Intake
    places: Places
    simulated: bool
    for_sale: bool
    welcomes: bool
    operators: Operators = field(default_factory=Operators)
    _handlers: dict[str, Handler] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Name the handler of each command."""
        self._handlers.update(
            new=self._new,
            stop=self._stop,
            export=self._export,
            erase=self._erase,
            **dict.fromkeys(("instructions", "private", "announcements"), self._prefer),
            model=self._model,
            usage=self._usage,
            plans=self._plans,
            upgrade=self._upgrade,
            help=self._help,
            server=self._server,
            admin=self._admin,
            team=self._team,
            redeem=self._redeem,
            language=self._language,
            **dict.fromkeys(("seats", "cancel", "resume", "overage", "billing"), self._deal),
        )

    @property
    def settings(self) -> Settings:
        """What members decide about themselves."""
        return Settings(self.members, self.chat.keeping)

    @property
    def _leaving(self) -> Leaving:
        return Leaving(self.members.erasing, self.chat.stop_all, self.members.now())

    @property
    def greeter(self) -> Greeter:
        """Who meets people, for the surfaces."""
        return Greeter(self.members.meetings, self.members.catalogue, self.welcomes)

    def ask_of(self, request: Request) -> Ask:
        """The question in an `/ask`."""
        return Ask(
            key=request.key,
            person=request.person,
            text=request.options.get("prompt", ""),
            anchors=request.anchors,
            dm=request.dm,
            model=request.options.get("model"),
            place=request.place,
        )

    def models_of(self, request: Request) -> Sequence[str]:
        """The models named in a `/compare`; none leaves the choice to the engine."""
        typed = request.options.get("models", "").split(",")
        chosen = (request.options.get(name, "") for name in COMPARED)
        return [name.strip() for name in (*typed, *chosen) if name.strip()]

    async def private_for(self, request: Request) -> bool:
        """Whether only the asker is to see the answer: as the question says, else as they always want it."""
        wish = request.options.get("private")
        return wish == "on" if wish else await self.settings.private(request.person)

    async def run(self, request: Request) -> Sequence[Reply]:
        """The replies to a command that does not stream, notices that were kept for the person first.

        Failures outside come back as words.
        """
        handler = self._handlers[request.command.name.partition(" ")[0]]
        return await self._in_words(request.person, lambda: handler(request))

    def question_of(
        self,
        person: Person,
        action: str,
        key: str,
        anchors: tuple[str, ...] = (),
        *,
        dm: bool = False,
        place: Place | None = None,
    ) -> Ask | None:
        """The question behind a button whose press is answered by a model, None for all others.

        It is delivered as any other, on a canvas of its own; `anchors` are the places that go on with it.
        """
        name, _, rest = action.partition(":")
        turn, _, model = rest.partition(":")
        if name not in REDOES or not turn:
            return None
        return Ask(
            key,
            person,
            "",
            anchors,
            dm,
            model or None,
            place,
            redo=REDOES[name],
            about=TurnId(turn),
        )

    async def kept(
        self, person: Person, question: KeptId, key: str, place: Place | None = None
    ) -> Parcel | Reply:
        """The kept question behind a button, to be delivered at its `Ask.seat`; or words why there is none.

        `place` is that of the press, which knows today's roles if it is the place of the question.
        """
        try:
            found = await self.chat.keeping.find(person, question, key)
        except TryAgainError as error:
            log.warning("outside is away", extra={"why": str(error)})
            return render.trouble()
        if isinstance(found, RefusalReason):
            mine = found is not RefusalReason.NOT_YOURS
            return Reply(say("refusal-unkept") if mine else say("press-not-yours"))
        asked = found.parcel.ask.place
        same = asked and place and (asked.id, asked.channels) == (place.id, place.channels)
        return replace(found.parcel, ask=replace(found.parcel.ask, place=place)) if same else found.parcel

    async def press(self, person: Person, action: str, anchors: tuple[str, ...] = ()) -> Sequence[Reply]:
        """The replies to a pressed button that is none of `question_of`; none for one that only acts (stop).

        `anchors` are the message that has the button and its place: after `keep` they go on with that answer.
        """
        return await self._in_words(person, lambda: self._act(person, action, anchors))

    def misspelt(self, problem: Misspelt | BadOption) -> Reply:
        """What to type instead."""
        if isinstance(problem, Misspelt):
            return Reply(say("no-such-command", name=problem.word))
        return Reply(say("no-such-option", word=problem.word, usage=problem.command.usage))

    async def _in_words(self, person: Person, work: Callable[[], Awaitable[Reply | None]]) -> Sequence[Reply]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                reply = await work()
                if reply and sells(reply):
                    await self.affairs.checkout.prices_shown(person)
            kept = [news.notice(notice) for notice in await self.members.kept_notices(person)]
        except TellOperatorError as error:
            log.error("needs the operator", extra={"why": str(error)})  # noqa: TRY400 - its cause is in words
            if self.operators.needed:
                await self.operators.needed("billing", str(error))
            return [Reply(say("trouble-operator"))]
        except (TryAgainError, TimeoutError) as error:
            log.warning("outside is away", extra={"why": str(error) or "timeout"})
            return [Reply(say("trouble-away"))]
        except OutsideError as error:
            log.warning("refused outside", extra={"why": str(error)})
            return [render.broken()]
        return [*kept, reply] if reply else kept

    async def _act(self, person: Person, action: str, anchors: tuple[str, ...]) -> Reply | None:
        name, _, rest = action.partition(":")
        if name in {"stop", "other", "keep", "rate"}:
            return await self._about(name, person, rest, anchors)
        if name in WISHES:
            return await self.settings.run(person, name, {WISHES[name]: rest})
        match name:
            case "plans":
                reply = await self._show_plans(person)
            case "model":
                reply = cards.chosen(await self.members.choose_model(person, rest))
            case "language" | "team" | "erase":
                reply = await self._like_command(name, person, rest)
            case "admin":
                reply = await self.operators.press(person, rest)
            case waiting.FORGET:
                reply = await waiting.forget(self.chat, person)
            case _:
                reply = await self.affairs.press(person, name, rest) or Reply(say("press-unused"))
        return reply

    async def _like_command(self, name: str, person: Person, rest: str) -> Reply:
        """A button that does what a command with that word does."""
        if name == "erase":
            return await self._leaving.confirm(person, rest)
        if name == "team":
            return await Teaming(self.members.teams).run(person, rest, {})
        return await self.greeter.language(person, rest)

    async def _about(self, name: str, person: Person, rest: str, anchors: tuple[str, ...]) -> Reply | None:
        """A button below an answer."""
        turn, said = TurnId(rest.partition(":")[0]), rest.partition(":")[2]
        if name == "stop":
            return None if await self.chat.stop(turn, person) else Reply(say("stop-over"))
        if name == "other":
            return await self._others(person, turn)
        if name == "rate":
            taken = await self.members.preferences.rate(person, turn, good=said == "good")
            return Reply(say("rate-thanks") if taken else say("rate-not-yours"))
        kept = await self.members.preferences.keep(person, turn, anchors)
        return Reply(say("compare-kept", model=kept.model) if kept else say("refusal-gone"))

    async def _others(self, person: Person, turn: TurnId) -> Reply:
        found = await self.members.preferences.turn(person, turn)
        if found is None:
            return Reply(say("refusal-gone"))
        return cards.others(found, await self.members.others(person, found.model))

    async def _new(self, request: Request) -> Reply:
        await self.chat.forget(request.person, request.anchors)
        if request.dm:
            return Reply(say("new-in-dm"))
        return Reply(say("new-in-channel"))

    async def _stop(self, request: Request) -> Reply:
        count = await self.chat.stop_all(request.person)
        return Reply(say("stopped-some", count) if count else say("stopped-none"))

    async def _prefer(self, request: Request) -> Reply:
        return await self.settings.run(request.person, request.command.name, request.options)

    async def _export(self, request: Request) -> Reply:
        return await self.settings.export(request.person)

    async def _erase(self, request: Request) -> Reply:
        return await self._leaving.ask(request.person)

    async def _model(self, request: Request) -> Reply:
        name = request.options.get("name")
        if name and request.options.get("where") == "here":
            found = await self.members.choose_model_at(request.person, name, request.anchors)
            return cards.chosen_here(name, found)
        if name:
            return cards.chosen(await self.members.choose_model(request.person, name))
        here = await self.places.models(request.place) if request.place else None
        return cards.models(await self.members.models(request.person), here)

    async def _usage(self, request: Request) -> Reply:
        status = await self.affairs.meter.status(request.person)
        here = await self.members.preferences.model_at(request.person, request.anchors)
        lines = (*([say("usage-model-here", model=here)] if here else []), *metered.lines(status))
        kept, buttons = await waiting.line(self.chat, request.person)
        lines = (*lines, *([kept] if kept else []))
        reply = cards.usage(await self.members.overview(request.person), lines)
        return replace(reply, buttons=(*buttons, *reply.buttons))

    async def _plans(self, request: Request) -> Reply:
        return await self._show_plans(request.person)

    async def _show_plans(self, person: Person) -> Reply:
        overview = await self.members.overview(person)
        return cards.plans(self.members.catalogue, overview, for_sale=self.for_sale, simulated=self.simulated)

    async def _upgrade(self, request: Request) -> Reply:
        tier = request.options.get("tier")
        if tier is None:
            return await self._show_plans(request.person)
        return await self.affairs.buy(request.person, tier, request.options.get("interval"))

    async def _deal(self, request: Request) -> Reply:
        return await self.affairs.run(request.person, request.command.name, request.options)

    async def _language(self, request: Request) -> Reply:
        return await self.greeter.language(request.person, request.options.get("name"))

    async def _server(self, request: Request) -> Reply:
        governing, part = Governing(self.places), request.command.word
        return await governing.run(request.place, part, request.options, admin=request.admin)

    async def _admin(self, request: Request) -> Reply:
        return await self.operators.run(request.person, request.command.word, request.options)

    async def _team(self, request: Request) -> Reply:
        teaming = Teaming(self.members.teams)
        return await teaming.run(request.person, request.command.word, request.options)

    async def _redeem(self, request: Request) -> Reply:
        reply = await self.affairs.redeem(request.person, request.options.get("code", ""))
        kept, buttons = await waiting.line(self.chat, request.person)
        return replace(reply, text="\n\n".join(filter(None, (reply.text, kept))), buttons=buttons)

    async def _help(self, request: Request) -> Reply:
        return cards.help_text((await self.members.overview(request.person)).model)


def sells(reply: Reply) -> bool:
    """Whether a reply shows what could be bought."""
    return any((button.action or "").startswith("upgrade:") for button in reply.buttons)


def request_of(
    typed: Typed,
    person: Person,
    key: str,
    anchors: tuple[str, ...] = (),
    *,
    dm: bool = False,
    place: Place | None = None,
    admin: bool = False,
) -> Request:
    """A typed command as a request."""
    return Request(person, typed.command, typed.options, key, anchors, dm, place, admin)
