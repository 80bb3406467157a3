"""Notices reach their person by DM, each once, whatever breaks between sending and noting it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.slack.adapter import SlackBot
from engine.alerts import Alert, AlertKind, Bulletin
from engine.channels import Channel
from engine.domain import AccountId, Person, Platform, TierName
from engine.errors import TryAgainError, UnreachableError
from engine.facts import Mode
from engine.notices import Notice, NoticeId, NoticeKind
from tests.fakes.slack import ALICE, TEAM
from tests.fakes.slack.state import Kind
from tests.slack.conftest import Stage


@pytest.fixture
def notice(stage: Stage) -> Notice:
    """News for Alice."""
    return Notice(
        id=NoticeId("n1"),
        key="premium:activated:1",
        account=AccountId("a1"),
        mode=Mode.LIVE,
        person=Person(Platform.SLACK, TEAM, ALICE),
        kind=NoticeKind.ACTIVATED,
        tier=TierName.PREMIUM,
        created_at=stage.hall.clock.now(),
    )


def shown(stage: Stage) -> list[str]:
    return [message.shown for message in stage.slack.dms(ALICE)]


async def test_a_notice_is_a_direct_message(stage: Stage, notice: Notice) -> None:
    await stage.bot.messenger.deliver(notice, again=False)
    assert len(shown(stage)) == 1
    assert "**Premium** tier is yours" in shown(stage)[0]


async def test_what_is_only_good_to_know_waits_for_the_next_command(stage: Stage, notice: Notice) -> None:
    with pytest.raises(UnreachableError):
        await stage.bot.messenger.deliver(replace(notice, kind=NoticeKind.RENEWED), again=False)
    assert shown(stage) == []


async def test_a_notice_whose_answer_was_lost_is_shown_once(stage: Stage, notice: Notice) -> None:
    stage.slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(TryAgainError):
        await stage.bot.messenger.deliver(notice, again=False)
    for _ in range(2):
        await stage.bot.messenger.deliver(notice, again=True)
    assert len(shown(stage)) == 1


async def test_a_notice_that_did_not_get_through_is_sent_again(stage: Stage, notice: Notice) -> None:
    stage.slack.faults.fail("chat.postMessage", "internal_error")
    with pytest.raises(TryAgainError):
        await stage.bot.messenger.deliver(notice, again=False)
    await stage.bot.messenger.deliver(notice, again=True)
    await stage.bot.messenger.deliver(replace(notice, key="premium:ended:2"), again=True)
    assert len(shown(stage)) == 2


async def test_a_notice_is_found_behind_many_messages(
    stage: Stage, notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.workspace.HISTORY_PAGE", 3)
    await stage.bot.messenger.deliver(notice, again=False)
    dm = stage.slack.workspace.dm(ALICE).id
    for number in range(10):
        stage.slack.write(ALICE, dm, f"message {number}")
    await stage.bot.messenger.deliver(notice, again=True)
    assert len([m for m in stage.slack.dms(ALICE) if m.by_app]) == 1


@pytest.mark.parametrize(
    "error", ["user_disabled", "user_not_found", "user_not_visible", "channel_not_found"]
)
async def test_a_person_who_cannot_be_written_to_is_unreachable(
    stage: Stage, notice: Notice, error: str
) -> None:
    stage.slack.close_dms(ALICE, error)
    bot: SlackBot = stage.bot
    with pytest.raises(UnreachableError):
        await bot.messenger.deliver(notice, again=False)


@pytest.fixture
def bulletin(stage: Stage) -> Bulletin:
    """An alert for Alice, who runs the bot and speaks German."""
    alert = Alert("k1", AlertKind.CEILING_NEAR, "free_day", stage.hall.clock.now(), "4.00 of 5.00 USD")
    return Bulletin("b1", Person(Platform.SLACK, TEAM, ALICE), (alert,), locale="de")


async def test_an_operator_is_told_in_their_language_by_dm(stage: Stage, bulletin: Bulletin) -> None:
    await stage.bot.messenger.tell(bulletin, again=False)
    (told,) = shown(stage)
    assert "80 % einer Obergrenze" in told
    assert "4.00 of 5.00 USD" in told


async def test_an_operator_is_told_once_when_the_answer_was_lost(stage: Stage, bulletin: Bulletin) -> None:
    stage.slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(TryAgainError):
        await stage.bot.messenger.tell(bulletin, again=False)
    await stage.bot.messenger.tell(bulletin, again=True)
    assert len(shown(stage)) == 1
    await stage.bot.messenger.tell(replace(bulletin, id="b2"), again=True)
    assert len(shown(stage)) == 2


async def test_an_operator_who_cannot_be_written_to_is_unreachable(stage: Stage, bulletin: Bulletin) -> None:
    stage.slack.close_dms(ALICE, "user_disabled")
    with pytest.raises(UnreachableError):
        await stage.bot.messenger.tell(bulletin, again=False)


@pytest.fixture
def aloud(stage: Stage, bulletin: Bulletin) -> Bulletin:
    """The same for a channel."""
    room = stage.slack.room("C0ALERTS")
    linked = tuple(replace(each, link="https://bot.test/admin") for each in bulletin.alerts)
    return replace(bulletin, to=Channel(Platform.SLACK, TEAM, room), alerts=linked)


def told_in(stage: Stage, aloud: Bulletin) -> list[str]:
    assert isinstance(aloud.to, Channel)
    return [message.shown for message in stage.slack.transcript(aloud.to.id)]


async def test_a_channel_is_told_in_the_language_of_all_channels_with_a_link(
    stage: Stage, aloud: Bulletin
) -> None:
    await stage.bot.messenger.tell(aloud, again=False)
    (told,) = told_in(stage, aloud)
    assert "80 % einer Obergrenze" in told
    assert "https://bot.test/admin" in told


async def test_a_channel_is_told_once_when_the_answer_was_lost(stage: Stage, aloud: Bulletin) -> None:
    stage.slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(TryAgainError):
        await stage.bot.messenger.tell(aloud, again=False)
    await stage.bot.messenger.tell(aloud, again=True)
    assert len(told_in(stage, aloud)) == 1


@pytest.mark.parametrize("id_", ["C0NONE", "C0PRIVATE"])
async def test_a_channel_that_we_are_not_in_is_unreachable_with_what_to_do(
    stage: Stage, bulletin: Bulletin, id_: str
) -> None:
    stage.slack.workspace.add_channel("C0PRIVATE", "private", Kind.PRIVATE, {ALICE})
    with pytest.raises(UnreachableError, match="write /invite and the app's name there"):
        await stage.bot.messenger.tell(replace(bulletin, to=Channel(Platform.SLACK, TEAM, id_)), again=True)


async def test_a_channel_of_another_workspace_is_unreachable(stage: Stage, aloud: Bulletin) -> None:
    far = Channel(Platform.SLACK, "T0OTHER", "C1")
    with pytest.raises(UnreachableError):
        await stage.bot.messenger.tell(replace(aloud, to=far), again=False)


async def test_a_text_for_a_channel_is_published_once(stage: Stage, aloud: Bulletin) -> None:
    assert isinstance(aloud.to, Channel)
    stage.slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(TryAgainError):
        await stage.bot.messenger.publish(aloud.to, "daily:1", "**Fri**\n1", None)
    since = stage.hall.clock.now()
    await stage.bot.messenger.publish(aloud.to, "daily:1", "**Fri**\n2", since)
    await stage.bot.messenger.publish(aloud.to, "daily:2", "**Sat**\n1", since)
    assert [told.split()[0] for told in told_in(stage, aloud)] == ["**Fri**", "**Sat**"]
