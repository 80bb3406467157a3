"""Orders that stop a member, the free tier, a model or everything, and let them go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.admin.asking import block
from bot.admin.desk import Order
from bot.admin.moments import moment_named
from bot.admin.people import person_named
from bot.console.words import sentence
from bot.reply import Reply
from engine.audit import Actor
from engine.blocks import Block
from engine.halting import Blocked, Halting
from engine.pauses import Pause
from engine.ports import Clock

Options = Mapping[str, str]


def stopping(halting: Halting, clock: Clock) -> dict[str, Order]:
    """The orders, by their words."""

    async def halt(actor: Actor, options: Options) -> Reply:
        person = person_named(options.get("person", ""), actor)
        return Reply(blocked_words(await halting.block(actor, person, options.get("reason", ""))))

    async def unhalt(actor: Actor, options: Options) -> Reply:
        person = person_named(options.get("person", ""), actor)
        return Reply(unblocked_words(str(person), done=await halting.unblock(actor, person)))

    async def pause(actor: Actor, options: Options) -> Reply:
        until = moment_named(options["until"], clock.now()) if options.get("until") else None
        what, why = options.get("what", ""), options.get("reason", "")
        return Reply(paused_words(await halting.pause(actor, what, until, why)))

    async def resume(actor: Actor, options: Options) -> Reply:
        if what := options.get("what"):
            return Reply(resumed_words(what, done=await halting.resume(actor, what)))
        return Reply(block(pause_lines(await halting.pauses())))

    orders = {"block": halt, "unblock": unhalt, "pause": pause, "resume": resume}
    return {word: in_words(order) for word, order in orders.items()}


def in_words(order: Order) -> Order:
    """The same with what is written wrongly as a reply."""

    async def guarded(actor: Actor, options: Options) -> Reply:
        try:
            return await order(actor, options)
        except ValueError as error:
            return Reply(sentence(str(error)))

    return guarded


def blocked_words(outcome: Blocked) -> str:
    """What a block did, and what it left alone."""
    stopped = f" {outcome.stopped} of their answers in the making are stopped." if outcome.stopped else ""
    running = "".join(
        f"\n{sub.id} ({sub.tier or 'no tier of ours'}, {sub.status}) goes on charging them: cancel it"
        " in Stripe if it should not."
        for sub in outcome.running
    )
    others = f"\nOthers with a seat in their team go on being answered: {outcome.seats}."
    seated = others if outcome.seats else ""
    return f"{outcome.person} is blocked and can ask and buy nothing.{stopped}{running}{seated}"


def unblocked_words(person: str, *, done: bool) -> str:
    """What came of letting somebody ask again."""
    return f"{person} may ask again." if done else f"{person} is not blocked."


def paused_words(pause: Pause) -> str:
    """What a pause does."""
    way = f"`resume {pause.model or pause.what}` ends the pause"
    return f"{pause.told[:1].upper()}{pause.told[1:]}. Answers being written come to their end; {way}."


def resumed_words(what: str, *, done: bool) -> str:
    """What came of ending a pause."""
    return f"{what} goes on." if done else f"{what} is not paused."


def pause_lines(pauses: Sequence[Pause]) -> list[str]:
    """What is paused, a line each, with the operators' notes."""
    lines = [f"{each.told}{f' ({each.why})' if each.why else ''}" for each in pauses]
    return lines or ["Nothing is paused."]


def block_lines(blocks: Sequence[Block]) -> list[str]:
    """Who is blocked, a line each."""
    lines = [f"{each.since:%Y-%m-%d %H:%M}  {each.person}  {each.why}".rstrip() for each in blocks]
    return lines or ["Nobody is blocked."]
