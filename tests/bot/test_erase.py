"""`/erase` and the console's `erase` and `export`, word for word."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest

from billing.simulated_plans import Affairs
from bot.console import orders
from bot.console.arguments import command_line
from bot.front import Front, Request
from bot.reply import Reply
from bot.typed import Typed, parse
from engine.audit import Deed
from engine.checkout import CheckoutLink
from engine.domain import Answered, Interval, Person, TierName
from engine.facts import CustomerId, SessionId, Subscription
from engine.ledger import Tx
from engine.terms import DutyKind
from tests.bot.counter import Counter, simulated_counter
from tests.bot.house import household
from tests.engine.conftest import ALICE, Hall, last
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture


@pytest.fixture
def counter(hall: Hall) -> Counter:
    return simulated_counter(hall.store, hall.clock)


@pytest.fixture
def front(hall: Hall, counter: Counter) -> Front:
    return counter.front(hall)


async def says(front: Front, text: str, who: Person = ALICE) -> Reply:
    """The reply to a typed command."""
    typed = parse(text)
    assert isinstance(typed, Typed)
    return (await front.run(Request(who, typed.command, typed.options, "local:1")))[-1]


async def ordered(hall: Hall, words: str) -> int:
    """Have the console do something; its exit status."""
    arguments = command_line().parse_args(words.split())
    return await orders.WITHIN[arguments.command](arguments, household(hall))


async def asked(hall: Hall) -> None:
    assert isinstance(await last(hall.chat(), hall.ask("my secret")), Answered)


async def test_a_member_is_told_what_goes_and_what_stays_before_it_is_done(hall: Hall, front: Front) -> None:
    assert (await says(front, "/erase")).text == "Nothing is kept about you."
    await asked(hall)
    told = await says(front, "/erase")
    assert told.text.startswith(
        "**This erases everything that this bot keeps about you, and cannot be undone.**"
    )
    assert await hall.store.read(lambda tx: tx.find_account(ALICE))
    (button,) = told.buttons
    assert button.action
    (done,) = await front.press(ALICE, button.action)
    assert done.text == "Everything about you is erased. If you ask again, you begin as somebody new."
    assert await hall.store.read(lambda tx: tx.find_account(ALICE)) is None


async def test_an_old_button_erases_nothing(hall: Hall, front: Front) -> None:
    await asked(hall)
    (button,) = (await says(front, "/erase")).buttons
    hall.clock.advance(timedelta(minutes=11))
    for action in (str(button.action), "erase:", "erase:x", f"erase:{'9' * 11}"):
        (told,) = await front.press(ALICE, action)
        assert told.text == "That was asked a while ago, so nothing was erased. Use `/erase` again."
    assert await hall.store.read(lambda tx: tx.find_account(ALICE))


async def test_a_subscription_that_goes_on_is_ended_first(
    hall: Hall, counter: Counter, front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    await hall.store.transact(lambda tx: tx.lock_account(ALICE, hall.clock.now()))
    await counter.buy(TierName.PREMIUM)
    assert (await says(front, "/erase")).text.startswith("Your subscription would go on charging you")
    assert await ordered(hall, "erase local:alice --yes") == 1
    assert "end it at once with --cancel" in capsys.readouterr().err
    assert await hall.store.read(lambda tx: tx.find_account(ALICE))
    assert await ordered(hall, "erase local:alice --yes --cancel") == 0
    assert "nothing found" in capsys.readouterr().out
    assert await hall.store.read(lambda tx: tx.find_account(ALICE)) is None
    (body,) = await hall.store.read(lambda tx: [each.body for each in tx.objects("subscription")])
    assert json.loads(body)["end_reason"] == "cancellation_requested"


async def test_one_that_ends_by_itself_is_no_obstacle_and_its_end_is_told(
    hall: Hall, counter: Counter, front: Front
) -> None:
    await hall.store.transact(lambda tx: tx.lock_account(ALICE, hall.clock.now()))
    await counter.buy(TierName.PREMIUM)
    (confirm, *_) = (await says(front, "/cancel")).buttons
    await front.press(ALICE, str(confirm.action))
    told = await says(front, "/erase")
    assert "What you have paid for until" in told.text
    (done,) = await front.press(ALICE, str(told.buttons[0].action))
    assert done.text.startswith("Everything about you is erased")


async def test_the_console_shows_what_it_would_do_and_proves_what_it_did(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    await asked(hall)
    assert await ordered(hall, "erase local:alice --dry-run") == 0
    told = capsys.readouterr().out
    assert "turn                        1  deleted" in told
    assert "Nothing was changed (dry run)." in told
    assert await ordered(hall, "erase local:alice") == 1  # nobody is there to be asked
    assert await hall.store.read(lambda tx: tx.find_account(ALICE))
    assert await ordered(hall, "erase local:alice --yes") == 0
    told = capsys.readouterr().out
    assert "charge                      1  nameless   the ledger of what vendors charged" in told
    assert "columns: nothing found." in told
    assert await ordered(hall, "erase local:alice --yes") == 1


async def test_everything_of_a_person_is_exported(
    hall: Hall, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await asked(hall)
    file = tmp_path / "alice.zip"
    assert await ordered(hall, f"export local:alice -o {file}") == 0
    assert await ordered(hall, f"export local:alice -o {file}") == 2  # which is there
    assert await ordered(hall, f"export local:zoe -o {tmp_path / 'zoe.zip'}") == 1
    with ZipFile(file) as zipped:
        (turn,) = json.loads(zipped.read("turn.json"))
        (account,) = json.loads(zipped.read("account.json"))
        about = json.loads(zipped.read("about.json"))
        assert {"charge.json", "spend.json", "waiting.json"} <= set(zipped.namelist())
    assert (turn["prompt"], turn["answer"]) == ("my secret", "Hello there.")
    assert "key" not in turn
    assert turn["started_at"] == hall.clock.now().isoformat()
    assert account["member"] == "alice"
    assert about["rows"]["turn"] == 1
    assert file.stat().st_mode & 0o777 == 0o600
    (entry,) = await hall.store.read(lambda tx: tx.deeds(None, 5))
    assert (entry.deed, entry.subject) == (Deed.EXPORT, "local:alice")
    assert "rows of" in capsys.readouterr().out


async def test_a_payment_that_comes_after_all_is_ended_and_given_back(hall: Hall, counter: Counter) -> None:
    """The checkout page stays open a moment longer than its member."""
    link = await counter.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH)
    assert isinstance(link, CheckoutLink)
    assert await ordered(hall, "erase local:alice --yes") == 0
    now, mode = hall.clock.now(), counter.subscriptions.mode
    (owed,) = await hall.store.transact(lambda tx: tx.claim_duties(mode, now, now + timedelta(minutes=1), 5))
    assert (owed.kind, owed.subject) == (DutyKind.CLOSE_CHECKOUT, link.url.rpartition("/")[2])
    await counter.simulated.pay(SessionId(link.url.rpartition("/")[2]))
    customer = (await hall.store.read(lambda tx: tx.objects("customer")))[0].id
    await counter.subscriptions.sync(CustomerId(customer))
    house = household(hall)
    while await house.duties.work() or await house.subscriptions.work():
        pass
    kinds = "subscription", "invoice"
    objects = await hall.store.read(lambda tx: [json.loads(tx.objects(kind)[0].body) for kind in kinds])
    assert [objects[0]["end_reason"], bool(objects[1]["refunded_at"])] == ["cancellation_requested", True]


async def test_a_subscription_that_is_taken_up_again_at_stripe_is_ended(
    hall: Hall, counter: Counter, front: Front
) -> None:
    """The portal's page knows nobody as erased."""
    await hall.store.transact(lambda tx: tx.lock_account(ALICE, hall.clock.now()))
    sub = await counter.buy(TierName.PREMIUM)
    hall.clock.advance(timedelta(days=2))
    await ends(counter, sub, hall.clock.now() + timedelta(days=20))
    await counter.read()
    (button, *_) = (await says(front, "/erase")).buttons
    await front.press(ALICE, str(button.action))
    await ends(counter, sub, None)
    await counter.subscriptions.sync(sub.customer)
    house = household(hall)
    while await house.duties.work() or await house.subscriptions.work():
        pass
    kinds = "subscription", "invoice"
    objects = await hall.store.read(lambda tx: [json.loads(tx.objects(kind)[0].body) for kind in kinds])
    assert [objects[0]["end_reason"], objects[1]["refunded_at"]] == ["cancellation_requested", None]
    nobody = await hall.store.read(lambda tx: tx.account_of(sub.mode, sub.customer))
    assert nobody
    assert await hall.store.read(lambda tx: tx.notices(nobody)) == []


async def ends(counter: Counter, sub: Subscription, at: datetime | None) -> None:
    """Have a subscription end by itself at Stripe, or no more."""

    def work(_: Tx, affairs: Affairs) -> tuple[Affairs, None]:
        return affairs.having(replace(affairs.plan(sub.id), cancel_at=at)), None

    await counter.simulated.world.change(sub.customer, work)
