"""`/team`: who has a seat, a code for somebody new, joining with one, and leaving, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.commands import BY_NAME
from bot.people import named
from bot.render import day, title
from bot.reply import Button, Reply, Style
from bot.words import say
from engine.domain import Micros, Person
from engine.facts import AccessReason
from engine.sharing import Share
from engine.teams import INVITES_A_DAY, Invited, Obstacle, Roster, Seated, Teams


@dataclass(frozen=True, slots=True)
class Teaming:
    """Runs the parts of `/team`. OutsideErrors are for the caller to put into words."""

    teams: Teams

    async def run(self, person: Person, part: str, options: Mapping[str, str]) -> Reply:
        """The reply to a part, by its word."""
        match part:
            case "invite":
                return invited(await self.teams.invite(person))
            case "join":
                found = await self.teams.join(person, options.get("code", ""))
                return shown(found, person, say("team-joined"))
            case "leave":
                return left(await self.teams.leave(person), person)
            case "remove":
                return await self._remove(person, options)
        return shown(await self.teams.shown(person), person)

    async def _remove(self, person: Person, options: Mapping[str, str]) -> Reply:
        mentioned, number = options.get("member"), options.get("number", "")
        if mentioned:
            who: Person | int = Person(person.platform, person.workspace, mentioned)
        elif number.isdecimal():
            who = int(number)
        else:
            return Reply(say("team-remove-whom", usage=usage_of("remove")))
        return shown(await self.teams.remove(person, who), person, say("team-removed"))


def usage_of(part: str) -> str:
    """How a part is typed."""
    return next(each.usage for each in BY_NAME["team"].parts if each.word == part)


def refused(obstacle: Obstacle) -> Reply:
    """Why nothing was done, and what to do instead."""
    return Reply(say(f"team-{obstacle}", limit=INVITES_A_DAY, usage=usage_of("join")))


def left(found: Person | Obstacle, viewer: Person) -> Reply:
    """Somebody gave their seat back."""
    if isinstance(found, Obstacle):
        return refused(found)
    return Reply(say("team-left", owner=named(found, viewer)), people=True)


def invited(found: Invited | Obstacle) -> Reply:
    """A code with words to pass on."""
    if isinstance(found, Obstacle):
        return refused(found)
    lines = (
        say("team-code", day=day(found.until)),
        f"> {say('team-pass-on', command=f'/team join {found.code}')}",
        say("team-code-once"),
    )
    return Reply("\n\n".join(lines))


def shown(found: Roster | Obstacle, viewer: Person, heading: str = "") -> Reply:
    """A team as one of its people sees it."""
    if isinstance(found, Obstacle):
        return refused(found)
    lines = owned(found, viewer) if found.owned else joined(found, viewer)
    free = found.owned and found.taken < found.seats
    buttons = (Button(say("button-invite"), action="team:invite", style=Style.PRIMARY),) if free else ()
    return Reply("\n".join(filter(None, (heading, *lines))), buttons, people=True)


def owned(team: Roster, viewer: Person) -> Iterator[str]:
    """The seats of one's own team, and who has them."""
    if team.seats:
        yield say("team-yours", taken=team.taken, seats=say("seats", team.seats))
    else:
        yield say("team-yours-ended")
    yield from (row(each, team.budget, viewer) for each in team.people)
    if len(team.people) > 1:
        yield from share_lines(team.share)
    if team.seats and len(team.people) >= team.seats:
        yield say("team-more")
    if team.beside:
        yield say("team-beside", owner=named(team.beside, viewer))


def row(seated: Seated, budget: Micros | None, viewer: Person) -> str:
    """Somebody of a team: the number by which they can be taken out, and what they used this month."""
    waits = say("team-waits") if seated.waiting else ""
    used = say("team-used", percent=percent(seated.used, budget)) if budget else ""
    spoken = say("team-spoken", conversations=say("conversations", seated.conversations))
    return " · ".join(filter(None, (f"{seated.number}. {named(seated.person, viewer)}", waits, used, spoken)))


def percent(used: Micros, budget: Micros) -> int:
    """A part of a budget in hundredths, rounded up so that nothing used is nothing."""
    return -(-used * 100 // budget)


def share_lines(share: Share | None) -> Iterator[str]:
    """What the viewer's seat has used of the team's budget, and how far it may go by now."""
    budget = share.tier.cost_ceiling_month if share else None
    if share is None or not budget:
        return
    own, reach = share.pot.share(budget), share.reach(budget) or Micros(0)
    yield say(
        "team-share",
        used=percent(share.used, budget),
        own=own * 100 // budget,
        reach=reach * 100 // budget,
    )


def joined(team: Roster, viewer: Person) -> Iterator[str]:
    """The team that one has a seat in."""
    yield say(
        "team-of-ended" if not team.seats else "team-of-waiting" if team.people[0].waiting else "team-of",
        owner=named(team.owner, viewer),
    )
    if team.seats and not team.people[0].waiting and team.access.reason is not AccessReason.SEAT:
        yield say("team-own-better", tier=title(team.access.tier))
    yield from share_lines(team.share)
    yield say("team-privacy")
