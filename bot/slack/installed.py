"""Where the app is installed, as the database has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.slack.vault import Tokens
from engine.domain import Platform
from engine.installations import Installation
from engine.ledger import Tx
from engine.ports import Store, Vault

A_SECOND = timedelta(seconds=1)


class Installed:
    """The installations on Slack; TryAgainError from any call: the database is away."""

    def __init__(self, store: Store, vault: Vault | None) -> None:
        """Without a vault tokens are kept as Slack gave them."""
        self._store = store
        self._tokens = Tokens(vault)

    async def find(self, team: str, organisation: str) -> Installation | None:
        """The installation of a workspace, or else the org-wide one of its organisation."""

        def work(tx: Tx) -> Installation | None:
            places = (each for each in (team, organisation) if each)
            found = (tx.installation(Platform.SLACK, place) for place in places)
            return next((each for each in found if each), None)

        return await self._store.read(work)

    async def everywhere(self) -> Sequence[Installation]:
        """All of them, oldest first."""
        return await self._store.read(lambda tx: tx.installations(Platform.SLACK))

    async def begin(self, state: str, now: datetime, good_for: timedelta) -> None:
        """Remember that an installation was begun, and forget those that came to nothing."""

        def work(tx: Tx) -> None:
            tx.forget_installs(now)
            tx.begin_install(state, now + good_for)

        await self._store.transact(work)

    async def end(self, state: str, now: datetime) -> bool:
        """Whether such an installation was begun and may go on; it is over then."""
        return await self._store.transact(lambda tx: tx.end_install(state, now))

    async def save(self, installation: Installation) -> None:
        """Keep a new one, or one made again; its token comes as Slack gave it."""
        kept = replace(installation, token=self._tokens.seal(installation.token))
        await self._store.transact(lambda tx: tx.save_installation(kept))

    async def drop(self, place: str, at: float) -> bool:
        """Forget one that ended in that unix second; one made later stays, however late the news comes."""
        until = datetime.fromtimestamp(int(at), UTC) + A_SECOND
        return await self._store.transact(lambda tx: tx.drop_installation(Platform.SLACK, place, until))

    def token(self, installation: Installation) -> str:
        """The token in the clear. TellOperatorError: its key is gone."""
        return self._tokens.open(installation.token)
