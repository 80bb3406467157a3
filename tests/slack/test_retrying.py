"""`/admin retry` typed on Slack: what was given up, for the operator's eyes alone, and tried again."""

from __future__ import annotations

from bot.admin.desk import Operators
from bot.admin.retrying import retrying, retrying_presses
from engine.audit import Deed, Origin
from engine.domain import Person, Platform
from engine.facts import Mode
from engine.ledger import Tx
from engine.reports import Reports
from engine.steering import Steering
from engine.terms import DutyId
from tests.fakes.slack import ALICE, BOB, TEAM
from tests.slack.conftest import Stage
from tests.slack.test_private_replies import button, private
from tests.storage.makers import duty


async def operate(stage: Stage) -> None:
    """Let Alice be the operator, and a call to Stripe a dead letter."""
    people, hall = (Person(Platform.SLACK, TEAM, ALICE),), stage.hall
    members, mode = stage.front.members, Mode.SIMULATED
    steering = Steering(hall.store, hall.clock, members, Reports(hall.store, hall.clock, members.wares, mode))
    stage.front.operators = Operators(
        people, retrying(steering, mode), presses=retrying_presses(steering, mode)
    )

    def work(tx: Tx) -> None:
        tx.owe_duty(duty("cancel:sub_1", mode=mode), hall.clock.now())
        tx.duty_dead(DutyId("cancel:sub_1"), "no right")

    await hall.store.transact(work)


async def test_an_operator_sees_what_was_given_up_and_presses(stage: Stage) -> None:
    await operate(stage)
    slack = stage.slack
    await slack.slash(ALICE, "/admin", "retry")
    (shown,) = await private(slack, ALICE)
    assert "duty cancel:sub_1 after 0 tries: no right" in shown.shown
    await slack.press(ALICE, shown, button(shown, "Try it again"))
    told = await private(slack, ALICE, 2)
    assert "1 will be tried again by the running bot." in [each.shown for each in told]
    assert slack.transcript() == slack.ephemerals(BOB) == []
    (newest, _) = await stage.hall.store.read(lambda tx: tx.deeds(None, 2))
    assert (newest.deed, newest.actor.origin) == (Deed.RETRY, Origin.SLACK)


async def test_one_is_tried_again_by_its_id(stage: Stage) -> None:
    await operate(stage)
    await stage.slack.slash(ALICE, "/admin", "retry cancel:sub_1")
    (told,) = await private(stage.slack, ALICE)
    assert told.shown == "1 will be tried again by the running bot."
    assert not await stage.hall.store.read(lambda tx: tx.dead_letters(Mode.SIMULATED))
