"""Whole chats over the real adapters and llmock, fault by fault: one message in words, and an exact bill."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType

import aiohttp
import pytest
from llmock.journal import RequestRecord
from llmock.pytest_plugin import LLMock

from bot.delivery import deliver
from bot.pacing import Pacing
from bot.reply import ENDS, Frame, State
from engine.admission import Desk
from engine.answering import Patience
from engine.catalogue import Catalogue
from engine.chat import Chat
from engine.domain import Answered, Ask, Failed, FailureReason, Redo, TierName, TurnId
from engine.facts import Mode
from engine.ledger import Tx
from engine.models import Usage
from engine.ports import Model
from engine.pricing import cost
from engine.signals import Signals
from engine.spending import Entry
from engine.turns import UsageFacts
from storage.store import Store
from tests.bot.test_delivery import QUICKLY, PaperCanvas
from tests.engine.conftest import ALICE, FREE, PRICE, QUICK, SPARE
from tests.fakes.clock import FakeClock
from tests.providers.conftest import Make

DIALECTS = ("openai", "anthropic", "gemini", "groq")
IDS = {"anthropic": "claude-haiku-5-5", "gemini": "gemini-3.5-flash-lite"}
WORDS = "The whole answer, word by word."
Fault = Callable[[LLMock, str], LLMock]


@dataclass(slots=True)
class Whole:
    """A member before a chat whose two models are of different vendors, all played by llmock."""

    mock: LLMock
    dialect: str
    spare: str
    models: Mapping[str, Model]
    store: Store
    clock: FakeClock
    hasty: bool = False
    """Whether it waits for less long than llmock keeps silent."""
    alone: bool = False
    """Whether nothing stands in for the first model."""
    asked: int = 0

    @property
    def chat(self) -> Chat:
        """A process that asks them."""
        wait = 0.4 if self.hasty else None
        fallback = () if self.alone else QUICK.fallback
        quick = replace(QUICK, vendor_id=IDS.get(self.dialect, "gpt-6-luna"), fallback=fallback)
        specs = (quick, replace(SPARE, vendor_id="gpt-6-luna"))
        models = tuple(replace(spec, first_token=wait, between_tokens=wait) for spec in specs)
        catalogue = Catalogue(MappingProxyType({TierName.FREE: FREE}), models)
        desk = Desk(catalogue, Mode.TEST, "Be brief.", "process-1")
        patience = Patience(back_off=0.1, longest_wait=0.5)
        return Chat(self.store, self.clock, desk, self.models, Signals(), patience)

    async def ask(self, again: TurnId | None = None) -> tuple[Answered | Failed, Sequence[Frame]]:
        """How a question ended, or an answer that is asked for again, and what was painted."""
        self.asked += 1
        canvas, key = PaperCanvas(), f"local:{self.asked}"
        ask = Ask(key, ALICE, "Hello?")
        if again:
            ask = Ask(key, ALICE, "", redo=Redo.REGENERATE, about=again)
        end = await deliver(self.chat, ask, canvas, Pacing(QUICKLY))
        assert isinstance(end, (Answered, Failed))
        assert canvas.replies == []
        ends = [frame for frame in canvas.frames if frame.state in ENDS]
        assert len(ends) == 1, "there is one end, and it stays"
        assert ends[0] is canvas.frames[-1]
        return end, canvas.frames

    async def books(self) -> tuple[Sequence[Entry], UsageFacts]:
        """The ledger, and what counts for the member."""
        now = self.clock.now()

        def work(tx: Tx) -> tuple[Sequence[Entry], UsageFacts]:
            account = tx.lock_account(ALICE, now).id
            return tx.entries(now - timedelta(days=1), now + timedelta(days=1)), tx.usage(account, now)

        entries, facts = await self.store.transact(work)
        assert facts.cost_month == sum(entry.charge.cost or 0 for entry in entries)
        return entries, facts

    def to(self, dialect: str) -> list[RequestRecord]:
        """The requests to a vendor."""
        return [each for each in self.mock.requests if each.provider == dialect]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite only: what vendors do is the same on both databases."""
    return sqlite_url


@pytest.fixture(params=DIALECTS)
async def whole(
    request: pytest.FixtureRequest, llmock: LLMock, make: Make, store: Store, clock: FakeClock
) -> AsyncIterator[Whole]:
    """A chat for each dialect."""
    dialect = str(request.param)
    spare = "openai" if dialect == "groq" else "groq"
    models = {
        provider: await make("compatible" if name == "groq" else name, llmock.base_url(name))
        for provider, name in (("one", dialect), ("two", spare))
    }
    yield Whole(llmock, dialect, spare, models, store, clock)
    llmock.assert_resilient()


