"""The pages that install the Slack app: in the real web server, before a Slack that checks every request."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from engine.domain import Platform
from engine.installations import Installation
from storage.store import Store
from tests.fakes.clock import FakeClock
from tests.fakes.slack.teams import SlackApp, Team
from tests.slack.conftest import settings_for
from tests.slack.visiting import Visitor, slack_app, visiting
from tests.web.conftest import Start
from webhooks.site import Site

KEY = "an-operator's-key-of-forty-characters-00"


@dataclass(slots=True)
class Office:
    """Slack with a workspace, and a visitor who may install there."""

    slack: SlackApp
    acme: Team
    visitor: Visitor
    store: Store
    clock: FakeClock

    async def installed(self) -> list[Installation]:
        """What the database has."""
        return list(await self.store.read(lambda tx: tx.installations(Platform.SLACK)))


@pytest.fixture
async def office(store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    """On both databases; tokens are sealed; nothing may be found against us in the end."""
    async with slack_app(clock) as slack:
        acme = slack.team("T0ACME", "Acme & Sons")
        settings = settings_for(slack, http=False, many=True, keys=KEY)
        async with visiting(settings, store, clock) as visitor:
            yield Office(slack, acme, visitor, store, clock)
        assert slack.findings == []


async def test_whoever_allows_it_has_the_app_installed_and_is_told_where(office: Office) -> None:
    done = await office.visitor.install(office.slack, office.acme)
    assert done.status == 200
    assert "<h1>Installed in Acme &amp; Sons</h1>" in done.text
    [found] = await office.installed()
    assert (found.place, found.org_wide, found.bot_user, found.bot) == (
        "T0ACME",
        False,
        "U0ACMEBOT",
        "B0ACME",
    )
    assert found.installed_by == "U0ALICE"
    assert "chat:write" in found.scopes.split(",")
    assert "xoxb" not in found.token
    assert "xoxb" not in repr(found)


async def test_the_state_is_kept_in_a_cookie_that_scripts_and_other_sites_do_not_get(office: Office) -> None:
    seen = await office.visitor.get("/slack/install")
    state = office.visitor.cookies["slack_install"]
    assert f"state={state}&" in seen.goal
    assert re.search(r"; HttpOnly; Max-Age=600; Path=/slack; SameSite=Lax; Secure$", seen.cookie)
    done = await office.visitor.get(office.slack.allow(seen.goal, office.acme))
    assert "Max-Age=0" in done.cookie


async def test_an_installation_ends_once(office: Office) -> None:
    back = office.slack.allow(await office.visitor.begin(), office.acme)
    cookies = dict(office.visitor.cookies)
    await office.visitor.get(back)
    office.visitor.cookies = cookies
    again = await office.visitor.get(back)
    assert (again.status, len(office.slack.log.of("oauth.v2.access"))) == (400, 1)
    assert "<h1>This installation is over</h1>" in again.text


@pytest.mark.parametrize("cookie", [None, "another", "\udce9"])
async def test_what_another_browser_began_is_not_finished_here_but_there_still_can_be(
    office: Office, cookie: str | None
) -> None:
    back = office.slack.allow(await office.visitor.begin(), office.acme)
    own = dict(office.visitor.cookies)
    office.visitor.cookies = {"slack_install": cookie} if cookie else {}
    assert (await office.visitor.get(back)).status == 400
    assert await office.installed() == []
    office.visitor.cookies = own
    assert (await office.visitor.get(back)).status == 200


async def test_a_state_that_was_made_up_opens_nothing(office: Office) -> None:
    office.visitor.cookies = {"slack_install": "made-up"}
    for query in ("?code=code-1&state=made-up", "?code=code-1", "", "?error=access_denied"):
        assert (await office.visitor.get(f"/slack/oauth_redirect{query}")).status == 400
    assert office.slack.log.of("oauth.v2.access") == []


async def test_an_installation_that_took_longer_than_ten_minutes_is_over(office: Office) -> None:
    back = office.slack.allow(await office.visitor.begin(), office.acme)
    office.clock.advance(timedelta(minutes=10))
    assert (await office.visitor.get(back)).status == 400
    await office.visitor.begin()
    assert await office.store.transact(lambda tx: tx.forget_installs(office.clock.now())) == 0


async def test_who_does_not_allow_it_is_told_that_nothing_happened(office: Office) -> None:
    seen = await office.visitor.get(office.slack.deny(await office.visitor.begin()))
    assert seen.status == 200
    assert "<h1>Nothing was installed</h1>" in seen.text
    assert await office.installed() == []


async def test_the_same_workspace_may_install_twice_and_is_one(office: Office) -> None:
    for _ in range(2):
        office.clock.advance(timedelta(seconds=5))
        assert (await office.visitor.install(office.slack, office.acme)).status == 200
    [found] = await office.installed()
    assert found.installed_at == office.clock.now()


async def test_an_organisation_that_installs_it_as_a_whole_is_one_installation(office: Office) -> None:
    grid = office.slack.team("T0GRID", "Grid", "E0GRID")
    done = await office.visitor.install(office.slack, grid, org_wide=True)
    assert "Installed in Grid Org" in done.text
    assert "Every workspace of this organisation" in done.text
    [found] = await office.installed()
    assert (found.place, found.organisation, found.org_wide) == ("E0GRID", "E0GRID", True)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ("internal_error", 503, "That did not work just now"),
        ("bad_client_secret", 502, "Slack did not agree"),
        ("invalid_code", 502, "Slack did not agree"),
    ],
)
async def test_what_slack_says_no_to_is_said_in_words_and_logged(
    office: Office, caplog: pytest.LogCaptureFixture, error: str, status: int, words: str
) -> None:
    office.slack.faults.fail("oauth.v2.access", error)
    with caplog.at_level(logging.WARNING):
        seen = await office.visitor.install(office.slack, office.acme)
    assert (seen.status, words in seen.text) == (status, True)
    assert [error in str(record.__dict__["why"]) for record in caplog.records] == [True]
    assert await office.installed() == []
    assert (await office.visitor.install(office.slack, office.acme)).status == 200


async def test_where_it_is_off_the_address_says_why(start: Start) -> None:
    client = await start(Site("https://bot.test"))
    async with client.get("/slack/install") as answer:
        assert answer.status == 404
        assert "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are not set" in await answer.text()
