"""Commands and buttons, from words to words."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bot.commands import BY_NAME, COMMANDS
from bot.front import Front, Request
from bot.reply import Reply
from engine.domain import Answered, Person, Redo, TierName
from engine.facts import Mode
from engine.ledger import Tx
from engine.notices import Notice, NoticeId, NoticeKind
from tests.bot.counter import open_counter
from tests.engine.conftest import ALICE, BOB, Hall, last
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.money.conftest import Till
from tests.money.conftest import policy as policy  # noqa: PLC0414 - a fixture
from tests.money.conftest import till as till  # noqa: PLC0414 - a fixture


def front_of(hall: Hall, till: Till | None = None) -> Front:
    """The bot behind its surfaces, with or without a till."""
    billing = till.gateway if till else None
    return open_counter(hall.store, hall.clock, billing, hall.catalogue).front(hall)


async def run(
    front: Front, name: str, options: Mapping[str, str] | None = None, who: Person = ALICE
) -> Reply:
    """The last reply to a command."""
    return (await front.run(Request(who, BY_NAME[name], options or {}, "local:1")))[-1]


async def test_every_command_that_does_not_stream_answers_somebody_never_seen(hall: Hall) -> None:
    front = front_of(hall)
    for command in COMMANDS:
        if not command.streams:
            assert (await run(front, command.name)).text


async def test_usage_tells_what_is_used_and_when_it_is_new(hall: Hall) -> None:
    front = front_of(hall)
    await last(front.chat, hall.ask())
    words = (await run(front, "usage")).text
    assert "Conversations today: 1 of 3 (counted anew at 25 November, 00:00 UTC)" in words


async def test_the_model_list_shows_locks_and_what_unlocks(hall: Hall) -> None:
    words = (await run(front_of(hall), "model")).text
    assert "✅ **quick**" in words
    assert "🔒 **deep** · strong · from Premium ($8.99 a month)" in words


async def test_a_chosen_model_answers_from_then_on(hall: Hall) -> None:
    front = front_of(hall)
    assert "spare" in (await run(front, "model", {"name": "spare"})).text
    await last(front.chat, hall.ask())
    assert len(hall.two.seen) == 1
    await last(front.chat, hall.ask(person=BOB))
    assert len(hall.one.seen) == 1


async def test_a_locked_model_cannot_be_chosen_and_offers_the_upgrade(hall: Hall) -> None:
    reply = await run(front_of(hall), "model", {"name": "deep"})
    assert "not part of the Free tier" in reply.text
    assert [button.action for button in reply.buttons][:2] == [
        "upgrade:premium:month",
        "upgrade:premium:year",
    ]


async def test_plans_show_prices_and_mark_the_members_own(hall: Hall) -> None:
    words = (await run(front_of(hall), "plans")).text
    assert "**Free**: free ← yours" in words
    assert "**Premium**: $8.99 a month or $89 a year" in words


async def test_the_checkout_link_belongs_into_a_dm(hall: Hall, till: Till) -> None:
    reply = await run(front_of(hall, till), "upgrade", {"tier": "premium", "interval": "year"})
    assert "direct message" in reply.text
    assert "http" not in reply.text
    assert reply.direct is not None
    assert reply.direct.buttons[0].url is not None
    assert reply.direct.buttons[0].label == "Pay $89 a year"


async def test_upgrade_without_a_tier_shows_the_plans(hall: Hall, till: Till) -> None:
    reply = await run(front_of(hall, till), "upgrade")
    assert [button.action for button in reply.buttons] == ["upgrade:premium:month"]


async def test_where_nothing_is_on_sale_the_words_say_so(hall: Hall) -> None:
    front = front_of(hall)
    assert "not on sale" in (await run(front, "upgrade", {"tier": "premium"})).text
    assert "not on sale" in (await run(front, "billing")).text


@pytest.mark.parametrize("action", ["upgrade:gold:month", "upgrade:free:month", "stop", "nonsense", "model:"])
async def test_a_button_nobody_made_does_no_harm(hall: Hall, till: Till, action: str) -> None:
    for reply in await front_of(hall, till).press(ALICE, action):
        assert reply.text


async def test_a_notice_that_could_not_be_sent_is_shown_once_at_the_next_command(
    hall: Hall, till: Till
) -> None:
    front = front_of(hall, till)
    now = hall.clock.now()

    def owe(tx: Tx) -> None:
        account, kind = tx.lock_account(ALICE, now).id, NoticeKind.ACTIVATED
        for mode in Mode:
            notice = Notice(NoticeId(mode), mode, account, mode, ALICE, kind, TierName.PREMIUM, now)
            tx.owe(notice)
            tx.keep_notice(notice.id)

    await hall.store.transact(owe)
    request = Request(ALICE, BY_NAME["usage"], {}, "local:1")
    assert len(await front.run(request)) == 2
    assert len(await front.run(request)) == 1


async def test_a_press_on_stop_that_comes_too_late_says_so(hall: Hall) -> None:
    front = front_of(hall)
    end = await last(front.chat, hall.ask())
    assert isinstance(end, Answered)
    (reply,) = await front.press(ALICE, f"stop:{end.turn}")
    assert reply == Reply("That answer is over already.")


async def test_only_buttons_that_ask_a_model_are_questions(hall: Hall) -> None:
    front = front_of(hall)
    ask = front.question_of(ALICE, "again:t1:other:one", "key", ("dm",), dm=True)
    assert ask
    assert (ask.redo, ask.about, ask.model) == (Redo.REGENERATE, "t1", "other:one")
    more = front.question_of(ALICE, "more:t1", "key")
    assert more
    assert (more.redo, more.model) == (Redo.CONTINUE, None)
    assert [front.question_of(ALICE, each, "key") for each in ("stop:t1", "keep:t1", "again:", "plans")] == [
        None
    ] * 4
