"""What is held for a question is never exceeded, whatever fails before it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.admission import Admission
from engine.answering import Answering, Patience
from engine.breaker import Breaker
from engine.circuit import Fuse
from engine.context import compose, size
from engine.domain import AccountId, Answered, ConversationId, Failed, Micros, Standing, TierName, TurnId
from engine.errors import OutsideError, StreamCutError, TellOperatorError, TryAgainError
from engine.facts import Mode
from engine.ledger import Tx
from engine.marks import Payer
from engine.models import Chunk, Completion, Finish, Finished, ModelSpec, Price, TextDelta, Thinking, Usage
from engine.outlay import Outlay
from engine.reserve import reserved, unanswered, worst
from engine.routing import Route
from engine.turns import CallEnd
from tests.engine.conftest import ALICE, FREE, QUICK, SPARE, Hall, last
from tests.fakes.clock import FakeClock
from tests.fakes.models import Scripted

T = TypeVar("T")
QUICKLY = Patience(back_off=0.0, longest_wait=0.0)
PAYER = Payer(AccountId("a"), ALICE, Mode.TEST, FREE)


class NoStore:
    """A database that nobody should need."""

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Fail."""
        raise AssertionError(work)

    read = transact


def unbreakable() -> Breaker:
    """Circuits that never open."""
    return Breaker(NoStore(), FakeClock(), "process-1", Fuse(fewest=1_000_000))


def route(spec: ModelSpec, prompt: str = "Hi") -> Route:
    """What a model is sent."""
    completion = compose(spec, "Be brief.", (), prompt)
    assert completion
    return Route(spec, completion)


def admitted(*routes: Route) -> Admission:
    """A question that these may answer."""
    standing = Standing(TierName.FREE, 1, None, 1, None)
    began, budget = datetime(2026, 11, 24, tzinfo=UTC), reserved(routes)
    return Admission(TurnId("t"), ConversationId("c"), routes[0].spec, routes, standing, began, budget, PAYER)


class Hurrying(FakeClock):
    """A clock that goes on by a while each time that it is looked at."""

    def now(self) -> datetime:
        """The time, a while later than before."""
        return self.advance(timedelta(seconds=7))


@dataclass(frozen=True, slots=True)
class Play:
    """What becomes of one request: its words, its end, and what is reported of the most it may use."""

    words: int
    end: type[OutsideError] | None
    reported: float | None
    """The share of its longest answer that the vendor reports beside a whole reading; None: nothing."""
    wait: int = 0
    """Times that others have their turn before it begins."""


@dataclass(slots=True)
class Erratic:
    """A vendor whose requests go as they are dealt, and then all alike."""

    plays: list[Play]
    asked: list[str] = field(default_factory=list)

    async def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        """Go as dealt."""
        play = self.plays.pop() if len(self.plays) > 1 else self.plays[0]
        self.asked.append(completion.vendor_id)
        for _ in range(play.wait):
            await asyncio.sleep(0)
        for _ in range(play.words):
            await asyncio.sleep(0)
            yield Thinking()
            yield TextDelta("word " * 50)
        most = completion.max_output
        used = None if play.reported is None else Usage(size(completion), 0, int(most * play.reported))
        if play.end:
            raise play.end("as dealt", usage=used)
        yield Finished(Finish.END, used or Usage(size(completion), 0, 9 * most, estimated=True))


PRICES = st.builds(Price, *[st.integers(0, 50_000_000)] * 3)
ENDS = st.sampled_from([None, TryAgainError, StreamCutError, TellOperatorError])
PLAYS = st.builds(Play, st.integers(0, 3), ENDS, st.none() | st.floats(0, 1), st.integers(0, 50))


@settings(max_examples=200, deadline=None)
@given(
    prices=st.lists(PRICES, min_size=1, max_size=3),
    plays=st.lists(PLAYS, min_size=1, max_size=8),
    most=st.integers(1, 2000),
    hedge=st.sampled_from([None, 0.0, 0.001]),
)
def test_charges_never_exceed_what_was_held(
    prices: list[Price], plays: list[Play], most: int, hedge: float | None
) -> None:
    spec = replace(QUICK, max_output=most, hedge_after=hedge)
    specs = [replace(spec, vendor_id=str(n), price=price) for n, price in enumerate(prices)]
    admission, vendor = admitted(*map(route, specs)), {"one": Erratic([*plays])}
    answering = Answering(admission, vendor, QUICKLY, unbreakable(), Hurrying())

    async def read() -> None:
        async for _ in answering.pieces():
            pass

    asyncio.run(read())
    assert (answering.cost() or 0) <= answering.admission.budget


def test_what_is_held_is_a_whole_answer_and_one_reading_for_nothing() -> None:
    first, second = route(QUICK, "x" * 900), route(replace(SPARE, price=Price(9_000_000, 0, 1)), "x" * 900)
    assert reserved((first,)) == worst(first) + unanswered(first)
    assert reserved((first, second)) == max(worst(first), worst(second)) + unanswered(second)
    hedging = replace(first, spec=replace(QUICK, hedge_after=2.0))
    assert reserved((hedging, second)) == reserved((first, second)) + worst(second)
    assert reserved((hedging,)) == reserved((first,))


def test_a_request_that_is_under_way_is_counted_at_its_worst_until_it_has_ended() -> None:
    one = route(QUICK)
    outlay = Outlay(Micros(worst(one) + worst(one) // 4), FakeClock())
    first = outlay.begin(one)
    assert outlay.fitted(one) is None
    outlay.end(first, None, CallEnd.BUSY)
    assert outlay.fitted(one) == one
    outlay.end(outlay.begin(one), Usage(0, 0, 400), CallEnd.CUT)
    shorter = outlay.fitted(one)
    assert shorter
    assert shorter.completion.max_output < one.completion.max_output
    assert sum(charge.cost or 0 for charge in outlay.charges()) + worst(shorter) <= worst(one) * 5 // 4
    outlay.end(outlay.begin(one), Usage(0, 0, 400), CallEnd.CUT)
    assert outlay.fitted(one) is None


@pytest.mark.parametrize(("price", "answered"), [(1_000_000, True), (2_000_000, False)])
async def test_after_dear_failures_a_cheaper_model_goes_on_and_a_dearer_one_does_not(
    hall: Hall, price: int, *, answered: bool
) -> None:
    """The first model's two failed readings leave less than its own answer would cost."""
    dear = replace(QUICK, price=Price(2_000_000, 0, 2_000_000))
    spare = replace(SPARE, price=Price(price, 0, price))
    hall.catalogue = replace(hall.catalogue, models=(dear, spare))
    prompt = "x" * 2000
    failed = Usage(size(route(dear, prompt).completion), 0, 0)
    hall.one = Scripted(errors=[TryAgainError("busy", usage=failed)] * 2)
    end = await last(hall.chat(), hall.ask(prompt))
    assert isinstance(end, Answered if answered else Failed)
    assert len(hall.one.seen) == 2
    assert len(hall.two.seen) == (1 if answered else 0)
