"""A comparison that a limit stopped is kept as one question, and made once."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from engine.domain import Answered, Failed, Refusal, RefusalReason
from engine.errors import GiveUpError
from engine.parcel import Parcel
from tests.engine.conftest import Hall
from tests.engine.test_keeping import WORDS, opened, rows
from tests.engine.test_keeping import hall as hall  # noqa: PLC0414 - a fixture

BOTH = ("quick", "spare")


async def comparison(hall: Hall) -> Parcel:
    """A comparison that was kept, as it may be asked now."""
    hall.free(conversations_per_day=1, requests_per_minute=None, concurrent=None, compare=2)
    (refusal,) = await compared(hall, Parcel(hall.ask(WORDS), BOTH))
    assert isinstance(refusal, Refusal)
    assert refusal.kept
    hall.free(conversations_per_day=None, requests_per_minute=None, concurrent=None, compare=2)
    return (await opened(hall, refusal.kept)).parcel


async def compared(hall: Hall, parcel: Parcel, key: str = "local:asked") -> list[object]:
    """All events of it."""
    async with aclosing(hall.chat().compare(replace(parcel.ask, key=key), parcel.models or ())) as events:
        return [event[1] if isinstance(event, tuple) else event async for event in events]


async def test_a_comparison_is_kept_with_its_models(hall: Hall) -> None:
    found = await comparison(hall)
    assert found.models == BOTH
    ends = [*await compared(hall, found, "local:1"), *await compared(hall, found, "local:2")]
    assert sum(isinstance(each, Answered) for each in ends) == 2
    assert [each.reason for each in ends if isinstance(each, Refusal)] == [RefusalReason.UNKEPT]


async def test_while_one_model_of_a_comparison_may_still_answer_the_question_does_not_wait(
    hall: Hall,
) -> None:
    found = await comparison(hall)
    hall.one.errors, hall.two.pause = [GiveUpError("no")], 1
    async with aclosing(hall.chat().compare(found.ask, BOTH)) as events:
        async for event in events:
            if isinstance(event, tuple) and isinstance(event[1], Failed):
                break
        hall.two.pause = None
        early = (await compared(hall, found, "local:early"))[-1]
    assert isinstance(early, Refusal)
    assert early.reason is RefusalReason.UNKEPT
    assert await rows(hall) == []


async def test_a_comparison_that_brought_no_answer_at_all_leaves_the_question_waiting(hall: Hall) -> None:
    found = await comparison(hall)
    hall.one.errors, hall.two.errors = [GiveUpError("no")], [GiveUpError("no")]
    assert all(not isinstance(each, Answered) for each in await compared(hall, found, "local:1"))
    assert await rows(hall) == [WORDS]