def reported(stream: str) -> Usage:
    """What a vendor's stream says of its tokens, in whichever dialect."""

    def most(*names: str) -> int:
        found = re.findall(rf'"(?:{"|".join(names)})": ?(\d+)', stream)
        return max(map(int, found))

    sent = most("prompt_tokens", "input_tokens", "promptTokenCount")
    return Usage(sent, 0, most("completion_tokens", "output_tokens", "candidatesTokenCount"))


async def replayed(whole: Whole, record: RequestRecord) -> str:
    """The vendor's stream for the same request once more, as it comes over the wire."""
    path = f"{record.path}?alt=sse" if whole.dialect == "gemini" else record.path
    headers = {"authorization": "Bearer x", "x-api-key": "x", "x-goog-api-key": "x"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(whole.mock.url + path, json=record.body) as response,
    ):
        assert response.status == 200
        return await response.text()


async def test_the_ledger_is_what_the_vendor_reports_of_a_whole_answer(whole: Whole) -> None:
    whole.mock.reply(WORDS, times=2)
    end, frames = await whole.ask()
    assert isinstance(end, Answered)
    assert (frames[-1].pages, frames[-1].state) == ((WORDS,), State.DONE)
    (entry,), facts = await whole.books()
    (record,) = whole.to(whole.dialect)
    usage = reported(await replayed(whole, record))
    counted = entry.charge.usage
    assert (counted.input_tokens, counted.output_tokens) == (usage.input_tokens, usage.output_tokens)
    assert (counted.estimated, entry.charge.cost) == (False, cost(PRICE, usage))
    assert facts.conversations_today == 1


PASSING: Mapping[str, Fault] = {
    "429": lambda mock, name: mock.rate_limit(retry_after=0.3, provider=name),
    "500": lambda mock, name: mock.fail(500, retry_after=0.1, provider=name),
    "503": lambda mock, name: mock.fail(503, retry_after=0.1, provider=name),
    "529": lambda mock, name: mock.fail(529, retry_after=0.1, provider=name),
    "disconnect": lambda mock, name: mock.disconnect(after_chunks=0, provider=name),
    "truncation": lambda mock, name: mock.truncate(after_chunks=0, provider=name),
    "corruption": lambda mock, name: mock.corrupt(after_chunks=0, provider=name),
}


@pytest.mark.parametrize("fault", PASSING)
async def test_what_passes_is_tried_again_by_the_same_model(whole: Whole, fault: str) -> None:
    PASSING[fault](whole.mock.reply(WORDS, times=2), whole.dialect)
    end, frames = await whole.ask()
    assert isinstance(end, Answered)
    assert frames[-1].pages == (WORDS,)
    assert frames[-1].footer.startswith("quick · conversation 1")
    assert len(whole.to(whole.dialect)) == 2
    entries, facts = await whole.books()
    assert [entry.charge.usage.estimated for entry in entries][-1] is False
    assert all(entry.charge.usage.output_tokens == 0 for entry in entries[:-1])
    assert facts.conversations_today == 1


LATE: Mapping[str, Fault] = {
    "delay": lambda mock, name: mock.delay(0.8, provider=name),
    "slow first word": lambda mock, name: mock.slow_first_token(0.8, provider=name),
    "stall": lambda mock, name: mock.stall(after_chunks=0, seconds=0.8, provider=name),
}


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("fault", LATE)
async def test_who_is_late_gives_way_at_once_or_is_asked_again_where_nobody_could_stand_in(
    whole: Whole, fault: str, *, alone: bool
) -> None:
    whole.hasty, whole.alone = True, alone
    LATE[fault](whole.mock.reply(WORDS, times=2), whole.dialect)
    end, frames = await whole.ask()
    assert isinstance(end, Answered)
    assert frames[-1].pages == (WORDS,)
    assert frames[-1].footer.startswith("quick · conversation 1" if alone else "spare · instead of quick")
    assert (len(whole.to(whole.dialect)), len(whole.to(whole.spare))) == ((2, 0) if alone else (1, 1))
    (lost, paid), _ = await whole.books()
    assert (lost.charge.usage.estimated, paid.charge.usage.estimated) == (True, False)
    assert lost.charge.cost


