"""Which languages members have set in Slack, asked now and then."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.calls import called
from engine.errors import OutsideError

log = logging.getLogger("bot.slack")

PATIENCE_SECONDS = 2.0
"""How long an answer may wait for it."""
KEPT_SECONDS = 3600.0
RETRY_SECONDS = 60.0
"""When what could not be learned is asked again."""
KEPT_PEOPLE = 2000


@dataclass(frozen=True, slots=True)
class Told:
    """What Slack said, None if nothing, and until when (loop time) that will do."""

    locale: str | None
    until: float


class Locales:
    """The locales of a workspace's members. Nobody is told when one cannot be learned: it is no failure."""

    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web
        self._told: OrderedDict[str, Told] = OrderedDict()

    async def of(self, user: str) -> str | None:
        """The member's locale (`fr-FR`), None if it is not known now."""
        now = asyncio.get_running_loop().time()
        told = self._told.get(user)
        if told is not None and now < told.until:
            return told.locale
        locale = await self._ask(user)
        self._told[user] = Told(locale, now + (KEPT_SECONDS if locale else RETRY_SECONDS))
        self._told.move_to_end(user)
        if len(self._told) > KEPT_PEOPLE:
            self._told.popitem(last=False)
        return locale

    async def _ask(self, user: str) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await called(self._web.users_info(user=user, include_locale=True))
        except (OutsideError, TimeoutError) as error:
            log.info("no locale", extra={"why": str(error) or "timeout"})
            return None
        found = answer.get("user") or {}
        return str(found.get("locale") or "") or None
