"""Many workspaces that install one app: each is a FakeSlack of its own behind the same addresses."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aiohttp import web

from tests.fakes.slack import published
from tests.fakes.slack.app import BOT_TOKEN
from tests.fakes.slack.consent import CLIENT_ID, CLIENT_SECRET, CODE_SECONDS, Grant, exchange, wish
from tests.fakes.slack.errors import SlackError
from tests.fakes.slack.fake import FakeSlack
from tests.fakes.slack.log import Delivery
from tests.fakes.slack.state import BOT, BOT_USER, TEAM, Json


class Team(FakeSlack):
    """One workspace among many; `organisation` is its organisation, which may have the app as a whole.

    Its people have the same names and ids as everywhere: who takes two of them for one person is wrong.
    """

    def __init__(self, slack: SlackApp, team: str, name: str, organisation: str | None = None) -> None:
        super().__init__(now=slack.workspace.now)
        self.slack = slack
        self.id, self.name, self.organisation = team, name, organisation
        self.address = slack.address
        self.app, self.log, self.faults = slack.app, slack.log, slack.faults
        self.workspace.share(slack.workspace)
        self.org_wide = False
        self.token = ""
        self.scopes = frozenset[str]()
        self.people()

    @property
    def place(self) -> str:
        """What the installation is for."""
        return self.organisation if self.org_wide and self.organisation else self.id

    @property
    def names(self) -> Mapping[str, str]:
        """What is called otherwise here than in the workspace that FakeSlack describes."""
        own = self.id.removeprefix("T0")
        return {TEAM: self.id, BOT_USER: f"U0{own}BOT", BOT: f"B0{own}"}

    async def deliver(
        self, kind: str, payload: Json, *, envelope: str | None = None, retry: int = 0, reason: str = ""
    ) -> Delivery:
        """Send something by the way that all workspaces share."""
        told = renamed(payload, self.names)
        if self.organisation:
            told = self._within_organisation(kind, told)
        return await self.slack.deliver(kind, told, envelope=envelope, retry=retry, reason=reason)

    async def uninstall(self) -> list[Delivery]:
        """Remove the app: its token ends, and Slack tells so, in no order that one may rely on."""
        self.slack.end(self)
        revoked = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER]}}
        told = (revoked, {"type": "app_uninstalled"})
        return [await self.event(each) for each in told if each["type"] in self.app.events]

    def identity(self) -> Json:
        """What oauth.v2.access tells of the workspace and its bot."""
        organisation = {"id": self.organisation, "name": f"{self.name} Org"} if self.organisation else None
        return {
            "bot_user_id": self.names[BOT_USER],
            "team": None if self.org_wide else {"id": self.id, "name": self.name},
            "enterprise": organisation,
            "is_enterprise_install": self.org_wide,
        }

    def bearer(self, request: web.Request) -> str:
        """The workspace's own token has been looked at before."""
        del request
        return BOT_TOKEN

    def granted(self) -> frozenset[str]:
        return self.scopes

    def _answer(
        self,
        method: str,
        args: Json,
        answer: Json,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> web.Response:
        return super()._answer(method, args, renamed(answer, self.names), status, headers)

    def _within_organisation(self, kind: str, payload: Json) -> Json:
        ids = {"enterprise_id": self.organisation, "is_enterprise_install": self.org_wide}
        if kind == "events_api":
            authorization = payload["authorizations"][0] | ids
            return payload | {"enterprise_id": self.organisation, "authorizations": [authorization]}
        if kind == "slash_commands":
            return payload | ids | {"is_enterprise_install": str(self.org_wide).lower()}
        return payload | {"enterprise": {"id": self.organisation}, "is_enterprise_install": self.org_wide}


class SlackApp(FakeSlack):
    """Slack as an app that is distributed meets it: no workspace of its own, many that may install it."""

    def __init__(self, manifest: Mapping[str, object], **options: object) -> None:
        super().__init__(manifest=manifest, **options)  # type: ignore[arg-type]
        self.redirect_urls = frozenset(manifest["oauth_config"]["redirect_urls"])  # type: ignore[index]
        self.teams: dict[str, Team] = {}
        self.ended: set[str] = set()
        self.grants: dict[str, Grant] = {}

    @property
    def variables(self) -> dict[str, str]:
        own = {"SLACK_CLIENT_ID": CLIENT_ID, "SLACK_CLIENT_SECRET": CLIENT_SECRET}
        return {name: value for name, value in super().variables.items() if name != "SLACK_BOT_TOKEN"} | own

    def team(self, team: str, name: str, organisation: str | None = None) -> Team:
        """Make a workspace, once the server runs."""
        self.teams[team] = Team(self, team, name, organisation)
        return self.teams[team]

    def allow(self, address: str, team: Team, *, org_wide: bool = False) -> str:
        """Allow on the consent page what is asked for; where the browser goes then."""
        asked = wish(address, self.redirect_urls)
        if beyond := asked.scopes - self.app.scopes:
            self.log.find(f"asks for scopes that the manifest does not have: {sorted(beyond)}")
        code = f"code-{self.workspace.number()}"
        until = self.workspace.now() + CODE_SECONDS
        self.grants[code] = Grant(team.id, asked.scopes, asked.redirect_uri, until)
        team.org_wide = org_wide
        return asked.back(code=code)

    def deny(self, address: str) -> str:
        """Press Cancel there."""
        return wish(address, self.redirect_urls).back(error="access_denied")

    def end(self, team: Team) -> None:
        """A workspace's token is good for nothing from now on."""
        self.ended.add(team.token)
        team.token = ""

    def application(self) -> web.Application:
        """The routes, with the consent page, on which whoever comes allows the app in the first workspace."""
        application = super().application()
        application.router.add_get("/oauth/v2/authorize", self._consent)
        return application

    async def _consent(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(self.allow(str(request.url), next(iter(self.teams.values()))))

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method, token = request.match_info["method"], self.bearer(request)
        if method == "oauth.v2.access":
            return await self._access(request)
        if token in self.ended:
            return self._answer(method, {}, {"ok": False, "error": "account_inactive"})
        team = next((each for each in self.teams.values() if token and each.token == token), None)
        if team is not None:
            return await team._api(request)  # noqa: SLF001 - one of us
        if token == BOT_TOKEN:
            return self._answer(method, {}, {"ok": False, "error": "invalid_auth"})
        return await super()._api(request)

    async def _access(self, request: web.Request) -> web.StreamResponse:
        method = "oauth.v2.access"
        await self.faults.held(method)
        if fault := self.faults.take(method):
            return self._faulty(method, {}, fault)
        args = {name: str(value) for name, value in (await request.post()).items()}
        for problem in published.problems(method, args):
            self.log.find(problem)
        header = request.headers.get("Authorization", "")
        try:
            grant = exchange(self.grants, args, header, self.workspace.now())
        except SlackError as error:
            return self._answer(method, args, error.body())
        return self._answer(method, args, self._installed(self.teams[grant.place], grant))

    def _installed(self, team: Team, grant: Grant) -> Json:
        team.scopes = grant.scopes
        team.token = team.token or f"xoxb-{team.id}-{self.workspace.number()}"
        return {
            "ok": True,
            "app_id": "A0FAKE001",
            "authed_user": {"id": "U0ALICE"},
            "scope": ",".join(sorted(grant.scopes)),
            "token_type": "bot",
            "access_token": team.token,
            **team.identity(),
        }

    async def _response_url(self, request: web.Request) -> web.StreamResponse:
        hook = request.match_info["hook"]
        owner = next((each for each in self.teams.values() if each.owns(hook)), None)
        if owner is None:
            return await super()._response_url(request)
        return await owner._response_url(request)  # noqa: SLF001 - one of us


def renamed(value: Json, names: Mapping[str, str]) -> Json:
    """The same with other ids, however deep they are."""
    text = json.dumps(value)
    for old, new in names.items():
        text = text.replace(old, new)
    found: Json = json.loads(text)
    return found
