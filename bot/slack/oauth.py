"""Installs the app into a workspace or an organisation: Slack's OAuth, from the first visit to the token."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Awaitable, Mapping
from datetime import timedelta
from typing import Any

from aiohttp import encode_basic_auth
from slack_sdk.oauth import AuthorizeUrlGenerator
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.calls import called
from bot.slack.clients import client, open_session
from bot.slack.installed import Installed
from bot.slack.manifest import scopes
from engine.domain import Platform
from engine.errors import OutsideError, TryAgainError
from engine.installations import Installation, InstallEnd, InstallOutcome, InstallStart
from engine.ports import Clock, Store, Vault
from engine.settings import SlackOAuth, SlackSettings

log = logging.getLogger("bot.slack")

GOOD_FOR = timedelta(minutes=10)
"""As long as Slack's own code is good."""
DENIED_BY_PERSON = "access_denied"


class SlackInstall:
    """The engine's PlatformInstall for Slack.

    A state is good once, for ten minutes, and only in the browser that has it as a cookie too: so nobody can
    be led into finishing an installation that somebody else began. What is stored of it is a digest.
    """

    def __init__(
        self,
        settings: SlackSettings,
        oauth: SlackOAuth,
        store: Store,
        clock: Clock,
        tokens: Vault | None = None,
    ) -> None:
        """`tokens` seals those of workspaces."""
        self._api_url = settings.api_url
        self._oauth = oauth
        self._installed = Installed(store, tokens)
        self._clock = clock
        self._consent = AuthorizeUrlGenerator(
            client_id=oauth.client_id,
            redirect_uri=oauth.redirect_url,
            scopes=scopes(follow_threads=settings.follow_threads),
            authorization_url=f"{settings.api_url.removesuffix('api/')}oauth/v2/authorize",
        )

    async def begin(self) -> InstallStart:
        state = secrets.token_urlsafe(32)
        await self._installed.begin(digest(state), self._clock.now(), GOOD_FOR)
        return InstallStart(self._consent.generate(state), state, int(GOOD_FOR.total_seconds()))

    async def finish(self, query: Mapping[str, str], cookie: str) -> InstallOutcome:
        state, code = query.get("state", ""), query.get("code", "")
        try:
            if not await self._ours(state, cookie):
                return InstallOutcome(InstallEnd.STALE)
            if not code:
                return self._not_allowed(query.get("error", ""))
            return await self._install(code)
        except TryAgainError as error:
            log.warning("an installation did not end", extra={"why": str(error)})
            return InstallOutcome(InstallEnd.AWAY)
        except OutsideError as error:
            log.error("Slack refuses an installation", extra={"why": str(error)})  # noqa: TRY400 - in words
            return InstallOutcome(InstallEnd.REFUSED)

    async def _ours(self, state: str, cookie: str) -> bool:
        """Whether this browser began it; a state that comes with another browser's cookie is not used up."""
        if not (state and same(state, cookie)):
            return False
        return await self._installed.end(digest(state), self._clock.now())

    def _not_allowed(self, error: str) -> InstallOutcome:
        if error == DENIED_BY_PERSON:
            return InstallOutcome(InstallEnd.CANCELLED)
        log.error("Slack refuses an installation", extra={"why": error[:100]})
        return InstallOutcome(InstallEnd.REFUSED)

    async def _install(self, code: str) -> InstallOutcome:
        async with open_session() as session:
            web = client(None, self._api_url, session, patient=True)
            granted = await called(self._exchange(web, code))
            token = str(granted["access_token"])
            known = await called(client(token, self._api_url, session, patient=True).auth_test())
        found = self._installation(body(granted.data), token, str(known.get("bot_id") or ""))
        await self._installed.save(found)
        log.info("installed", extra={"workspace": found.place, "workspace_name": found.name})
        return InstallOutcome(
            InstallEnd.DONE, found.name, str(known.get("url") or "") or None, found.org_wide
        )

    def _exchange(self, web: AsyncWebClient, code: str) -> Awaitable[AsyncSlackResponse]:
        """Ask for the token; the SDK's own method for it signs in by a way that aiohttp is giving up."""
        secret = self._oauth.client_secret.get_secret_value()
        return web.api_call(
            "oauth.v2.access",
            data={"code": code, "redirect_uri": self._oauth.redirect_url},
            headers={"Authorization": encode_basic_auth(self._oauth.client_id, secret)},
        )

    def _installation(self, granted: Mapping[str, Any], token: str, bot: str) -> Installation:
        team, organisation = body(granted.get("team")), body(granted.get("enterprise"))
        org_wide = bool(granted.get("is_enterprise_install"))
        whole = organisation if org_wide else team
        return Installation(
            platform=Platform.SLACK,
            place=str(whole["id"]),
            name=str(whole.get("name") or whole["id"]),
            organisation=str(organisation.get("id") or ""),
            bot_user=str(granted["bot_user_id"]),
            bot=bot,
            token=token,
            scopes=str(granted.get("scope") or ""),
            installed_by=str(body(granted.get("authed_user")).get("id") or ""),
            installed_at=self._clock.now(),
            org_wide=org_wide,
        )


def same(one: str, other: str) -> bool:
    """Compare in constant time whatever a browser may send."""
    first, second = (each.encode("utf-8", "surrogateescape") for each in (one, other))
    return hmac.compare_digest(first, second)


def digest(state: str) -> str:
    """What is stored of a state."""
    return hashlib.sha256(state.encode()).hexdigest()


def body(value: object) -> Mapping[str, Any]:
    """A part of Slack's answer, which has null in place of what does not apply."""
    return value if isinstance(value, dict) else {}
