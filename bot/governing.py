"""`/server`: what the admins of a Discord server or Slack workspace decide for it, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.commands import BY_NAME
from bot.render import listed, mentions
from bot.reply import Reply
from bot.words import say
from engine.domain import Place, Platform
from engine.places import Action, Change, InForce, Listed, Objection, Places, pool
from engine.rules import Rules

OFF = "off"
LISTS = {Listed.CHANNELS: "channel", Listed.ROLES: "role", Listed.MODELS: "model"}
"""The option that holds an entry of each list."""
QUOTE = "> "


@dataclass(frozen=True, slots=True)
class Governing:
    """Runs the parts of `/server`."""

    places: Places

    async def run(self, place: Place | None, part: str, options: Mapping[str, str], *, admin: bool) -> Reply:
        """The reply to a part, by its word; `admin`: the platform says that the person manages the place."""
        if place is None or not admin:
            return Reply(refused(place))
        if part == Listed.ROLES and place.platform is not Platform.DISCORD:
            return Reply(say("server-no-roles"))
        if part in HANDLED:
            return await self._changed(place, part, options)
        return shown(place, await self.places.shown(place), say("server-holds"))

    async def _changed(self, place: Place, part: str, options: Mapping[str, str]) -> Reply:
        found = await self._tried(place, part, options)
        if found is None:
            return Reply(say("server-incomplete", usage=usage_of(part)))
        if isinstance(found, Objection):
            names = tuple(spec.name for spec in self.places.catalogue.models)
            return Reply(say(f"server-{found}", models=listed(names)))
        return shown(place, found, say("server-changed"))

    async def _tried(self, place: Place, part: str, options: Mapping[str, str]) -> InForce | Objection | None:
        """What comes of a part; None if an option that it needs is missing or does not fit."""
        if part == "persona":
            text = options.get("text")
            if text is None:
                return None
            return await self.places.give_persona(place, "" if text.strip().casefold() == OFF else text)
        change = self._change(part, options)
        return await self.places.change(place, change) if change else None

    def _change(self, part: str, options: Mapping[str, str]) -> Change | None:
        """What another part than the persona changes, likewise."""
        match part:
            case "default":
                name = options.get("model")
                return self.places.default(None if name in {None, OFF} else name)
            case "pool":
                size = options.get("size", "").casefold()
                return pool(None if size == OFF else int(size)) if size == OFF or size.isdecimal() else None
        return self._listing(Listed(part), options)

    def _listing(self, which: Listed, options: Mapping[str, str]) -> Change | None:
        action, entry = options.get("action", ""), options.get(LISTS[which], "")
        if action not in set(Action) or (action != Action.CLEAR and not entry):
            return None
        return self.places.listing(which, Action(action), entry)


def refused(place: Place | None) -> str:
    """Why somebody may decide nothing there."""
    if place is None:
        return say("server-nowhere")
    return say("server-not-admin-slack" if place.platform is Platform.SLACK else "server-not-admin")


HANDLED = frozenset({*Listed, "default", "persona", "pool"})
"""The parts that change something; the others show what holds."""


def usage_of(part: str) -> str:
    """How a part is typed."""
    return next(each.usage for each in BY_NAME["server"].parts if each.word == part)


def shown(place: Place, found: InForce, heading: str) -> Reply:
    """The rules of a place in words."""
    rules = found.rules
    limit = say("server-pool-free") if rules.pool is None else say("server-pool-of", rules.pool)
    lines = [
        heading,
        say("server-channels", channels=mentions("#", rules.channels) or say("server-all")),
        *role_lines(place, rules),
        say("server-models", models=listed(rules.models) or say("server-all")),
        say("server-model", model=f"`{rules.model}`" if rules.model else say("server-model-none")),
        say("server-pool", limit=limit, used=found.pooled),
        *persona_lines(rules),
    ]
    return Reply("\n".join(lines))


def role_lines(place: Place, rules: Rules) -> Sequence[str]:
    """The roles, where there are any."""
    if place.platform is not Platform.DISCORD:
        return []
    return [say("server-roles", roles=mentions("@&", rules.roles) or say("server-all"))]


def persona_lines(rules: Rules) -> Sequence[str]:
    """The persona, quoted below its heading."""
    if not rules.persona:
        return [say("server-persona-none")]
    return [say("server-persona"), *(f"{QUOTE}{line}" for line in rules.persona.splitlines())]
