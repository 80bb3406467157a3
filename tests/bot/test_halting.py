"""Blocks and pauses word for word: what operators are told, and what is left to a blocked member."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

import pytest

from billing.simulated import SimulatedBilling
from bot import deals, metered, proposals, render
from bot.admin.halting import blocked_words
from bot.admin.moments import moment_named
from bot.console import orders
from bot.console.arguments import command_line
from bot.console.checkup import check_pauses
from bot.front import Front, Request
from bot.reply import Reply
from bot.typed import Typed, parse
from bot.words import LANGUAGES, speaking
from engine import halting
from engine.audit import Actor, Origin
from engine.changes import Confirmed, Expired, Proposed, Refused
from engine.checkout import Blocked, CheckoutLink, PortalLink
from engine.checkup import Light
from engine.domain import Answered, Interval, Micros, Person, Refusal, RefusalReason, TierName
from engine.duties import Duties
from engine.errors import GoneError
from engine.facts import CheckoutRequest, CheckoutSession, CustomerId, SessionId
from engine.halting import Halting
from engine.metering import MeteringRefused
from engine.overage import MeterOffer
from engine.ports import Billing
from engine.terms import ChangeKind
from engine.wishes import Obstacle
from tests.bot.counter import METERED, Counter, open_counter, simulated_counter
from tests.bot.house import household
from tests.engine.conftest import ALICE, BOB, Hall, last
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.engine.test_ceiling import subscribed
from tests.fakes.clock import NOON

ACTOR = Actor("console:root", Origin.CONSOLE)


@pytest.fixture
def counter(hall: Hall) -> Counter:
    """Where members buy."""
    return simulated_counter(hall.store, hall.clock)


@pytest.fixture
def front(hall: Hall, counter: Counter) -> Front:
    """The bot, which Alice operates."""
    found = counter.front(hall)
    household(hall, found)
    return found


def desk(hall: Hall, counter: Counter) -> Halting:
    """What an operator stops with."""
    return Halting(hall.store, hall.clock, counter.catalogue, counter.subscriptions.mode)


async def says(front: Front, text: str, who: Person = ALICE) -> Reply:
    """The reply to a typed command."""
    typed = parse(text)
    assert isinstance(typed, Typed)
    return (await front.run(Request(who, typed.command, typed.options, "local:1")))[-1]


async def orders_are(hall: Hall, *words: str) -> int:
    """The exit status of a command of the console."""
    arguments = command_line().parse_args(words)
    return await orders.WITHIN[arguments.command](arguments, household(hall))


async def test_an_operator_blocks_and_unblocks_in_chat(front: Front) -> None:
    assert (await says(front, "/admin block @bob spam and insults")).text == (
        "local:bob is blocked and can ask and buy nothing."
    )
    assert "blocked                 2026-11-24 12:00 UTC" in (await says(front, "/admin why @bob")).text
    assert (await says(front, "/admin unblock local:bob")).text == "local:bob may ask again."
    assert (await says(front, "/admin unblock local:bob")).text == "local:bob is not blocked."
    assert (await says(front, "/admin block bob")).text.startswith("'bob' is not a person")


async def test_an_operator_pauses_and_resumes_in_chat(front: Front) -> None:
    paused = await says(front, "/admin pause quick 2h being mended")
    assert paused.text == (
        "The model quick is paused until 2026-11-24 14:00 UTC. Answers being written come to their end; "
        "`resume quick` ends the pause."
    )
    told = (await says(front, "/admin resume")).text
    assert "the model quick is paused until 2026-11-24 14:00 UTC (being mended)" in told
    stats = (await says(front, "/admin stats")).text
    assert "PAUSED: the model quick is paused until 2026-11-24 14:00 UTC" in stats
    assert (await says(front, "/admin resume quick")).text == "quick goes on."
    assert (await says(front, "/admin resume quick")).text == "quick is not paused."
    assert "Nothing is paused." in (await says(front, "/admin resume")).text
    assert (await says(front, "/admin pause nothing")).text.startswith(
        "There is no model 'nothing': write all"
    )
    assert "is over" in (await says(front, "/admin pause all 2020-01-01")).text
    assert (await says(front, "/admin pause all for now")).text.startswith("All answers are paused. ")


async def test_operators_do_the_same_on_the_console(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    assert await orders_are(hall, "block", "local:bob", "--reason", "spam") == 0
    assert await orders_are(hall, "blocked") == 0
    assert await orders_are(hall, "blocked", "--json") == 0
    assert await orders_are(hall, "unblock", "local:bob") == 0
    assert await orders_are(hall, "unblock", "local:bob") == 1
    assert await orders_are(hall, "blocked") == 0
    told = capsys.readouterr().out
    assert "2026-11-24 12:00  local:bob  spam\n" in told
    assert '"why": "spam"' in told
    assert told.endswith("Nobody is blocked.\n")
    assert await orders_are(hall, "pause", "free", "--until", "3d", "--reason", "too dear") == 0
    assert await orders_are(hall, "pauses") == 0
    assert "(too dear)" in capsys.readouterr().out
    assert await orders_are(hall, "pauses", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["what"], row["until"]) == ("free", "2026-11-27T12:00:00+00:00")
    assert await orders_are(hall, "resume", "free") == 0
    assert await orders_are(hall, "resume", "free") == 1
    assert await orders_are(hall, "pause", "free", "--until", "soon") == 2
    assert await orders_are(hall, "pause", "gpt-99") == 2
    assert "'soon' is no time" in capsys.readouterr().err


async def test_nothing_is_sold_to_a_blocked_member(hall: Hall, counter: Counter) -> None:
    await counter.buy(TierName.PRO)
    await counter.buy(TierName.PREMIUM, person=BOB)
    outcome = await desk(hall, counter).block(ACTOR, ALICE)
    assert [sub.tier for sub in outcome.running] == [TierName.PRO]
    for kind, more in ((ChangeKind.SWITCH, {"tier": TierName.TEAM}), (ChangeKind.SEATS, {"quantity": 9})):
        found = await counter.changes.propose(ALICE, kind, **more)
        assert isinstance(found, Refused)
        assert found.obstacle is Obstacle.BLOCKED
    metering = await counter.meter.agree(ALICE, Micros(5_000_000))
    assert isinstance(metering, MeteringRefused)
    assert metering.why is MeterOffer.BLOCKED
    assert isinstance(await counter.changes.propose(BOB, ChangeKind.CANCEL), Proposed)


async def test_whoever_is_blocked_without_a_subscription_gets_no_link(hall: Hall, counter: Counter) -> None:
    await desk(hall, counter).block(ACTOR, ALICE)
    found = await counter.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH)
    assert found == Blocked(by_operator=True)
    words = deals.checkout(found).text
    assert words.startswith("The operator of this bot has blocked you")
    reply = await counter.affairs.buy(ALICE, "premium", None)
    assert (reply.text, reply.buttons, reply.direct) == (words, (), None)


def bill_of(url: str) -> SessionId:
    """The session that a link of the simulated Stripe leads to."""
    return SessionId(urlsplit(url).path.rpartition("/")[2])


async def perform(counter: Counter) -> None:
    """Do whatever is owed to the simulated Stripe."""
    duties = Duties(counter.store, counter.clock, counter.simulated, METERED, lambda: None)
    while await duties.work():
        pass


async def test_a_link_that_was_opened_before_a_block_is_closed(hall: Hall, counter: Counter) -> None:
    link = await counter.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH)
    assert isinstance(link, CheckoutLink)
    await desk(hall, counter).block(ACTOR, ALICE)
    await perform(counter)
    with pytest.raises(GoneError):
        await counter.simulated.pay(bill_of(link.url))
    await desk(hall, counter).unblock(ACTOR, ALICE)
    assert (await counter.buy(TierName.PREMIUM)).tier is TierName.PREMIUM


@dataclass(slots=True)
class Slow:
    """A Stripe that lets something happen before or after it makes a session."""

    inner: SimulatedBilling
    before: Callable[[], Awaitable[object]] | None = None
    after: Callable[[], Awaitable[object]] | None = None
    made: list[SessionId] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    async def create_customer(self, account: str, epoch: int) -> CustomerId:
        if self.before:
            await self.before()
        return await self.inner.create_customer(account, epoch)

    async def create_checkout_session(self, request: CheckoutRequest) -> CheckoutSession:
        session = await self.inner.create_checkout_session(request)
        self.made.append(session.id)
        if self.after:
            await self.after()
        return session


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_whoever_is_blocked_while_their_link_is_made_gets_none(
    hall: Hall, counter: Counter, moment: str
) -> None:
    slow = Slow(counter.simulated)
    setattr(slow, moment, lambda: desk(hall, counter).block(ACTOR, ALICE))
    billing = cast("Billing", slow)
    found = await open_counter(hall.store, hall.clock, billing, counter.catalogue).checkout.upgrade(
        ALICE, TierName.PREMIUM, Interval.MONTH
    )
    assert found == Blocked(by_operator=True)
    assert len(slow.made) == (moment == "after")
    for session in slow.made:
        with pytest.raises(GoneError):
            await counter.simulated.pay(session)


async def test_what_was_proposed_before_a_block_is_not_carried_out(hall: Hall, counter: Counter) -> None:
    await counter.buy(TierName.PREMIUM)
    dearer = await counter.changes.propose(ALICE, ChangeKind.SWITCH, TierName.PRO)
    ending = await counter.changes.propose(ALICE, ChangeKind.CANCEL)
    assert isinstance(dearer, Proposed)
    assert isinstance(ending, Proposed)
    await desk(hall, counter).block(ACTOR, ALICE)
    assert isinstance(await counter.changes.confirm(ALICE, dearer.proposal.id), Expired)
    assert (await counter.subscription()).tier is TierName.PREMIUM
    assert isinstance(await counter.changes.confirm(ALICE, ending.proposal.id), Confirmed)


async def test_a_blocked_member_can_leave(hall: Hall, counter: Counter, front: Front) -> None:
    assert isinstance(await last(front.chat, hall.ask()), Answered)
    await counter.buy(TierName.PREMIUM)
    await desk(hall, counter).block(ACTOR, ALICE)
    found = await counter.changes.propose(ALICE, ChangeKind.CANCEL)
    assert isinstance(found, Proposed)
    assert isinstance(await counter.changes.confirm(ALICE, found.proposal.id), Confirmed)
    assert (await counter.subscription()).cancel_at
    assert isinstance(await counter.checkout.portal(ALICE), PortalLink)
    assert (await says(front, "/export")).file
    again = await counter.changes.propose(ALICE, ChangeKind.RESUME)
    assert isinstance(again, Refused)
    words = proposals.refused(again, counter.catalogue.tier(TierName.PREMIUM)).text
    assert "The operator of this bot has blocked you" in words


async def test_the_operator_is_told_that_a_subscription_goes_on(counter: Counter, front: Front) -> None:
    sub = await counter.buy(TierName.PREMIUM, person=BOB)
    told = (await says(front, "/admin block @bob")).text
    assert told.splitlines()[1:] == [
        f"{sub.id} (premium, active) goes on charging them: cancel it in Stripe if it should not."
    ]
    assert (await counter.subscription(BOB)).cancel_at is None


def test_the_operator_is_told_of_others_in_a_blocked_members_team() -> None:
    told = blocked_words(halting.Blocked(BOB, 0, (), 2))
    assert told.endswith("\nOthers with a seat in their team go on being answered: 2.")
    assert "seat" not in blocked_words(halting.Blocked(BOB, 0, (), 0))


async def test_who_pays_is_answered_while_the_free_tier_is_paused(hall: Hall, counter: Counter) -> None:
    await subscribed(hall)
    await desk(hall, counter).pause(ACTOR, "free")
    assert isinstance(await last(hall.chat(), hall.ask()), Answered)
    assert isinstance(await last(hall.chat(), hall.ask(person=BOB)), Refusal)
    await desk(hall, counter).pause(ACTOR, "all")
    refusal = await last(hall.chat(), hall.ask())
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.PAUSED


async def test_a_paused_model_is_marked_and_has_no_button(front: Front) -> None:
    await says(front, "/admin pause spare")
    reply = await says(front, "/model")
    line = next(line for line in reply.text.splitlines() if "**spare**" in line)
    assert line.endswith("paused")
    assert not [button for button in reply.buttons if button.action == "model:spare"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("until", [None, NOON])
@pytest.mark.parametrize("choices", [(), ("quick", "deep")])
def test_every_refusal_is_said_in_every_language(
    language: str, until: datetime | None, choices: Sequence[str]
) -> None:
    with speaking(language):
        for reason in (RefusalReason.BLOCKED, RefusalReason.PAUSED, RefusalReason.PAUSED_FREE):
            assert render.refusal(Refusal(reason, TierName.FREE, until=until)).text
        refusal = Refusal(RefusalReason.PAUSED_MODEL, TierName.FREE, None, until, "spare", tuple(choices))
        words = render.refusal(refusal).text
        assert all(name in words for name in ("spare", *choices))
        assert metered.agreed(MeteringRefused(MeterOffer.BLOCKED)).text


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("90m", NOON + timedelta(minutes=90)),
        ("2H", NOON + timedelta(hours=2)),
        ("1w", NOON + timedelta(weeks=1)),
        ("2026-12-24", datetime(2026, 12, 24, tzinfo=UTC)),
        ("2026-12-24T18:00", datetime(2026, 12, 24, 18, tzinfo=UTC)),
        ("2026-12-24t18:00z", datetime(2026, 12, 24, 18, tzinfo=UTC)),
    ],
)
def test_a_time_is_a_span_or_a_moment(words: str, meant: datetime) -> None:
    assert moment_named(words, NOON) == meant


@pytest.mark.parametrize("words", ["", "soon", "2y", "2026-13-01", "2026-12-24T25:00", "24.12.2026"])
def test_what_is_no_time_is_explained(words: str) -> None:
    with pytest.raises(ValueError, match="is no time: write 90m"):
        moment_named(words, NOON)


async def test_the_doctor_says_what_is_paused(hall: Hall, counter: Counter) -> None:
    (nothing,) = await check_pauses(hall.store, hall.clock)
    assert nothing.light is Light.GREEN
    await desk(hall, counter).pause(ACTOR, "free", why="secret")
    (found,) = await check_pauses(hall.store, hall.clock)
    assert (found.light, found.what) == (Light.YELLOW, "answers to members of the free tier are paused")
