"""Puts together from settings what questions are decided on and answered by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

from engine.admission import Desk
from engine.catalogue import Wares
from engine.chat import Chat
from engine.facts import Mode
from engine.keeping import Keeping
from engine.moderating import Moderating, Moderator
from engine.ports import Clock, Model, Store, Vault
from engine.settings import Settings
from engine.signals import Signals


class SystemClock:
    """The wall clock."""

    def now(self) -> datetime:
        """The time as an aware UTC datetime."""
        return datetime.now(UTC)


def desk_of(settings: Settings, wares: Wares, mode: Mode, owner: str) -> Desk:
    """What questions are decided on, by a process of that name."""
    return Desk(
        wares.today,
        mode,
        settings.system_prompt.strip(),
        owner,
        metered_markup=settings.billing.metered_markup,
        ceilings=settings.ceilings,
        summaries=settings.summaries,
    )


def open_chat(
    settings: Settings,
    store: Store,
    clock: Clock,
    mode: Mode,
    models: Mapping[str, Model],
    wares: Wares,
    vault: Vault | None,
    moderator: Moderator,
) -> Chat:
    """What answers questions, as a process of its own name; `vault` seals those that are kept."""
    desk = desk_of(settings, wares, mode, uuid4().hex)
    chat = Chat(store, clock, desk, models, Signals(), wares=wares, keeping=Keeping(store, clock, vault))
    chat.moderating = Moderating(clock, settings.screening, moderator)
    return chat
