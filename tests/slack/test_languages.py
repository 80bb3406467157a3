"""Members are spoken to in the language that they have set in Slack, and welcomed once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine.domain import Person, Platform, TierName
from engine.facts import Mode
from engine.jobs import Notices
from engine.ledger import Tx
from engine.notices import Notice, NoticeId, NoticeKind
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.slack import ALICE, BOB, GENERAL, TEAM
from tests.slack.conftest import Stage, counter_of, front_of, serving, workspace
from tests.slack.test_private_replies import private


def owe(tx: Tx, hall: Hall) -> None:
    """Owe Alice a notice."""
    person, now = Person(Platform.SLACK, TEAM, ALICE), hall.clock.now()
    account = tx.lock_account(person, now).id
    kind, tier = NoticeKind.ACTIVATED, TierName.PREMIUM
    tx.owe(Notice(NoticeId("n1"), "n1", account, Mode.SIMULATED, person, kind, tier, now))


async def shown(stage: Stage, words: str, channel: str = GENERAL) -> None:
    """Wait until a message with these words is in a channel."""
    await stage.slack.wait_for(lambda: [one for one in stage.slack.transcript(channel) if words in one.shown])


async def test_answers_commands_and_refusals_follow_the_members_own_language(stage: Stage) -> None:
    slack = stage.slack
    slack.workspace.users[ALICE].locale = "fr-FR"
    for number in range(1, 4):
        await slack.slash(ALICE, "/ask", "Bonjour")
        await shown(stage, f"conversation {number} sur 3 aujourd'hui")
    assert any(f"<@{ALICE}> a demandé : Bonjour" in one.shown for one in slack.transcript(GENERAL))
    await slack.slash(ALICE, "/ask", "Et maintenant ?")
    (refused,) = await private(slack, ALICE)
    assert "Tu as commencé ta dernière conversation du jour" in refused.shown
    assert refused.buttons[-1]["text"]["text"] == "Comparer les forfaits"
    await slack.slash(BOB, "/usage")
    assert "Conversations today" in (await private(slack, BOB))[0].shown
    asked = [call.args["user"] for call in slack.log.calls if call.method == "users.info"]
    assert asked == [ALICE, BOB]


@pytest.mark.parametrize("error", ["missing_scope", "user_not_found", "internal_error"])
async def test_a_language_that_cannot_be_learned_is_english_and_no_failure(stage: Stage, error: str) -> None:
    stage.slack.faults.fail("users.info", error)
    await stage.slack.mention(ALICE, GENERAL, "Hi")
    await shown(stage, "conversation 1 of 3 today")
    assert stage.slack.ephemerals(ALICE) == []


async def test_the_language_is_remembered_for_notices_and_the_home(hall: Hall, clock: FakeClock) -> None:
    async with workspace(clock, http=False) as slack:
        slack.workspace.users[ALICE].locale = "de-DE"
        front = counter_of(hall).front(hall, welcomes=True)
        async with serving(slack, front, clock, http=False) as bot:
            await slack.mention(ALICE, GENERAL, "Hallo")
            await shown(Stage(slack, hall, front, bot), "Unterhaltung 1 von 3 heute")
        await hall.store.transact(lambda tx: owe(tx, hall))
        async with serving(slack, front_of(hall), clock, http=False) as bot:
            slack.workspace.users[ALICE].locale = "fr-FR"
            await slack.open_home(ALICE)
            await slack.wait_for(lambda: "Forfait" in str(slack.workspace.homes.get(ALICE)))
            slack.workspace.homes.clear()
            notices = Notices(hall.store, hall.clock, Mode.SIMULATED)
            notices.messengers[Platform.SLACK] = bot.messenger
            assert await notices.work() == 1
            await slack.wait_for(lambda: "Forfait" in str(slack.workspace.homes.get(ALICE)))
        assert "Merci ! Le forfait **Premium** est à toi." in slack.dms(ALICE)[-1].shown


@pytest.fixture
async def greeting(hall: Hall, clock: FakeClock) -> AsyncIterator[Stage]:
    """A bot that welcomes people."""
    async with workspace(clock, http=False) as slack:
        front = counter_of(hall).front(hall, welcomes=True)
        async with serving(slack, front, clock, http=False) as bot:
            yield Stage(slack, hall, front, bot)
            assert slack.findings == []


async def test_whoever_mentions_the_bot_first_is_welcomed_privately_and_once(greeting: Stage) -> None:
    slack = greeting.slack
    await slack.mention(ALICE, GENERAL, "Hi")
    (welcome,) = await private(slack, ALICE)
    assert len(welcome.shown.splitlines()) == 3
    assert "**Free** costs nothing: 3 conversations a day" in welcome.shown
    await slack.slash(ALICE, "/usage")
    later = await private(slack, ALICE, 2)
    await slack.slash(BOB, "/help")
    await private(slack, BOB, 2)
    assert len(later) == len(slack.ephemerals(ALICE)) == 2
    assert not [one for one in slack.transcript(GENERAL) if "Welcome" in one.shown]
    assert slack.dms(ALICE) == []
