"""`/erase` on Slack: said in private, done by a button, and not while they pay."""

from __future__ import annotations

from tests.fakes.slack import ALICE
from tests.slack.conftest import Stage
from tests.slack.test_changes import MEMBER, bought
from tests.slack.test_private_replies import button, private
from tests.slack.test_redone import ended


async def known(stage: Stage) -> bool:
    """Whether anything is kept of Alice."""
    return await stage.hall.store.read(lambda tx: tx.find_account(MEMBER) is not None)


async def test_what_goes_is_said_first_and_a_press_has_it_erased(stage: Stage) -> None:
    slack = stage.slack
    await slack.dm(ALICE, "my secret")
    await ended(slack, slack.workspace.dm(ALICE).id)
    await slack.slash(ALICE, "/erase")
    (asked,) = await private(slack, ALICE)
    assert "cannot be undone" in asked.shown
    assert await known(stage)
    await slack.press(ALICE, asked, button(asked, "Erase everything"))
    assert "Everything about you is erased." in (await private(slack, ALICE, 2))[1].shown
    assert not await known(stage)


async def test_whoever_pays_is_told_how_to_end_it_and_stays(stage: Stage) -> None:
    slack = stage.slack
    await bought(stage)
    await slack.slash(ALICE, "/erase")
    (told,) = await private(slack, ALICE)
    assert (
        "Your subscription would go on charging you, so nothing was erased. End it with `/cancel`"
        in told.shown
    )
    assert await known(stage)
    await slack.slash(ALICE, "/cancel")
    offer = (await private(slack, ALICE, 2))[1]
    await slack.press(ALICE, offer, button(offer, "Confirm"))
    await private(slack, ALICE, 3)
    await slack.slash(ALICE, "/erase")
    asked = (await private(slack, ALICE, 4))[3]
    assert "What you have paid for until" in asked.shown
    await slack.press(ALICE, asked, button(asked, "Erase everything"))
    assert "is erased" in (await private(slack, ALICE, 5))[4].shown
    assert not await known(stage)