LASTING: Mapping[str, Fault] = {
    "429 for long": lambda mock, name: mock.rate_limit(times=None, retry_after=30.0, provider=name),
    "outage": lambda mock, name: mock.fail(503, times=None, retry_after=0.1, provider=name),
    "529": lambda mock, name: mock.fail(529, times=None, retry_after=0.1, provider=name),
    "400": lambda mock, name: mock.fail(400, times=None, provider=name),
    "401": lambda mock, name: mock.fail(401, times=None, provider=name),
    "403": lambda mock, name: mock.fail(403, times=None, provider=name),
    "404": lambda mock, name: mock.fail(404, times=None, provider=name),
    "long prompt": lambda mock, name: mock.context_overflow(times=None, provider=name),
    "disconnect": lambda mock, name: mock.disconnect(after_chunks=0, times=None, provider=name),
}


@pytest.mark.parametrize("fault", LASTING)
async def test_what_lasts_is_answered_by_the_fallback_which_is_named(whole: Whole, fault: str) -> None:
    LASTING[fault](whole.mock.reply(WORDS, provider=whole.spare), whole.dialect)
    end, frames = await whole.ask()
    assert isinstance(end, Answered)
    assert (end.model, end.asked_model) == ("spare", "quick")
    assert frames[-1].pages == (WORDS,)
    assert frames[-1].footer.startswith("spare · instead of quick")
    tried_again = fault in {"outage", "529", "disconnect"}
    assert len(whole.to(whole.dialect)) == (2 if tried_again else 1)
    entries, _ = await whole.books()
    assert [entry.charge.model for entry in entries if not entry.charge.usage.estimated] == ["spare"]


BREAKING: Mapping[str, tuple[Fault, FailureReason]] = {
    "disconnect": (lambda mock, name: mock.disconnect(after_chunks=4, provider=name), FailureReason.CUT),
    "truncation": (lambda mock, name: mock.truncate(after_chunks=4, provider=name), FailureReason.CUT),
    "corruption": (lambda mock, name: mock.corrupt(after_chunks=4, provider=name), FailureReason.CUT),
    "stall": (
        lambda mock, name: mock.stall(after_chunks=4, seconds=0.8, provider=name),
        FailureReason.TIMEOUT,
    ),
}


@pytest.mark.parametrize("fault", BREAKING)
async def test_what_breaks_off_after_the_first_word_is_said_and_may_be_asked_again(
    whole: Whole, fault: str
) -> None:
    inject, reason = BREAKING[fault]
    whole.hasty = fault == "stall"
    inject(whole.mock.reply(WORDS, times=2), whole.dialect)
    end, frames = await whole.ask()
    assert isinstance(end, Failed)
    assert (end.reason, end.counted) == (reason, True)
    assert end.text
    assert WORDS.startswith(end.text.strip())
    last = frames[-1]
    assert last.state is State.FAILED
    assert len(last.pages) == 2
    assert last.pages[0].strip() == end.text.strip()
    assert [button.label for button in last.buttons] == ["Ask again", "Other model"]
    assert len(whole.to(whole.dialect)) == 1
    assert whole.to(whole.spare) == []
    (entry,), _ = await whole.books()
    assert entry.charge.usage.input_tokens > 0
    assert entry.charge.usage.output_tokens > 0
    again, frames = await whole.ask(again=end.turn)
    assert isinstance(again, Answered)
    assert frames[-1].pages == (WORDS,)


async def test_where_nobody_answers_one_message_says_so_and_nothing_counts_against_the_member(
    whole: Whole,
) -> None:
    whole.mock.fail(503, times=None, retry_after=0.1)
    end, frames = await whole.ask()
    assert isinstance(end, Failed)
    assert (end.reason, end.counted, end.text) == (FailureReason.BUSY, False, "")
    assert frames[-1].footer.endswith("not counted")
    assert len(frames[-1].pages) == 1
    entries, facts = await whole.books()
    assert entries == []
    assert facts.conversations_today == 0


async def test_an_answer_without_a_word_is_paid_by_the_operator_and_counts_nothing(whole: Whole) -> None:
    whole.mock.truncate(after_chunks=0, times=None)
    end, frames = await whole.ask()
    assert isinstance(end, Failed)
    assert (end.counted, end.text) == (False, "")
    assert len(frames[-1].pages) == 1
    entries, facts = await whole.books()
    assert facts.conversations_today == 0
    assert entries
    assert all(entry.charge.usage.input_tokens > 0 and entry.charge.cost for entry in entries)
    whole.mock.reset()
