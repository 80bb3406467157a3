"""One bot in many workspaces that installed it: each is served by its own token, and leaves when it wants."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import pytest

from bot.slack.adapter import SlackBot
from bot.slack.clients import open_session
from bot.slack.installed import Installed
from bot.slack.workspaces import ManyWorkspaces
from engine.domain import AccountId, Person, Platform, TierName
from engine.errors import TryAgainError, UnreachableError
from engine.facts import Mode
from engine.ledger import Tx
from engine.notices import Notice, NoticeId, NoticeKind
from storage.store import Store
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.pulse import PATIENCE
from tests.fakes.slack import ALICE, BOB, GENERAL, MENTION, Call, Message, payloads
from tests.fakes.slack.teams import SlackApp, Team
from tests.slack.conftest import Stage, front_of, serving, settings_for
from tests.slack.test_conversations import answered
from tests.slack.visiting import Visitor, slack_app, visiting

T = TypeVar("T")


@dataclass(slots=True)
class Many(Stage):
    """Two workspaces that have the app, of people with the same names and ids."""

    visitor: Visitor
    acme: Team
    best: Team

    @property
    def app(self) -> SlackApp:
        """Slack as a whole."""
        assert isinstance(self.slack, SlackApp)
        return self.slack


@pytest.fixture(params=["socket", "http"])
async def many(hall: Hall, clock: FakeClock, request: pytest.FixtureRequest) -> AsyncIterator[Many]:
    """The bot over each transport in turn; nothing may be found against it in the end."""
    async with opened(hall, clock, http=request.param == "http") as found:
        yield found
        assert found.slack.findings == []


@pytest.fixture
async def over_socket(hall: Hall, clock: FakeClock) -> AsyncIterator[Many]:
    """The same over one transport, where that makes no difference."""
    async with opened(hall, clock, http=False) as found:
        yield found
        assert found.slack.findings == []


@asynccontextmanager
async def opened(hall: Hall, clock: FakeClock, *, http: bool) -> AsyncIterator[Many]:
    """The bot, and the app installed in two workspaces."""
    async with slack_app(clock, http=http) as slack:
        settings = settings_for(slack, http=http, many=True)
        front = front_of(hall)
        async with (
            visiting(settings, hall.store, clock) as visitor,
            serving(slack, front, clock, http=http, store=hall.store) as bot,
        ):
            acme, best = slack.team("T0ACME", "Acme"), slack.team("T0BEST", "Best")
            for team in (acme, best):
                assert (await visitor.install(slack, team)).status == 200
            yield Many(slack, hall, front, bot, visitor, acme, best)


def of(team: str, user: str = ALICE) -> Person:
    return Person(Platform.SLACK, team, user)


async def used(hall: Hall, person: Person) -> int | None:
    """How many conversations a person had today; None for somebody never seen."""
    day = hall.clock.now().date()

    def work(tx: Tx) -> int | None:
        account = tx.find_account(person)
        return tx.conversations_on(account.id, day) if account else None

    return await hall.store.read(work)


async def test_each_workspace_is_answered_in_itself_and_its_people_are_its_own(many: Many) -> None:
    for team in (many.acme, many.best):
        await team.mention(ALICE, GENERAL, "Hi")
        await team.slash(ALICE, "/ask", "Hi")
        answers = await answered(team, GENERAL, 2)
        assert any("conversation 2 of 3 today" in answer.shown for answer in answers)
        assert many.hall.one.seen[-1].messages[-1].text == "Hi"
        assert await used(many.hall, of(team.id)) == 2
    await many.acme.slash(ALICE, "/usage")
    await many.slack.wait_for(lambda: many.acme.ephemerals(ALICE))
    assert many.best.ephemerals(ALICE) == []
    assert many.slack.transcript(GENERAL) == []


async def test_no_event_asks_slack_who_the_workspace_is(many: Many) -> None:
    before = len(many.slack.log.of("auth.test"))
    await many.acme.mention(ALICE, GENERAL, "Hi")
    await answered(many.acme, GENERAL)
    assert len(many.slack.log.of("auth.test")) == before


async def test_a_workspace_that_uninstalls_is_forgotten_and_may_come_back(many: Many) -> None:
    clock = many.hall.clock
    first = many.acme.token
    ends = await many.acme.uninstall()
    await gone(many, "T0ACME")
    await many.acme.slash(ALICE, "/ask", "Anybody?")
    told = await many.slack.wait_for(lambda: many.acme.ephemerals(ALICE))
    assert told[0].shown.startswith("I am not installed in this workspace.")
    assert "https://bot.test/slack/install" in told[0].shown
    await many.acme.mention(ALICE, GENERAL, "Hello?")
    await many.best.mention(ALICE, GENERAL, "Hi")
    await answered(many.best, GENERAL)
    clock.advance(timedelta(seconds=2))
    await many.visitor.install(many.app, many.acme)
    assert many.acme.token != first
    for end in ends:
        await many.slack.redeliver(end)
    await many.acme.mention(ALICE, GENERAL, "Back again")
    await answered(many.acme, GENERAL)
    assert len(many.hall.one.seen) == 2


async def gone(many: Many, place: str) -> None:
    """Wait until an installation is deleted, which no call to Slack tells."""
    store = many.hall.store
    async with asyncio.timeout(PATIENCE):
        while await store.read(lambda tx: tx.installation(Platform.SLACK, place)):  # noqa: ASYNC110 - as it says
            await asyncio.sleep(0)


async def test_a_user_token_that_is_revoked_ends_nothing(over_socket: Many) -> None:
    event = {"type": "tokens_revoked", "tokens": {"oauth": [ALICE], "bot": []}}
    await over_socket.acme.event(event)
    await over_socket.best.uninstall()
    await gone(over_socket, "T0BEST")
    await over_socket.acme.mention(ALICE, GENERAL, "Hi")
    await answered(over_socket.acme, GENERAL)


async def test_an_answer_in_flight_ends_in_good_order_when_the_app_is_removed(
    many: Many, caplog: pytest.LogCaptureFixture
) -> None:
    model = many.hall.one
    model.words, model.pause = ("Hello ", "there, ", "you."), 2
    await many.acme.mention(ALICE, GENERAL, "Hi")
    await model.waiting.wait()
    await many.slack.wait_for(lambda: any(m.by_app for m in many.acme.transcript()))
    await many.acme.uninstall()
    await gone(many, "T0ACME")
    model.go.set()
    await many.best.mention(ALICE, GENERAL, "Hi")
    await answered(many.best, GENERAL)
    async with asyncio.timeout(PATIENCE):
        while model.closed < 2:  # noqa: ASYNC110 - the model tells nobody
            await asyncio.sleep(0)
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_token_that_fails_is_told_to_the_operator_once_and_others_are_served(
    over_socket: Many, caplog: pytest.LogCaptureFixture
) -> None:
    acme, best, slack = over_socket.acme, over_socket.best, over_socket.app
    slack.end(acme)

    def failed() -> list[Call]:
        return [call for call in slack.log.calls if call.answer.get("error") == "account_inactive"]

    for _ in range(3):
        await acme.mention(ALICE, GENERAL, "Hi")
    await slack.wait_for(failed)
    await best.mention(ALICE, GENERAL, "Hi")
    await answered(best, GENERAL)
    tries = len(failed())
    await acme.mention(ALICE, GENERAL, "Hi again")

    def complaints() -> list[logging.LogRecord]:
        return [record for record in caplog.records if record.levelno == logging.ERROR]

    await slack.wait_for(complaints)
    told = complaints()
    assert [(record.message, record.__dict__["workspace"]) for record in told] == [
        ("a workspace has to install the app again", "T0ACME")
    ]
    await over_socket.visitor.install(slack, acme)
    await acme.mention(BOB, GENERAL, "Back again")
    await answered(acme, GENERAL)
    assert len(failed()) == tries


async def test_an_organisation_is_one_place_whatever_workspace_its_people_are_in(many: Many) -> None:
    grid = many.app.team("T0GRID", "Grid", "E0GRID")
    done = await many.visitor.install(many.app, grid, org_wide=True)
    assert done.status == 200
    await grid.mention(ALICE, GENERAL, "Hi")
    await answered(grid, GENERAL)
    grid.id = "T0GRID2"
    await grid.slash(ALICE, "/ask", "Hi")
    assert "conversation 2 of 3 today" in (await answered(grid, GENERAL, 2))[-1].shown
    assert await used(many.hall, of("E0GRID")) == 2
    streams = many.slack.log.of("chat.startStream")
    assert {each.args["recipient_team_id"] for each in streams} == {"T0GRID"}
    await many.bot.messenger.deliver(notice(many, of("E0GRID")), again=False)
    assert len(grid.dms(ALICE)) == 1
    await grid.uninstall()
    await gone(many, "E0GRID")
    assert await installed(many) == {"T0ACME", "T0BEST"}


async def installed(many: Many) -> set[str]:
    """The places that have the app."""
    found = await many.hall.store.read(lambda tx: tx.installations(Platform.SLACK))
    return {each.place for each in found}


async def test_a_workspace_that_has_the_app_itself_and_by_its_organisation_keeps_its_own(
    over_socket: Many,
) -> None:
    grid = over_socket.app.team("T0GRID", "Grid", "E0GRID")
    await over_socket.visitor.install(over_socket.app, grid)
    own = grid.token
    grid.token = ""
    await over_socket.visitor.install(over_socket.app, grid, org_wide=True)
    assert await installed(over_socket) == {"T0ACME", "T0BEST", "T0GRID", "E0GRID"}
    grid.token, grid.org_wide = own, False
    await grid.mention(ALICE, GENERAL, "Hi")
    await answered(grid, GENERAL)
    assert await used(over_socket.hall, of("T0GRID")) == 1
    await grid.uninstall()
    await gone(over_socket, "T0GRID")
    assert "E0GRID" in await installed(over_socket)


async def test_who_comes_from_outside_through_a_shared_channel_is_known_by_their_own_workspace(
    many: Many,
) -> None:
    acme, hall = many.acme, many.hall
    await say_in_a_shared_channel(acme, 1, user_team="T0FAR", source_team="T0FAR", team="T0FAR")
    await answered(acme, GENERAL)
    assert await used(hall, of("T0FAR")) == 1
    assert await used(hall, of("T0ACME")) is None
    await say_in_a_shared_channel(acme, 2, user_team=acme.id, team=acme.id)
    await answered(acme, GENERAL, 2)
    assert await used(hall, of("T0ACME")) == 1


async def say_in_a_shared_channel(at: Team, number: int, **of_author: str) -> None:
    """Mention the bot where people of several organisations are."""
    message = at.workspace.add(Message(at.workspace.new_ts(), GENERAL, ALICE, f"{MENTION} Hi"))
    event = payloads.mention_event(message, at.workspace.channels[GENERAL]) | of_author
    envelope = payloads.event_callback(event, number, at.workspace.now())
    theirs = {"team_id": of_author["team"], "is_ext_shared_channel": True}
    await at.deliver("events_api", envelope | theirs)


def notice(many: Many, person: Person) -> Notice:
    return Notice(
        id=NoticeId("n1"),
        key="premium:activated:1",
        account=AccountId("a1"),
        mode=Mode.LIVE,
        person=person,
        kind=NoticeKind.ACTIVATED,
        tier=TierName.PREMIUM,
        created_at=many.hall.clock.now(),
    )


async def test_news_goes_to_the_persons_workspace_and_waits_where_there_is_none_any_more(
    over_socket: Many,
) -> None:
    bot: SlackBot = over_socket.bot
    news = notice(over_socket, of("T0BEST"))
    await bot.messenger.deliver(news, again=False)
    assert (len(over_socket.acme.dms(ALICE)), len(over_socket.best.dms(ALICE))) == (0, 1)
    over_socket.app.end(over_socket.acme)
    for again in (False, True):
        with pytest.raises(UnreachableError):
            await bot.messenger.deliver(replace(news, person=of("T0ACME")), again=again)
    for place in ("T0ACME", "T0NEVER"):
        with pytest.raises(UnreachableError):
            await bot.messenger.deliver(replace(news, person=of(place)), again=False)


async def test_a_second_process_serves_what_the_first_one_installed(
    over_socket: Many, clock: FakeClock
) -> None:
    hall, slack = over_socket.hall, over_socket.app
    async with serving(slack, front_of(hall), clock, http=False, store=hall.store):
        await slack.wait_for(lambda: len(slack.sockets.open) == 2)
        for number in range(1, 4):
            await over_socket.acme.mention(ALICE, GENERAL, f"question {number}")
            await answered(over_socket.acme, GENERAL, number)
        await over_socket.acme.uninstall()
        await gone(over_socket, "T0ACME")
        for _ in range(2):
            await over_socket.acme.mention(ALICE, GENERAL, "Hello?")
    assert len(hall.one.seen) == 3


class Patchy:
    """A store whose reads fail while it is `away`."""

    def __init__(self, store: Store) -> None:
        self.away = False
        self.transact = store.transact
        self._store = store

    async def read(self, work: Callable[[Tx], T]) -> T:
        """As the store does it, or not at all."""
        if self.away:
            raise TryAgainError("the database is away")
        return await self._store.read(work)


async def test_while_the_database_is_away_known_workspaces_are_served_on(over_socket: Many) -> None:
    slack, store = over_socket.app, Patchy(over_socket.hall.store)
    async with open_session() as session:
        workspaces = ManyWorkspaces(Installed(store, None), slack.api_url, session)
        known = await workspaces.at("T0ACME")
        store.away = True
        assert await workspaces.at("T0ACME") is known
        with pytest.raises(TryAgainError):
            await workspaces.at("T0BEST")
        store.away = False
        assert await workspaces.at("T0NEVER", "E0NEVER") is None


async def test_a_workspace_that_is_not_at_hand_any_more_is_met_again(
    over_socket: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.workspaces.MOST_OPEN", 1)
    for number in (1, 2):
        for team in (over_socket.acme, over_socket.best):
            await team.mention(ALICE, GENERAL, "Hi")
            await answered(team, GENERAL, number)
